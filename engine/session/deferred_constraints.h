// Checks of foreign keys that a transaction has put off to its end (DEFERRABLE), and what SET
// CONSTRAINTS said about which are.
//
// A check is kept by value: whether the rows of a key have what they refer to. So it needs no
// record of savepoints: rows that were rolled back, deleted or changed since ask for nothing when
// the check is made. What was said about constraints is undone with the level that said it.
#pragma once

#include <vector>

#include "base/arena.h"
#include "exec/row_change.h"

namespace orrery {

class DeferredConstraints {
 public:
  explicit DeferredConstraints(MemoryBudget* memory) : arena_(memory) {}

  struct Check {
    Oid constraint;
    RowKey key;
    uint32_t made = 0;  // at this level of the transaction, as SET CONSTRAINTS asked; 0: not yet
  };

  // SET CONSTRAINTS at a level of the transaction; no constraint: all of them.
  void choose(uint32_t level, Oid constraint, bool deferred) {
    choices_.push_back({level, constraint, deferred});
  }
  bool is_deferred(const ConstraintInfo& constraint) const;
  void add(Oid constraint, const RowKey& key, std::span<const ColumnDesc> types);
  // Those that are to be made now, oldest first; they count as made, until the level is undone.
  std::vector<Check> take(uint32_t level, FunctionRef<bool(Oid constraint)> which);
  // Some check that rows of the relation wait for; null: none does.
  const Check* of_relation(Oid relation) const;
  void level_ended(uint32_t level, bool committed);

 private:
  struct Choice {
    uint32_t level;
    Oid constraint;
    bool deferred;
  };
  std::vector<Choice> choices_;  // the last that names a constraint holds
  std::vector<Check> checks_;
  Arena arena_;  // their values
};

}  // namespace orrery
