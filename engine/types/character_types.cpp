#include "types/character_types.h"

#include "base/text.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

Result<Datum> checked(IoContext& context, Bytes bytes, InputFunction input) {
  TRY(check_utf8(as_text(bytes)));
  return input(context, as_text(bytes));
}

bool all_blanks(std::string_view text) {
  return text.find_first_not_of(' ') == std::string_view::npos;
}

Status too_long(std::string_view type, int32_t limit) {
  return raise(sqlstate::string_data_right_truncation,
               cat("value too long for type ", type, "(", limit, ")"));
}

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  const std::string_view word = trim_spaces(text);
  const auto abbreviates = [&](std::string_view whole, size_t at_least) {
    return word.size() >= at_least && word.size() <= whole.size() &&
           starts_with_folded(word, whole.substr(0, word.size()));
  };
  if (abbreviates("true", 1) || abbreviates("yes", 1) || abbreviates("on", 2) || word == "1")
    return true;
  if (abbreviates("false", 1) || abbreviates("no", 1) || abbreviates("off", 2) || word == "0")
    return false;
  return std::nullopt;
}

Datum make_name(Arena& arena, std::string_view text) {
  char* name = static_cast<char*>(arena.allocate(kNameBytes, 1));
  const size_t length = utf8_clip(text, kNameBytes - 1);
  std::memcpy(name, text.data(), length);
  std::memset(name + length, 0, kNameBytes - length);
  return Datum::of(static_cast<const void*>(name));
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<std::string_view> fit_varchar(std::string_view text, int32_t typmod, bool explicit_cast) {
  const int32_t limit = typmod - 4;
  if (limit < 0 || text.size() <= static_cast<size_t>(limit)) return text;
  const size_t cut = utf8_offset(text, static_cast<size_t>(limit));
  if (!explicit_cast && !all_blanks(text.substr(cut))) return too_long("character varying", limit);
  return text.substr(0, cut);
}

Result<Datum> fit_bpchar(Arena& arena, std::string_view text, int32_t typmod, bool explicit_cast) {
  const int32_t limit = typmod - 4;
  if (limit < 0) return make_varlena(arena, text);
  const size_t count = utf8_count(text);
  if (count >= static_cast<size_t>(limit)) {
    const size_t cut = utf8_offset(text, static_cast<size_t>(limit));
    if (!explicit_cast && !all_blanks(text.substr(cut))) return too_long("character", limit);
    return make_varlena(arena, text.substr(0, cut));
  }
  char* content = nullptr;
  const size_t blanks = static_cast<size_t>(limit) - count;
  const Datum padded = make_varlena_space(arena, text.size() + blanks, &content);
  std::memcpy(content, text.data(), text.size());
  std::memset(content + text.size(), ' ', blanks);
  return padded;
}

Result<Datum> bool_in(IoContext&, std::string_view text) {
  if (const std::optional<bool> value = parse_bool(text)) return Datum::of(*value);
  return invalid_syntax("boolean", text);
}

// One byte, or a backslash and three octal digits, which is how bytes past ASCII print.
Result<Datum> char_in(IoContext&, std::string_view text) {
  const auto octal = [&](size_t i) { return text[i] >= '0' && text[i] <= '7'; };
  if (text.size() == 4 && text[0] == '\\' && octal(1) && octal(2) && octal(3)) {
    return Datum::of(
        static_cast<char>((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0')));
  }
  return Datum::of(text.empty() ? '\0' : text[0]);
}

Result<Datum> text_in(IoContext& context, std::string_view text) {
  if (text.size() > kMaxValueBytes - kVarlenaHeaderBytes) {
    return raise(sqlstate::program_limit_exceeded, "value is too long");
  }
  return make_varlena(context.arena, text);
}
Result<Datum> varchar_in(IoContext& context, std::string_view text) {
  const std::string_view fitted = TRY(fit_varchar(text, context.typmod, false));
  return text_in(context, fitted);
}
Result<Datum> bpchar_in(IoContext& context, std::string_view text) {
  return fit_bpchar(context.arena, text, context.typmod, false);
}
Result<Datum> name_in(IoContext& context, std::string_view text) {
  return make_name(context.arena, text);
}
Result<Datum> cstring_in(IoContext& context, std::string_view text) {
  return Datum::of(static_cast<const void*>(context.arena.copy(text).data()));
}

Status bool_out(IoContext&, Datum value, std::string& out) {
  out.push_back(value.as<bool>() ? 't' : 'f');
  return {};
}
Status char_out(IoContext&, Datum value, std::string& out) {
  const char c = value.as<char>();
  if (static_cast<unsigned char>(c) >= 0x80) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    out.push_back('\\');
    for (const unsigned shift : {6U, 3U, 0U})
      out.push_back(static_cast<char>('0' + (byte >> shift & 7)));
  } else if (c != '\0') {
    out.push_back(c);
  }
  return {};
}
Status text_out(IoContext&, Datum value, std::string& out) {
  out.append(value.text());
  return {};
}
Status name_out(IoContext&, Datum value, std::string& out) {
  out.append(name_view(value.as<const char*>()));
  return {};
}
Status cstring_out(IoContext&, Datum value, std::string& out) {
  out.append(value.as<const char*>());
  return {};
}

Result<Datum> bool_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 1)
    return raise(sqlstate::invalid_binary_representation, "incorrect binary data format");
  return Datum::of(bytes[0] != std::byte{0});
}
Result<Datum> text_receive(IoContext& context, Bytes bytes) {
  return checked(context, bytes, text_in);
}
Result<Datum> varchar_receive(IoContext& context, Bytes bytes) {
  return checked(context, bytes, varchar_in);
}
Result<Datum> bpchar_receive(IoContext& context, Bytes bytes) {
  return checked(context, bytes, bpchar_in);
}
Result<Datum> name_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() >= kNameBytes) {
    return raise(sqlstate::name_too_long, "identifier too long")
        .detail("Identifier must be less than 64 characters.");
  }
  return checked(context, bytes, name_in);
}
Result<Datum> cstring_receive(IoContext& context, Bytes bytes) {
  return checked(context, bytes, cstring_in);
}

}  // namespace orrery
