#include "storage/file_life.h"

#include <algorithm>

#include "base/text.h"

namespace orrery {

void FileLife::created(FileId file, Xid xid) {
  if (file_number(file) < kFirstComputedNumber) {
    next_number_ = std::max(next_number_, file_number(file) + 1);
  }
  if (xid.v > kBootstrapXid.v) made_.push_back({file, xid});
}

void FileLife::transaction_ended(Xid xid, bool committed, std::span<const FileId> dropped,
                                 Lsn lsn) {
  for (const Made& made : made_) {
    // A fork made for an older file stays with it, empty, when its maker aborts.
    if (made.xid == xid && !committed && file_fork(made.file) == Fork::main)
      ended_.push_back({made.file, lsn});
  }
  std::erase_if(made_, [xid](const Made& made) { return made.xid == xid; });
  if (!committed) return;
  for (const FileId file : dropped) ended_.push_back({with_fork(file, Fork::main), lsn});
}

void FileLife::term_started(Lsn lsn, RedoHandler& handler) {
  std::vector<Xid> gone;
  for (const Made& made : made_) {
    if (!handler.survives_term(made.xid)) gone.push_back(made.xid);
  }
  for (const Xid xid : gone) transaction_ended(xid, false, {}, lsn);
}

std::vector<FileId> FileLife::take_unlinkable(Lsn redo) {
  std::vector<FileId> out;
  for (const Ended& ended : ended_) {
    if (ended.lsn < redo) out.push_back(ended.file);
  }
  std::erase_if(ended_, [redo](const Ended& ended) { return ended.lsn < redo; });
  return out;
}

bool FileLife::has_ended(FileId file) const {
  const FileId main = with_fork(file, Fork::main);
  return std::ranges::any_of(ended_, [main](const Ended& ended) { return ended.file == main; });
}

void FileLife::save(std::string& out) const {
  ByteWriter writer(out);
  writer.write(next_number_);
  writer.write(static_cast<uint64_t>(made_.size()));
  for (const Made& made : made_) {
    writer.write(made.file.v);
    writer.write(made.xid.v);
  }
  writer.write(static_cast<uint64_t>(ended_.size()));
  for (const Ended& ended : ended_) {
    writer.write(ended.file.v);
    writer.write(ended.lsn.v);
  }
}

Status FileLife::load(ByteReader& reader) {
  next_number_ = reader.read<uint64_t>();
  for (auto count = reader.read<uint64_t>(); count > 0 && reader.ok(); --count) {
    const FileId file(reader.read<uint64_t>());
    made_.push_back({file, Xid(reader.read<uint64_t>())});
  }
  for (auto count = reader.read<uint64_t>(); count > 0 && reader.ok(); --count) {
    const FileId file(reader.read<uint64_t>());
    ended_.push_back({file, Lsn(reader.read<uint64_t>())});
  }
  if (!reader.ok() || next_number_ < kFirstFileNumber) {
    return raise(sqlstate::data_corrupted, "invalid checkpoint state")
        .detail("Its list of files is cut short.");
  }
  return {};
}

void FileLife::check() const {
  auto is_given = [&](FileId file) {
    return file_number(file) < next_number_ || file_number(file) >= kFirstComputedNumber;
  };
  for (const Made& made : made_) CHECK(is_given(made.file));
  for (const Ended& ended : ended_) {
    CHECK(is_given(ended.file));
    CHECK(file_fork(ended.file) == Fork::main);
  }
}

}  // namespace orrery
