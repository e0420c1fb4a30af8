#include "types/numeric.h"

#include <cstring>

#include "base/hash.h"

namespace orrery {
namespace {

constexpr uint16_t kShort = 0x8000;
constexpr uint16_t kSpecialMask = 0xc000;
constexpr uint16_t kNan = 0xc000;
constexpr uint16_t kPositiveInfinity = 0xd000;
constexpr uint16_t kNegativeInfinity = 0xf000;
constexpr int kPowers[] = {1, 10, 100, 1000};

// The stored form, read in place.
struct Stored {
  Numeric::Kind kind = Numeric::Kind::finite;
  bool negative = false;
  int32_t weight = 0;
  int32_t scale = 0;
  const char* digits = nullptr;  // perhaps unaligned
  int count = 0;
  int16_t digit(int i) const { return load<int16_t>(digits + i * 2); }

  explicit Stored(Datum value) {
    const std::string_view bytes = value.text();
    const uint16_t header = bytes.size() >= 2 ? load<uint16_t>(bytes.data()) : kNan;
    size_t start = 2;
    if ((header & kSpecialMask) == kSpecialMask) {
      kind = header == kPositiveInfinity   ? Numeric::Kind::positive_infinity
             : header == kNegativeInfinity ? Numeric::Kind::negative_infinity
                                           : Numeric::Kind::nan;
      return;
    }
    if ((header & kShort) != 0) {
      negative = (header & 0x2000) != 0;
      scale = (header & 0x1f80) >> 7;
      weight = (header & 0x3f) - ((header & 0x40) != 0 ? 64 : 0);
    } else {
      negative = (header & 0x4000) != 0;
      scale = header & 0x3fff;
      weight = bytes.size() >= 4 ? load<int16_t>(bytes.data() + 2) : 0;
      start = 4;
    }
    digits = bytes.data() + start;
    count = bytes.size() > start ? static_cast<int>((bytes.size() - start) / 2) : 0;
  }
};

// Ranks the kinds: -Infinity < finite < Infinity < NaN.
int rank(Numeric::Kind kind) {
  switch (kind) {
    case Numeric::Kind::negative_infinity: return 0;
    case Numeric::Kind::finite:            return 1;
    case Numeric::Kind::positive_infinity: return 2;
    case Numeric::Kind::nan:               return 3;
  }
  UNREACHABLE();
}

// Adds magnitudes (weights aligned); signs are the caller's.
Numeric add_magnitudes(const Numeric& a, const Numeric& b) {
  Numeric sum;
  sum.weight = std::max(a.weight, b.weight) + 1;
  const int end = std::max(a.digits.size() - a.weight,
                           b.digits.size() - b.weight);  // digits past the point, plus one
  const int count = end + sum.weight;
  sum.digits.resize(count);
  int carry = 0;
  for (int i = count - 1; i >= 0; --i) {
    const int power = sum.weight - i;
    const int ia = a.weight - power;
    const int ib = b.weight - power;
    int digit = carry;
    if (ia >= 0 && ia < a.digits.size()) digit += a.digits[ia];
    if (ib >= 0 && ib < b.digits.size()) digit += b.digits[ib];
    carry = digit >= Numeric::kBase;
    sum.digits[i] = static_cast<int16_t>(carry ? digit - Numeric::kBase : digit);
  }
  CHECK(carry == 0);
  return sum;
}

// |a| - |b|. REQUIRES: |a| >= |b|.
Numeric subtract_magnitudes(const Numeric& a, const Numeric& b) {
  Numeric difference;
  difference.weight = a.weight;
  const int end = std::max(a.digits.size() - a.weight, b.digits.size() - b.weight);
  const int count = std::max(end + difference.weight, 0);
  difference.digits.resize(count);
  int borrow = 0;
  for (int i = count - 1; i >= 0; --i) {
    const int power = difference.weight - i;
    const int ib = b.weight - power;
    int digit = -borrow;
    if (i < a.digits.size()) digit += a.digits[i];
    if (ib >= 0 && ib < b.digits.size()) digit -= b.digits[ib];
    borrow = digit < 0;
    difference.digits[i] = static_cast<int16_t>(borrow ? digit + Numeric::kBase : digit);
  }
  CHECK(borrow == 0);
  return difference;
}

Numeric add_finite(const Numeric& a, const Numeric& b, bool negate_b) {
  const bool b_negative = b.negative != negate_b;
  Numeric result;
  if (a.negative == b_negative) {
    result = add_magnitudes(a, b);
    result.negative = a.negative;
  } else if (compare_magnitude(a, b) >= 0) {
    result = subtract_magnitudes(a, b);
    result.negative = a.negative;
  } else {
    result = subtract_magnitudes(b, a);
    result.negative = b_negative;
  }
  result.scale = std::max(a.scale, b.scale);
  result.normalise();
  return result;
}

Numeric add_special(const Numeric& a, const Numeric& b, bool negate_b) {
  if (a.is_nan() || b.is_nan()) return Numeric::nan();
  if (!b.is_infinite()) return a;
  const bool b_negative = (b.sign() < 0) != negate_b;
  if (a.is_infinite() && (a.sign() < 0) != b_negative) return Numeric::nan();
  return Numeric::infinity(b_negative);
}

}  // namespace

void NumericDigits::reserve(int count) {
  if (count <= capacity_) return;
  const int capacity = std::max(count, capacity_ * 2);
  auto larger = std::make_unique_for_overwrite<int16_t[]>(static_cast<size_t>(capacity));
  std::memcpy(larger.get(), data(), static_cast<size_t>(count_) * sizeof(int16_t));
  heap_ = std::move(larger);
  capacity_ = capacity;
}

void NumericDigits::assign(const int16_t* from, int count) {
  reserve(count);
  if (count > 0) std::memmove(data(), from, static_cast<size_t>(count) * sizeof(int16_t));
  count_ = count;
}

void NumericDigits::resize(int count) {
  reserve(count);
  if (count > count_)
    std::memset(data() + count_, 0, static_cast<size_t>(count - count_) * sizeof(int16_t));
  count_ = count;
}

void NumericDigits::drop_front(int count) {
  std::memmove(data(), data() + count, static_cast<size_t>(count_ - count) * sizeof(int16_t));
  count_ -= count;
}

void NumericDigits::take(NumericDigits& other) {
  count_ = other.count_;
  if (other.heap_) {
    heap_ = std::move(other.heap_);
    capacity_ = other.capacity_;
    other.capacity_ = kInline;
  } else {
    heap_.reset();
    capacity_ = kInline;
    std::memcpy(inline_, other.inline_, static_cast<size_t>(count_) * sizeof(int16_t));
  }
  other.count_ = 0;
}

Numeric Numeric::special(Kind kind) {
  Numeric value;
  value.kind = kind;
  return value;
}

Numeric Numeric::zero(int32_t scale) {
  Numeric value;
  value.scale = scale;
  return value;
}

Numeric Numeric::from_int(int64_t value) { return from_int128(value); }

Numeric Numeric::from_int128(__int128 value) {
  Numeric result;
  result.negative = value < 0;
  auto rest =
      value < 0 ? 0 - static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  int16_t reversed[12];
  int count = 0;
  for (; rest != 0; rest /= kBase) reversed[count++] = static_cast<int16_t>(rest % kBase);
  result.weight = count - 1;
  result.digits.resize(count);
  for (int i = 0; i < count; ++i) result.digits[i] = reversed[count - 1 - i];
  result.normalise();
  return result;
}

Numeric Numeric::from_datum(Datum value) {
  const Stored stored(value);
  Numeric result;
  result.kind = stored.kind;
  result.negative = stored.negative;
  result.weight = stored.weight;
  result.scale = stored.scale;
  result.digits.resize(stored.count);
  if (stored.count > 0)
    std::memcpy(result.digits.data(), stored.digits, static_cast<size_t>(stored.count) * 2);
  return result;
}

int Numeric::sign() const {
  switch (kind) {
    case Kind::negative_infinity: return -1;
    case Kind::positive_infinity: return 1;
    case Kind::nan:
    case Kind::finite:            return digits.empty() ? 0 : negative ? -1 : 1;
  }
  UNREACHABLE();
}

void Numeric::normalise() {
  int leading = 0;
  while (leading < digits.size() && digits[leading] == 0) ++leading;
  int count = digits.size();
  while (count > leading && digits[count - 1] == 0) --count;
  digits.resize(count);
  if (leading > 0) {
    digits.drop_front(leading);
    weight -= leading;
  }
  if (digits.empty()) {
    weight = 0;
    negative = false;
  }
}

void Numeric::check() const {
  CHECK_IF(digits.empty(), weight == 0 && !negative);
  CHECK_IF(!digits.empty(), digits[0] != 0 && digits[digits.size() - 1] != 0);
  CHECK(scale >= 0);
}

void Numeric::round(int32_t new_scale) {
  if (!is_finite()) return;
  // Decimals kept, counted from the start of the first digit.
  const int kept = (weight + 1) * kDecimals + new_scale;
  scale = std::max(new_scale, 0);
  if (kept < 0) {
    digits.resize(0);
  } else if (kept < digits.size() * kDecimals) {
    const int whole = (kept + kDecimals - 1) / kDecimals;  // digits that remain, perhaps partly
    const int partial = kept % kDecimals;
    int carry = 0;
    if (partial == 0) {
      carry = digits[whole] >= kBase / 2;
      digits.resize(whole);
    } else {
      const int unit = kPowers[kDecimals - partial];
      const int extra = digits[whole - 1] % unit;
      digits.resize(whole);
      digits[whole - 1] = static_cast<int16_t>(digits[whole - 1] - extra);
      if (extra >= unit / 2) {
        const int raised = digits[whole - 1] + unit;
        carry = raised >= kBase;
        digits[whole - 1] = static_cast<int16_t>(carry ? raised - kBase : raised);
      }
    }
    for (int i = partial == 0 ? whole - 1 : whole - 2; carry != 0 && i >= 0; --i) {
      const int raised = digits[i] + 1;
      carry = raised >= kBase;
      digits[i] = static_cast<int16_t>(carry ? 0 : raised);
    }
    if (carry != 0) {
      digits.resize(digits.size() + 1);
      for (int i = digits.size() - 1; i > 0; --i) digits[i] = digits[i - 1];
      digits[0] = 1;
      ++weight;
    }
  }
  normalise();
}

void Numeric::truncate(int32_t new_scale) {
  if (!is_finite()) return;
  const int kept = (weight + 1) * kDecimals + new_scale;
  scale = std::max(new_scale, 0);
  if (kept <= 0) {
    digits.resize(0);
  } else if (kept < digits.size() * kDecimals) {
    const int whole = (kept + kDecimals - 1) / kDecimals;
    const int partial = kept % kDecimals;
    digits.resize(whole);
    if (partial != 0) {
      const int unit = kPowers[kDecimals - partial];
      digits[whole - 1] = static_cast<int16_t>(digits[whole - 1] - digits[whole - 1] % unit);
    }
  }
  normalise();
}

Status numeric_overflow(std::source_location where) {
  return raise(sqlstate::numeric_value_out_of_range, "value overflows numeric format", where);
}

Result<Datum> make_numeric(Arena& arena, const Numeric& value) {
  value.check();
  const bool is_short = value.scale <= 63 && value.weight >= -64 && value.weight <= 63;
  char* at = nullptr;
  if (!value.is_finite()) {
    const Datum special = make_varlena_space(arena, 2, &at);
    store(at, value.is_nan() ? kNan : value.sign() > 0 ? kPositiveInfinity : kNegativeInfinity);
    return special;
  }
  if (value.weight > INT16_MAX || value.weight < INT16_MIN || value.scale > Numeric::kMaxScale) {
    return numeric_overflow();
  }
  const size_t digit_bytes = static_cast<size_t>(value.digits.size()) * 2;
  const Datum result = make_varlena_space(arena, (is_short ? 2 : 4) + digit_bytes, &at);
  if (is_short) {
    store(at, static_cast<uint16_t>(kShort | (value.negative ? 0x2000 : 0) | value.scale << 7 |
                                    (value.weight < 0 ? 0x40 : 0) | (value.weight & 0x3f)));
    at += 2;
  } else {
    store(at, static_cast<uint16_t>((value.negative ? 0x4000 : 0) | value.scale));
    store(at + 2, static_cast<int16_t>(value.weight));
    at += 4;
  }
  if (digit_bytes > 0) std::memcpy(at, value.digits.data(), digit_bytes);
  return result;
}

int compare_magnitude(const Numeric& a, const Numeric& b) {
  if (a.digits.empty() || b.digits.empty()) return int{!a.digits.empty()} - int{!b.digits.empty()};
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  const int common = std::min(a.digits.size(), b.digits.size());
  for (int i = 0; i < common; ++i) {
    if (a.digits[i] != b.digits[i]) return a.digits[i] < b.digits[i] ? -1 : 1;
  }
  return (a.digits.size() > b.digits.size()) - (a.digits.size() < b.digits.size());
}

int compare_numeric(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return rank(a.kind) - rank(b.kind);
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int magnitude = compare_magnitude(a, b);
  return a.negative ? -magnitude : magnitude;
}

int compare_numeric_datums(Datum left, Datum right) {
  const Stored a(left);
  const Stored b(right);
  if (a.kind != Numeric::Kind::finite || b.kind != Numeric::Kind::finite)
    return rank(a.kind) - rank(b.kind);
  if (a.count == 0) return b.count == 0 ? 0 : b.negative ? 1 : -1;
  if (b.count == 0) return a.negative ? -1 : 1;
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int larger = a.negative ? -1 : 1;
  if (a.weight != b.weight) return a.weight > b.weight ? larger : -larger;
  const int common = std::min(a.count, b.count);
  for (int i = 0; i < common; ++i) {
    if (a.digit(i) != b.digit(i)) return a.digit(i) > b.digit(i) ? larger : -larger;
  }
  return a.count == b.count ? 0 : a.count > b.count ? larger : -larger;
}

// Equal values differ in scale only, which is left out. (Digits are stored without zeros at either
// end.)
uint64_t hash_numeric_datum(Datum value) {
  const Stored stored(value);
  if (stored.kind != Numeric::Kind::finite)
    return hash_u64(static_cast<uint64_t>(rank(stored.kind)));
  const uint64_t seed = static_cast<uint64_t>(stored.weight) << 1 | uint64_t{stored.negative};
  return hash_text({stored.digits, static_cast<size_t>(stored.count) * 2},
                   stored.count == 0 ? 0 : seed);
}

Numeric add(const Numeric& a, const Numeric& b) {
  return a.is_finite() && b.is_finite() ? add_finite(a, b, false) : add_special(a, b, false);
}
Numeric subtract(const Numeric& a, const Numeric& b) {
  return a.is_finite() && b.is_finite() ? add_finite(a, b, true) : add_special(a, b, true);
}

Numeric negate(Numeric value) {
  if (value.is_infinite()) return Numeric::infinity(value.sign() > 0);
  if (!value.digits.empty()) value.negative = !value.negative;
  return value;
}
Numeric absolute(Numeric value) {
  if (value.is_infinite()) return Numeric::infinity(false);
  value.negative = false;
  return value;
}

int32_t min_scale(const Numeric& value) {
  if (value.digits.empty()) return 0;
  const int last = value.digits.size() - 1;
  int decimals = (last - value.weight) * Numeric::kDecimals;
  if (decimals <= 0) return 0;
  for (int digit = value.digits[last]; digit % 10 == 0; digit /= 10) --decimals;
  return decimals;
}

Numeric floor(Numeric value) {
  if (!value.is_finite()) return value;
  const bool lower = value.negative && !value.is_integral();
  value.truncate(0);
  return lower ? subtract(value, Numeric::from_int(1)) : value;
}
Numeric ceiling(Numeric value) {
  if (!value.is_finite()) return value;
  const bool higher = !value.negative && !value.is_integral();
  value.truncate(0);
  return higher ? add(value, Numeric::from_int(1)) : value;
}

}  // namespace orrery
