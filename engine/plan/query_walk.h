// A walk over every expression of a query and of the queries within it: range tables, conditions,
// targets, common tables. A query is visited once, however often it is pointed to.
#pragma once

#include <vector>

#include "analyze/query.h"
#include "base/arena.h"
#include "base/function.h"

namespace orrery {

class QueryWalk {
 public:
  // What an expression becomes, once its children have been changed; called for each node. `depth`
  // is how many levels lie between it and the query that the walk began with.
  using Change = FunctionRef<Expr*(Expr* expr, int depth)>;
  using Note = FunctionRef<void(RangeEntry& entry, int depth)>;
  // What both refer to outlives the walk.
  QueryWalk(Arena& arena, Change change, Note note) : arena_(arena), change_(change), note_(note) {}

  void query(Query& query, int depth);
  Expr* expr(Expr* expr, int depth);

 private:
  void from(FromNode& node, int depth);

  Arena& arena_;
  Change change_;
  Note note_;
  std::vector<const Query*> seen_;
};

}  // namespace orrery
