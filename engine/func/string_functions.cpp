// Text made from and for other things: quoting, formatting, hexadecimal, digests, character codes,
// encodings.
#include <charconv>

#include "base/text.h"
#include "catalog/quote.h"
#include "func/digest.h"
#include "func/large_work.h"
#include "func/lift.h"
#include "types/array.h"
#include "types/bytea.h"
#include "types/compare.h"
#include "types/integer_types.h"
#include "types/text_scan.h"
#include "types/type_oids.h"
#include "types/utf8.h"

namespace orrery {
namespace {

// The text of any argument; NULL gives nullopt.
Result<std::optional<std::string>> argument_text(Call& call, std::span<const Vector> args, size_t i,
                                                 uint32_t row) {
  if (args[i].is_null(row)) return std::optional<std::string>();
  std::string out;
  TRY(output_value(call.arena(), call.settings(), call.argument_type(i), args[i].value(row), out));
  return std::optional<std::string>(std::move(out));
}

// The arguments of a function of VARIADIC "any" from number `first` on, as texts: as they are
// given, or the elements of one array. nullopt when that array is NULL.
using Pieces = std::vector<std::optional<std::string>>;
Result<std::optional<Pieces>> argument_texts(Call& call, std::span<const Vector> args, size_t first,
                                             uint32_t row) {
  Pieces pieces;
  if (!call.site.variadic) {
    for (size_t i = first; i < args.size(); ++i) {
      std::optional<std::string> piece = TRY(argument_text(call, args, i, row));
      pieces.push_back(std::move(piece));
    }
    return std::optional<Pieces>(std::move(pieces));
  }
  if (args.back().is_null(row)) return std::optional<Pieces>();
  const Datum array = args.back().value(row);
  const Oid element = ArrayView::element_type(array);
  const TypeInfo* const type = TRY(find_type(call.settings(), element));
  ArrayView view(array, *type);
  for (const NullableDatum& value : view.all()) {
    std::string text;
    if (!value.is_null)
      TRY(output_value(call.arena(), call.settings(), element, value.value, text));
    pieces.push_back(value.is_null ? std::nullopt : std::optional<std::string>(std::move(text)));
  }
  return std::optional<Pieces>(std::move(pieces));
}

// concat(...), concat_ws(separator, ...): NULLs are left out.
template <bool kWithSeparator>
Status concat_all(EvalContext& context, CallSite& site, std::span<const Vector> args, Rows rows,
                  Vector& out) {
  Call call{context, site};
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    const std::optional<Pieces> pieces =
        TRY(argument_texts(call, args, kWithSeparator ? 1 : 0, row));
    if (!pieces || (kWithSeparator && args[0].is_null(row))) {
      out.set_null(row);
      continue;
    }
    std::string text;
    bool first = true;
    for (const std::optional<std::string>& piece : *pieces) {
      if (!piece) continue;
      if (kWithSeparator && !first) text += args[0].value(row).text();
      text += *piece;
      first = false;
    }
    TRY(store_result(context.arena, out, row, text));
  }
  return {};
}

// One specifier of format(): %[n$][-][width]type.
struct FormatSpec {
  int32_t argument = -1;  // 1-based; -1 the next
  bool left = false;
  int32_t width = 0;
  int32_t width_argument = 0;  // 0 none, -1 the next
  char type = 0;
};

Status too_few() {
  return raise(sqlstate::invalid_parameter_value, "too few arguments for format()");
}
Status unterminated() {
  return raise(sqlstate::invalid_parameter_value, "unterminated format() type specifier")
      .hint("For a single \"%\" use \"%%\".");
}

Result<bool> scan_number(std::string_view format, size_t& at, int32_t& value) {
  if (at >= format.size() || !is_digit(format[at])) return false;
  const auto [end, error] =
      std::from_chars(format.data() + at, format.data() + format.size(), value);
  if (error != std::errc())
    return raise(sqlstate::numeric_value_out_of_range, "number is out of range");
  at = static_cast<size_t>(end - format.data());
  if (at >= format.size()) return unterminated();
  return true;
}

Result<FormatSpec> scan_spec(std::string_view format, size_t& at) {
  FormatSpec spec;
  int32_t number = 0;
  bool has_width = false;
  if (TRY(scan_number(format, at, number))) {
    if (format[at] == '$') {
      if (number == 0) {
        return raise(sqlstate::invalid_parameter_value,
                     "format specifies argument 0, but arguments are numbered from 1");
      }
      spec.argument = number;
      ++at;
    } else {
      spec.width = number;
      has_width = true;
    }
  }
  while (!has_width && at < format.size() && format[at] == '-') {
    spec.left = true;
    ++at;
  }
  if (!has_width && at < format.size() && format[at] == '*') {
    ++at;
    spec.width_argument = -1;
    if (TRY(scan_number(format, at, number))) {
      if (format[at] != '$') {
        return raise(sqlstate::invalid_parameter_value,
                     "width argument position must be ended by \"$\"");
      }
      if (number == 0) {
        return raise(sqlstate::invalid_parameter_value,
                     "format specifies argument 0, but arguments are numbered from 1");
      }
      spec.width_argument = number;
      ++at;
    }
  } else if (!has_width) {
    if (TRY(scan_number(format, at, number))) spec.width = number;
  }
  if (at >= format.size()) return unterminated();
  spec.type = format[at];
  return spec;
}

void append_padded(std::string& out, std::string_view text, int64_t width, bool left) {
  if (width < 0) {
    left = true;
    width = -width;
  }
  const auto length = static_cast<int64_t>(utf8_count(text));
  const size_t blanks = width > length ? static_cast<size_t>(width - length) : 0;
  if (!left) out.append(blanks, ' ');
  out += text;
  if (left) out.append(blanks, ' ');
}

Result<std::string> format_row(Call& call, std::span<const Vector> args, uint32_t row) {
  const std::string_view format = args[0].value(row).text();
  // A NULL array has no elements. Numbers of arguments count from 1.
  const std::optional<Pieces> given = TRY(argument_texts(call, args, 1, row));
  const Pieces none;
  const Pieces& pieces = given ? *given : none;
  std::string out;
  size_t next = 1;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out.push_back(format[at]);
      continue;
    }
    if (++at >= format.size()) return unterminated();
    if (format[at] == '%') {
      out.push_back('%');
      continue;
    }
    FormatSpec spec = TRY(scan_spec(format, at));
    if (spec.type != 's' && spec.type != 'I' && spec.type != 'L') {
      return raise(sqlstate::invalid_parameter_value,
                   cat("unrecognized format() type specifier \"",
                       format.substr(at, utf8_step(format, at)), "\""))
          .hint("For a single \"%\" use \"%%\".");
    }
    int64_t width = spec.width;
    if (spec.width_argument != 0) {
      const size_t index =
          spec.width_argument > 0 ? static_cast<size_t>(spec.width_argument) : next;
      if (index > pieces.size()) return too_few();
      next = index + 1;
      width = 0;
      const std::optional<std::string>& text = pieces[index - 1];
      if (text) width = TRY(parse_int4(*text));
    }
    const size_t index = spec.argument > 0 ? static_cast<size_t>(spec.argument) : next;
    if (index > pieces.size()) return too_few();
    next = index + 1;
    const std::optional<std::string>& text = pieces[index - 1];
    TRY(check_length(out.size() + (text ? text->size() : 0) +
                     static_cast<uint64_t>(width < 0 ? -width : width)));
    if (spec.type == 's') {
      append_padded(out, text.value_or(""), width, spec.left);
    } else if (spec.type == 'I') {
      if (!text)
        return raise(sqlstate::null_value_not_allowed,
                     "null values cannot be formatted as an SQL identifier");
      append_padded(out, quote_identifier(*text), width, spec.left);
    } else {
      append_padded(out, text ? quote_literal(*text) : "NULL", width, spec.left);
    }
  }
  return out;
}

Status format_text(EvalContext& context, CallSite& site, std::span<const Vector> args, Rows rows,
                   Vector& out) {
  Call call{context, site};
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (args[0].is_null(row)) {
      out.set_null(row);
      continue;
    }
    const std::string text = TRY(format_row(call, args, row));
    TRY(store_result(context.arena, out, row, text));
  }
  return {};
}

std::string hex_of(uint64_t value) {
  std::string out;
  append_hex(out, value);
  return out;
}

Result<std::string> character_of(int32_t code) {
  if (code < 0)
    return raise(sqlstate::invalid_parameter_value, "character number must be positive");
  if (code == 0) return raise(sqlstate::program_limit_exceeded, "null character not permitted");
  const auto point = static_cast<uint32_t>(code);
  if (point > 0x10ffff)
    return raise(sqlstate::program_limit_exceeded,
                 cat("requested character too large for encoding: ", code));
  if (point >= 0xd800 && point <= 0xdfff) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("requested character not valid for encoding: ", code));
  }
  std::string out;
  utf8_append(out, point);
  return out;
}

std::string hex_code(uint32_t code) {
  std::string digits = hex_of(code);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  for (char& c : digits) c = upper_ascii(c);
  return digits;
}

// The code point of `digits` hexadecimal digits at `at`; nullopt when there are fewer.
std::optional<uint32_t> hex_at(std::string_view text, size_t at, size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  uint32_t value = 0;
  const char* const from = text.data() + at;
  const auto [end, error] = std::from_chars(from, from + digits, value, 16);
  if (error != std::errc() || end != from + digits) return std::nullopt;
  return value;
}

Status bad_surrogate() { return raise(sqlstate::syntax_error, "invalid Unicode surrogate pair"); }

// Escapes \\, \XXXX, \+XXXXXX, \uXXXX and \UXXXXXXXX.
Result<std::string> unescape_unicode(std::string_view text) {
  std::string out;
  uint32_t high = 0;  // the first half of a surrogate pair
  for (size_t at = 0; at < text.size();) {
    const bool doubled = text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '\\';
    if (text[at] != '\\' || doubled) {
      if (high != 0) return bad_surrogate();
      out.push_back(text[at]);
      at += doubled ? 2 : 1;
      continue;
    }
    const char mark = at + 1 < text.size() ? text[at + 1] : '\0';
    const size_t prefix = mark == '+' || mark == 'u' || mark == 'U' ? 2 : 1;
    const size_t digits = mark == '+' ? 6 : mark == 'U' ? 8 : 4;
    const std::optional<uint32_t> code = hex_at(text, at + prefix, digits);
    if (!code) {
      return raise(sqlstate::syntax_error, "invalid Unicode escape")
          .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
    }
    at += prefix + digits;
    if (*code == 0 || *code > 0x10ffff)
      return raise(sqlstate::syntax_error, cat("invalid Unicode code point: ", hex_code(*code)));
    const bool is_high = *code >= 0xd800 && *code < 0xdc00;
    const bool is_low = *code >= 0xdc00 && *code < 0xe000;
    if (is_low != (high != 0)) return bad_surrogate();
    if (is_high) {
      high = *code;
      continue;
    }
    utf8_append(out, is_low ? 0x10000 + ((high - 0xd800) << 10) + (*code - 0xdc00) : *code);
    high = 0;
  }
  if (high != 0) return bad_surrogate();
  return out;
}

template <auto kOf>
constexpr Kernel kDigest = lift([](Call& call, std::string_view v) {
  constexpr uint64_t kBytesPerUnit = 16;  // dearer than a copy
  return kOf(v, [&](uint64_t bytes) { return spent(call.context, bytes / kBytesPerUnit); });
});

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("text_concat", concat_all<false>),
    body("text_concat_ws", concat_all<true>),
    body("text_format", format_text),
    body("text_format_nv", format_text),
    body("quote_ident", lift([](std::string_view v) { return quote_identifier(v); })),
    body("quote_literal", lift([](std::string_view v) { return quote_literal(v); })),
    body("quote_nullable", lift([](Call& call, NullableDatum v) -> Result<Datum> {
           return make_varlena(call.arena(),
                               v.is_null ? std::string("NULL") : quote_literal(v.value.text()));
         })),
    body("to_hex32", lift([](int32_t v) { return hex_of(static_cast<uint32_t>(v)); })),
    body("to_hex64", lift([](int64_t v) { return hex_of(static_cast<uint64_t>(v)); })),
    body("md5_text", kDigest<md5_hex>),
    body("md5_bytea", kDigest<md5_hex>),
    body("sha224_bytea", kDigest<sha224>),
    body("sha256_bytea", kDigest<sha256>),
    body("sha384_bytea", kDigest<sha384>),
    body("sha512_bytea", kDigest<sha512>),
    body("unistr", lift([](std::string_view v) { return unescape_unicode(v); })),
    body("ascii", lift([](std::string_view v) {
           size_t at = 0;
           return v.empty() ? 0 : static_cast<int32_t>(utf8_decode(v, at));
         })),
    body("chr", lift([](int32_t code) { return character_of(code); })),
}));

}  // namespace

std::span<const FunctionBody> string_functions() { return kTable; }

}  // namespace orrery
