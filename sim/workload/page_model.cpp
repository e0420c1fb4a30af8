#include "sim/workload/page_model.h"

#include "base/text.h"

namespace orrery {

size_t FileModel::initialised() const {
  size_t count = 0;
  for (const PageContent& page : pages) count += page.bytes.empty() ? 0 : 1;
  return count;
}

void PageModel::apply(const PageEvent& event) {
  switch (event.kind) {
    case PageEvent::Kind::change:
      for (const PageEdit& operation : event.operations) operate(operation, event.lsn);
      return;
    case PageEvent::Kind::end_transaction:
      for (const FileId file : event.created) {
        if (event.committed) {
          files[file];
          committed.insert(file);
        } else {
          files.erase(file);
        }
      }
      for (const FileId file : event.dropped) {
        files.erase(file);
        committed.erase(file);
      }
      return;
    case PageEvent::Kind::truncate:
      if (auto it = files.find(event.file); it != files.end()) {
        it->second.pages.resize(std::min<size_t>(it->second.pages.size(), event.blocks.v));
      }
      return;
  }
}

void PageModel::drop_uncommitted() {
  std::erase_if(files, [&](const auto& entry) { return !committed.contains(entry.first); });
}

void PageModel::operate(const PageEdit& operation, Lsn lsn) {
  std::vector<PageContent>& pages = files[operation.file].pages;
  if (pages.size() <= operation.block.v) pages.resize(operation.block.v + 1);
  PageContent& page = pages[operation.block.v];
  std::string& bytes = page.bytes;
  page.lsn = lsn;
  switch (operation.kind) {
    case PageEdit::Kind::init: {
      bytes.assign(kPageBytes, '\0');
      const PageBytes all(reinterpret_cast<std::byte*>(bytes.data()), kPageBytes);
      init_page(all, operation.file, operation.block, static_cast<PageKind>(operation.a),
                operation.b);
      return;
    }
    case PageEdit::Kind::write:
      bytes.replace(operation.a, operation.bytes.size(), operation.bytes);
      return;
    case PageEdit::Kind::move:
      std::memmove(bytes.data() + operation.a, bytes.data() + operation.b, operation.c);
      return;
    case PageEdit::Kind::fill:
      bytes.replace(operation.a, operation.b, operation.b, static_cast<char>(operation.c));
      return;
    case PageEdit::Kind::own_lsn: store(bytes.data() + operation.a, lsn.v); return;
  }
}

std::string compare_page(ConstPageBytes found, const PageContent& expected) {
  if (expected.bytes.empty()) return is_zero_page(found) ? "" : "it should be a page of zeros";
  if (page_header(found.data()).lsn != expected.lsn.v) {
    return cat("its LSN is ", page_header(found.data()).lsn, " and should be ", expected.lsn);
  }
  for (size_t i = kFirstWritableOffset; i < kHintFrom; ++i) {
    const auto is = static_cast<uint8_t>(found[i]);
    const auto should = static_cast<uint8_t>(expected.bytes[i]);
    if (is != should) {
      return cat("byte ", i, " is ", static_cast<unsigned>(is), " and should be ",
                 static_cast<unsigned>(should));
    }
  }
  return "";
}

}  // namespace orrery
