#include "sim/workload/bank_table.h"

#include "base/text.h"

namespace orrery {
namespace {

ColumnDesc int4_column() {
  return {.type = type_oid::int4, .length = 4, .alignment = 4, .by_value = true};
}
ColumnDesc int8_column() {
  return {.type = type_oid::int8, .length = 8, .alignment = 8, .by_value = true};
}
ColumnDesc text_column() {
  return {.type = type_oid::text, .length = -1, .alignment = 4, .storage = ColumnStorage::extended};
}
constexpr int16_t kAllColumns[] = {0, 1, 2};

struct Values {
  explicit Values(const BankRow& row) {
    values[0] = Datum::of(row.id);
    values[1] = Datum::of(row.value);
    values[2] = make_varlena(arena, row.note);
  }
  RowValues get() const { return {values, nulls}; }
  Arena arena;
  Datum values[3];
  uint8_t nulls[3] = {};
};

struct Columns {
  Columns() : all{Vector::make(arena), Vector::make(arena), Vector::make(arena)} {}
  Arena arena;
  Vector all[3];
};

}  // namespace

BankTable::BankTable(uint32_t oid, const BankFiles& files) {
  info_.oid = Oid(oid);
  info_.name = cat("bank", oid);
  info_.file = files.heap;
  info_.desc.columns = {int4_column(), int8_column(), text_column()};
  info_.indexed.add(0);
  info_.keys.add(0);
  info_.toast = ToastTable{Oid(oid + 1), files.toast_heap, files.toast_index};
  index_.oid = Oid(oid + 2);
  index_.name = cat("bank", oid, "_pkey");
  index_.file = files.index;
  index_.desc.columns = {int4_column()};
  index_.keys = {{.compare = compare_int}};
  index_.unique = true;
}

Result<BankFiles> BankTable::create(Fiber& fiber, Access& access, Transaction& transaction,
                                    uint32_t oid) {
  const Xid xid = TRY(access.transactions().assign_xid(fiber, transaction));
  BankFiles files;
  for (FileId* file : {&files.heap, &files.index, &files.toast_heap, &files.toast_index}) {
    *file = TRY(access.storage().create_file(fiber, xid));
    transaction.created_file(*file);
  }
  const BankTable table(oid, files);
  TRY(BTree(access, table.index_).create(fiber, xid));
  const IndexInfo toast_index = toast_index_info(*table.info_.toast);
  TRY(BTree(access, toast_index).create(fiber, xid));
  return files;
}

Status BankTable::insert(Fiber& fiber, Access& access, Transaction& transaction,
                         const BankRow& row) {
  const Values values(row);
  const Tid tid = TRY(Heap(access, info_).insert(fiber, transaction, values.get()));
  const InsertResult result =
      TRY(BTree(access, index_)
              .insert(fiber, transaction, info_, values.get(), tid, UniqueCheck::wait));
  if (result.inserted) return {};
  return raise(sqlstate::unique_violation, cat("id ", row.id, " is there already"));
}

Result<ChangeOutcome> BankTable::update(Fiber& fiber, Access& access, Transaction& transaction,
                                        Tid tid, const BankRow& row, const Snapshot& snapshot) {
  const Values values(row);
  const ChangeResult result =
      TRY(Heap(access, info_).update(fiber, transaction, tid, values.get(), snapshot));
  if (result.outcome == ChangeOutcome::ok && !result.hot) {
    TRY(BTree(access, index_)
            .insert(fiber, transaction, info_, values.get(), result.tid, UniqueCheck::wait));
  }
  return result.outcome;
}

Result<BankTable::Found> BankTable::find(Fiber& fiber, Access& access, const Snapshot& snapshot,
                                         int32_t id) {
  IndexScan scan(access, index_, ScanDirection::forward, {});
  const NullableDatum key[] = {{Datum::of(id), false}};
  scan.start({.lower = key, .upper = key});
  TableFetch fetch(access, info_, kAllColumns);
  Columns columns;
  Arena arena;
  Found found;
  for (;;) {
    Tid tids[64];
    uint8_t dead[64];
    Tid found_tids[64];
    const uint32_t count = TRY(scan.next(fiber, 64, tids, {}, nullptr));
    if (count == 0) return found;
    const auto fetched =
        TRY(fetch.fetch(fiber, snapshot, SnapshotKind::mvcc, FetchMode::index_entry,
                        std::span(tids, count), columns.all, 0, arena, found_tids, nullptr, dead));
    if (fetched.rows > 1 || (fetched.rows == 1 && found.tid.is_valid())) {
      return raise(sqlstate::index_corrupted, cat("id ", id, " is there more than once"));
    }
    if (fetched.rows == 1) {
      found.tid = found_tids[0];
      found.row = TRY(row_of(fiber, access, columns.all, 0, arena));
    }
    TRY(scan.kill(fiber, std::span(dead, count)));
  }
}

Result<std::vector<BankRow>> BankTable::scan(Fiber& fiber, Access& access,
                                             const Snapshot& snapshot) {
  TableScan scan(access, info_, snapshot, kAllColumns);
  std::vector<BankRow> rows;
  Columns columns;
  Arena arena;
  std::vector<Tid> tids(kBatchRows);
  for (;;) {
    arena.reset();
    const uint32_t count = TRY(scan.next(fiber, columns.all, arena, tids.data()));
    if (count == 0) return rows;
    for (uint32_t i = 0; i < count; ++i) {
      BankRow row = TRY(row_of(fiber, access, columns.all, i, arena));
      rows.push_back(std::move(row));
    }
  }
}

Result<BankRow> BankTable::row_of(Fiber& fiber, Access& access, std::span<const Vector> columns,
                                  uint32_t i, Arena& arena) {
  BankRow row{.id = columns[0].value(i).as<int32_t>(), .value = columns[1].value(i).as<int64_t>()};
  const Datum note = TRY(detoast(fiber, access, &*info_.toast, columns[2].value(i), arena));
  row.note = note.text();
  return row;
}

Status BankTable::vacuum(Fiber& fiber, Access& access) {
  const IndexInfo* const indexes[] = {&index_};
  const VacuumOptions options{
      .dead_tids_max = 64, .pause = microseconds(100), .pages_between_pauses = 4};
  TRY(vacuum_table(fiber, access, info_, indexes, options));
  return {};
}

Result<uint64_t> BankTable::check(Fiber& fiber, Access& access) {
  const IndexInfo indexes[] = {index_, toast_index_info(*info_.toast)};
  for (const IndexInfo& index : indexes) TRY(BTree(access, index).check(fiber));
  return std::size(indexes);
}

}  // namespace orrery
