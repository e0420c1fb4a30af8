// Lists of stored expressions (pg_index.indexprs, pg_proc.proargdefaults) are SQL text separated by
// commas, as pg_get_expr shows them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orrery {

// Cuts at commas outside of quotes, parentheses and brackets, and drops the blanks around. Empty
// text: no expressions.
std::vector<std::string> split_expressions(std::string_view text);

}  // namespace orrery
