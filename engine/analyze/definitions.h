// Definitions of catalog objects back as SQL, as PostgreSQL's pg_get_*def functions show them.
// `pretty` leaves out needless parentheses, and schemas that the path finds by itself.
#pragma once

#include <optional>

#include "analyze/analyzer.h"

namespace orrery {

// A view's query over what it names: views in it stay closed, so that any that was stored can be
// read, one that goes round in a circle too.
Result<Query*> view_query(AnalyzeContext& context, const RelationInfo& view);

// Null object: nothing.
Result<std::optional<std::string>> view_definition(AnalyzeContext& context, Oid view, bool pretty);
// CREATE RULE of the rule that makes a view.
Result<std::optional<std::string>> rule_definition(AnalyzeContext& context, Oid view, bool pretty);
// CREATE INDEX; with `column`, one key's name or expression alone.
Result<std::optional<std::string>> index_definition(AnalyzeContext& context, Oid index, int column,
                                                    bool pretty);
// What stands behind CONSTRAINT name. `relation` is the one it belongs to.
Result<std::optional<std::string>> constraint_definition(AnalyzeContext& context, Oid relation,
                                                         Oid constraint, bool pretty);
// A stored expression or list of them, over the columns of `relation` (0: over none).
Result<std::optional<std::string>> expression_definition(AnalyzeContext& context,
                                                         std::string_view stored, Oid relation,
                                                         bool pretty);

}  // namespace orrery
