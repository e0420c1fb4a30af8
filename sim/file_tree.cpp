#include "sim/file_tree.h"

#include "base/text.h"

namespace orrery {

FileTree::FileTree() {
  cache_.directories[""] = true;
  platter_.directories[""] = true;
}

FileTree::FileTree(const FileTree& other)
    : files_(other.files_),
      cache_(other.cache_),
      platter_(other.platter_),
      changes_(other.changes_) {
  for (File& file : files_) {
    if (file.shared != nullptr) ++file.shared->references;
  }
}

FileTree::~FileTree() {
  for (File& file : files_) drop(file);
}

void FileTree::drop(File& file) {
  if (file.shared != nullptr && --file.shared->references == 0) {
    std::unique_ptr<SharedContent> dies(file.shared);
  }
  file.shared = nullptr;
}

std::string FileTree::directory_of(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

const FileContent& FileTree::content(FileNumber file) const {
  CHECK(file.v < files_.size() && files_[file.v].shared != nullptr);
  return files_[file.v].shared->content;
}

FileContent& FileTree::mutable_content(FileNumber file) {
  CHECK(file.v < files_.size());
  SharedContent*& shared = files_[file.v].shared;
  CHECK(shared != nullptr);
  if (shared->references > 1) {
    SharedContent* copy =
        std::make_unique<SharedContent>(SharedContent{1, shared->content}).release();
    --shared->references;
    shared = copy;
  }
  return shared->content;
}

void FileTree::apply(const Change& change, Names& names) {
  switch (change.kind) {
    case Change::Kind::link: names.files[change.name] = change.file; return;
    case Change::Kind::unlink:
      names.files.erase(change.name);
      names.directories.erase(change.name);
      return;
    case Change::Kind::rename:
      names.files.erase(change.name);
      names.files[change.new_name] = change.file;
      return;
    case Change::Kind::make_directory: names.directories[change.name] = true; return;
  }
}

void FileTree::note(Change change) {
  apply(change, cache_);
  changes_.push_back(std::move(change));
}

Result<FileNumber> FileTree::open(const std::string& name, bool create, bool exclusive) {
  if (auto it = cache_.files.find(name); it != cache_.files.end()) {
    if (exclusive)
      return raise(sqlstate::duplicate_file, cat("file \"", name, "\" already exists"));
    return it->second;
  }
  const std::string directory = directory_of(name);
  if (!create || cache_.directories.count(directory) == 0 || cache_.directories.count(name) != 0) {
    return raise(sqlstate::undefined_file,
                 cat("could not open file \"", name, "\": No such file or directory"));
  }
  const FileNumber file(static_cast<uint32_t>(files_.size()));
  files_.push_back(File{std::make_unique<SharedContent>().release(), name});
  note(Change{Change::Kind::link, directory, name, "", file});
  return file;
}

Status FileTree::rename(const std::string& from, const std::string& to) {
  auto it = cache_.files.find(from);
  if (it == cache_.files.end() || cache_.directories.count(directory_of(to)) == 0) {
    return raise(sqlstate::undefined_file,
                 cat("could not rename file \"", from, "\" to \"", to, "\""));
  }
  const FileNumber file = it->second;
  files_[file.v].name = to;
  note(Change{Change::Kind::rename, directory_of(from), from, to, file});
  return {};
}

Status FileTree::remove(const std::string& name) {
  auto it = cache_.files.find(name);
  if (it == cache_.files.end()) {
    if (cache_.directories.count(name) != 0 && !name.empty()) {
      TRY(list(name));
      note(Change{Change::Kind::unlink, directory_of(name), name, "", FileNumber{}});
      return {};
    }
    return raise(sqlstate::undefined_file,
                 cat("could not remove file \"", name, "\": No such file or directory"));
  }
  note(Change{Change::Kind::unlink, directory_of(name), name, "", it->second});
  return {};
}

Status FileTree::make_directory(const std::string& name) {
  if (cache_.directories.count(name) != 0 || cache_.files.count(name) != 0) {
    return raise(sqlstate::duplicate_file,
                 cat("could not create directory \"", name, "\": File exists"));
  }
  if (cache_.directories.count(directory_of(name)) == 0) {
    return raise(sqlstate::undefined_file,
                 cat("could not create directory \"", name, "\": No such file or directory"));
  }
  note(Change{Change::Kind::make_directory, directory_of(name), name, "", FileNumber{}});
  return {};
}

Result<std::vector<std::string>> FileTree::list(const std::string& directory) const {
  if (cache_.directories.count(directory) == 0) {
    return raise(sqlstate::undefined_file, cat("could not open directory \"", directory, "\""));
  }
  std::vector<std::string> names;
  const std::string prefix = directory.empty() ? "" : directory + "/";
  const auto add = [&](const std::string& name) {
    if (name.size() > prefix.size() && name.starts_with(prefix) &&
        name.find('/', prefix.size()) == std::string::npos) {
      names.push_back(name.substr(prefix.size()));
    }
  };
  for (const auto& [name, file] : cache_.files) add(name);
  for (const auto& [name, present] : cache_.directories) add(name);
  std::sort(names.begin(), names.end());
  return names;
}

Status FileTree::sync_directory(const std::string& name) {
  if (cache_.directories.count(name) == 0) {
    return raise(sqlstate::undefined_file, cat("could not open directory \"", name, "\""));
  }
  std::vector<Change> left;
  for (Change& change : changes_) {
    if (change.directory == name) {
      apply(change, platter_);
    } else {
      left.push_back(std::move(change));
    }
  }
  changes_ = std::move(left);
  return {};
}

std::vector<FileNumber> FileTree::named_files() const {
  std::vector<FileNumber> files;
  files.reserve(cache_.files.size());
  for (const auto& [name, file] : cache_.files) files.push_back(file);
  return files;
}

uint64_t FileTree::used_bytes() const {
  uint64_t sum = 0;
  for (const auto& [name, file] : cache_.files) sum += content(file).size_bytes();
  return sum;
}

void FileTree::crash(KeepChanges keep_changes, CrashFile crash_file) {
  std::map<std::string, size_t> counts;
  for (const Change& change : changes_) ++counts[change.directory];
  for (auto& [directory, count] : counts) count = keep_changes(directory, count);
  for (const Change& change : changes_) {
    size_t& left = counts[change.directory];
    if (left == 0) continue;
    --left;
    apply(change, platter_);
  }
  changes_.clear();
  // What hung below a directory that is gone is gone too.
  for (auto it = platter_.files.begin(); it != platter_.files.end();) {
    it = platter_.directories.count(directory_of(it->first)) == 0 ? platter_.files.erase(it)
                                                                  : std::next(it);
  }
  cache_ = platter_;
  std::vector<bool> is_named(files_.size());
  for (const auto& [name, file] : cache_.files) {
    is_named[file.v] = true;
    files_[file.v].name = name;
  }
  for (size_t i = 0; i < files_.size(); ++i) {
    const FileNumber file(static_cast<uint32_t>(i));
    if (!is_named[i]) {
      drop(files_[i]);
    } else if (!content(file).is_all_durable()) {
      crash_file(file, mutable_content(file));
    }
  }
}

}  // namespace orrery
