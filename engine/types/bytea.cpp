#include "types/bytea.h"

#include "base/text.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {

Result<std::string> decode_hex(std::string_view digits) {
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  const auto bad = [&](size_t at) {
    return raise(
        sqlstate::invalid_parameter_value,
        cat("invalid hexadecimal digit: \"", digits.substr(at, utf8_step(digits, at)), "\""));
  };
  for (size_t at = 0; at < digits.size();) {
    const char c = digits[at];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at;
      continue;
    }
    const int high = hex_value(c);
    if (high < 0) return bad(at);
    if (++at == digits.size()) {
      return raise(sqlstate::invalid_parameter_value,
                   "invalid hexadecimal data: odd number of digits");
    }
    const int low = hex_value(digits[at]);
    if (low < 0) return bad(at);
    ++at;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

void encode_hex(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const size_t start = out.size();
  out.resize(start + bytes.size() * 2);
  char* to = out.data() + start;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 15];
  }
}

Result<std::string> decode_escape(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      bytes.push_back(text[at++]);
      continue;
    }
    const std::string_view rest = text.substr(at + 1);
    const auto octal = [&](size_t i, char most) { return rest[i] >= '0' && rest[i] <= most; };
    if (rest.size() >= 3 && octal(0, '3') && octal(1, '7') && octal(2, '7')) {
      bytes.push_back(
          static_cast<char>((rest[0] - '0') << 6 | (rest[1] - '0') << 3 | (rest[2] - '0')));
      at += 4;
    } else if (!rest.empty() && rest[0] == '\\') {
      bytes.push_back('\\');
      at += 2;
    } else {
      return raise(sqlstate::invalid_text_representation, "invalid input syntax for type bytea");
    }
  }
  return bytes;
}

void encode_escape(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    if (c == '\\') {
      out.append("\\\\");
    } else if (byte < 0x20 || byte > 0x7e) {
      out.push_back('\\');
      for (const unsigned shift : {6U, 3U, 0U})
        out.push_back(static_cast<char>('0' + (byte >> shift & 7)));
    } else {
      out.push_back(c);
    }
  }
}

Result<Datum> bytea_in(IoContext& context, std::string_view text) {
  if (text.starts_with("\\x")) {
    const std::string bytes = TRY(decode_hex(text.substr(2)));
    return make_varlena(context.arena, bytes);
  }
  const std::string bytes = TRY(decode_escape(text));
  return make_varlena(context.arena, bytes);
}

Status bytea_out(IoContext& context, Datum value, std::string& out) {
  if (context.settings.bytea_escape) {
    encode_escape(value.text(), out);
  } else {
    out.append("\\x");
    encode_hex(value.text(), out);
  }
  return {};
}

Result<Datum> bytea_receive(IoContext& context, Bytes bytes) {
  return make_varlena(context.arena, as_text(bytes));
}
Status bytea_send(IoContext&, Datum value, std::string& out) {
  out.append(value.text());
  return {};
}

}  // namespace orrery
