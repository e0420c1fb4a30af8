#include "types/money.h"

#include "base/text.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

constexpr int kDecimals = 2;

// One pass over the text; the value is gathered negative, which reaches further.
class MoneyReader {
 public:
  explicit MoneyReader(std::string_view text) : whole_(text), rest_(text) {}
  Result<int64_t> read() {
    skip_sign_and_symbol();
    bool fits = read_digits();
    // One digit more decides rounding, the others go.
    if (fits && !rest_.empty() && is_digit(rest_[0]) && rest_[0] >= '5')
      fits = !__builtin_sub_overflow(value_, 1, &value_);
    for (; fits && decimals_ < kDecimals; ++decimals_)
      fits = !__builtin_mul_overflow(value_, 10, &value_);
    if (!fits) return out_of_range();
    while (!rest_.empty() && is_digit(rest_[0])) rest_.remove_prefix(1);
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = rest_[0];
      if (c == '-') negative_ = true;
      if (!is_space(c) && c != ')' && c != '-' && c != '+' && c != '$')
        return invalid_syntax("money", whole_);
    }
    if (negative_) return value_;
    if (value_ == INT64_MIN) return out_of_range();
    return -value_;
  }

 private:
  void skip(char symbol) {
    rest_.remove_prefix(skip_spaces(rest_, 0));
    if (!rest_.empty() && rest_[0] == symbol) rest_.remove_prefix(1);
  }
  void skip_sign_and_symbol() {
    skip('$');
    rest_.remove_prefix(skip_spaces(rest_, 0));
    if (!rest_.empty() && (rest_[0] == '-' || rest_[0] == '(')) {
      negative_ = true;
      rest_.remove_prefix(1);
    } else {
      skip('+');
    }
    skip('$');
    rest_.remove_prefix(skip_spaces(rest_, 0));
  }
  bool read_digits() {
    bool seen_dot = false;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = rest_[0];
      if (is_digit(c) && (!seen_dot || decimals_ < kDecimals)) {
        if (__builtin_mul_overflow(value_, 10, &value_) ||
            __builtin_sub_overflow(value_, c - '0', &value_)) {
          return false;
        }
        if (seen_dot) ++decimals_;
      } else if (c == '.' && !seen_dot) {
        seen_dot = true;
      } else if (c != ',') {
        break;
      }
    }
    return true;
  }
  Status out_of_range() const {
    return raise(sqlstate::numeric_value_out_of_range,
                 cat("value \"", whole_, "\" is out of range for type money"));
  }

  const std::string_view whole_;
  std::string_view rest_;
  int64_t value_ = 0;
  int decimals_ = 0;
  bool negative_ = false;
};

constexpr std::string_view kSmall[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
constexpr std::string_view kTens[] = {"",      "",      "twenty",  "thirty", "forty",
                                      "fifty", "sixty", "seventy", "eighty", "ninety"};

// A number below 1000.
std::string number_words(uint64_t value) {
  if (value <= 20) return std::string(kSmall[value]);
  const uint64_t below = value % 100;
  std::string low;
  if (below < 20) {
    low = kSmall[below];
  } else {
    low = kTens[below / 10];
    if (below % 10 != 0) low = cat(low, " ", kSmall[below % 10]);
  }
  if (value < 100) return low;
  const std::string hundreds = cat(kSmall[value / 100], " hundred");
  if (below == 0) return hundreds;
  return cat(hundreds, below >= 20 ? " " : " and ", low);
}

}  // namespace

Result<Datum> money_in(IoContext&, std::string_view text) {
  const int64_t value = TRY(MoneyReader(text).read());
  return Datum::of(value);
}

Status money_out(IoContext&, Datum value, std::string& out) {
  const auto signed_cents = value.as<int64_t>();
  const uint64_t cents = signed_cents < 0 ? 0 - static_cast<uint64_t>(signed_cents)
                                          : static_cast<uint64_t>(signed_cents);
  const std::string dollars = cat(cents / 100);
  out += signed_cents < 0 ? "-$" : "$";
  for (size_t i = 0; i < dollars.size(); ++i) {
    if (i > 0 && (dollars.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(dollars[i]);
  }
  out += cat(".", cents % 100 / 10, cents % 10);
  return {};
}

std::string money_words(int64_t signed_cents) {
  const uint64_t cents = signed_cents < 0 ? 0 - static_cast<uint64_t>(signed_cents)
                                          : static_cast<uint64_t>(signed_cents);
  std::string out;
  struct Group {
    uint64_t unit;
    std::string_view name;
  };
  constexpr Group kGroups[] = {{100000000000000000, " quadrillion "},
                               {100000000000000, " trillion "},
                               {100000000000, " billion "},
                               {100000000, " million "},
                               {100000, " thousand "}};
  for (const Group& group : kGroups) {
    const uint64_t part = cents / group.unit % 1000;
    if (part != 0) out += cat(number_words(part), group.name);
  }
  if (const uint64_t part = cents / 100 % 1000; part != 0) out += number_words(part);
  if (out.empty()) out = "zero";
  out += cents / 100 == 1 ? " dollar and " : " dollars and ";
  out += number_words(cents % 100);
  out += cents % 100 == 1 ? " cent" : " cents";
  if (signed_cents < 0) out = cat("minus ", out);
  out[0] = upper_ascii(out[0]);
  return out;
}

}  // namespace orrery
