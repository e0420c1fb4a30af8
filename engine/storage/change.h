// One change, one step: up to eight pages changed by one log record, without suspension, so that no
// crash and no other fiber ever sees half of it. A record carries page operations, and the code
// that applies them is the same when doing and when redoing: what a replica or a recovery does is
// byte-equal by construction, and knows no access method.
//
//   PageRef page = TRY(storage.pool().pin(fiber, file, block));
//   Change change(RecordKind::heap_insert, xid);
//   const int p = change.add(page);
//   change.write(p, upper, tuple);                     // spans are kept, not copied, until apply()
//   TRY(storage.reserve(fiber, change));               // may suspend:
//   if (no_longer_true(page)) start again;
//   const Lsn lsn = storage.apply(change);             // logs, does, stamps
//
// Payload of a record with kRecordHasPages, unaligned:
//
//        1  page count n
//        1  zero
//        2  operation count
//        4  info length
//   n * 12  pages: 8 file, 4 block
//           info
//           operations: 1 (page index + 16 * PageOperation), then
//              init     1 kind, 2 special bytes
//              write    2 offset, 2 length, bytes
//              move     2 to, 2 from, 2 count
//              own_lsn  2 offset
//              fill     2 offset, 2 length, 1 byte
#pragma once

#include "storage/buffer_pool.h"
#include "wal/record.h"

namespace orrery {

// The numbers are those in the log; write_value is logged as a write.
enum class PageOperation : uint8_t {
  init = 0,
  write = 1,
  move = 2,
  own_lsn = 3,
  fill = 4,
  write_value = 5
};

class Change {
 public:
  static constexpr int kMaxPages = 8;

  explicit Change(RecordKind kind, Xid xid = kInvalidXid) : kind_(kind), xid_(xid) {}
  Change(const Change&) = delete;

  // Returns the page's index in this change; adding one twice gives the first index. The pin must
  // live until apply().
  int add(const PageRef& page);
  // The page becomes an empty one of `kind`. First operation on its page if used: redo then does
  // not read the page.
  void init(int page, PageKind kind, uint16_t special_bytes);
  // REQUIRES, all: ranges lie in [kFirstWritableOffset, kPageBytes). Operations apply in the order
  // given.
  void write(int page, uint16_t offset, Bytes bytes);
  template <class T>
  void write_value(int page, uint16_t offset,
                   const T& value);  // the value is copied, at most 8 bytes
  void move(int page, uint16_t to, uint16_t from, uint16_t count);
  void fill(int page, uint16_t offset, uint16_t count, std::byte value = std::byte{0});
  // Stores this record's LSN there, 8 bytes: commit timestamps.
  void write_own_lsn(int page, uint16_t offset);
  // What RedoHandlers get with the record. Kept, not copied; at most once.
  void info(Bytes extra) { info_ = extra; }

  RecordKind kind() const { return kind_; }
  Xid xid() const { return xid_; }
  int page_count() const { return page_count_; }
  size_t payload_bytes() const;
  // Writes payload_bytes() there.
  void encode(std::byte* to) const;

 private:
  friend class Storage;
  static constexpr int kInlineOperations = 20;
  struct Operation {
    PageOperation op;
    uint8_t page;
    uint16_t a, b, c;
    union {
      const std::byte* bytes;
      std::byte value[8];  // write_value: b bytes, when `bytes` is not used
    };
  };
  Operation& next_operation();

  RecordKind kind_;
  Xid xid_;
  int page_count_ = 0;
  uint16_t operation_count_ = 0;
  uint32_t operation_bytes_ = 0;
  Bytes info_;
  Frame* pages_[kMaxPages];
  Operation operations_[kInlineOperations];
  std::vector<Operation> more_operations_;
};

// A payload taken apart; everything in it is within bounds once decode() said ok.
struct ChangeView {
  struct Page {
    FileId file;
    BlockNo block;
    bool starts_with_init = false;
  };
  std::array<Page, Change::kMaxPages> pages;
  int page_count = 0;
  uint16_t operation_count = 0;
  Bytes info;
  Bytes operations;

  // XX001 when it is malformed.
  static Result<ChangeView> decode(Bytes payload);
  // Applies the operations to page bytes, in order, and stamps `lsn` on each page. Null: a page
  // that has it already.
  void apply(const std::array<std::byte*, Change::kMaxPages>& bytes, Lsn lsn) const;
};

template <class T>
void Change::write_value(int page, uint16_t offset, const T& value) {
  static_assert(std::has_unique_object_representations_v<T> && sizeof(T) <= 8);
  CHECK(offset >= kFirstWritableOffset && offset + sizeof(T) <= kPageBytes);
  Operation& operation = next_operation();
  operation.op = PageOperation::write_value;
  operation.page = static_cast<uint8_t>(page);
  operation.a = offset;
  operation.b = sizeof(T);
  std::memcpy(operation.value, &value, sizeof(T));
  operation_bytes_ += 5 + sizeof(T);
}

}  // namespace orrery
