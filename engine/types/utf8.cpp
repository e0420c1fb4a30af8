#include "types/utf8.h"

#include "base/bytes.h"
#include "base/text.h"

namespace orrery {
namespace {
constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Eight ASCII bytes without NUL at once.
bool is_plain_word(uint64_t word) {
  constexpr uint64_t kHigh = 0x8080808080808080ULL;
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  return (word & kHigh) == 0 && ((word - kOnes) & kHigh) == 0;
}

// Length of the valid character at `at`, or 0.
size_t valid_length(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead == 0) return 0;
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() - at < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[at + i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if (lead == 0xe0 && second < 0xa0) return 0;  // overlong
  if (lead == 0xed && second > 0x9f) return 0;  // surrogates
  if (lead == 0xf0 && second < 0x90) return 0;  // overlong
  if (lead == 0xf4 && second > 0x8f) return 0;  // past U+10FFFF
  return length;
}
}  // namespace

size_t utf8_count(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += !is_continuation(c);
  return count;
}

size_t utf8_offset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += utf8_step(text, at);
  return at;
}

size_t utf8_clip(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text.size();
  while (limit > 0 && is_continuation(text[limit])) --limit;
  return limit;
}

uint32_t utf8_decode(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const size_t length = utf8_step(text, at);
  const uint32_t lead = byte(at);
  uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) point = point << 6 | (byte(at + i) & 0x3f);
  at += length;
  return point;
}

void utf8_append(std::string& out, uint32_t point) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | (point >> shift & 0x3f)));
  };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xc0 | point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | point >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

size_t utf8_find_invalid(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    while (text.size() - at >= 8 && is_plain_word(load<uint64_t>(text.data() + at))) at += 8;
    if (at == text.size()) break;
    const size_t length = valid_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

Status check_utf8(std::string_view text) {
  const size_t bad = utf8_find_invalid(text);
  if (bad == std::string_view::npos) return {};
  std::string bytes;
  const size_t length = utf8_step(text, bad);
  for (size_t i = 0; i < length; ++i) {
    bytes += i == 0 ? "0x" : " 0x";
    append_hex(bytes, static_cast<unsigned char>(text[bad + i]), 2);
  }
  return raise(sqlstate::character_not_in_repertoire,
               cat("invalid byte sequence for encoding \"UTF8\": ", bytes));
}

}  // namespace orrery
