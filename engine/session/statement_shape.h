// Statements of simple queries that differ only in their integers share a plan, as if the client
// had prepared them:
//
//   text    UPDATE t SET a = a + -5 WHERE k = 17      shape   UPDATE t SET a = a + -? WHERE k = ?
//                                                     values  5, 17
//
// A shape seen for the second time is planned with parameters for its integers. That plan is kept
// only if no value could make another plan better: it finds rows by a whole unique key, reads a
// table of a few pages, or makes a row. Everything else is planned anew each time, with its
// constants, as ever. (Oracle calls this cursor sharing, SQL Server simple parameterization.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"
#include "sql/node.h"

namespace orrery {

struct StatementShape {
  std::string text;              // with a question mark for each integer that is a value
  std::vector<int32_t> values;   // those integers, in order
  std::string_view source;       // the statement itself
  std::vector<uint32_t> places;  // of each in `source`: where it begins ...
  std::vector<uint32_t> ends;    // ... and ends

  // The source with $1, $2 ... for its values.
  std::string with_parameters() const;
};

// Takes a text apart. False: it is no single SELECT, INSERT, UPDATE or DELETE without quotes and
// comments, or it is long. What was in `shape` before is reused.
bool read_shape(std::string_view source, StatementShape& shape);

// Whether a parameter may stand for each integer of this statement: one table at most, and no
// clause in which a constant is more than a value (ORDER BY 1, LIMIT 1).
bool takes_parameters(const Node& statement);

// Whether the plan stays right whatever its parameters are. Tables that are read as a whole are
// added to `read_whole`: the answer holds as long as they have at most kFewPages.
constexpr uint32_t kFewPages = 16;
bool is_steady(const Plan& plan, std::vector<const RelationInfo*>& read_whole);

}  // namespace orrery
