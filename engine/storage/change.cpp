#include "storage/change.h"

#include "base/text.h"

namespace orrery {
namespace {

constexpr size_t kFixedBytes = 8;
constexpr size_t kPageRefBytes = 12;

bool is_writable(size_t offset, size_t count) {
  return offset >= kFirstWritableOffset && offset + count <= kPageBytes;
}

}  // namespace

int Change::add(const PageRef& page) {
  CHECK(page);
  for (int i = 0; i < page_count_; ++i) {
    if (pages_[i] == page.frame_) return i;
  }
  CHECK(page_count_ < kMaxPages);
  pages_[page_count_] = page.frame_;
  return page_count_++;
}

Change::Operation& Change::next_operation() {
  const int index = operation_count_++;
  if (index < kInlineOperations) return operations_[index];
  more_operations_.emplace_back();
  return more_operations_.back();
}

void Change::init(int page, PageKind kind, uint16_t special_bytes) {
  CHECK(page >= 0 && page < page_count_);
  CHECK(special_bytes <= kPageBytes - kPageHeaderBytes);
  Operation& operation = next_operation();
  operation.op = PageOperation::init;
  operation.page = static_cast<uint8_t>(page);
  operation.a = static_cast<uint16_t>(kind);
  operation.b = special_bytes;
  operation_bytes_ += 4;
}

void Change::write(int page, uint16_t offset, Bytes bytes) {
  CHECK(page >= 0 && page < page_count_);
  CHECK(is_writable(offset, bytes.size()));
  Operation& operation = next_operation();
  operation.op = PageOperation::write;
  operation.page = static_cast<uint8_t>(page);
  operation.a = offset;
  operation.b = static_cast<uint16_t>(bytes.size());
  operation.bytes = bytes.data();
  operation_bytes_ += 5 + static_cast<uint32_t>(bytes.size());
}

void Change::move(int page, uint16_t to, uint16_t from, uint16_t count) {
  CHECK(page >= 0 && page < page_count_);
  CHECK(is_writable(to, count) && is_writable(from, count));
  Operation& operation = next_operation();
  operation.op = PageOperation::move;
  operation.page = static_cast<uint8_t>(page);
  operation.a = to;
  operation.b = from;
  operation.c = count;
  operation_bytes_ += 7;
}

void Change::fill(int page, uint16_t offset, uint16_t count, std::byte value) {
  CHECK(page >= 0 && page < page_count_);
  CHECK(is_writable(offset, count));
  Operation& operation = next_operation();
  operation.op = PageOperation::fill;
  operation.page = static_cast<uint8_t>(page);
  operation.a = offset;
  operation.b = count;
  operation.value[0] = value;
  operation_bytes_ += 6;
}

void Change::write_own_lsn(int page, uint16_t offset) {
  CHECK(page >= 0 && page < page_count_);
  CHECK(is_writable(offset, 8));
  Operation& operation = next_operation();
  operation.op = PageOperation::own_lsn;
  operation.page = static_cast<uint8_t>(page);
  operation.a = offset;
  operation_bytes_ += 3;
}

size_t Change::payload_bytes() const {
  return kFixedBytes + static_cast<size_t>(page_count_) * kPageRefBytes + info_.size() +
         operation_bytes_;
}

void Change::encode(std::byte* to) const {
  const auto put = [&to]<class T>(T value) {
    store(to, value);
    to += sizeof(T);
  };
  const auto put_bytes = [&to](const std::byte* bytes, size_t count) {
    if (count != 0) std::memcpy(to, bytes, count);
    to += count;
  };
  put(static_cast<uint8_t>(page_count_));
  put(uint8_t{0});
  put(operation_count_);
  put(static_cast<uint32_t>(info_.size()));
  for (int i = 0; i < page_count_; ++i) {
    put(pages_[i]->file.v);
    put(pages_[i]->block.v);
  }
  put_bytes(info_.data(), info_.size());
  for (int i = 0; i < operation_count_; ++i) {
    const Operation& operation = i < kInlineOperations
                                     ? operations_[i]
                                     : more_operations_[static_cast<size_t>(i - kInlineOperations)];
    const bool is_value = operation.op == PageOperation::write_value;
    const PageOperation op = is_value ? PageOperation::write : operation.op;
    put(static_cast<uint8_t>(operation.page | static_cast<uint8_t>(op) << 4));
    switch (operation.op) {
      case PageOperation::init:
        put(static_cast<uint8_t>(operation.a));
        put(operation.b);
        break;
      case PageOperation::write:
        put(operation.a);
        put(operation.b);
        put_bytes(operation.bytes, operation.b);
        break;
      case PageOperation::write_value:
        put(operation.a);
        put(operation.b);
        put_bytes(operation.value, operation.b);
        break;
      case PageOperation::move:
        put(operation.a);
        put(operation.b);
        put(operation.c);
        break;
      case PageOperation::fill:
        put(operation.a);
        put(operation.b);
        put(operation.value[0]);
        break;
      case PageOperation::own_lsn: put(operation.a); break;
    }
  }
}

namespace {

struct Decoded {
  PageOperation op{};
  uint8_t page = 0;
  uint16_t a = 0, b = 0, c = 0;
  std::byte value{};
  Bytes bytes;
};

// Reads one operation; the caller looks at reader.ok() and at is_sound().
Decoded read_operation(ByteReader& reader) {
  Decoded out;
  const auto head = reader.read<uint8_t>();
  out.page = head & 15;
  out.op = static_cast<PageOperation>(head >> 4);
  switch (out.op) {
    case PageOperation::init:
      out.a = reader.read<uint8_t>();
      out.b = reader.read<uint16_t>();
      break;
    case PageOperation::write:
      out.a = reader.read<uint16_t>();
      out.b = reader.read<uint16_t>();
      out.bytes = reader.take(out.b);
      break;
    case PageOperation::move:
      out.a = reader.read<uint16_t>();
      out.b = reader.read<uint16_t>();
      out.c = reader.read<uint16_t>();
      break;
    case PageOperation::fill:
      out.a = reader.read<uint16_t>();
      out.b = reader.read<uint16_t>();
      out.value = reader.read<std::byte>();
      break;
    case PageOperation::own_lsn:     out.a = reader.read<uint16_t>(); break;
    case PageOperation::write_value: reader.fail(); return out;
  }
  if (out.op > PageOperation::write_value) reader.fail();  // no operation of ours
  return out;
}

bool is_sound(const Decoded& operation, int page_count) {
  if (operation.page >= page_count) return false;
  switch (operation.op) {
    case PageOperation::init:  return operation.b <= kPageBytes - kPageHeaderBytes;
    case PageOperation::write:
    case PageOperation::fill:  return is_writable(operation.a, operation.b);
    case PageOperation::move:
      return is_writable(operation.a, operation.c) && is_writable(operation.b, operation.c);
    case PageOperation::own_lsn:     return is_writable(operation.a, 8);
    case PageOperation::write_value: return false;
  }
  return false;
}

Status malformed(std::string_view what) {
  return raise(sqlstate::data_corrupted, "invalid page operations in log record")
      .detail(cat(what, "."));
}

}  // namespace

Result<ChangeView> ChangeView::decode(Bytes payload) {
  ByteReader reader(payload);
  ChangeView view;
  view.page_count = reader.read<uint8_t>();
  const auto zero = reader.read<uint8_t>();
  view.operation_count = reader.read<uint16_t>();
  const auto info_bytes = reader.read<uint32_t>();
  if (!reader.ok() || zero != 0 || view.page_count > Change::kMaxPages)
    return malformed("The head is not one");
  for (int i = 0; i < view.page_count; ++i) {
    view.pages[i].file = FileId(reader.read<uint64_t>());
    view.pages[i].block = BlockNo(reader.read<uint32_t>());
    if (file_number(view.pages[i].file) == 0 || view.pages[i].block == kInvalidBlock) {
      return malformed("A page has no address");
    }
  }
  view.info = reader.take(info_bytes);
  view.operations = payload.subspan(reader.offset());
  uint32_t seen = 0;  // pages that had an operation
  for (int i = 0; i < view.operation_count; ++i) {
    const Decoded operation = read_operation(reader);
    if (!reader.ok() || !is_sound(operation, view.page_count))
      return malformed("An operation does not fit its page");
    const uint32_t bit = 1U << operation.page;
    if (operation.op == PageOperation::init && (seen & bit) == 0)
      view.pages[operation.page].starts_with_init = true;
    seen |= bit;
  }
  if (!reader.ok() || reader.remaining() != 0)
    return malformed("The length is not that of its parts");
  return view;
}

void ChangeView::apply(const std::array<std::byte*, Change::kMaxPages>& bytes, Lsn lsn) const {
  ByteReader reader(operations);
  for (int i = 0; i < operation_count; ++i) {
    const Decoded operation = read_operation(reader);
    std::byte* page = bytes[operation.page];
    if (page == nullptr) continue;
    switch (operation.op) {
      case PageOperation::init:
        init_page(PageBytes(page, kPageBytes), pages[operation.page].file,
                  pages[operation.page].block, static_cast<PageKind>(operation.a), operation.b);
        break;
      case PageOperation::write:
        if (operation.b != 0) std::memcpy(page + operation.a, operation.bytes.data(), operation.b);
        break;
      case PageOperation::move:
        std::memmove(page + operation.a, page + operation.b, operation.c);
        break;
      case PageOperation::fill:
        std::memset(page + operation.a, static_cast<int>(operation.value), operation.b);
        break;
      case PageOperation::own_lsn:     store(page + operation.a, lsn.v); break;
      case PageOperation::write_value: UNREACHABLE();
    }
  }
  for (int i = 0; i < page_count; ++i) {
    if (bytes[i] != nullptr) page_header(bytes[i]).lsn = lsn.v;
  }
}

}  // namespace orrery
