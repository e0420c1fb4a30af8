// SQLSTATE codes as five-character values; the list with PostgreSQL's condition names is
// base/sqlstates.def.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace orrery {

struct SqlState {
  char code[5] = {'0', '0', '0', '0', '0'};

  constexpr SqlState() = default;
  constexpr explicit SqlState(const char (&text)[6])
      : code{text[0], text[1], text[2], text[3], text[4]} {}

  constexpr std::string_view text() const { return {code, 5}; }
  friend constexpr bool operator==(const SqlState&, const SqlState&) = default;
  // The first two characters: "23" for integrity constraint violations.
  constexpr std::string_view class_text() const { return {code, 2}; }
};

namespace sqlstate {
#define SQLSTATE(name, text) inline constexpr SqlState name{text};
#include "base/sqlstates.def"
#undef SQLSTATE
// The machine has died: every suspension point returns this and nothing may catch it. Never reaches
// a client.
inline constexpr SqlState halted{"ORHLT"};
}  // namespace sqlstate

}  // namespace orrery
