// UTF-8 [RFC 3629], the one server encoding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace orrery {

// Bytes of the character that starts with `lead`, judged by it alone; 1 for a stray byte.
constexpr int utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  if (byte < 0xf0) return 3;
  return byte < 0xf8 ? 4 : 1;
}
// The same, never past the end of the text.
constexpr size_t utf8_step(std::string_view text, size_t at) {
  const auto length = static_cast<size_t>(utf8_length(text[at]));
  return length < text.size() - at ? length : text.size() - at;
}
// Characters in valid text.
size_t utf8_count(std::string_view text);
// Byte offset of character number `index`, or the size of the text if it has fewer.
size_t utf8_offset(std::string_view text, size_t index);
// The most bytes, at most `limit`, that end between characters.
size_t utf8_clip(std::string_view text, size_t limit);
// The code point at `at`; `at` moves past it.
uint32_t utf8_decode(std::string_view text, size_t& at);
void utf8_append(std::string& out, uint32_t code_point);

// Offset of the first byte that is not valid, or npos. NUL is not valid in a text value.
size_t utf8_find_invalid(std::string_view text);
// 22021 'invalid byte sequence for encoding "UTF8": 0x..' unless valid.
Status check_utf8(std::string_view text);

}  // namespace orrery
