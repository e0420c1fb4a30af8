// Writing rows of one table with everything that hangs on them: NOT NULL and CHECK, the table's
// indexes, unique constraints and ON CONFLICT. INSERT, UPDATE, DELETE and COPY write through this.
//
// A row lies in vectors laid out by attribute number (table_columns.h), so that constraints and
// index expressions are evaluated over the batch that is written.
#pragma once

#include <vector>

#include "access/btree.h"
#include "access/heap.h"
#include "exec/eval.h"
#include "exec/functions.h"

namespace orrery {

class TableWriter {
 public:
  TableWriter(ExecContext& context, const RelationInfo& relation)
      : context_(context), relation_(relation) {}

  // Compiles constraints and index keys. 0A000 for what cannot be kept true yet.
  Status open();

  // Computes the generated columns of the rows named, in place; then NOT NULL and CHECK: 23502,
  // 23514.
  Status check_row_constraints(Arena& arena, std::span<Vector> columns, Rows rows);
  // Inserts the rows and their index entries: 23505 on a duplicate. `tids` has room for rows.count.
  Status insert(Arena& arena, const Batch& batch, Tid* tids);
  // How many rows of the last insert() have all their index entries: after 23505, the number of the
  // row that met the duplicate.
  uint32_t indexed() const { return indexed_; }
  // Index entries of one row that is in the heap already (an updated version that is not HOT).
  Status add_index_entries(Arena& arena, const Batch& batch, uint32_t row, Tid tid);

  // ON CONFLICT. Inserts one row unless a row conflicts with it on an arbiter (all unique indexes
  // when `arbiters` is empty). Returns nothing when it was inserted (at *tid), else the conflicting
  // row's tid.
  Result<std::optional<Tid>> insert_unless_conflict(Arena& arena, const Batch& batch, uint32_t row,
                                                    std::span<const Oid> arbiters, Tid* tid);

  const RelationInfo& relation() const { return relation_; }
  Heap& heap() { return *heap_; }

 private:
  struct Index {
    const CatalogIndex* info;
    std::optional<BTree> tree;
    std::vector<Evaluator> expressions;  // for the key columns that are expressions, in order
    std::optional<Evaluator> predicate;
  };
  struct Key {
    std::vector<Datum> values;
    std::vector<uint8_t> nulls;
  };
  Result<std::optional<Tid>> insert_speculatively(Arena& arena, const Batch& batch, uint32_t row,
                                                  std::span<const Oid> arbiters, Tid* tid,
                                                  Xid* awaited);
  // False: the row is not in this (partial) index.
  Result<bool> make_key(Arena& arena, Index& index, const Batch& batch, uint32_t row, Key* key);
  Status duplicate(const Index& index, const Key& key);
  Status null_violation(Arena& arena, const Batch& batch, uint32_t row, size_t column);
  Result<std::string> describe_row(Arena& arena, const Batch& batch, uint32_t row);

  ExecContext& context_;
  const RelationInfo& relation_;
  std::optional<Heap> heap_;
  std::vector<Index> indexes_;
  uint32_t indexed_ = 0;
  struct Check {
    const ConstraintInfo* info;
    Evaluator condition;
  };
  std::vector<Check> checks_;
  struct Generated {
    size_t column;
    Evaluator value;
  };
  std::vector<Generated> generated_;
};

// An expression stored with a relation (CHECK, index key, default), compiled over its columns.
Result<Evaluator> compile_stored(ExecContext& context, const RelationInfo& relation,
                                 std::string_view sql);
// The same as the value of a column of `relation`.
Result<Evaluator> compile_column_value(ExecContext& context, const RelationInfo& relation,
                                       std::string_view sql, const ColumnDesc& column);

}  // namespace orrery
