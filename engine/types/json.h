// JSON [RFC 8259]: text to a tree and back. The type json keeps its text as it was written; jsonb
// (jsonb.h) is stored as a tree.
#pragma once

#include <string>
#include <vector>

#include "types/type_io.h"

namespace orrery {

// In the order in which jsonb sorts kinds.
enum class JsonKind : uint8_t { null, string, number, boolean, array, object };

struct Json {
  JsonKind kind = JsonKind::null;
  bool truth = false;             // of a boolean
  std::string text;               // of a string its characters, of a number its digits
  std::string_view raw;           // where it stands in the text it was read from
  std::vector<Json> items;        // of an array; of an object the values
  std::vector<std::string> keys;  // of an object, beside items

  bool is_scalar() const { return kind < JsonKind::array; }
  // Of an object: the value of the last key of that name; null if there is none.
  const Json* find(std::string_view key) const;
};

// With `unescape` strings lose their escapes (22P05 for what text cannot hold); without it only
// their form is looked at. 22P02 "invalid input syntax for type json" with the place.
// 54001 when nested too deeply.
Result<Json> parse_json(std::string_view text, bool unescape);
Result<Json> parse_json(std::string_view text, bool unescape, const StopSign* stop);

void append_json_string(std::string& out, std::string_view text);
std::string_view json_kind_name(JsonKind kind);  // "null" ... "object"

Result<Datum> json_in(IoContext& context, std::string_view text);
Result<Datum> json_receive(IoContext& context, Bytes bytes);

}  // namespace orrery
