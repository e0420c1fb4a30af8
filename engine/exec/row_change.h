// What follows from changed rows once the statement has changed them all: foreign keys, on both of
// their sides.
//
// The checks and actions are statements of their own, as PostgreSQL's are, run in the same
// transaction with a newer snapshot: a referencing row locks its parent FOR KEY SHARE, so that
// nobody takes it away meanwhile.
#pragma once

#include <memory>
#include <vector>

#include "exec/context.h"
#include "exec/row_store.h"

namespace orrery {

// A key that a row has, or had: what a check that is put off is about.
struct RowKey {
  Oid relation;            // whose row it is ...
  std::string_view name;   // ... and what that is called
  bool referenced;         // ... which is the one pointed at
  bool is_update = false;  // of the row pointed at
  std::span<const NullableDatum> values;
};

// Runs a statement within the one that is running. Implemented by the session, injected; plans are
// cached by text.
class RelatedStatements {
 public:
  virtual ~RelatedStatements() = default;
  // Rows returned (SELECT) or changed. Parameters are of the types given. Suspends.
  virtual Result<uint64_t> run(Fiber& fiber, std::string_view sql, std::span<const Oid> types,
                               std::span<const NullableDatum> values) = 0;
  // True: the check of a deferrable constraint is kept for the end of the transaction; values are
  // copied, by these types.
  virtual Result<bool> put_off(const ConstraintInfo& constraint, const RowKey& key,
                               std::span<const ColumnDesc> types) = 0;
};

class RowChanges {
 public:
  Status open(ExecContext& context, const RelationInfo& relation);
  // The table's columns come first in each batch.
  Status inserted(Arena& arena, const Batch& batch, std::span<const Tid> tids);
  // One row: row 0 of both.
  Status updated(Arena& arena, const Batch& old_row, const Batch& new_row, Tid tid);
  Status deleted(Arena& arena, const Batch& old_row);
  // Runs the checks and actions gathered. 23503.
  Status finish();
  // A check that was put off.
  Status check_later(const ConstraintInfo& constraint, const RowKey& key);
  // Forgets what was gathered.
  void restart();

 private:
  // Keys lie in arena_, in the order of their rows: a statement may gather millions.
  struct Key {
    const ConstraintInfo* constraint;
    bool referenced;       // this table is the one pointed at
    bool has_new = false;  // an update: `new_values` are the key now
    std::span<const NullableDatum> values;
    std::span<const NullableDatum> new_values;
    const Key* next = nullptr;
  };
  Status queue(Arena& arena, const ConstraintInfo& constraint, bool referenced, const Batch& from,
               uint32_t row, const Batch* now);
  Status add_key(const ConstraintInfo& constraint, bool referenced, bool is_update);
  Result<bool> put_off(const Key& key);
  Status check_parent(const Key& key, bool later);
  Status check_children(const Key& key);
  Result<std::string> quoted_relation(Oid oid, const RelationInfo** relation);
  std::vector<Oid> key_types(std::span<const int16_t> columns) const;
  Status violation(const Key& key, const RelationInfo& other, bool parent_side);

  ExecContext* context_ = nullptr;
  const RelationInfo* relation_ = nullptr;
  std::unique_ptr<Arena> arena_;                    // holds the keys until finish()
  std::vector<NullableDatum> values_, new_values_;  // of the row at hand
  const Key* first_key_ = nullptr;
  Key* last_key_ = nullptr;
};

}  // namespace orrery
