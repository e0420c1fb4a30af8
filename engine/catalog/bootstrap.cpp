#include "catalog/bootstrap.h"

#include <algorithm>

#include "access/btree.h"
#include "access/heap.h"
#include "catalog/columns.h"
#include "catalog/facts.h"
#include "catalog/relation_loader.h"

namespace orrery {
namespace {

// Loads one catalog: its table, then its indexes bottom-up.
class CatalogLoad {
 public:
  CatalogLoad(Fiber& fiber, Access& access, Transaction& transaction, const CatalogTable& table)
      : fiber_(fiber), access_(access), transaction_(transaction), table_(table) {}

  // `facts` null: a TOAST table, which is empty.
  Status load(const FactTable* facts);

 private:
  Status make_file(FileId file);
  Status insert_rows(const FactTable& facts);
  Status build_index(const CatalogTable::Index& index);

  Fiber& fiber_;
  Access& access_;
  Transaction& transaction_;
  const CatalogTable& table_;
  std::vector<FactRow> rows_;
  std::vector<Tid> tids_;
};

Status CatalogLoad::make_file(FileId file) {
  TRY(access_.storage().create_file_as(fiber_, file, transaction_.xid()));
  transaction_.created_file(file);
  return {};
}

Status CatalogLoad::insert_rows(const FactTable& facts) {
  Heap heap(access_, table_.table);
  const size_t columns = facts.columns.size();
  rows_.reserve(facts.size());
  Arena arena;
  for (size_t first = 0; first < facts.size(); first += kBatchRows) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, facts.size() - first));
    std::vector<Vector> vectors;
    for (size_t c = 0; c < columns; ++c) vectors.push_back(Vector::make(arena, count));
    for (uint32_t i = 0; i < count; ++i) {
      rows_.push_back(facts.row(first + i));
      const FactRow& row = rows_.back();
      for (size_t c = 0; c < columns; ++c) {
        vectors[c].set(i, NullableDatum{row.values[c], row.nulls[c] != 0});
      }
    }
    tids_.resize(first + count);
    TRY(heap.insert_batch(fiber_, transaction_, vectors, {.index = nullptr, .count = count},
                          tids_.data() + first));
    arena.reset();
  }
  return {};
}

Status CatalogLoad::build_index(const CatalogTable::Index& index) {
  struct Entry {
    std::vector<Datum> values;
    std::vector<uint8_t> nulls;
    Tid tid;
    RowValues row() const { return {values.data(), nulls.data()}; }
  };
  std::vector<Entry> entries(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    for (int16_t column : index.columns) {
      entries[i].values.push_back(rows_[i].values[column - 1]);
      entries[i].nulls.push_back(rows_[i].nulls[column - 1]);
    }
    entries[i].tid = tids_[i];
  }
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    return compare_index_rows(index.info, a.row(), a.tid, b.row(), b.tid) < 0;
  });
  BTreeBuilder builder(access_, index.info, transaction_.xid());
  for (const Entry& entry : entries) {
    const bool is_new = TRY(builder.add(fiber_, entry.row(), entry.tid));
    CHECK(is_new);  // the facts are consistent
  }
  return builder.finish(fiber_);
}

Status CatalogLoad::load(const FactTable* facts) {
  TRY(make_file(table_.table.file));
  if (facts != nullptr) TRY(insert_rows(*facts));
  for (const CatalogTable::Index& index : table_.indexes) {
    TRY(make_file(index.info.file));
    TRY(build_index(index));
  }
  return {};
}

Status load_relations(Fiber& fiber, DatabaseCatalog& database, Access& access,
                      Transaction& transaction, bool shared) {
  TRY(access.transactions().assign_xid(fiber, transaction));
  const auto facts = all_fact_tables();
  for (Oid relation : catalog_relations(shared)) {
    const auto own = std::ranges::find(facts, relation, &FactTable::relation);
    CatalogLoad load(fiber, access, transaction, database.tables.table(relation));
    TRY(load.load(own == facts.end() ? nullptr : &*own));
  }
  return {};
}

// Runs `work` in a transaction of its own.
template <class Work>
Status in_transaction(Fiber& fiber, Access& access, Work work) {
  TransactionManager& transactions = access.transactions();
  LockOwner owner(access.locks(), 0);
  const std::unique_ptr<Transaction> transaction = transactions.begin(owner);
  const Status status = work(*transaction);
  if (!status.ok()) {
    if (!status.is_halted()) TRY(transactions.abort(fiber, *transaction));
    return status.clone();
  }
  return transactions.commit(fiber, *transaction);
}

}  // namespace

Result<bool> database_has_files(Fiber& fiber, Oid database, Access& access) {
  return access.storage().file_exists(
      fiber, relation_file(database, pg_class::kRelation, kInvalidOid, false));
}

Status fill_database(Fiber& fiber, DatabaseCatalog& database, Access& access,
                     Transaction& transaction) {
  return load_relations(fiber, database, access, transaction, false);
}

Status ensure_database(Fiber& fiber, DatabaseCatalog& database, Access& access) {
  const bool there = TRY(database_has_files(fiber, database.oid, access));
  if (there) return {};
  return in_transaction(fiber, access, [&](Transaction& transaction) {
    return fill_database(fiber, database, access, transaction);
  });
}

LockTag database_tag(Oid database) {
  return LockTag::object(kInvalidOid, pg_database::kRelation, database);
}

Status bootstrap_node(Fiber& fiber, NodeCatalog& catalogs, Access& access) {
  const bool there = TRY(access.storage().file_exists(
      fiber, relation_file(kInvalidOid, pg_database::kRelation, kInvalidOid, true)));
  if (there) return {};
  DatabaseCatalog& database = catalogs.database(kPostgresDatabase);
  return in_transaction(fiber, access, [&](Transaction& transaction) -> Status {
    TRY(load_relations(fiber, database, access, transaction, true));
    return load_relations(fiber, database, access, transaction, false);
  });
}

std::vector<FileId> catalog_files(Oid database) {
  std::vector<FileId> out;
  const FactTable& classes = fact_table(pg_class::kRelation);
  for (size_t i = 0; i < classes.size(); ++i) {
    const FactRow row = classes.row(i);
    if (row.view().get<bool>(pg_class::relisshared)) continue;
    if (row.view().get<char>(pg_class::relkind) == 'v') continue;
    out.push_back(relation_file(database, row.view().get<Oid>(pg_class::oid), kInvalidOid, false));
  }
  return out;
}

}  // namespace orrery
