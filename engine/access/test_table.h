// Tables for tests of access: (id int4, value int8, note text) with an index on id. For tests only.
#pragma once

#include "access/btree.h"
#include "access/table_scan.h"
#include "access/toast.h"
#include "access/vacuum.h"
#include "txn/test_node.h"
#include "types/compare.h"
#include "types/type_oids.h"

namespace orrery {

inline ColumnDesc int4_column() {
  return {.type = type_oid::int4, .length = 4, .alignment = 4, .by_value = true};
}
inline ColumnDesc int8_column() {
  return {.type = type_oid::int8, .length = 8, .alignment = 8, .by_value = true};
}
inline ColumnDesc text_column() {
  return {.type = type_oid::text, .length = -1, .alignment = 4, .storage = ColumnStorage::extended};
}

struct TestRow {
  int32_t id = 0;
  int64_t value = 0;
  std::string note;
  friend bool operator==(const TestRow&, const TestRow&) = default;
};

struct TestTable {
  TableInfo info;
  IndexInfo index;

  // Files are numbered by creation, so the same table can be described again in the next life.
  explicit TestTable(FileId heap_file = {}, FileId index_file = {}, FileId toast_heap = {},
                     FileId toast_index = {}) {
    info.oid = Oid(20000);
    info.name = "t";
    info.file = heap_file;
    info.desc.columns = {int4_column(), int8_column(), text_column()};
    info.indexed.add(0);
    info.keys.add(0);
    if (toast_heap) info.toast = ToastTable{Oid(20001), toast_heap, toast_index};
    index.oid = Oid(20002);
    index.name = "t_pkey";
    index.file = index_file;
    index.desc.columns = {int4_column()};
    index.keys = {{.compare = compare_int}};
    index.unique = true;
  }

  Status create(Fiber& fiber, Access& access, Xid xid) {
    info.file = TRY(access.storage().create_file(fiber, xid));
    index.file = TRY(access.storage().create_file(fiber, xid));
    TRY(BTree(access, index).create(fiber, xid));
    const FileId toast_heap = TRY(access.storage().create_file(fiber, xid));
    const FileId toast_tree = TRY(access.storage().create_file(fiber, xid));
    info.toast = ToastTable{Oid(20001), toast_heap, toast_tree};
    const IndexInfo toast_index = toast_index_info(*info.toast);
    return BTree(access, toast_index).create(fiber, xid);
  }

  struct Values {
    Arena arena;
    Datum values[3];
    uint8_t nulls[3] = {};
    explicit Values(const TestRow& row) {
      values[0] = Datum::of(row.id);
      values[1] = Datum::of(row.value);
      values[2] = make_varlena(arena, row.note);
    }
    RowValues get() const { return {values, nulls}; }
  };

  // Inserts row and index entry; false when the key is there already.
  Result<bool> insert(Fiber& fiber, Access& access, Transaction& transaction, const TestRow& row) {
    const Values values(row);
    const Tid tid = TRY(Heap(access, info).insert(fiber, transaction, values.get()));
    const InsertResult result =
        TRY(BTree(access, index)
                .insert(fiber, transaction, info, values.get(), tid, UniqueCheck::wait));
    return result.inserted;
  }
  Result<ChangeOutcome> update(Fiber& fiber, Access& access, Transaction& transaction, Tid tid,
                               const TestRow& row, const Snapshot& snapshot,
                               RowWait wait = RowWait::wait) {
    const Values values(row);
    const ChangeResult result =
        TRY(Heap(access, info).update(fiber, transaction, tid, values.get(), snapshot, wait));
    if (result.outcome == ChangeOutcome::ok && !result.hot) {
      TRY(BTree(access, index)
              .insert(fiber, transaction, info, values.get(), result.tid, UniqueCheck::wait));
    }
    return result.outcome;
  }

  // Rows in table order, with tids.
  Result<std::vector<TestRow>> scan(Fiber& fiber, Access& access, const Snapshot& snapshot,
                                    std::vector<Tid>* tids = nullptr) {
    const int16_t wanted[] = {0, 1, 2};
    TableScan scan(access, info, snapshot, wanted);
    std::vector<TestRow> rows;
    Arena arena, vectors;
    Vector columns[] = {Vector::make(vectors), Vector::make(vectors), Vector::make(vectors)};
    std::vector<Tid> batch_tids(kBatchRows);
    for (;;) {
      arena.reset();
      const uint32_t count = TRY(scan.next(fiber, columns, arena, batch_tids.data()));
      if (count == 0) return rows;
      for (uint32_t i = 0; i < count; ++i) {
        rows.push_back(TRY(row_of(fiber, access, columns, i, arena)));
        if (tids != nullptr) tids->push_back(batch_tids[i]);
      }
    }
  }
  // The row with this id through the index.
  Result<std::optional<TestRow>> find(Fiber& fiber, Access& access, const Snapshot& snapshot,
                                      int32_t id, Tid* found_tid = nullptr) {
    IndexScan scan(access, index, ScanDirection::forward, {});
    const NullableDatum key[] = {{Datum::of(id), false}};
    scan.start({.lower = key, .upper = key});
    const int16_t wanted[] = {0, 1, 2};
    TableFetch fetch(access, info, wanted);
    Arena arena, vectors;
    Vector columns[] = {Vector::make(vectors), Vector::make(vectors), Vector::make(vectors)};
    std::optional<TestRow> found;
    for (;;) {
      Tid tids[64];
      uint8_t dead[64];
      Tid found_tids[64];
      const uint32_t count = TRY(scan.next(fiber, 64, tids, {}, nullptr));
      if (count == 0) return found;
      const auto fetched =
          TRY(fetch.fetch(fiber, snapshot, SnapshotKind::mvcc, FetchMode::index_entry,
                          std::span(tids, count), columns, 0, arena, found_tids, nullptr, dead));
      EXPECT_LE(fetched.rows, 1U);
      if (fetched.rows > 0) {
        EXPECT_FALSE(found.has_value());
        found = TRY(row_of(fiber, access, columns, 0, arena));
        if (found_tid != nullptr) *found_tid = found_tids[0];
      }
      TRY(scan.kill(fiber, std::span(dead, count)));
    }
  }

  Result<TestRow> row_of(Fiber& fiber, Access& access, std::span<const Vector> columns, uint32_t i,
                         Arena& arena) {
    TestRow row{.id = columns[0].value(i).as<int32_t>(),
                .value = columns[1].value(i).as<int64_t>()};
    const Datum note = TRY(
        detoast(fiber, access, info.toast ? &*info.toast : nullptr, columns[2].value(i), arena));
    row.note = note.text();
    return row;
  }
};

}  // namespace orrery
