#include "types/bit_string.h"

#include "base/hash.h"
#include "base/text.h"
#include "types/compare.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

Result<Bits> parse_bits(std::string_view text) {
  bool hex = false;
  std::string_view digits = text;
  if (!text.empty() && (lower_ascii(text[0]) == 'b' || lower_ascii(text[0]) == 'x')) {
    hex = lower_ascii(text[0]) == 'x';
    digits = text.substr(1);
  }
  const size_t per_digit = hex ? 4 : 1;
  if (digits.size() > size_t{INT32_MAX} / per_digit - 8) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("bit string length exceeds the maximum allowed (", INT32_MAX, ")"));
  }
  Bits bits(static_cast<int32_t>(digits.size() * per_digit));
  for (size_t i = 0; i < digits.size(); ++i) {
    const int value = hex_value(digits[i]);
    if (value < 0 || (!hex && value > 1)) {
      return raise(sqlstate::invalid_text_representation,
                   cat("\"", digits.substr(i, utf8_step(digits, i)), "\" is not a valid ",
                       hex ? "hexadecimal" : "binary", " digit"));
    }
    if (hex) {
      bits.bytes[i / 2] = static_cast<char>(bits.bytes[i / 2] | value << (i % 2 == 0 ? 4 : 0));
    } else if (value == 1) {
      bits.set(static_cast<int32_t>(i), true);
    }
  }
  return bits;
}

Result<Bits> receive_bits(Bytes bytes) {
  const auto bad = [] {
    return raise(sqlstate::invalid_binary_representation, "invalid length in external bit string");
  };
  if (bytes.size() < 4) return bad();
  uint32_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  if (length > INT32_MAX || bytes.size() - 4 != (size_t{length} + 7) / 8) return bad();
  Bits bits(static_cast<int32_t>(length));
  bits.bytes = as_text(bytes.subspan(4));
  bits.clear_rest();
  return bits;
}

}  // namespace

void Bits::clear_rest() {
  if (length % 8 == 0) return;
  bytes.back() = static_cast<char>(bytes.back() & (0xff << (8 - length % 8)));
}

BitView load_bits(Datum value) {
  const std::string_view content = value.text();
  return {load<int32_t>(content.data()), content.substr(4)};
}

Result<Datum> make_bits(Arena& arena, const BitView& bits) {
  char* content = nullptr;
  const Datum made = make_varlena_space(arena, bits.bytes.size() + 4, &content);
  store<int32_t>(content, bits.length);
  if (!bits.bytes.empty()) std::memcpy(content + 4, bits.bytes.data(), bits.bytes.size());
  return made;
}

Bits bit_range(const BitView& bits, int64_t from, int32_t length) {
  Bits out(length);
  for (int32_t i = 0; i < length; ++i) {
    const int64_t at = from + i;
    if (at >= 0 && at < bits.length && bits.at(static_cast<int32_t>(at))) out.set(i, true);
  }
  return out;
}

Result<Bits> fit_bit(const BitView& bits, int32_t typmod, bool is_explicit) {
  if (typmod <= 0 || typmod == bits.length) return Bits(bits);
  if (!is_explicit) {
    return raise(sqlstate::string_data_length_mismatch,
                 cat("bit string length ", bits.length, " does not match type bit(", typmod, ")"));
  }
  return bit_range(bits, 0, typmod);
}

Result<Bits> fit_varbit(const BitView& bits, int32_t typmod, bool is_explicit) {
  if (typmod <= 0 || bits.length <= typmod) return Bits(bits);
  if (!is_explicit) {
    return raise(sqlstate::string_data_right_truncation,
                 cat("bit string too long for type bit varying(", typmod, ")"));
  }
  return bit_range(bits, 0, typmod);
}

int compare_bits(Datum a, Datum b) {
  const BitView x = load_bits(a);
  const BitView y = load_bits(b);
  const size_t common = std::min(x.bytes.size(), y.bytes.size());
  const int order = compare_text(x.bytes.substr(0, common), y.bytes.substr(0, common));
  return order != 0 ? order : (x.length > y.length) - (x.length < y.length);
}
uint64_t hash_bits(Datum value) { return hash_text(value.text()); }

Result<Datum> bit_in(IoContext& context, std::string_view text) {
  const Bits bits = TRY(parse_bits(text));
  const Bits fit = TRY(fit_bit(bits.view(), context.typmod, false));
  return make_bits(context.arena, fit.view());
}
Result<Datum> varbit_in(IoContext& context, std::string_view text) {
  const Bits bits = TRY(parse_bits(text));
  const Bits fit = TRY(fit_varbit(bits.view(), context.typmod, false));
  return make_bits(context.arena, fit.view());
}
Status bits_out(IoContext&, Datum value, std::string& out) {
  const BitView bits = load_bits(value);
  for (int32_t i = 0; i < bits.length; ++i) out.push_back(bits.at(i) ? '1' : '0');
  return {};
}
Result<Datum> bit_receive(IoContext& context, Bytes bytes) {
  const Bits bits = TRY(receive_bits(bytes));
  const Bits fit = TRY(fit_bit(bits.view(), context.typmod, false));
  return make_bits(context.arena, fit.view());
}
Result<Datum> varbit_receive(IoContext& context, Bytes bytes) {
  const Bits bits = TRY(receive_bits(bytes));
  const Bits fit = TRY(fit_varbit(bits.view(), context.typmod, false));
  return make_bits(context.arena, fit.view());
}
Status bits_send(IoContext&, Datum value, std::string& out) {
  const BitView bits = load_bits(value);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<uint32_t>(bits.length) >> shift));
  out += bits.bytes;
  return {};
}

}  // namespace orrery
