#include <algorithm>

#include "access/free_space.h"
#include "access/heap_internal.h"
#include "access/row_codec.h"
#include "access/toast.h"
#include "access/visibility_map.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"

namespace orrery {

void stamp_new_version(std::byte* tuple, uint32_t xmin_offset, CommandId cmin, Tid self,
                       uint16_t infomask, uint16_t infomask2) {
  store(tuple, xmin_offset);
  store(tuple + 4, uint32_t{0});
  store(tuple + 8, cmin.v);
  store(tuple + 12, self.block.v);
  store(tuple + 16, self.slot);
  const TupleHeader header(tuple);
  store(tuple + 18, static_cast<uint16_t>(header.column_count() | infomask2));
  constexpr uint16_t kShape = kHasNulls | kHasVarWidth | kHasExternal;
  store(tuple + 20, static_cast<uint16_t>((header.infomask() & kShape) | kXmaxAborted | infomask));
}

uint16_t slot_for_new(const PageRef& page) {
  const SlottedPage slotted(page.data());
  if (slotted.has_flag(kHasUnusedSlots)) {
    for (uint16_t n = 1; n <= slotted.slot_count(); ++n) {
      if (slotted.slot(n).state == SlotState::unused) return n;
    }
  }
  return static_cast<uint16_t>(slotted.slot_count() + 1);
}

Xid base_of(const PageRef& page, Xid writer) {
  return page.kind() == PageKind::none ? base_for_new_page(writer) : Xid(page.header().base_xid);
}

void add_tuple(Change& change, PageRef& page, uint16_t slot, Bytes tuple, Xid writer) {
  const int p = change.add(page);
  uint16_t lower = page.header().lower;
  uint16_t upper = page.header().upper;
  if (page.kind() == PageKind::none) {
    change.init(p, PageKind::heap, 0);
    if (const Xid base = base_for_new_page(writer); base.v != 0)
      change.write_value(p, kBaseXidOffset, base.v);
    lower = kPageHeaderBytes;
    upper = kPageBytes;
  }
  upper = static_cast<uint16_t>(upper - align8(static_cast<uint32_t>(tuple.size())));
  lower = std::max(lower, static_cast<uint16_t>(slot_offset(slot) + kSlotBytes));
  CHECK(lower <= upper);
  change.write(p, upper, tuple);
  change.write_value(p, slot_offset(slot),
                     Slot{upper, SlotState::normal, static_cast<uint16_t>(tuple.size())}.word());
  change.write_value(p, kPageLowerOffset, static_cast<uint32_t>(lower | uint32_t{upper} << 16));
}

// Dead rows leave their slots behind: a page may have bytes to spare and no slot to name them with.
uint32_t usable_room(const PageRef& page) {
  return slot_for_new(page) <= kMaxSlotsPerPage ? SlottedPage(page.data()).room() : 0;
}

bool Heap::has_room(const PageRef& page, uint32_t bytes, Xid xid) const {
  if (page.kind() == PageKind::none) return true;
  if (page.kind() != PageKind::heap || !fits_base(xid, Xid(page.header().base_xid))) return false;
  const uint32_t spared =
      static_cast<uint32_t>(kPageBytes) * static_cast<uint32_t>(100 - table_.fillfactor) / 100;
  return usable_room(page) >= std::min(align8(bytes) + spared, kMaxTupleBytes);
}

Result<PageRef> Heap::page_with_room(Fiber& fiber, uint32_t bytes, Xid xid) {
  BufferPool& pool = access_.storage().pool();
  TableMemory& memory = access_.memory_of(table_.file);
  const uint32_t spared =
      static_cast<uint32_t>(kPageBytes) * static_cast<uint32_t>(100 - table_.fillfactor) / 100;
  BlockNo candidate = memory.insert_block;
  BlockNo blocks{0};
  for (int attempt = 0; attempt < 16; ++attempt) {
    if (candidate == kInvalidBlock) {
      if (attempt <= 1) blocks = TRY(access_.storage().file_size(fiber, table_.file));
      candidate = TRY(find_free_space(fiber, access_, table_.file,
                                      std::min(align8(bytes) + spared + kSlotBytes, kMaxTupleBytes),
                                      blocks.v));
      // A table whose map says nothing: its last page may have room.
      if (candidate == kInvalidBlock && attempt == 0 && blocks.v > 0) candidate = blocks - 1;
    }
    if (candidate == kInvalidBlock) break;
    uint32_t room = 0;
    {
      PageRef page = TRY(pool.pin(fiber, table_.file, candidate));
      if (has_room(page, bytes, xid)) {
        memory.insert_block = candidate;
        return page;
      }
      const bool usable =
          page.kind() == PageKind::heap && fits_base(xid, Xid(page.header().base_xid));
      room = usable ? usable_room(page) : 0;
    }
    TRY(record_free_space(fiber, access_, table_.file, candidate, room));
    if (memory.insert_block == candidate) memory.insert_block = kInvalidBlock;
    candidate = kInvalidBlock;
  }
  if (PLANTED(b15_fsm_hint_unlogged)) {
    const BlockNo next = TRY(access_.storage().file_size(fiber, table_.file));
    TRY(record_free_space(fiber, access_, table_.file, next, kPageBytes));
  }
  PageRef page = TRY(pool.extend(fiber, table_.file));
  memory.insert_block = page.block();
  return page;
}

bool has_external(const TupleDesc& desc, RowValues row) {
  for (size_t i = 0; i < desc.size(); ++i) {
    if (desc[i].length == -1 && row.nulls[i] == 0 &&
        varlena_is_external(row.values[i].as<const char*>()))
      return true;
  }
  return false;
}

Status check_tuple_size(uint32_t bytes) {
  if (bytes <= kMaxTupleBytes) return {};
  return raise(sqlstate::program_limit_exceeded,
               cat("row is too big: size ", bytes, ", maximum size ", kMaxTupleBytes));
}

namespace {

// The line pointers of a page while rows are put on it: slots that vacuum freed are named again
// before new ones are made, as usable_room() promised. `words`: room for kMaxSlotsPerPage.
class SlotFiller {
 public:
  SlotFiller(const PageRef& page, uint32_t* words) : words_(words) {
    if (page.kind() == PageKind::none) return;
    const SlottedPage slotted(page.data());
    count_ = slotted.slot_count();
    for (uint16_t n = 1; n <= count_; ++n) words_[n - 1] = slotted.slot(n).word();
    if (!slotted.has_flag(kHasUnusedSlots)) next_ = static_cast<uint16_t>(count_ + 1);
  }
  // Moves on to a slot that is free; false when the page has no more.
  bool find_next() {
    while (next_ <= count_ && Slot::of(words_[next_ - 1]).state != SlotState::unused) ++next_;
    return next_ <= kMaxSlotsPerPage;
  }
  uint16_t next() const { return next_; }
  uint32_t lower_with_next() const { return slot_offset(std::max<uint32_t>(count_, next_) + 1); }
  void take(Slot slot) {
    words_[next_ - 1] = slot.word();
    count_ = std::max(count_, next_);
    if (first_ == 0) first_ = next_;
    last_ = next_++;
  }
  uint32_t lower() const { return slot_offset(count_ + 1U); }
  uint16_t first_taken() const { return first_; }
  // The words from the first slot taken to the last.
  Bytes taken() const {
    return Bytes(reinterpret_cast<const std::byte*>(words_ + first_ - 1),
                 static_cast<size_t>(last_ - first_ + 1) * kSlotBytes);
  }

 private:
  uint32_t* const words_;
  uint16_t count_ = 0;
  uint16_t next_ = 1;
  uint16_t first_ = 0;
  uint16_t last_ = 0;
};

// Pins the visibility map page for an all-visible page, which has to be let go for it: true when
// the caller must look at everything again.
Result<bool> pin_map_if_needed(Fiber& fiber, Access& access, PageRef& page, ExtraPins& extra) {
  if (page.kind() != PageKind::heap || (page.header().flags & kAllVisible) == 0) return false;
  const BlockNo block = page.block();
  if (extra.map && visibility_page_of(block) == extra.map.block()) return false;
  const FileId file = page.file();
  page.release();
  extra.release();
  extra.claim = TRY(access.storage().pool().claim(fiber, 3));
  extra.map = TRY(pin_visibility_page(fiber, access, file, block));
  return true;
}

// The values of one row after another out of a batch's columns.
class RowReader {
 public:
  RowReader(std::span<const Vector> columns, Rows rows, Arena& arena)
      : columns_(columns), rows_(rows) {
    if (columns.size() <= std::size(few_values_)) return;
    values_ = arena.make_array<Datum>(columns.size()).data();
    nulls_ = arena.make_array<uint8_t>(columns.size()).data();
  }
  RowReader(const RowReader&) = delete;
  RowValues values() const { return {values_, nulls_}; }
  void read(uint32_t row) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      nulls_[c] = columns_[c].is_null(rows_[row]);
      values_[c] = columns_[c].value(rows_[row]);
    }
  }

 private:
  std::span<const Vector> columns_;
  Rows rows_;
  Datum few_values_[64];
  uint8_t few_nulls_[64];
  Datum* values_ = few_values_;
  uint8_t* nulls_ = few_nulls_;
};

}  // namespace

Result<Tid> Heap::insert(Fiber& fiber, Transaction& transaction, RowValues row) {
  const uint32_t size = tuple_size(table_.desc, row);
  alignas(8) std::byte buffer[kMaxTupleBytes];
  if (size <= kToastThreshold && !has_external(table_.desc, row)) {
    form_tuple(table_.desc, row, buffer);
    return insert_tuple(fiber, transaction, std::span(buffer, size));
  }
  Arena arena;
  const RowValues stored = TRY(toast_row(fiber, access_, table_, transaction, row, nullptr, arena));
  const uint32_t stored_size = tuple_size(table_.desc, stored);
  TRY(check_tuple_size(stored_size));
  form_tuple(table_.desc, stored, buffer);
  return insert_tuple(fiber, transaction, std::span(buffer, stored_size));
}

Result<Tid> Heap::insert_tuple(Fiber& fiber, Transaction& transaction, std::span<std::byte> tuple) {
  const Xid xid = TRY(access_.transactions().assign_xid(fiber, transaction));
  const auto size = static_cast<uint32_t>(tuple.size());
  ExtraPins extra;
  for (;;) {
    PageRef page = TRY(page_with_room(fiber, size, xid));
    if (TRY(pin_map_if_needed(fiber, access_, page, extra))) continue;
    const uint64_t version = page.version();
    const Tid tid{page.block(), slot_for_new(page)};
    stamp_new_version(tuple.data(), xid_offset(xid, base_of(page, xid)), transaction.use_command(),
                      tid, 0, 0);
    Change change(RecordKind::heap_insert, xid);
    add_tuple(change, page, tid.slot, tuple, xid);
    if (page.header().flags & kAllVisible) clear_all_visible(change, page, extra.map);
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != version) continue;
    access_.storage().apply(change);
    transaction.inserted_rows(table_.file, 1);
    return tid;
  }
}

Status Heap::insert_batch(Fiber& fiber, Transaction& transaction, std::span<const Vector> columns,
                          Rows rows, Tid* tids) {
  TRY(access_.transactions().assign_xid(fiber, transaction));
  for (uint32_t done = 0; done < rows.count;) {
    done += TRY(insert_page_full(fiber, transaction, columns, rows, done, tids));
  }
  return {};
}

// Inserts rows from number `first` on, as many as the next page takes. Rows that must be toasted go
// one by one.
Result<uint32_t> Heap::insert_page_full(Fiber& fiber, Transaction& transaction,
                                        std::span<const Vector> columns, Rows rows, uint32_t first,
                                        Tid* tids) {
  CHECK(columns.size() == table_.desc.size());
  Arena arena;
  RowReader reader(columns, rows, arena);
  const RowValues row = reader.values();
  const auto is_plain = [&](uint32_t size) {
    return size <= kToastThreshold && !has_external(table_.desc, row);
  };

  reader.read(first);
  const uint32_t first_size = tuple_size(table_.desc, row);
  if (!is_plain(first_size)) {
    tids[first] = TRY(insert(fiber, transaction, row));
    return 1U;
  }
  const Xid xid = transaction.current_xid();
  alignas(8) std::byte image[kPageBytes];
  uint32_t words[kMaxSlotsPerPage];
  ExtraPins extra;
  for (;;) {
    PageRef page = TRY(page_with_room(fiber, first_size, xid));
    if (TRY(pin_map_if_needed(fiber, access_, page, extra))) continue;
    const uint64_t version = page.version();
    const bool fresh = page.kind() == PageKind::none;
    const uint32_t offset = xid_offset(xid, base_of(page, xid));
    const uint32_t old_upper = fresh ? kPageBytes : page.header().upper;
    const uint32_t spared =
        static_cast<uint32_t>(kPageBytes) * static_cast<uint32_t>(100 - table_.fillfactor) / 100;
    SlotFiller slots(page, words);
    uint32_t upper = old_upper;
    uint32_t count = 0;
    for (uint32_t i = first; i < rows.count && slots.find_next(); ++i) {
      if (i > first) reader.read(i);
      const uint32_t size = i > first ? tuple_size(table_.desc, row) : first_size;
      if (!is_plain(size)) break;
      if (upper < slots.lower_with_next() + align8(size) + (count > 0 ? spared : 0)) break;
      upper -= align8(size);
      form_tuple(table_.desc, row, image + upper);
      std::memset(image + upper + size, 0, align8(size) - size);
      const Tid tid{page.block(), slots.next()};
      stamp_new_version(image + upper, offset, transaction.use_command(), tid, 0, 0);
      slots.take({static_cast<uint16_t>(upper), SlotState::normal, static_cast<uint16_t>(size)});
      ++count;
      tids[i] = tid;
    }
    reader.read(first);
    CHECK(count > 0);
    Change change(RecordKind::heap_multi_insert, xid);
    const int p = change.add(page);
    if (fresh) {
      change.init(p, PageKind::heap, 0);
      if (const Xid base = base_for_new_page(xid); base.v != 0)
        change.write_value(p, kBaseXidOffset, base.v);
    }
    change.write(p, static_cast<uint16_t>(upper), Bytes(image + upper, old_upper - upper));
    change.write(p, slot_offset(slots.first_taken()), slots.taken());
    change.write_value(p, kPageLowerOffset, slots.lower() | upper << 16);
    if (!fresh && (page.header().flags & kAllVisible) != 0)
      clear_all_visible(change, page, extra.map);
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != version) continue;
    access_.storage().apply(change);
    transaction.inserted_rows(table_.file, count);
    TRY(fiber.charge(count * 4));
    return count;
  }
}

}  // namespace orrery
