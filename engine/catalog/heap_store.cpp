#include "catalog/heap_store.h"

#include <algorithm>

#include "access/btree.h"
#include "access/table_scan.h"
#include "access/toast.h"
#include "base/probe.h"
#include "base/text.h"
#include "catalog/facts.h"
#include "catalog/invalidation.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// How many index entries are followed at once: most lookups want one row.
constexpr uint32_t kFewRows = 16;

// One row out of a batch, its values made plain.
class RowReader {
 public:
  RowReader(Access& access, const CatalogTable& table, Arena& arena,
            std::span<const Vector> columns)
      : access_(access),
        table_(table),
        arena_(arena),
        columns_(columns),
        values_(columns.size()),
        nulls_(columns.size()) {}

  Result<CatalogRow> read(Fiber& fiber, uint32_t row) {
    const ToastTable* toast = table_.table.toast ? &*table_.table.toast : nullptr;
    for (size_t i = 0; i < columns_.size(); ++i) {
      nulls_[i] = columns_[i].is_null(row);
      values_[i] = nulls_[i] != 0 ? Datum() : columns_[i].value(row);
      const bool is_varlena = table_.table.desc[i].length == -1;
      if (nulls_[i] == 0 && is_varlena && needs_detoast(values_[i])) {
        values_[i] = TRY(detoast(fiber, access_, toast, values_[i], arena_));
      }
    }
    return CatalogRow{values_, nulls_};
  }

 private:
  Access& access_;
  const CatalogTable& table_;
  Arena& arena_;
  std::span<const Vector> columns_;
  std::vector<Datum> values_;
  std::vector<uint8_t> nulls_;
};

std::vector<Vector> make_vectors(Arena& arena, size_t count, uint32_t rows) {
  std::vector<Vector> out;
  for (size_t i = 0; i < count; ++i) out.push_back(Vector::make(arena, rows));
  return out;
}

// Parallel arrays of a row to write.
struct Written {
  explicit Written(std::span<const NullableDatum> from) {
    for (const NullableDatum& value : from) {
      values.push_back(value.value);
      nulls.push_back(value.is_null);
    }
  }
  RowValues row() const { return {values.data(), nulls.data()}; }
  CatalogRow view() const { return {values, nulls}; }
  std::vector<Datum> values;
  std::vector<uint8_t> nulls;
};

std::string show_key(const FactColumn& column, Datum value) {
  if (column.length == 64) return std::string(value.as<const char*>());
  if (!column.by_value) return "...";
  if (column.length == 1) return std::string(1, value.as<char>());
  return column.length == 2 ? cat(value.as<int16_t>()) : cat(value.as<uint32_t>());
}

Status duplicate_key(Oid catalog, const CatalogTable::Index& index, RowValues row) {
  const FactTable& facts = fact_table(catalog);
  std::vector<std::string> names, values;
  for (int16_t column : index.columns) {
    const FactColumn& fact = facts.columns[static_cast<size_t>(column - 1)];
    names.emplace_back(fact.name);
    values.push_back(show_key(fact, row.values[column - 1]));
  }
  return raise(sqlstate::unique_violation,
               cat("duplicate key value violates unique constraint \"", index.info.name, "\""))
      .detail(cat("Key (", join(names, ", "), ")=(", join(values, ", "), ") already exists."))
      .constraint("pg_catalog", facts.name, index.info.name);
}

Status concurrently(ChangeOutcome outcome) {
  if (outcome == ChangeOutcome::deleted) {
    return raise(sqlstate::internal_error, "tuple concurrently deleted");
  }
  return raise(sqlstate::internal_error, "tuple concurrently updated");
}

}  // namespace

struct HeapStore::Row {
  std::vector<Datum> values;
  std::vector<uint8_t> nulls;
  std::unique_ptr<Arena> arena;
  CatalogRow view() const { return {values, nulls}; }
};

HeapStore::~HeapStore() {
  if (own_ != nullptr) std::erase(catalog_.own_, own_.get());
}

CatalogCache& HeapStore::cache() { return own_ != nullptr ? *own_ : catalog_.shared; }

Snapshot HeapStore::snapshot() const { return access_.transactions().take_snapshot(transaction_); }

Status HeapStore::scan(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys, Use use) {
  const CatalogTable& table = catalog_.tables.table(catalog);
  const RegisteredSnapshot snapshot(access_.transactions(), this->snapshot());
  Arena arena;
  if (!index) {
    std::vector<Vector> columns = make_vectors(arena, table.all_columns.size(), kBatchRows);
    std::vector<Tid> tids(kBatchRows);
    Arena batch;
    TableScan scan(access_, table.table, snapshot.get(), table.all_columns);
    RowReader reader(access_, table, batch, columns);
    for (;;) {
      const uint32_t rows = TRY(scan.next(fiber, columns, batch, tids.data()));
      if (rows == 0) return {};
      for (uint32_t i = 0; i < rows; ++i) {
        const CatalogRow row = TRY(reader.read(fiber, i));
        TRY(use(row, tids[i]));
      }
      batch.reset();
    }
  }
  const CatalogTable::Index& by = table.index(index);
  std::vector<NullableDatum> bound;
  for (Datum key : keys) bound.push_back({key, false});
  std::vector<Vector> columns = make_vectors(arena, table.all_columns.size(), kFewRows);
  IndexScan scan(access_, by.info, ScanDirection::forward, {});
  scan.start({.lower = bound, .upper = bound});
  TableFetch fetch(access_, table.table, table.all_columns);
  Arena batch;
  RowReader reader(access_, table, batch, columns);
  Tid entries[kFewRows], found[kFewRows];
  for (;;) {
    const uint32_t count = TRY(scan.next(fiber, kFewRows, entries, {}, nullptr));
    if (count == 0) return {};
    const TableFetch::Fetched fetched =
        TRY(fetch.fetch(fiber, snapshot.get(), SnapshotKind::mvcc, FetchMode::index_entry,
                        std::span(entries, count), columns, 0, batch, found, nullptr, nullptr));
    CHECK(fetched.tids_done == count);
    for (uint32_t i = 0; i < fetched.rows; ++i) {
      const CatalogRow row = TRY(reader.read(fiber, i));
      TRY(use(row, found[i]));
    }
    batch.reset();
  }
}

Result<HeapStore::Row> HeapStore::fetch(Fiber& fiber, const CatalogTable& table, Tid tid) {
  Row out;
  out.arena = std::make_unique<Arena>();
  const RegisteredSnapshot snapshot(access_.transactions(), this->snapshot());
  std::vector<Vector> columns = make_vectors(*out.arena, table.all_columns.size(), 1);
  TableFetch fetch(access_, table.table, table.all_columns);
  const TableFetch::Fetched fetched =
      TRY(fetch.fetch(fiber, snapshot.get(), SnapshotKind::mvcc, FetchMode::exact,
                      std::span(&tid, 1), columns, 0, *out.arena, nullptr, nullptr, nullptr));
  if (fetched.rows == 0) return concurrently(ChangeOutcome::updated);
  RowReader reader(access_, table, *out.arena, columns);
  const CatalogRow row = TRY(reader.read(fiber, 0));
  out.values.assign(row.values.begin(), row.values.end());
  out.nulls.assign(row.nulls.begin(), row.nulls.end());
  return out;
}

Status HeapStore::insert_index_entries(Fiber& fiber, const CatalogTable& table, RowValues row,
                                       Tid tid) {
  for (const CatalogTable::Index& index : table.indexes) {
    std::vector<Datum> values;
    std::vector<uint8_t> nulls;
    for (int16_t column : index.columns) {
      values.push_back(row.values[column - 1]);
      nulls.push_back(row.nulls[column - 1]);
    }
    BTree tree(access_, index.info);
    const UniqueCheck check = index.info.unique ? UniqueCheck::wait : UniqueCheck::none;
    const InsertResult result = TRY(
        tree.insert(fiber, *transaction_, table.table, {values.data(), nulls.data()}, tid, check));
    if (!result.inserted) return duplicate_key(table.table.oid, index, row);
  }
  return {};
}

Status HeapStore::wrote(Oid catalog, const CatalogRow* before, const CatalogRow* after) {
  if (own_ == nullptr) {
    own_ = std::make_unique<CatalogCache>(catalog_.oid);
    catalog_.own_.push_back(own_.get());
  }
  invalidations_of(catalog, catalog_.oid, before, after, [&](const Invalidation& what) {
    own_->invalidate(what);
    std::string bytes;
    encode_invalidation(what, bytes);
    transaction_->add_invalidation(as_bytes(bytes));
  });
  return transaction_->next_command();
}

Result<Tid> HeapStore::insert(Fiber& fiber, Oid catalog, std::span<const NullableDatum> values) {
  CHECK(transaction_ != nullptr);
  const CatalogTable& table = catalog_.tables.table(catalog);
  CHECK(values.size() == table.table.desc.size());
  const Written written(values);
  Heap heap(access_, table.table);
  const Tid tid = TRY(heap.insert(fiber, *transaction_, written.row()));
  TRY(insert_index_entries(fiber, table, written.row(), tid));
  const CatalogRow after = written.view();
  TRY(wrote(catalog, nullptr, &after));
  return tid;
}

Status HeapStore::update(Fiber& fiber, Oid catalog, Tid tid,
                         std::span<const NullableDatum> values) {
  CHECK(transaction_ != nullptr);
  const CatalogTable& table = catalog_.tables.table(catalog);
  CHECK(values.size() == table.table.desc.size());
  const Row old = TRY(fetch(fiber, table, tid));
  const Written written(values);
  Heap heap(access_, table.table);
  const ChangeResult result =
      TRY(heap.update(fiber, *transaction_, tid, written.row(), snapshot()));
  if (result.outcome != ChangeOutcome::ok) return concurrently(result.outcome);
  if (!result.hot) TRY(insert_index_entries(fiber, table, written.row(), result.tid));
  const CatalogRow before = old.view(), after = written.view();
  return wrote(catalog, &before, &after);
}

Status HeapStore::remove(Fiber& fiber, Oid catalog, Tid tid) {
  CHECK(transaction_ != nullptr);
  const CatalogTable& table = catalog_.tables.table(catalog);
  const Row old = TRY(fetch(fiber, table, tid));
  Heap heap(access_, table.table);
  const ChangeResult result = TRY(heap.remove(fiber, *transaction_, tid, snapshot()));
  if (result.outcome != ChangeOutcome::ok) return concurrently(result.outcome);
  const CatalogRow before = old.view();
  return wrote(catalog, &before, nullptr);
}

Status HeapStore::overwrite(Fiber& fiber, Oid catalog, Tid tid,
                            std::span<const NullableDatum> values) {
  const CatalogTable& table = catalog_.tables.table(catalog);
  const Row old = TRY(fetch(fiber, table, tid));
  const Written written(values);
  Heap heap(access_, table.table);
  TRY(heap.overwrite(fiber, tid, written.row()));
  const CatalogRow before = old.view(), after = written.view();
  invalidations_of(catalog, catalog_.oid, &before, &after,
                   [&](const Invalidation& what) { catalog_.invalidate(what); });
  return {};
}

Result<Oid> HeapStore::new_oid(Fiber& fiber) {
  for (;;) {
    const Oid oid = TRY(access_.transactions().next_oid(fiber));
    if (!access_.transactions().oids_have_wrapped()) return oid;
    const bool used = TRY(is_in_use(fiber, oid));
    if (!used) return oid;
    PROBE("catalog: an OID is in use");
  }
}

// Some row of some catalog has this OID; which catalog it is wanted for does not matter.
Result<bool> HeapStore::is_in_use(Fiber& fiber, Oid oid) {
  const NullableDatum key[] = {{Datum::of(oid), false}};
  for (const bool shared : {false, true}) {
    for (const Oid catalog : catalog_relations(shared)) {
      for (const CatalogTable::Index& index : catalog_.tables.table(catalog).indexes) {
        if (!index.info.unique || index.columns != std::vector<int16_t>{1} ||
            index.info.desc[0].type != type_oid::oid) {
          continue;
        }
        IndexScan scan(access_, index.info, ScanDirection::forward, {});
        scan.start({.lower = key, .upper = key});
        Tid tid;
        const uint32_t found = TRY(scan.next(fiber, 1, &tid, {}, nullptr));
        if (found > 0) return true;
      }
    }
  }
  return false;
}

}  // namespace orrery
