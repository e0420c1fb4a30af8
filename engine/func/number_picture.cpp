#include "func/number_picture.h"

#include "base/text.h"
#include "func/format_picture.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

using enum NumberKey;

struct Keyword {
  std::string_view text;
  NumberKey key;
  NumberKey lower;
};
constexpr Keyword kKeywords[] = {
    {",", comma, comma},
    {".", point, point},
    {"0", zero, zero},
    {"9", nine, nine},
    {"B", blank, blank},
    {"D", local_point, local_point},
    {"EEEE", exponent, exponent},
    {"FM", fill_mode, fill_mode},
    {"G", group, group},
    {"L", currency, currency},
    {"MI", minus, minus},
    {"PL", plus, plus},
    {"PR", bracket, bracket},
    {"RN", roman, roman_lower},
    {"SG", any_sign, any_sign},
    {"SP", spelled, spelled},
    {"S", sign, sign},
    {"TH", ordinal, ordinal_lower},
    {"V", shift, shift},
};

NumberKey find_keyword(std::string_view text, size_t* size) {
  for (const Keyword& keyword : kKeywords) {
    *size = keyword.text.size();
    if (text.starts_with(keyword.text)) return keyword.key;
    bool lower = text.size() >= *size;
    for (size_t i = 0; lower && i < *size; ++i) lower = text[i] == lower_ascii(keyword.text[i]);
    if (lower) return keyword.lower;
  }
  return none;
}

Status wrong(std::string_view message) {
  return raise(sqlstate::syntax_error, std::string(message));
}

Status note_digit(NumberPicture& p, NumberKey key) {
  if (p.bracket)
    return wrong(key == nine ? "\"9\" must be ahead of \"PR\"" : "\"0\" must be ahead of \"PR\"");
  if (key == nine && p.shifts) {
    ++p.shift;
    return {};
  }
  if (key == zero && !p.has_zero && !p.has_point) {
    p.has_zero = true;
    p.zero_start = p.before + 1;
  }
  ++(p.has_point ? p.after : p.before);
  if (key == zero) p.zero_end = p.before + p.after;
  return {};
}

Status note_sign(NumberPicture& p) {
  if (p.has_sign) return wrong("cannot use \"S\" twice");
  if (p.plus || p.minus || p.bracket)
    return wrong("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
  p.has_sign = true;
  p.sign_place = p.has_point ? SignPlace::after : SignPlace::before;
  if (!p.has_point) p.before_sign = p.before;
  return {};
}

Status note(NumberPicture& p, NumberKey key) {
  if (p.exponent && key != exponent) return wrong("\"EEEE\" must be the last pattern used");
  switch (key) {
    case nine:
    case zero:  return note_digit(p, key);
    case blank: p.blank = p.before == 0 && p.after == 0 && !p.has_zero; return {};
    case local_point:
    case point:
      if (p.has_point) return wrong("multiple decimal points");
      if (p.shifts) return wrong("cannot use \"V\" and decimal point together");
      p.has_point = true;
      return {};
    case fill_mode: p.fill_mode = true; return {};
    case sign:      return note_sign(p);
    case minus:
      if (p.has_sign) return wrong("cannot use \"S\" and \"MI\" together");
      p.minus = true;
      return {};
    case plus:
      if (p.has_sign) return wrong("cannot use \"S\" and \"PL\" together");
      p.plus = true;
      return {};
    case any_sign:
      if (p.has_sign) return wrong("cannot use \"S\" and \"SG\" together");
      p.minus = p.plus = true;
      return {};
    case bracket:
      if (p.has_sign || p.plus || p.minus)
        return wrong("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      p.bracket = true;
      return {};
    case roman:
    case roman_lower: p.roman = true; return {};
    case shift:
      if (p.has_point) return wrong("cannot use \"V\" and decimal point together");
      p.shifts = true;
      return {};
    case exponent:
      if (p.exponent) return wrong("cannot use \"EEEE\" twice");
      if (p.blank || p.fill_mode || p.has_sign || p.bracket || p.minus || p.plus || p.roman ||
          p.shifts) {
        return wrong("\"EEEE\" is incompatible with other formats")
            .detail("\"EEEE\" may only be used together with digit and decimal point patterns.");
      }
      p.exponent = true;
      return {};
    case none:
    case comma:
    case group:
    case currency:
    case ordinal:
    case ordinal_lower:
    case spelled:       return {};
  }
  UNREACHABLE();
}

void take_character(std::string_view& rest, std::vector<NumberNode>& nodes) {
  nodes.push_back({none, rest.substr(0, utf8_step(rest, 0))});
  rest.remove_prefix(nodes.back().text.size());
}

// Walks along the picture and puts a number's characters into it.
class Writer {
 public:
  Writer(NumberPicture& picture, std::string_view digits, int blanks, char number_sign)
      : p_(picture), digits_(digits), blanks_(blanks), sign_(number_sign) {
    if (p_.zero_start > 0) --p_.zero_start;
    if (p_.roman) drop_all_but_roman();
    place_sign();
    digit_count_ = p_.after + p_.before - 1;
    if (p_.fill_mode && p_.has_point) find_last_relevant();
    if (!sign_written_ && blanks_ == 0) ++digit_count_;
  }

  Result<std::string> write() {
    for (const NumberNode& node : p_.nodes) {
      if (ended_) break;
      if (node.key == none) {
        out_ += node.text;
      } else {
        TRY(write_key(node.key));
      }
    }
    return std::move(out_);
  }

 private:
  static constexpr size_t kNowhere = std::string_view::npos;

  void drop_all_but_roman() {
    p_.sign_place = SignPlace::none;
    p_.before_sign = p_.before = p_.after = blanks_ = 0;
    p_.has_point = p_.has_zero = p_.has_sign = p_.bracket = p_.minus = p_.plus = false;
  }

  // MI, PL and SG are written where they stand; the other signs with the number.
  void place_sign() {
    if (p_.plus || p_.minus) {
      sign_written_ = p_.minus;
      return;
    }
    if (sign_ != '-' && p_.fill_mode) p_.bracket = false;
    sign_written_ = sign_ == '+' && p_.fill_mode && !p_.has_sign;
    if (p_.sign_place == SignPlace::before && p_.before == p_.before_sign)
      p_.sign_place = SignPlace::after;
  }

  // FM: zeros at the end are not shown, unless the picture has a 0 there.
  void find_last_relevant() {
    const size_t point_at = digits_.find('.');
    if (point_at == kNowhere) return;
    last_relevant_ = point_at;
    for (size_t i = point_at + 1; i < digits_.size(); ++i) {
      if (digits_[i] != '0') last_relevant_ = i;
    }
    if (p_.zero_end <= blanks_) return;
    const auto kept = static_cast<size_t>(p_.zero_end - blanks_);
    last_relevant_ = std::max(last_relevant_, std::min(digits_.size() - 1, kept));
  }

  char digit() const { return at_ < digits_.size() ? digits_[at_] : '\0'; }
  bool ends_at_point() const {
    return last_relevant_ != kNowhere && digits_[last_relevant_] == '.';
  }
  // The lone 0 before the point is a blank: 9.9 shows 0.1 as " .1".
  bool is_blank_zero() const { return !p_.has_zero && at_ == 0 && digit() == '0' && p_.after != 0; }

  void write_sign_before() {
    if (p_.has_sign) {
      if (p_.sign_place != SignPlace::before) return;
      out_.push_back(sign_ == '-' ? '-' : '+');
    } else if (p_.bracket) {
      out_.push_back(sign_ == '+' ? ' ' : '<');
    } else if (sign_ == '-') {
      out_.push_back('-');
    } else if (sign_ == '+' && !p_.fill_mode) {
      out_.push_back(' ');
    }
    sign_written_ = true;
  }

  void write_digit(NumberKey key) {
    if (digit() == '.') {
      out_.push_back('.');
    } else if (last_relevant_ != kNowhere && at_ > last_relevant_ && key != zero) {
      // not shown
    } else if (is_blank_zero()) {
      if (!p_.fill_mode) {
        out_.push_back(' ');
      } else if (ends_at_point()) {
        out_.push_back('0');
      }
    } else {
      if (at_ < digits_.size()) out_.push_back(digits_[at_]);
      digit_seen_ = true;
    }
    if (at_ < digits_.size()) ++at_;
  }

  void write_place(NumberKey key) {
    if (p_.roman) return;
    digit_seen_ = false;
    if (!sign_written_ && (place_ >= blanks_ || (p_.has_zero && p_.zero_start == place_)) &&
        (!is_blank_zero() || ends_at_point())) {
      write_sign_before();
    }
    if (place_ < blanks_ && (!p_.has_zero || p_.zero_start > place_)) {
      if (!p_.fill_mode) out_.push_back(' ');
    } else if (place_ < blanks_) {
      out_.push_back('0');
      digit_seen_ = true;
    } else {
      write_digit(key);
    }
    int end = digit_count_ + (blanks_ > 0 ? 1 : 0) + (p_.has_point ? 1 : 0);
    if (last_relevant_ != kNowhere && last_relevant_ == at_) end = place_;
    if (place_ + 1 == end) write_sign_after();
    ++place_;
  }
  void write_sign_after() {
    if (sign_written_ && p_.bracket) {
      out_.push_back(sign_ == '+' ? ' ' : '>');
    } else if (p_.has_sign && p_.sign_place == SignPlace::after) {
      out_.push_back(sign_ == '-' ? '-' : '+');
    }
  }

  void write_roman(bool lower) {
    std::string text(digits_);
    if (lower) {
      for (char& c : text) c = lower_ascii(c);
    }
    if (!p_.fill_mode && text.size() < 15) out_.append(15 - text.size(), ' ');
    out_ += text;
  }

  Status write_ordinal(NumberKey key) {
    if (p_.roman || digits_.starts_with('#') || sign_ == '-' || p_.has_point) return {};
    if (digits_.empty() || !is_digit(digits_.back())) {
      return raise(sqlstate::invalid_text_representation, cat("\"", digits_, "\" is not a number"));
    }
    out_ += ordinal_suffix(digits_, key == ordinal);
    return {};
  }
  Status write_key(NumberKey key) {
    if (key == ordinal || key == ordinal_lower) return write_ordinal(key);
    write_plain_key(key);
    return {};
  }
  void write_plain_key(NumberKey key) {
    switch (key) {
      case nine:
      case zero:
      case point:
      case local_point: write_place(key); return;
      case comma:
      case group:
        if (digit_seen_) {
          out_.push_back(',');
        } else if (!p_.fill_mode) {
          out_.push_back(' ');
        }
        return;
      case currency:      out_.push_back(' '); return;
      case roman:         write_roman(false); return;
      case roman_lower:   write_roman(true); return;
      case ordinal:
      case ordinal_lower: return;  // write_ordinal()
      case minus:
        if (sign_ == '-') {
          out_.push_back('-');
        } else if (!p_.fill_mode) {
          out_.push_back(' ');
        }
        return;
      case plus:
        if (sign_ == '+') {
          out_.push_back('+');
        } else if (!p_.fill_mode) {
          out_.push_back(' ');
        }
        return;
      case any_sign:
        if (sign_ == '\0') {
          ended_ = true;  // in Roman digits a sign is the end of the text
        } else {
          out_.push_back(sign_);
        }
        return;
      case none:
      case blank:
      case exponent:
      case fill_mode:
      case bracket:
      case sign:
      case shift:
      case spelled:   return;
    }
  }

  NumberPicture& p_;
  const std::string_view digits_;
  int blanks_;  // places before the first digit
  const char sign_;
  std::string out_;
  bool sign_written_ = false;
  bool ended_ = false;
  bool digit_seen_ = false;  // by the last place: a comma after it is shown
  int digit_count_ = 0;
  int place_ = 0;
  size_t at_ = 0;  // of the next digit
  size_t last_relevant_ = kNowhere;
};

// Walks along the picture and collects the digits of a text.
class TextReader {
 public:
  TextReader(const NumberPicture& picture, std::string_view text) : p_(picture), text_(text) {}

  std::string read() {
    for (const NumberNode& node : p_.nodes) {
      if (at_ >= text_.size()) break;
      if (node.key == none) {
        at_ += utf8_step(text_, at_);
      } else {
        read_key(node.key);
      }
    }
    if (number_.ends_with('.')) number_.pop_back();
    return std::move(number_);
  }

 private:
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ >= text_.size(); }
  void skip_other(int count) {
    constexpr std::string_view kData = "0123456789.,+-";
    while (count-- > 0 && !at_end() && kData.find(here()) == std::string_view::npos)
      at_ += utf8_step(text_, at_);
  }
  bool take_sign() {
    if (here() != '-' && here() != '+') return false;
    number_[0] = here();
    ++at_;
    return true;
  }

  void read_place(NumberKey key) {
    if (here() == ' ') ++at_;
    if (at_end()) return;
    if (number_[0] == ' ' && (key == zero || key == nine) && digits_before_ + digits_after_ == 0) {
      if (p_.bracket && here() == '<') {
        number_[0] = '-';
        ++at_;
      } else if (!p_.has_sign || p_.sign_place == SignPlace::before) {
        take_sign();
      }
    }
    if (at_end()) return;
    bool taken = false;
    if (is_digit(here())) {
      if (point_seen_ && digits_after_ == p_.after) return;
      number_.push_back(here());
      ++(point_seen_ ? digits_after_ : digits_before_);
      taken = true;
    } else if (p_.has_point && !point_seen_ && here() == '.') {
      number_.push_back('.');
      point_seen_ = taken = true;
    }
    if (number_[0] == ' ' && digits_before_ + digits_after_ > 0) read_sign_behind(taken);
    ++at_;
  }
  // A sign behind the last digit.
  void read_sign_behind(bool taken) {
    if (p_.has_sign) {
      if (!taken || at_ + 1 >= text_.size()) return;
      const char next = text_[at_ + 1];
      if (next != '-' && next != '+') return;
      number_[0] = next;
      ++at_;
    } else if (!taken && (p_.plus || p_.minus) && (here() == '-' || here() == '+')) {
      number_[0] = here();
    }
  }

  void read_key(NumberKey key) {
    switch (key) {
      case nine:
      case zero:
      case point:
      case local_point: read_place(key); return;
      case comma:
      case group:
        if (here() == ',') ++at_;
        return;
      case currency: skip_other(1); return;
      case ordinal:
      case ordinal_lower:
        if (number_[0] != '-' && !p_.has_point) skip_other(2);
        return;
      case minus:
        if (here() == '-') {
          take_sign();
        } else {
          skip_other(1);
        }
        return;
      case plus:
        if (here() == '+') {
          take_sign();
        } else {
          skip_other(1);
        }
        return;
      case any_sign:
        if (!take_sign()) skip_other(1);
        return;
      case none:
      case blank:
      case exponent:
      case fill_mode:
      case bracket:
      case roman:
      case roman_lower:
      case sign:
      case shift:
      case spelled:     return;
    }
  }

  const NumberPicture& p_;
  const std::string_view text_;
  size_t at_ = 0;
  std::string number_ = " ";
  int digits_before_ = 0, digits_after_ = 0;
  bool point_seen_ = false;
};

}  // namespace

Result<NumberPicture> parse_number_picture(std::string_view picture) {
  NumberPicture out;
  std::string_view rest = picture;
  while (!rest.empty()) {
    size_t size = 0;
    if (const NumberKey key = find_keyword(rest, &size); key != none) {
      TRY(note(out, key));
      out.nodes.push_back({key, {}});
      rest.remove_prefix(size);
    } else if (rest[0] == '"') {
      rest.remove_prefix(1);
      while (!rest.empty() && rest[0] != '"') {
        if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
        take_character(rest, out.nodes);
      }
      if (!rest.empty()) rest.remove_prefix(1);
    } else {
      if (rest[0] == '\\' && rest.size() > 1 && rest[1] == '"') rest.remove_prefix(1);
      take_character(rest, out.nodes);
    }
  }
  return out;
}

Result<std::string> format_number(NumberPicture picture, std::string_view digits, int blanks,
                                  char sign) {
  if (picture.exponent) return std::string(digits);
  return Writer(picture, digits, blanks, picture.roman ? '\0' : sign).write();
}

Result<std::string> read_number(const NumberPicture& picture, std::string_view text) {
  if (picture.exponent || picture.roman) {
    return raise(sqlstate::feature_not_supported,
                 cat("\"", picture.exponent ? "EEEE" : "RN", "\" not supported for input"));
  }
  return TextReader(picture, text).read();
}

std::string roman_numeral(int64_t value) {
  if (value < 1 || value > 3999) return std::string(15, '#');
  constexpr std::string_view kOnes[] = {"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"};
  constexpr std::string_view kTens[] = {"", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"};
  constexpr std::string_view kHundreds[] = {"",  "C",  "CC",  "CCC",  "CD",
                                            "D", "DC", "DCC", "DCCC", "CM"};
  return cat(std::string(static_cast<size_t>(value / 1000), 'M'), kHundreds[value / 100 % 10],
             kTens[value / 10 % 10], kOnes[value % 10]);
}

}  // namespace orrery
