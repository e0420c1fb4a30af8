#include "types/integer_types.h"

#include <charconv>
#include <limits>

#include "base/text.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

template <class T>
Result<T> parse_signed(std::string_view text, std::string_view type) {
  size_t at = skip_spaces(text, 0);
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  if (at == text.size() || !is_digit(text[at])) return invalid_syntax(type, text);
  // Accumulated as a negative number, which has one value more.
  T value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (__builtin_mul_overflow(value, static_cast<T>(10), &value) ||
        __builtin_sub_overflow(value, static_cast<T>(text[at] - '0'), &value)) {
      return raise(sqlstate::numeric_value_out_of_range,
                   cat("value \"", text, "\" is out of range for type ", type));
    }
  }
  if (skip_spaces(text, at) != text.size()) return invalid_syntax(type, text);
  if (negative) return value;
  if (value == std::numeric_limits<T>::min()) {
    return raise(sqlstate::numeric_value_out_of_range,
                 cat("value \"", text, "\" is out of range for type ", type));
  }
  return static_cast<T>(-value);
}

// The digits at text[at...] as strtoul reads them, in `base`; false when they pass 64 bits.
bool scan_unsigned(std::string_view text, size_t& at, int base, uint64_t& value) {
  const auto [end, error] =
      std::from_chars(text.data() + at, text.data() + text.size(), value, base);
  at = static_cast<size_t>(end - text.data());
  return error != std::errc::result_out_of_range;
}

// strtoul(text, ..., 0): no complaint about anything.
uint64_t lenient_unsigned(std::string_view text) {
  size_t at = skip_spaces(text, 0);
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  int base = 10;
  if (at + 1 < text.size() && text[at] == '0') {
    base = text[at + 1] == 'x' || text[at + 1] == 'X' ? 16 : 8;
    at += base == 16 ? 2 : 1;
  }
  uint64_t value = 0;
  if (!scan_unsigned(text, at, base, value)) return UINT64_MAX;
  return negative ? 0 - value : value;
}

}  // namespace

Result<int16_t> parse_int2(std::string_view text) {
  return parse_signed<int16_t>(text, "smallint");
}
Result<int32_t> parse_int4(std::string_view text) { return parse_signed<int32_t>(text, "integer"); }
Result<int64_t> parse_int8(std::string_view text) { return parse_signed<int64_t>(text, "bigint"); }

Result<uint32_t> parse_oid(std::string_view text) {
  size_t at = skip_spaces(text, 0);
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  if (at == text.size() || !is_digit(text[at])) return invalid_syntax("oid", text);
  uint64_t value = 0;
  const bool fits = scan_unsigned(text, at, 10, value);
  if (skip_spaces(text, at) != text.size()) return invalid_syntax("oid", text);
  if (negative) value = 0 - value;
  const auto narrow = static_cast<uint32_t>(value);
  // A negative number is welcome if it is one of 32 bits.
  if (!fits ||
      (value != narrow && value != static_cast<uint64_t>(int64_t{static_cast<int32_t>(narrow)}))) {
    return raise(sqlstate::numeric_value_out_of_range,
                 cat("value \"", text, "\" is out of range for type oid"));
  }
  return narrow;
}

Result<Datum> int2_in(IoContext&, std::string_view text) {
  return Datum::of(TRY(parse_int2(text)));
}
Result<Datum> int4_in(IoContext&, std::string_view text) {
  return Datum::of(TRY(parse_int4(text)));
}
Result<Datum> int8_in(IoContext&, std::string_view text) {
  return Datum::of(TRY(parse_int8(text)));
}
Result<Datum> oid_in(IoContext&, std::string_view text) { return Datum::of(TRY(parse_oid(text))); }
Result<Datum> xid_in(IoContext&, std::string_view text) {
  return Datum::of(static_cast<uint32_t>(lenient_unsigned(text)));
}
Result<Datum> xid8_in(IoContext&, std::string_view text) {
  return Datum::of(lenient_unsigned(text));
}

Status int2_out(IoContext&, Datum value, std::string& out) {
  append_integer(out, int64_t{value.as<int16_t>()});
  return {};
}
Status int4_out(IoContext&, Datum value, std::string& out) {
  append_integer(out, int64_t{value.as<int32_t>()});
  return {};
}
Status int8_out(IoContext&, Datum value, std::string& out) {
  append_integer(out, value.as<int64_t>());
  return {};
}
Status oid_out(IoContext&, Datum value, std::string& out) {
  append_integer(out, uint64_t{value.as<uint32_t>()});
  return {};
}
Status xid8_out(IoContext&, Datum value, std::string& out) {
  append_integer(out, value.as<uint64_t>());
  return {};
}

Status bad_binary_length(Bytes bytes, size_t expected) {
  if (bytes.size() < expected)
    return raise(sqlstate::protocol_violation, "insufficient data left in message");
  return raise(sqlstate::invalid_binary_representation, "incorrect binary data format");
}

Result<Datum> word1_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 1) return bad_binary_length(bytes, 1);
  return Datum::of(load<char>(bytes.data()));
}
Result<Datum> word2_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 2) return bad_binary_length(bytes, 2);
  return Datum::of(load_be<int16_t>(bytes.data()));
}
Result<Datum> word4_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 4) return bad_binary_length(bytes, 4);
  return Datum::of(load_be<int32_t>(bytes.data()));
}
Result<Datum> unsigned4_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 4) return bad_binary_length(bytes, 4);
  return Datum::of(load_be<uint32_t>(bytes.data()));
}
Result<Datum> word8_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 8) return bad_binary_length(bytes, 8);
  return Datum::of(load_be<int64_t>(bytes.data()));
}
Status word1_send(IoContext&, Datum value, std::string& out) {
  out.push_back(value.as<char>());
  return {};
}
Status word2_send(IoContext&, Datum value, std::string& out) {
  ByteWriter(out).write_be(value.as<uint16_t>());
  return {};
}
Status word4_send(IoContext&, Datum value, std::string& out) {
  ByteWriter(out).write_be(value.as<uint32_t>());
  return {};
}
Status word8_send(IoContext&, Datum value, std::string& out) {
  ByteWriter(out).write_be(value.as<uint64_t>());
  return {};
}

}  // namespace orrery
