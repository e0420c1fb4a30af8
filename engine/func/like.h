// LIKE: % any run, _ one character, and an escape. One pass with a single point to come back to:
// after a later % an earlier one need not be tried again, so the time is at most pattern times
// text.
#pragma once

#include <optional>
#include <string_view>

#include "base/stop_sign.h"

namespace orrery {

// 22025 when the pattern ends with its escape. `fold`: ILIKE, ASCII letters. An empty escape means none.
Result<bool> like(std::string_view text, std::string_view pattern, bool fold,
                  const StopSign* stop = nullptr, char escape = '\\');
// The pattern with another escape character rewritten to use backslash. 22025 unless `escape` is at
// most one character.
Result<std::string> rewrite_escape(std::string_view pattern, std::string_view escape);

}  // namespace orrery
