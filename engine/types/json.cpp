#include "types/json.h"

#include <algorithm>

#include "base/text.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

constexpr int kDeepest = 500;  // what a fiber's stack bears with room to spare

enum class Token : uint8_t {
  string,
  number,
  object_start,
  object_end,
  array_start,
  array_end,
  comma,
  colon,
  true_,
  false_,
  null,
  end
};

class JsonParser {
 public:
  JsonParser(std::string_view text, bool unescape, const StopSign* stop)
      : text_(text), unescape_(unescape), stop_(stop) {}

  Result<Json> parse() {
    TRY(next());
    Json value;
    TRY(read_value(value, 0));
    if (token_ != Token::end) return unexpected("end of input");
    return value;
  }

 private:
  bool is_word(size_t at) const {
    return at < text_.size() &&
           (is_alnum(text_[at]) || text_[at] == '_' || static_cast<uint8_t>(text_[at]) >= 0x80);
  }

  Status next() {
    while (end_ < text_.size() && (text_[end_] == ' ' || text_[end_] == '\t' ||
                                   text_[end_] == '\n' || text_[end_] == '\r')) {
      if (text_[end_] == '\n') {
        ++line_;
        line_start_ = end_ + 1;
      }
      ++end_;
    }
    start_ = end_;
    if (end_ >= text_.size()) {
      token_ = Token::end;
      token_end_ = end_;
      return {};
    }
    constexpr std::string_view kMarks = "{}[],:";
    constexpr Token kOf[] = {Token::object_start, Token::object_end, Token::array_start,
                             Token::array_end,    Token::comma,      Token::colon};
    const char c = text_[end_];
    if (const size_t mark = kMarks.find(c); mark != std::string_view::npos) {
      token_ = kOf[mark];
      token_end_ = ++end_;
      return {};
    }
    if (c == '"') return string_token();
    if (c == '-' || is_digit(c)) return number_token();
    while (is_word(end_)) ++end_;
    if (end_ == start_) ++end_;
    token_end_ = end_;
    const std::string_view word = text_.substr(start_, end_ - start_);
    if (word == "true") {
      token_ = Token::true_;
    } else if (word == "false") {
      token_ = Token::false_;
    } else if (word == "null") {
      token_ = Token::null;
    } else {
      token_ = Token::null;  // none, but not the end either
      return invalid_token();
    }
    return {};
  }

  void skip_digits() {
    while (end_ < text_.size() && is_digit(text_[end_])) ++end_;
  }
  bool at_digit() const { return end_ < text_.size() && is_digit(text_[end_]); }
  Status number_token() {
    bool good = true;
    if (text_[end_] == '-') ++end_;
    if (end_ < text_.size() && text_[end_] == '0') {
      ++end_;
    } else {
      good = at_digit();
      skip_digits();
    }
    if (end_ < text_.size() && text_[end_] == '.') {
      ++end_;
      good &= at_digit();
      skip_digits();
    }
    if (end_ < text_.size() && (text_[end_] | 0x20) == 'e') {
      ++end_;
      if (end_ < text_.size() && (text_[end_] == '+' || text_[end_] == '-')) ++end_;
      good &= at_digit();
      skip_digits();
    }
    while (is_word(end_)) {
      good = false;
      ++end_;
    }
    token_ = Token::number;
    token_end_ = end_;
    return good ? Status() : invalid_token();
  }

  Status string_token() {
    token_ = Token::string;
    string_.clear();
    high_ = 0;
    while (true) {
      ++end_;
      if (end_ >= text_.size()) {
        token_end_ = end_ = text_.size();
        return invalid_token();
      }
      const auto c = static_cast<uint8_t>(text_[end_]);
      if (c == '"') break;
      if (c < 32) {
        token_end_ = end_;
        constexpr std::string_view kHex = "0123456789abcdef";
        return bad(cat("Character with value 0x", kHex.substr(c >> 4, 1), kHex.substr(c & 15, 1),
                       " must be escaped."));
      }
      if (c == '\\') {
        TRY(escape());
      } else if (unescape_) {
        if (high_ != 0) return lone_surrogate();
        string_.push_back(static_cast<char>(c));
      }
    }
    if (high_ != 0) return lone_surrogate();
    token_end_ = ++end_;
    return {};
  }

  // At a backslash; leaves `end_` on the escape's last byte.
  Status escape() {
    ++end_;
    if (end_ >= text_.size()) {
      token_end_ = end_ = text_.size();
      return invalid_token();
    }
    const char c = text_[end_];
    if (c == 'u') return unicode_escape();
    if (unescape_ && high_ != 0) return lone_surrogate();
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    const size_t which = kLetters.find(c);
    if (which == std::string_view::npos) {
      start_ = end_;
      token_end_ = end_ + utf8_step(text_, end_);
      return bad(
          cat("Escape sequence \"\\", text_.substr(start_, token_end_ - start_), "\" is invalid."));
    }
    if (unescape_) string_.push_back(kMeaning[which]);
    return {};
  }

  Status unicode_escape() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      ++end_;
      if (end_ >= text_.size()) {
        token_end_ = end_ = text_.size();
        return invalid_token();
      }
      const int digit = hex_value(text_[end_]);
      if (digit < 0) {
        token_end_ = end_ + utf8_step(text_, end_);
        return bad("\"\\u\" must be followed by four hexadecimal digits.");
      }
      code = code << 4 | static_cast<uint32_t>(digit);
    }
    if (!unescape_) return {};
    token_end_ = end_ + 1;
    if (code >= 0xd800 && code <= 0xdbff) {
      if (high_ != 0) return bad("Unicode high surrogate must not follow a high surrogate.");
      high_ = code;
      return {};
    }
    if (code >= 0xdc00 && code <= 0xdfff) {
      if (high_ == 0) return lone_surrogate();
      code = 0x10000 + ((high_ & 0x3ff) << 10) + (code & 0x3ff);
      high_ = 0;
    } else if (high_ != 0) {
      return lone_surrogate();
    }
    if (code == 0) {
      return located(
          raise(sqlstate::untranslatable_character, "unsupported Unicode escape sequence")
              .detail("\\u0000 cannot be converted to text."));
    }
    utf8_append(string_, code);
    return {};
  }
  Status lone_surrogate() {
    token_end_ = end_ + utf8_step(text_, end_);
    return bad("Unicode low surrogate must follow a high surrogate.");
  }

  Status read_value(Json& out, int depth) {
    if (depth > kDeepest) {
      return raise(sqlstate::statement_too_complex, "stack depth limit exceeded")
          .hint(
              "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after "
              "ensuring the platform's stack depth limit is adequate.");
    }
    TRY(check_stop(stop_));
    const size_t from = start_;
    switch (token_) {
      case Token::string:
        out.kind = JsonKind::string;
        out.text = std::move(string_);
        break;
      case Token::number:
        out.kind = JsonKind::number;
        out.text = text_.substr(start_, token_end_ - start_);
        break;
      case Token::true_:
      case Token::false_:
        out.kind = JsonKind::boolean;
        out.truth = token_ == Token::true_;
        break;
      case Token::null:         break;
      case Token::array_start:  TRY(read_array(out, depth)); break;
      case Token::object_start: TRY(read_object(out, depth)); break;
      case Token::object_end:
      case Token::array_end:
      case Token::comma:
      case Token::colon:
      case Token::end:          return unexpected("JSON value");
    }
    out.raw = text_.substr(from, token_end_ - from);
    return next();
  }

  // At the bracket; leaves the closing one as the token.
  Status read_array(Json& out, int depth) {
    out.kind = JsonKind::array;
    TRY(next());
    if (token_ == Token::array_end) return {};
    while (true) {
      Json item;
      TRY(read_value(item, depth + 1));
      out.items.push_back(std::move(item));
      if (token_ == Token::array_end) return {};
      if (token_ != Token::comma) return unexpected("\",\" or \"]\"");
      TRY(next());
    }
  }
  Status read_object(Json& out, int depth) {
    out.kind = JsonKind::object;
    TRY(next());
    if (token_ == Token::object_end) return {};
    if (token_ != Token::string) return unexpected("string or \"}\"");
    while (true) {
      if (token_ != Token::string) return unexpected("string");
      out.keys.push_back(unescape_ ? std::move(string_)
                                   : std::string(text_.substr(start_, token_end_ - start_)));
      TRY(next());
      if (token_ != Token::colon) return unexpected("\":\"");
      TRY(next());
      Json item;
      TRY(read_value(item, depth + 1));
      out.items.push_back(std::move(item));
      if (token_ == Token::object_end) return {};
      if (token_ != Token::comma) return unexpected("\",\" or \"}\"");
      TRY(next());
    }
  }

  // Where reading stopped: the line up to the end of the token.
  Status located(Status status) const {
    size_t from = line_start_;
    while (token_end_ - from >= 50) from += utf8_step(text_, from);
    if (from - line_start_ <= 3) from = line_start_;
    const bool cut = token_ != Token::end && token_end_ < text_.size() &&
                     text_[token_end_] != '\n' && text_[token_end_] != '\r';
    return std::move(status).context(cat("JSON data, line ", line_, ": ",
                                         from > line_start_ ? "..." : "",
                                         text_.substr(from, token_end_ - from), cut ? "..." : ""));
  }
  Status bad(std::string detail) const {
    return located(
        raise(sqlstate::invalid_text_representation, "invalid input syntax for type json")
            .detail(std::move(detail)));
  }
  Status invalid_token() const {
    return bad(cat("Token \"", text_.substr(start_, token_end_ - start_), "\" is invalid."));
  }
  Status unexpected(std::string_view wanted) const {
    if (token_ == Token::end) return bad("The input string ended unexpectedly.");
    return bad(cat("Expected ", wanted, ", but found \"", text_.substr(start_, token_end_ - start_),
                   "\"."));
  }

  const std::string_view text_;
  const bool unescape_;
  const StopSign* const stop_;
  Token token_ = Token::end;
  size_t start_ = 0;      // of the token
  size_t token_end_ = 0;  // behind it
  size_t end_ = 0;        // what was read so far
  int line_ = 1;
  size_t line_start_ = 0;
  std::string string_;
  uint32_t high_ = 0;  // half of a surrogate pair
};

}  // namespace

const Json* Json::find(std::string_view key) const {
  for (size_t i = keys.size(); i-- > 0;) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

Result<Json> parse_json(std::string_view text, bool unescape) {
  return JsonParser(text, unescape, nullptr).parse();
}
Result<Json> parse_json(std::string_view text, bool unescape, const StopSign* stop) {
  return JsonParser(text, unescape, stop).parse();
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    if (const size_t special = kSpecial.find(c); special != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kLetters[special]);
    } else if (static_cast<uint8_t>(c) < 32) {
      out += "\\u00";
      out.push_back(kHex[static_cast<size_t>(c) >> 4]);
      out.push_back(kHex[static_cast<size_t>(c) & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

std::string_view json_kind_name(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:    return "null";
    case JsonKind::string:  return "string";
    case JsonKind::number:  return "number";
    case JsonKind::boolean: return "boolean";
    case JsonKind::array:   return "array";
    case JsonKind::object:  return "object";
  }
  UNREACHABLE();
}

Result<Datum> json_in(IoContext& context, std::string_view text) {
  TRY(parse_json(text, false, context.settings.stop));
  return make_varlena(context.arena, text);
}
Result<Datum> json_receive(IoContext& context, Bytes bytes) {
  return json_in(context, as_text(bytes));
}

}  // namespace orrery
