// How names and texts are written into SQL.
#pragma once

#include <string>
#include <string_view>

namespace orrery {

// In double quotes unless it is a plain lower-case identifier and no keyword that would be read as
// something else.
std::string quote_identifier(std::string_view name);
// 'text', or E'text' when it contains backslashes.
std::string quote_literal(std::string_view text);

}  // namespace orrery
