// bytea: bytes, bits, search, and text encodings (hex, escape, base64).
#include <algorithm>

#include "base/text.h"
#include "func/lift.h"
#include "types/bytea.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

Status index_out_of_range(int64_t index, int64_t most) {
  return raise(sqlstate::array_subscript_error,
               cat("index ", index, " out of valid range, 0..", most));
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Lines of 76 characters [RFC 2045 §6.8].
std::string encode_base64(std::string_view bytes) {
  std::string out;
  size_t line = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i)
      out.push_back(at + i > bytes.size() ? '=' : kBase64[group >> (18 - 6 * i) & 63]);
    line += 4;
    if (line >= 76) {
      out.push_back('\n');
      line = 0;
    }
  }
  return out;
}

Result<std::string> decode_base64(std::string_view text) {
  const auto bad = [](std::string_view what) {
    return raise(sqlstate::invalid_parameter_value, std::string(what));
  };
  std::string out;
  uint32_t group = 0;
  int count = 0;
  int padding = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    uint32_t bits = 0;
    if (c == '=') {
      if (padding == 0) {
        if (count < 2) return bad("unexpected \"=\" while decoding base64 sequence");
      }
      ++padding;
    } else {
      const size_t value = kBase64.find(c);
      if (value == std::string_view::npos || padding > 0) {
        return bad(cat("invalid symbol \"", text.substr(at, utf8_step(text, at)),
                       "\" found while decoding base64 sequence"));
      }
      bits = static_cast<uint32_t>(value);
    }
    group = group << 6 | bits;
    if (++count < 4) continue;
    out.push_back(static_cast<char>(group >> 16));
    if (padding < 2) out.push_back(static_cast<char>(group >> 8));
    if (padding < 1) out.push_back(static_cast<char>(group));
    group = 0;
    count = 0;
  }
  if (count != 0)
    return bad("invalid base64 end sequence")
        .hint("Input data is missing padding, is truncated, or is otherwise corrupted.");
  return out;
}

Status unknown_encoding(std::string_view name) {
  return raise(sqlstate::invalid_parameter_value, cat("unrecognized encoding: \"", name, "\""));
}
Result<std::string> encode(std::string_view bytes, std::string_view name) {
  const std::string lower = to_lower(name);
  std::string out;
  if (lower == "hex") {
    encode_hex(bytes, out);
  } else if (lower == "escape") {
    // Here only NUL and bytes past ASCII are escaped.
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
      if (c == '\\') {
        out += "\\\\";
      } else if (byte == 0 || byte >= 0x80) {
        out.push_back('\\');
        for (const unsigned shift : {6U, 3U, 0U})
          out.push_back(static_cast<char>('0' + (byte >> shift & 7)));
      } else {
        out.push_back(c);
      }
    }
  } else if (lower == "base64") {
    out = encode_base64(bytes);
  } else {
    return unknown_encoding(name);
  }
  return out;
}
Result<std::string> decode(std::string_view text, std::string_view name) {
  const std::string lower = to_lower(name);
  if (lower == "hex") return decode_hex(text);
  if (lower == "escape") return decode_escape(text);
  if (lower == "base64") return decode_base64(text);
  return unknown_encoding(name);
}

// Bytes [start, start + length), 1-based, as substr of text.
Result<std::string_view> substring(std::string_view bytes, int32_t start,
                                   std::optional<int32_t> length) {
  int64_t first = start;
  int64_t end = static_cast<int64_t>(bytes.size()) + 1;
  if (length) {
    if (*length < 0)
      return raise(sqlstate::substring_error, "negative substring length not allowed");
    end = std::min(end, first + *length);
  }
  first = std::max<int64_t>(first, 1);
  if (end <= first) return std::string_view();
  return bytes.substr(static_cast<size_t>(first - 1), static_cast<size_t>(end - first));
}

Result<std::string> overlay(std::string_view bytes, std::string_view with, int32_t start,
                            int32_t length) {
  if (start <= 0) return raise(sqlstate::substring_error, "negative substring length not allowed");
  int32_t end = 0;
  if (__builtin_add_overflow(start, length, &end)) return raise_out_of_range("integer");
  const std::string_view before = TRY(substring(bytes, 1, start - 1));
  const std::string_view after = TRY(substring(bytes, end, std::nullopt));
  return cat(before, with, after);
}

std::string_view trim(std::string_view bytes, std::string_view set, bool left, bool right) {
  while (left && !bytes.empty() && set.find(bytes.front()) != std::string_view::npos)
    bytes.remove_prefix(1);
  while (right && !bytes.empty() && set.find(bytes.back()) != std::string_view::npos)
    bytes.remove_suffix(1);
  return bytes;
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("byteaoctetlen", lift([](std::string_view v) { return static_cast<int32_t>(v.size()); })),
    body("bytea_substr", lift([](std::string_view v, int32_t start, int32_t length) {
           return substring(v, start, length);
         })),
    body("bytea_substr_no_len",
         lift([](std::string_view v, int32_t start) { return substring(v, start, std::nullopt); })),
    body("byteaoverlay", lift([](std::string_view v, std::string_view with, int32_t start,
                                 int32_t length) { return overlay(v, with, start, length); })),
    body("byteaoverlay_no_len", lift([](std::string_view v, std::string_view with, int32_t start) {
           return overlay(v, with, start, static_cast<int32_t>(with.size()));
         })),
    body("byteapos", lift([](std::string_view v, std::string_view part) {
           const size_t at = v.find(part);
           return at == std::string_view::npos ? 0 : static_cast<int32_t>(at) + 1;
         })),
    body("byteatrim",
         lift([](std::string_view v, std::string_view set) { return trim(v, set, true, true); })),
    body("bytealtrim",
         lift([](std::string_view v, std::string_view set) { return trim(v, set, true, false); })),
    body("byteartrim",
         lift([](std::string_view v, std::string_view set) { return trim(v, set, false, true); })),
    body("byteaGetByte", lift([](std::string_view v, int32_t n) -> Result<int32_t> {
           if (n < 0 || static_cast<size_t>(n) >= v.size())
             return index_out_of_range(n, static_cast<int64_t>(v.size()) - 1);
           return static_cast<int32_t>(static_cast<unsigned char>(v[static_cast<size_t>(n)]));
         })),
    body("byteaSetByte",
         lift([](std::string_view v, int32_t n, int32_t byte) -> Result<std::string> {
           if (n < 0 || static_cast<size_t>(n) >= v.size())
             return index_out_of_range(n, static_cast<int64_t>(v.size()) - 1);
           std::string out(v);
           out[static_cast<size_t>(n)] = static_cast<char>(byte);
           return out;
         })),
    body("byteaGetBit", lift([](std::string_view v, int64_t n) -> Result<int32_t> {
           const auto bits = static_cast<int64_t>(v.size()) * 8;
           if (n < 0 || n >= bits) return index_out_of_range(n, bits - 1);
           return v[static_cast<size_t>(n / 8)] >> (n % 8) & 1;
         })),
    body("byteaSetBit", lift([](std::string_view v, int64_t n, int32_t bit) -> Result<std::string> {
           const auto bits = static_cast<int64_t>(v.size()) * 8;
           if (n < 0 || n >= bits) return index_out_of_range(n, bits - 1);
           if (bit != 0 && bit != 1)
             return raise(sqlstate::invalid_parameter_value, "new bit must be 0 or 1");
           std::string out(v);
           char& byte = out[static_cast<size_t>(n / 8)];
           byte = static_cast<char>((byte & ~(1 << (n % 8))) | bit << (n % 8));
           return out;
         })),
    body("bytea_bit_count", lift([](std::string_view v) {
           int64_t count = 0;
           for (const char c : v) count += std::popcount(static_cast<unsigned char>(c));
           return count;
         })),
    body("binary_encode",
         lift([](std::string_view v, std::string_view name) { return encode(v, name); })),
    body("binary_decode",
         lift([](std::string_view v, std::string_view name) { return decode(v, name); })),
}));

}  // namespace

std::span<const FunctionBody> bytea_functions() { return kTable; }

}  // namespace orrery
