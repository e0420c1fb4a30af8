// String literals: plain, with escapes (E''), with Unicode escapes (U&''), and bit strings. A
// literal goes on in the next quotes when a newline stands between them.
#include "base/text.h"
#include "sql/lexer.h"

namespace orrery {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, uint32_t c) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

bool is_first_surrogate(uint32_t c) { return c >= 0xd800 && c <= 0xdbff; }
bool is_second_surrogate(uint32_t c) { return c >= 0xdc00 && c <= 0xdfff; }
bool is_code_point(uint32_t c) { return c > 0 && c <= 0x10ffff; }
uint32_t join_surrogates(uint32_t first, uint32_t second) {
  return ((first & 0x3ff) << 10) + 0x10000 + (second & 0x3ff);
}

// The length of the valid UTF-8 character at the front, or 0.
size_t valid_utf8_length(std::string_view s) {
  const auto byte = [s](size_t i) {
    return i < s.size() ? static_cast<uint8_t>(s[i]) : uint8_t{0};
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const uint8_t b = byte(0);
  if (b == 0) return 0;
  if (b < 0x80) return 1;
  if (b >= 0xc2 && b <= 0xdf) return follows(1) ? 2 : 0;
  if (b >= 0xe0 && b <= 0xef) {
    if (!follows(1) || !follows(2)) return 0;
    if ((b == 0xe0 && byte(1) < 0xa0) || (b == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (b >= 0xf0 && b <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if ((b == 0xf0 && byte(1) < 0x90) || (b == 0xf4 && byte(1) > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

// 22021 naming the first bytes that are no character, as PostgreSQL shows them.
Status verify_utf8(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const size_t length = valid_utf8_length(s.substr(i));
    if (length > 0) {
      i += length;
      continue;
    }
    const uint8_t b = static_cast<uint8_t>(s[i]);
    const size_t wanted = b < 0xc0 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf8 ? 4 : 1;
    std::string bytes;
    for (size_t j = 0; j < wanted && i + j < s.size(); ++j) {
      if (j > 0) bytes += ' ';
      bytes += "0x";
      append_hex(bytes, static_cast<uint8_t>(s[i + j]), 2);
    }
    return raise(sqlstate::character_not_in_repertoire,
                 cat("invalid byte sequence for encoding \"UTF8\": ", bytes));
  }
  return {};
}

}  // namespace

bool Lexer::continues() {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\f'; };
  const auto is_newline = [](char c) { return c == '\n' || c == '\r'; };
  bool newline_seen = false;
  for (uint32_t i = offset_; i < text_.size();) {
    if (is_blank(text_[i])) {
      ++i;
    } else if (is_newline(text_[i])) {
      newline_seen = true;
      ++i;
    } else if (text_[i] == '-' && at(i + 1) == '-') {
      while (i < text_.size() && !is_newline(text_[i])) ++i;
      if (i >= text_.size()) return false;
    } else if (text_[i] == '\'' && newline_seen) {
      offset_ = i + 1;
      return true;
    } else {
      return false;
    }
  }
  return false;
}

Token Lexer::plain_string(uint32_t start, TokenKind kind, std::string_view prefix) {
  const bool doubles = kind == tok_sconst;
  std::string_view whole;
  bool copied = !prefix.empty();
  scratch_.assign(prefix);
  for (;;) {
    const size_t close = text_.find('\'', offset_);
    if (close == std::string_view::npos) {
      offset_ = static_cast<uint32_t>(text_.size());
      return fail_at(kind == tok_sconst   ? "unterminated quoted string"
                     : kind == tok_bconst ? "unterminated bit string literal"
                                          : "unterminated hexadecimal string literal",
                     start);
    }
    const std::string_view piece = text_.substr(offset_, close - offset_);
    offset_ = static_cast<uint32_t>(close + 1);
    const bool doubled = doubles && at(offset_) == '\'';
    const uint32_t end = offset_;
    const bool more = doubled || continues();
    if (!copied && more) copied = true;
    if (copied) {
      scratch_ += piece;
    } else {
      whole = piece;
    }
    if (doubled) {
      scratch_ += '\'';
      ++offset_;
    }
    if (more) continue;
    offset_ = end;
    Token t = token(kind, start);
    t.text = copied ? arena_.copy(scratch_) : whole;
    return t;
  }
}

void Lexer::warn_escape(char escaped, bool& warn) {
  if (!warn || !options_.escape_string_warning || options_.notices == nullptr) return;
  warn = false;  // once a literal
  ParseNotice notice{sqlstate::nonstandard_use_of_escape_character, true, "", "", 0};
  if (escaped == '\'') {
    notice.message = "nonstandard use of \\' in a string literal";
    notice.hint = "Use '' to write quotes in strings, or use the escape string syntax (E'...').";
  } else if (escaped == '\\') {
    notice.message = "nonstandard use of \\\\ in a string literal";
    notice.hint = "Use the escape string syntax for backslashes, e.g., E'\\\\'.";
  } else {
    notice.message = "nonstandard use of escape in a string literal";
    notice.hint = "Use the escape string syntax for escapes, e.g., E'\\r\\n'.";
  }
  notice.position = character_position(text_, static_cast<int32_t>(offset_));
  options_.notices->push_back(std::move(notice));
}

// \uXXXX or \UXXXXXXXX at offset_, with a second surrogate where the first asks for one.
bool Lexer::unicode_escape(std::string& out) {
  const auto read = [this](uint32_t& code) {
    const int digits = at(offset_ + 1) == 'u' ? 4 : 8;
    code = 0;
    for (int i = 0; i < digits; ++i) {
      const int value = hex_value(at(offset_ + 2 + static_cast<uint32_t>(i)));
      if (value < 0) {
        const int position = character_position(text_, static_cast<int32_t>(offset_));
        fail(raise(sqlstate::invalid_escape_sequence, "invalid Unicode escape")
                 .hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
                 .at(position));
        return false;
      }
      code = code * 16 + static_cast<uint32_t>(value);
    }
    offset_ += static_cast<uint32_t>(digits) + 2;
    return true;
  };
  uint32_t begin = offset_;
  const auto refuse = [this, &begin](std::string_view message) {
    fail_at(message, begin);
    return false;
  };
  uint32_t code = 0;
  if (!read(code)) return false;
  if (is_second_surrogate(code)) return refuse("invalid Unicode surrogate pair");
  if (is_first_surrogate(code)) {
    begin = offset_;
    if (at(offset_) != '\\' || (at(offset_ + 1) != 'u' && at(offset_ + 1) != 'U')) {
      if (offset_ < text_.size()) ++offset_;
      return refuse("invalid Unicode surrogate pair");
    }
    uint32_t second = 0;
    if (!read(second)) return false;
    if (!is_second_surrogate(second)) return refuse("invalid Unicode surrogate pair");
    code = join_surrogates(code, second);
  }
  if (!is_code_point(code)) return refuse("invalid Unicode escape value");
  append_utf8(out, code);
  return true;
}

// A backslash stands at offset_. `verify`: bytes were named that may form no character.
bool Lexer::escape(std::string& out, bool& verify, bool& warn) {
  const char c = at(offset_ + 1);
  if (c == 'u' || c == 'U') {
    warn_escape(c, warn);
    return unicode_escape(out);
  }
  if (c >= '0' && c <= '7') {
    uint32_t i = offset_ + 1;
    uint32_t byte = 0;
    while (i < offset_ + 4 && at(i) >= '0' && at(i) <= '7') {
      byte = byte * 8 + static_cast<uint32_t>(at(i++) - '0');
    }
    warn_escape(c, warn);
    offset_ = i;
    out.push_back(static_cast<char>(byte));
    verify |= (byte & 0x80) != 0 || (byte & 0xff) == 0;
    return true;
  }
  if (c == 'x' && hex_value(at(offset_ + 2)) >= 0) {
    int byte = hex_value(at(offset_ + 2));
    warn_escape(c, warn);
    offset_ += 3;
    if (hex_value(at(offset_)) >= 0) byte = byte * 16 + hex_value(at(offset_++));
    out.push_back(static_cast<char>(byte));
    verify |= byte >= 0x80 || byte == 0;
    return true;
  }
  if (c == '\'') {
    using enum ParseOptions::BackslashQuote;
    if (options_.backslash_quote == off ||
        (options_.backslash_quote == safe_encoding && !options_.client_encoding_is_safe)) {
      const int position = character_position(text_, static_cast<int32_t>(offset_));
      fail(raise(sqlstate::nonstandard_use_of_escape_character,
                 "unsafe use of \\' in a string literal")
               .hint("Use '' to write quotes in strings. \\' is insecure in client-only encodings.")
               .at(position));
      return false;
    }
  }
  warn_escape(c, warn);
  offset_ += 2;
  switch (c) {
    case 'b': out.push_back('\b'); break;
    case 'f': out.push_back('\f'); break;
    case 'n': out.push_back('\n'); break;
    case 'r': out.push_back('\r'); break;
    case 't': out.push_back('\t'); break;
    default:
      out.push_back(c);
      verify |= (static_cast<uint8_t>(c) & 0x80) != 0;
      break;
  }
  return true;
}

Token Lexer::escape_string(uint32_t start, bool warn) {
  scratch_.clear();
  bool verify = false;
  for (;;) {
    if (offset_ >= text_.size()) return fail_at("unterminated quoted string", start);
    const char c = text_[offset_];
    if (c == '\\' && offset_ + 1 < text_.size()) {
      if (!escape(scratch_, verify, warn)) return token(tok_error, start);
    } else if (c != '\'') {
      scratch_ += c;
      ++offset_;
    } else if (at(offset_ + 1) == '\'') {
      scratch_ += '\'';
      offset_ += 2;
    } else {
      ++offset_;
      if (!continues()) break;
    }
  }
  if (verify) {
    if (Status status = verify_utf8(scratch_); !status.ok()) return fail(std::move(status));
  }
  Token t = token(tok_sconst, start);
  t.text = arena_.copy(scratch_);
  return t;
}

bool Lexer::decode_unicode(std::string_view body, char escape, uint32_t start, std::string& out) {
  uint32_t first = 0;
  const auto refuse = [&](size_t at_byte, const char* message, const char* hint) {
    const auto place = static_cast<int32_t>(start + 3 + at_byte);  // 3 for U&'
    Status status = raise(sqlstate::syntax_error, message).at(character_position(text_, place));
    fail(*hint == '\0' ? std::move(status) : std::move(status).hint(hint));
    return false;
  };
  size_t i = 0;
  for (; i < body.size();) {
    if (body[i] != escape) {
      if (first != 0) return refuse(i, "invalid Unicode surrogate pair", "");
      out += body[i++];
      continue;
    }
    if (i + 1 < body.size() && body[i + 1] == escape) {
      if (first != 0) return refuse(i, "invalid Unicode surrogate pair", "");
      out += escape;
      i += 2;
      continue;
    }
    const bool plus = i + 1 < body.size() && body[i + 1] == '+';
    const size_t digits = plus ? 6 : 4;
    const size_t from = i + (plus ? 2 : 1);
    uint32_t code = 0;
    for (size_t j = 0; j < digits; ++j) {
      const int value = from + j < body.size() ? hex_value(body[from + j]) : -1;
      if (value < 0) {
        return refuse(i, "invalid Unicode escape", "Unicode escapes must be \\XXXX or \\+XXXXXX.");
      }
      code = code * 16 + static_cast<uint32_t>(value);
    }
    if (!is_code_point(code)) return refuse(i, "invalid Unicode escape value", "");
    if (first != 0) {
      if (!is_second_surrogate(code)) return refuse(i, "invalid Unicode surrogate pair", "");
      code = join_surrogates(first, code);
      first = 0;
    } else if (is_second_surrogate(code)) {
      return refuse(i, "invalid Unicode surrogate pair", "");
    }
    if (is_first_surrogate(code)) {
      first = code;
    } else {
      append_utf8(out, code);
    }
    i = from + digits;
  }
  if (first != 0) return refuse(i, "invalid Unicode surrogate pair", "");
  return true;
}

// UESCAPE 'c' after the literal; without it the escape is a backslash.
bool Lexer::read_unicode_escape(char& escape) {
  escape = '\\';
  const uint32_t end = offset_;
  const std::string kept = scratch_;
  const Token word = next();
  if (word.kind != kw_uescape) {
    if (word.kind == tok_error) {  // the error is of what follows: say it there
      failed_ = false;
      error_ = Status();
    }
    offset_ = end;
    scratch_ = kept;
    return true;
  }
  const Token literal = next();
  scratch_ = kept;
  if (literal.kind == tok_error) return false;
  if (literal.kind != tok_sconst) {
    fail(syntax_error("UESCAPE must be followed by a simple string literal", literal.start,
                      literal.end));
    return false;
  }
  const char c = literal.text.size() == 1 ? literal.text[0] : '\'';
  if (hex_value(c) >= 0 || c == '+' || c == '\'' || c == '"' || c == ' ' || c == '\t' ||
      c == '\n' || c == '\r' || c == '\f') {
    fail(syntax_error("invalid Unicode escape character", literal.start, literal.end));
    return false;
  }
  escape = c;
  return true;
}

Token Lexer::unicode(uint32_t start, char quote) {
  if (quote == '\'' && !options_.standard_conforming_strings) {
    return fail(
        raise(sqlstate::feature_not_supported, "unsafe use of string constant with Unicode escapes")
            .detail("String constants with Unicode escapes cannot be used when "
                    "standard_conforming_strings is off.")
            .at(character_position(text_, static_cast<int32_t>(start))));
  }
  scratch_.clear();
  for (;;) {
    if (offset_ >= text_.size()) {
      return fail_at(quote == '"' ? "unterminated quoted identifier" : "unterminated quoted string",
                     start);
    }
    const char c = text_[offset_++];
    if (c != quote) {
      scratch_ += c;
    } else if (at(offset_) == quote) {
      scratch_ += quote;
      ++offset_;
    } else if (quote == '"' || !continues()) {
      break;
    }
  }
  if (quote == '"' && scratch_.empty()) {
    return fail_at("zero-length delimited identifier", start);
  }
  const uint32_t literal_end = offset_;
  char escape = '\\';
  if (!read_unicode_escape(escape)) return token(tok_error, start);
  std::string decoded;
  if (!decode_unicode(scratch_, escape, start, decoded)) return token(tok_error, start);
  const uint32_t after = offset_;
  offset_ = literal_end;
  Token t = token(quote == '"' ? tok_ident : tok_sconst, start);
  offset_ = after;
  t.is_quoted = quote == '"';
  t.text = arena_.copy(decoded);
  if (quote == '"') t.text = truncate(t.text);
  return t;
}

}  // namespace orrery
