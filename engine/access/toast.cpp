// Reading values that were compressed or moved out, and moving them.
#include "access/toast.h"

#include <algorithm>
#include <lz4.h>

#include "access/btree.h"
#include "access/heap_internal.h"
#include "access/row_codec.h"
#include "access/table_scan.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"
#include "types/compare.h"
#include "types/type_oids.h"

namespace orrery {

namespace {

constexpr uint32_t kMethodLz4 = 1;
constexpr uint32_t kCompressionInfoBytes = 4;  // of a compressed value: raw size and method
constexpr uint32_t kCompressedHeaderBytes = kVarlenaHeaderBytes + kCompressionInfoBytes;

ToastPointer pointer_of(Datum value) { return load<ToastPointer>(value.as<const char*>() + 2); }

Status damaged(std::string_view what, const ToastPointer& pointer) {
  return raise(sqlstate::data_corrupted, cat(what, " for toast value ", pointer.value_id,
                                             " in toast table ", pointer.toast_relation));
}

// `stored`: what follows the varlena header of a compressed value.
Result<Datum> decompress(Bytes stored, Arena& arena) {
  if (stored.size() < kCompressionInfoBytes)
    return raise(sqlstate::data_corrupted, "compressed data is corrupt");
  const auto info = load<uint32_t>(stored.data());
  const uint32_t raw = info & kMaxValueBytes;
  if (info >> 30 != kMethodLz4) {
    return raise(sqlstate::data_corrupted, cat("invalid compression method id ", info >> 30));
  }
  char* to = static_cast<char*>(TRY(arena.try_allocate(raw + kVarlenaHeaderBytes, 4)));
  varlena_set_size(to, raw + kVarlenaHeaderBytes);
  const int got = LZ4_decompress_safe(
      reinterpret_cast<const char*>(stored.data()) + kCompressionInfoBytes,
      to + kVarlenaHeaderBytes, static_cast<int>(stored.size() - kCompressionInfoBytes),
      static_cast<int>(raw));
  if (got < 0 || static_cast<uint32_t>(got) != raw) {
    return raise(sqlstate::data_corrupted, "compressed lz4 data is corrupt");
  }
  return Datum::of(static_cast<const void*>(to));
}

// Reads bytes [from, from + count) of what was moved out, to `out`.
Status read_chunks(Fiber& fiber, Access& access, const ToastTable& toast,
                   const ToastPointer& pointer, uint32_t from, uint32_t count, char* out) {
  if (count == 0) return {};
  const TableInfo table = toast_table_info(toast);
  const IndexInfo index = toast_index_info(toast);
  const auto first = static_cast<int32_t>(from / kToastChunkBytes);
  const auto last = static_cast<int32_t>((from + count - 1) / kToastChunkBytes);
  const Datum id = Datum::of(pointer.value_id);
  const NullableDatum lower[] = {{id, false}, {Datum::of(first), false}};
  const NullableDatum upper[] = {{id, false}, {Datum::of(last), false}};
  IndexScan scan(access, index, ScanDirection::forward, {});
  scan.start({.lower = lower, .upper = upper});
  const int16_t wanted[] = {1, 2};
  TableFetch fetch(access, table, wanted);
  constexpr uint32_t kChunksAtOnce = 32;
  Arena arena;
  Vector columns[] = {Vector::make(arena, kBatchRows), Vector::make(arena, kBatchRows)};
  Arena chunk_arena;
  Tid tids[kChunksAtOnce];
  int32_t expected = first;
  const Snapshot nobody{};
  for (;;) {
    const uint32_t found = TRY(scan.next(fiber, kChunksAtOnce, tids, {}, nullptr));
    if (found == 0) break;
    chunk_arena.reset();
    const TableFetch::Fetched fetched = TRY(
        fetch.fetch(fiber, nobody, SnapshotKind::any, FetchMode::any_version,
                    std::span(tids, found), columns, 0, chunk_arena, nullptr, nullptr, nullptr));
    for (uint32_t i = 0; i < fetched.rows; ++i) {
      if (columns[0].value(i).as<int32_t>() != expected) {
        return damaged(cat("unexpected chunk number ", columns[0].value(i).as<int32_t>(),
                           " (expected ", expected, ")"),
                       pointer);
      }
      const std::string_view chunk = columns[1].value(i).text();
      const uint32_t begin = static_cast<uint32_t>(expected) * kToastChunkBytes;
      const uint32_t size = std::min(kToastChunkBytes, pointer.stored_size - begin);
      if (chunk.size() != size)
        return damaged(cat("unexpected chunk size ", chunk.size()), pointer);
      const uint32_t copy_begin = std::max(begin, from);
      const uint32_t copy_end = std::min(begin + size, from + count);
      std::memcpy(out + (copy_begin - from), chunk.data() + (copy_begin - begin),
                  copy_end - copy_begin);
      ++expected;
    }
    TRY(fiber.charge(uint64_t{found} * kToastChunkBytes / 64));
  }
  if (expected != last + 1) return damaged(cat("missing chunk number ", expected), pointer);
  return {};
}

}  // namespace

TableInfo toast_table_info(const ToastTable& toast) {
  TableInfo info;
  info.oid = toast.oid;
  info.name = cat("pg_toast_", toast.oid);
  info.file = toast.heap;
  info.desc.columns = {{.type = type_oid::oid, .length = 4, .alignment = 4, .by_value = true},
                       {.type = type_oid::int4, .length = 4, .alignment = 4, .by_value = true},
                       {.type = type_oid::bytea, .length = -1, .alignment = 4}};
  info.indexed.add(0);
  info.indexed.add(1);
  return info;
}

IndexInfo toast_index_info(const ToastTable& toast) {
  IndexInfo info;
  info.name = cat("pg_toast_", toast.oid, "_index");
  info.file = toast.index;
  info.desc.columns = {{.type = type_oid::oid, .length = 4, .alignment = 4, .by_value = true},
                       {.type = type_oid::int4, .length = 4, .alignment = 4, .by_value = true}};
  info.keys = {{.compare = compare_unsigned}, {.compare = compare_int}};
  info.unique = true;
  return info;
}

uint32_t toast_raw_size(Datum value) {
  const char* at = value.as<const char*>();
  if (varlena_is_external(at)) return pointer_of(value).raw_size - kVarlenaHeaderBytes;
  if (varlena_is_compressed(at)) return load<uint32_t>(at + kVarlenaHeaderBytes) & kMaxValueBytes;
  return static_cast<uint32_t>(varlena_view(at).size());
}

Result<Datum> decompress_inline(Datum value, Arena& arena) {
  const char* at = value.as<const char*>();
  CHECK(!varlena_is_external(at));
  if (varlena_is_plain(at)) return value;
  return decompress(
      as_bytes(std::string_view(at + kVarlenaHeaderBytes, varlena_size(at) - kVarlenaHeaderBytes)),
      arena);
}

Result<Datum> detoast(Fiber& fiber, Access& access, const ToastTable* toast, Datum value,
                      Arena& arena) {
  if (!varlena_is_external(value.as<const char*>())) return decompress_inline(value, arena);
  const ToastPointer pointer = pointer_of(value);
  if (toast == nullptr || toast->oid.v != pointer.toast_relation) {
    return raise(sqlstate::data_corrupted,
                 cat("toast table ", pointer.toast_relation, " is not the table's"));
  }
  if (pointer.method == 0) {
    char* to = static_cast<char*>(
        TRY(arena.try_allocate(uint64_t{pointer.stored_size} + kVarlenaHeaderBytes, 4)));
    varlena_set_size(to, pointer.stored_size + kVarlenaHeaderBytes);
    TRY(read_chunks(fiber, access, *toast, pointer, 0, pointer.stored_size,
                    to + kVarlenaHeaderBytes));
    return Datum::of(static_cast<const void*>(to));
  }
  Arena compressed(arena.budget());
  char* stored = static_cast<char*>(TRY(compressed.try_allocate(pointer.stored_size, 4)));
  TRY(read_chunks(fiber, access, *toast, pointer, 0, pointer.stored_size, stored));
  return decompress(as_bytes(std::string_view(stored, pointer.stored_size)), arena);
}

Result<Datum> detoast_slice(Fiber& fiber, Access& access, const ToastTable* toast, Datum value,
                            uint32_t offset, uint32_t length, Arena& arena) {
  const uint32_t raw = toast_raw_size(value);
  offset = std::min(offset, raw);
  length = std::min(length, raw - offset);
  const char* at = value.as<const char*>();
  if (!varlena_is_external(at) || pointer_of(value).method != 0) {
    const Datum whole = TRY(detoast(fiber, access, toast, value, arena));
    return make_varlena(arena, whole.text().substr(offset, length));
  }
  const ToastPointer pointer = pointer_of(value);
  if (toast == nullptr || toast->oid.v != pointer.toast_relation) {
    return raise(sqlstate::data_corrupted,
                 cat("toast table ", pointer.toast_relation, " is not the table's"));
  }
  char* to = static_cast<char*>(TRY(arena.try_allocate(uint64_t{length} + kVarlenaHeaderBytes, 4)));
  varlena_set_size(to, length + kVarlenaHeaderBytes);
  TRY(read_chunks(fiber, access, *toast, pointer, offset, length, to + kVarlenaHeaderBytes));
  return Datum::of(static_cast<const void*>(to));
}

namespace {

// Deletes the chunks of one value.
Status delete_value(Fiber& fiber, Access& access, const ToastTable& toast, Transaction& transaction,
                    Datum value) {
  const ToastPointer pointer = pointer_of(value);
  const TableInfo table = toast_table_info(toast);
  const IndexInfo index = toast_index_info(toast);
  const NullableDatum id[] = {{Datum::of(pointer.value_id), false}};
  IndexScan scan(access, index, ScanDirection::forward, {});
  scan.start({.lower = id, .upper = id});
  Heap heap(access, table);
  Snapshot snapshot = access.transactions().take_snapshot(&transaction);
  snapshot.command = CommandId(UINT32_MAX);  // chunks of this very command as well
  Tid tids[64];
  for (;;) {
    const uint32_t found = TRY(scan.next(fiber, 64, tids, {}, nullptr));
    if (found == 0) return {};
    for (uint32_t i = 0; i < found; ++i)
      TRY(heap.remove(fiber, transaction, tids[i], snapshot, RowWait::wait));
  }
}

// A number that no value in the TOAST table has, not even one whose rows are dead and still there.
Result<Oid> new_value_id(Fiber& fiber, Access& access, const IndexInfo& index) {
  for (;;) {
    const Oid id = TRY(access.transactions().next_oid(fiber));
    if (!access.transactions().oids_have_wrapped()) return id;
    const NullableDatum key[] = {{Datum::of(id), false}};
    IndexScan scan(access, index, ScanDirection::forward, {});
    scan.start({.lower = key, .upper = key});
    Tid tid;
    const uint32_t found = TRY(scan.next(fiber, 1, &tid, {}, nullptr));
    if (found == 0) return id;
    PROBE("toast: a value's number is in use");
  }
}

// Moves `bytes` out, chunk by chunk; returns the pointer to store.
Result<Datum> move_out(Fiber& fiber, Access& access, const ToastTable& toast,
                       Transaction& transaction, Bytes bytes, uint32_t raw_size, uint32_t method,
                       Arena& arena) {
  const TableInfo table = toast_table_info(toast);
  const IndexInfo index = toast_index_info(toast);
  Heap heap(access, table);
  BTree tree(access, index);
  const Oid id = TRY(new_value_id(fiber, access, index));
  alignas(4) char chunk[kToastChunkBytes + kVarlenaHeaderBytes];
  int32_t seq = 0;
  for (size_t done = 0; done < bytes.size(); ++seq) {
    const auto size =
        static_cast<uint32_t>(std::min<size_t>(kToastChunkBytes, bytes.size() - done));
    varlena_set_size(chunk, size + kVarlenaHeaderBytes);
    std::memcpy(chunk + kVarlenaHeaderBytes, bytes.data() + done, size);
    const Datum values[] = {Datum::of(id), Datum::of(seq),
                            Datum::of(static_cast<const void*>(chunk))};
    const uint8_t nulls[] = {0, 0, 0};
    const Tid tid = TRY(heap.insert(fiber, transaction, {values, nulls}));
    TRY(tree.insert(fiber, transaction, table, {values, nulls}, tid, UniqueCheck::none));
    done += size;
    TRY(fiber.charge(size / 64 + 10));
  }
  PROBE("toast: a value was moved out");
  const ToastPointer pointer{.raw_size = raw_size,
                             .stored_size = static_cast<uint32_t>(bytes.size()) & 0x3fffffff,
                             .method = static_cast<uint8_t>(method & 3),
                             .value_id = id.v,
                             .toast_relation = toast.oid.v};
  char* to = static_cast<char*>(arena.allocate(kToastPointerBytes, 4));
  to[0] = 1;
  to[1] = static_cast<char>(kToastPointerTag);
  std::memcpy(to + 2, &pointer, sizeof pointer);
  return Datum::of(static_cast<const void*>(to));
}

struct CompressTask final : WorkerTask {
  std::string_view content;
  char* to = nullptr;
  int bound = 0;
  int got = 0;
  void run() override {
    got = LZ4_compress_default(content.data(), to, static_cast<int>(content.size()), bound);
  }
};

// What takes longer than a slice of the engine's thread is a worker's.
constexpr size_t kCompressOnWorkerBytes = 1 << 20;

// The compressed form of a plain value, or nothing when that saves nothing.
Result<std::optional<Datum>> compress(Fiber& fiber, Datum value, Arena& arena) {
  const std::string_view content = value.text();
  if (content.size() < 32 || content.size() > LZ4_MAX_INPUT_SIZE) return std::optional<Datum>();
  const int bound = LZ4_compressBound(static_cast<int>(content.size()));
  Arena scratch;
  char* to =
      static_cast<char*>(scratch.allocate(static_cast<size_t>(bound) + kCompressedHeaderBytes, 4));
  CompressTask task;
  task.content = content;
  task.to = to + kCompressedHeaderBytes;
  task.bound = bound;
  if (content.size() > kCompressOnWorkerBytes) {
    TRY(run_on_worker(fiber, task));
  } else {
    task.run();
  }
  const uint32_t size = static_cast<uint32_t>(task.got) + kCompressedHeaderBytes;
  if (task.got <= 0 || size + 2 >= content.size() + kVarlenaHeaderBytes)
    return std::optional<Datum>();
  store(to, size << 2 | 2);
  store(to + kVarlenaHeaderBytes, static_cast<uint32_t>(content.size()) | kMethodLz4 << 30);
  char* kept = static_cast<char*>(arena.allocate(size, 4));
  std::memcpy(kept, to, size);
  return std::optional(Datum::of(static_cast<const void*>(kept)));
}

// One row on its way to being short enough.
class RowToaster {
 public:
  RowToaster(Fiber& fiber, Access& access, const TableInfo& table, Transaction& transaction,
             RowValues row, Arena& arena)
      : fiber_(fiber),
        access_(access),
        table_(table),
        transaction_(transaction),
        arena_(arena),
        width_(table.desc.size()),
        values_(arena.make_array<Datum>(width_).data()),
        nulls_(arena.make_array<uint8_t>(width_).data()),
        incompressible_(arena.make_array<uint8_t>(width_).data()) {
    std::copy_n(row.values, width_, values_);
    std::copy_n(row.nulls, width_, nulls_);
  }

  Status settle_pointers(const RowValues* old_row);
  Status shorten();
  RowValues row() const { return {values_, nulls_}; }

 private:
  bool is_varlena(size_t i) const { return table_.desc[i].length == -1 && nulls_[i] == 0; }
  const char* bytes(size_t i) const { return values_[i].as<const char*>(); }
  uint32_t size() const { return tuple_size(table_.desc, row()); }
  // The longest value that may still be compressed, or moved out; width_ when there is none.
  size_t longest(bool to_compress, bool of_main) const {
    size_t best = width_;
    uint32_t best_size = 24;  // shorter ones gain nothing
    for (size_t i = 0; i < width_; ++i) {
      if (!is_varlena(i) || varlena_is_external(bytes(i))) continue;
      const ColumnStorage storage = table_.desc[i].storage;
      if (storage == ColumnStorage::plain) continue;
      if (of_main != (storage == ColumnStorage::main)) continue;
      if (to_compress && (storage == ColumnStorage::external || incompressible_[i] != 0 ||
                          varlena_is_compressed(bytes(i)))) {
        continue;
      }
      if (varlena_size(bytes(i)) > best_size) {
        best = i;
        best_size = varlena_size(bytes(i));
      }
    }
    return best;
  }
  Status compress_at(size_t i) {
    const std::optional<Datum> smaller = TRY(compress(fiber_, values_[i], arena_));
    if (smaller.has_value()) {
      values_[i] = *smaller;
    } else {
      incompressible_[i] = 1;
    }
    return {};
  }
  Status move_out_at(size_t i);

  Fiber& fiber_;
  Access& access_;
  const TableInfo& table_;
  Transaction& transaction_;
  Arena& arena_;
  const size_t width_;
  Datum* values_;
  uint8_t* nulls_;
  uint8_t* incompressible_;
};

Status RowToaster::settle_pointers(const RowValues* old_row) {
  const ToastTable* toast = table_.toast.has_value() ? &*table_.toast : nullptr;
  for (size_t i = 0; i < width_; ++i) {
    if (table_.desc[i].length != -1) continue;
    const bool old_external = old_row != nullptr && old_row->nulls[i] == 0 &&
                              varlena_is_external(old_row->values[i].as<const char*>());
    const bool new_external = is_varlena(i) && varlena_is_external(bytes(i));
    const bool kept =
        old_external && new_external &&
        std::memcmp(old_row->values[i].as<const char*>(), bytes(i), kToastPointerBytes) == 0;
    if (kept) continue;
    if (new_external) values_[i] = TRY(detoast(fiber_, access_, toast, values_[i], arena_));
    if (old_external) {
      CHECK(toast != nullptr);
      TRY(delete_value(fiber_, access_, *toast, transaction_, old_row->values[i]));
    }
  }
  return {};
}

Status RowToaster::move_out_at(size_t i) {
  const char* at = bytes(i);
  if (varlena_is_compressed(at)) {
    const Bytes stored = as_bytes(
        std::string_view(at + kVarlenaHeaderBytes, varlena_size(at) - kVarlenaHeaderBytes));
    const uint32_t raw = toast_raw_size(values_[i]) + kVarlenaHeaderBytes;
    values_[i] = TRY(
        move_out(fiber_, access_, *table_.toast, transaction_, stored, raw, kMethodLz4, arena_));
  } else {
    const std::string_view content = varlena_view(at);
    values_[i] =
        TRY(move_out(fiber_, access_, *table_.toast, transaction_, as_bytes(content),
                     static_cast<uint32_t>(content.size()) + kVarlenaHeaderBytes, 0, arena_));
  }
  return {};
}

// PostgreSQL's four rounds: compress, moving out what is too long by itself; move out; then the
// same for columns of storage main, which are moved out only if the row would not fit a page.
Status RowToaster::shorten() {
  const bool can_move = table_.toast.has_value();
  while (size() > kToastThreshold) {
    const size_t i = longest(true, false);
    if (i == width_) break;
    TRY(compress_at(i));
    if (can_move && varlena_size(bytes(i)) > kToastThreshold) TRY(move_out_at(i));
  }
  while (can_move && size() > kToastThreshold) {
    const size_t i = longest(false, false);
    if (i == width_) break;
    TRY(move_out_at(i));
  }
  while (size() > kToastThreshold) {
    const size_t i = longest(true, true);
    if (i == width_) break;
    TRY(compress_at(i));
  }
  while (can_move && size() > kMaxTupleBytes) {
    const size_t i = longest(false, true);
    if (i == width_) break;
    TRY(move_out_at(i));
  }
  return {};
}

}  // namespace

Result<RowValues> toast_row(Fiber& fiber, Access& access, const TableInfo& table,
                            Transaction& transaction, RowValues row, const RowValues* old_row,
                            Arena& arena) {
  RowToaster toaster(fiber, access, table, transaction, row, arena);
  TRY(toaster.settle_pointers(old_row));
  TRY(toaster.shorten());
  return toaster.row();
}

Status delete_toasted_of(Fiber& fiber, Access& access, const TableInfo& table,
                         Transaction& transaction, Bytes tuple) {
  CHECK(table.toast.has_value());
  const size_t width = table.desc.size();
  std::vector<int16_t> wanted(width);
  for (size_t i = 0; i < width; ++i) wanted[i] = static_cast<int16_t>(i);
  const RowDecoder decoder(table.desc, wanted, table.oid);
  std::vector<Datum> values(width);
  std::vector<uint8_t> nulls(width);
  const TupleHeader header(tuple.data());
  decoder.decode_data(tuple.data() + header.data_offset(),
                      header.has(kHasNulls) ? header.null_bitmap() : nullptr, header.column_count(),
                      values.data(), nulls.data());
  for (size_t i = 0; i < width; ++i) {
    if (table.desc[i].length != -1 || nulls[i] != 0 ||
        !varlena_is_external(values[i].as<const char*>()))
      continue;
    TRY(delete_value(fiber, access, *table.toast, transaction, values[i]));
  }
  return {};
}

}  // namespace orrery
