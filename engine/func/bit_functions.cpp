// Bit strings: logic, shifts, parts, single bits, and integers to and from them.
#include <bit>

#include "base/text.h"
#include "func/aggregate.h"
#include "func/lift.h"
#include "types/bit_string.h"

namespace orrery {

template <>
struct Codec<BitView> {
  static constexpr bool kWord = false;
  static BitView from(Datum v) { return load_bits(v); }
};
template <>
struct Codec<Bits> {
  static constexpr bool kWord = false;
  static Result<Datum> to(Arena& arena, const Bits& v) { return make_bits(arena, v.view()); }
};

namespace {

enum class Logic : uint8_t { conjunction, disjunction, exclusive };
template <Logic kLogic>
Result<Bits> combine(const BitView& a, const BitView& b) {
  constexpr std::string_view kNames[] = {"AND", "OR", "XOR"};
  if (a.length != b.length) {
    return raise(
        sqlstate::string_data_length_mismatch,
        cat("cannot ", kNames[static_cast<int>(kLogic)], " bit strings of different sizes"));
  }
  Bits out(a);
  for (size_t i = 0; i < out.bytes.size(); ++i) {
    const char x = a.bytes[i];
    const char y = b.bytes[i];
    out.bytes[i] = static_cast<char>(kLogic == Logic::conjunction   ? x & y
                                     : kLogic == Logic::disjunction ? x | y
                                                                    : x ^ y);
  }
  return out;
}

Bits complement(const BitView& a) {
  Bits out(a);
  for (char& byte : out.bytes) byte = static_cast<char>(~byte);
  out.clear_rest();
  return out;
}

Result<Bits> concatenate(const BitView& a, const BitView& b) {
  const int64_t length = int64_t{a.length} + b.length;
  if (length > INT32_MAX - 8) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("bit string length exceeds the maximum allowed (", INT32_MAX - 8, ")"));
  }
  Bits out = bit_range(a, 0, static_cast<int32_t>(length));
  for (int32_t i = 0; i < b.length; ++i) {
    if (b.at(i)) out.set(a.length + i, true);
  }
  return out;
}

// Bits from `start` (1-based) on; a start before the first shortens what is taken.
Result<Bits> part(const BitView& a, int64_t start, std::optional<int32_t> length) {
  int64_t end = int64_t{a.length} + 1;
  if (length) {
    if (*length < 0) {
      return raise(sqlstate::substring_error, "negative substring length not allowed");
    }
    end = std::min(end, start + *length);
  }
  start = std::max<int64_t>(start, 1);
  if (start >= end) return Bits(0);
  return bit_range(a, start - 1, static_cast<int32_t>(end - start));
}

Result<Bits> overlay(const BitView& a, const BitView& b, int32_t start, int32_t length) {
  if (start <= 0) return raise(sqlstate::substring_error, "negative substring length not allowed");
  int32_t behind = 0;
  if (__builtin_add_overflow(start, length, &behind))
    return raise(sqlstate::numeric_value_out_of_range, "integer out of range");
  const Bits before = TRY(part(a, 1, start - 1));
  const Bits after = TRY(part(a, behind, std::nullopt));
  const Bits front = TRY(concatenate(before.view(), b));
  return concatenate(front.view(), after.view());
}

int32_t position(const BitView& a, const BitView& wanted) {
  if (a.length == 0 || wanted.length > a.length) return 0;
  for (int32_t from = 0; from + wanted.length <= a.length; ++from) {
    int32_t same = 0;
    while (same < wanted.length && a.at(from + same) == wanted.at(same)) ++same;
    if (same == wanted.length) return from + 1;
  }
  return 0;
}

Status check_index(const BitView& a, int32_t index) {
  if (index >= 0 && index < a.length) return {};
  return raise(sqlstate::array_subscript_error,
               cat("bit index ", index, " out of valid range (0..", a.length - 1, ")"));
}
Result<int32_t> get_bit(const BitView& a, int32_t index) {
  TRY(check_index(a, index));
  return int32_t{a.at(index)};
}
Result<Bits> set_bit(const BitView& a, int32_t index, int32_t value) {
  TRY(check_index(a, index));
  if (value != 0 && value != 1)
    return raise(sqlstate::invalid_parameter_value, "new bit must be 0 or 1");
  Bits out(a);
  out.set(index, value == 1);
  return out;
}

// The lowest `typmod` bits, signs repeated to the left; bit(1) without a length.
Bits from_integer(int64_t value, int32_t typmod) {
  const int32_t length = typmod <= 0 ? 1 : typmod;
  Bits out(length);
  for (int32_t i = 0; i < length; ++i) out.set(length - 1 - i, (value >> std::min(i, 63) & 1) != 0);
  return out;
}
template <class T>
Result<T> to_integer(const BitView& a) {
  constexpr int32_t kMost = 8 * sizeof(T);
  if (a.length > kMost) {
    return raise(sqlstate::numeric_value_out_of_range,
                 sizeof(T) == 4 ? "integer out of range" : "bigint out of range");
  }
  uint64_t value = 0;
  for (int32_t i = 0; i < a.length; ++i) value = value << 1 | uint64_t{a.at(i)};
  return static_cast<T>(value);
}

int64_t count_ones(const BitView& a) {
  int64_t ones = 0;
  for (const char byte : a.bytes) ones += std::popcount(static_cast<uint8_t>(byte));
  return ones;
}

// The aggregates keep a bit string of their own.
struct FoldedBits {
  Datum value;
  bool any;
};
template <Logic kLogic>
Status fold_value(EvalContext& context, FoldedBits& state, Datum value) {
  const BitView next = load_bits(value);
  if (!state.any) {
    state.value = TRY(make_bits(context.arena, next));
    state.any = true;
    return {};
  }
  const Bits folded = TRY(combine<kLogic>(load_bits(state.value), next));
  std::memcpy(const_cast<char*>(load_bits(state.value).bytes.data()), folded.bytes.data(),
              folded.bytes.size());
  return {};
}
template <Logic kLogic>
Status fold_rows(EvalContext& context, CallSite&, void* const* states, std::span<const Vector> args,
                 Rows rows) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    if (args[0].is_null(rows[i])) continue;
    TRY(fold_value<kLogic>(context, *static_cast<FoldedBits*>(states[i]), args[0].value(rows[i])));
  }
  return {};
}
template <Logic kLogic>
Status fold_combine(EvalContext& context, CallSite&, void* into, const void* from) {
  const auto& other = *static_cast<const FoldedBits*>(from);
  if (!other.any) return {};
  return fold_value<kLogic>(context, *static_cast<FoldedBits*>(into), other.value);
}
Status fold_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const FoldedBits*>(state);
  if (s.any) *out = {s.value, false};
  return {};
}
template <Logic kLogic>
constexpr AggregateKernel kFold{sizeof(FoldedBits), nullptr, fold_rows<kLogic>,
                                fold_combine<kLogic>, fold_final};

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("biteq", ordered<compare_bits>([](int o) { return o == 0; })),
    body("bitne", ordered<compare_bits>([](int o) { return o != 0; })),
    body("bitlt", ordered<compare_bits>([](int o) { return o < 0; })),
    body("bitle", ordered<compare_bits>([](int o) { return o <= 0; })),
    body("bitgt", ordered<compare_bits>([](int o) { return o > 0; })),
    body("bitge", ordered<compare_bits>([](int o) { return o >= 0; })),
    body("bitcmp", ordered<compare_bits>([](int o) { return int32_t{(o > 0) - (o < 0)}; })),
    body("bit_and", lift([](const BitView& a, const BitView& b) {
           return combine<Logic::conjunction>(a, b);
         })),
    body("bit_or", lift([](const BitView& a, const BitView& b) {
           return combine<Logic::disjunction>(a, b);
         })),
    body("bitxor",
         lift([](const BitView& a, const BitView& b) { return combine<Logic::exclusive>(a, b); })),
    body("bitnot", lift([](const BitView& a) { return complement(a); })),
    body("bitshiftleft",
         lift([](const BitView& a, int32_t by) { return bit_range(a, by, a.length); })),
    body("bitshiftright",
         lift([](const BitView& a, int32_t by) { return bit_range(a, -int64_t{by}, a.length); })),
    body("bitcat", lift([](const BitView& a, const BitView& b) { return concatenate(a, b); })),
    body("bitsubstr", lift([](const BitView& a, int32_t start, int32_t length) {
           return part(a, start, length);
         })),
    body("bitsubstr_no_len",
         lift([](const BitView& a, int32_t start) { return part(a, start, std::nullopt); })),
    body("bitlength", lift([](const BitView& a) { return a.length; })),
    body("bitoctetlength",
         lift([](const BitView& a) { return static_cast<int32_t>(a.bytes.size()); })),
    body("bitfromint4", lift([](int32_t v, int32_t typmod) { return from_integer(v, typmod); })),
    body("bitfromint8", lift([](int64_t v, int32_t typmod) { return from_integer(v, typmod); })),
    body("bittoint4", lift([](const BitView& a) { return to_integer<int32_t>(a); })),
    body("bittoint8", lift([](const BitView& a) { return to_integer<int64_t>(a); })),
    body("bit", lift([](const BitView& a, int32_t typmod, bool is_explicit) {
           return fit_bit(a, typmod, is_explicit);
         })),
    body("varbit", lift([](const BitView& a, int32_t typmod, bool is_explicit) {
           return fit_varbit(a, typmod, is_explicit);
         })),
    body("bitposition",
         lift([](const BitView& a, const BitView& wanted) { return position(a, wanted); })),
    body("bitoverlay", lift([](const BitView& a, const BitView& b, int32_t start, int32_t length) {
           return overlay(a, b, start, length);
         })),
    body("bitoverlay_no_len", lift([](const BitView& a, const BitView& b, int32_t start) {
           return overlay(a, b, start, b.length);
         })),
    body("bitgetbit", lift([](const BitView& a, int32_t index) { return get_bit(a, index); })),
    body("bitsetbit", lift([](const BitView& a, int32_t index, int32_t value) {
           return set_bit(a, index, value);
         })),
    body("bit_bit_count", lift([](const BitView& a) { return count_ones(a); })),
}));

constexpr FunctionBody kByOid[] = {
    // bit_length(bit)
    {.oid = Oid(1812), .kernel = lift([](const BitView& a) { return a.length; })},
};

}  // namespace

const AggregateKernel kBitStringAnd = kFold<Logic::conjunction>;
const AggregateKernel kBitStringOr = kFold<Logic::disjunction>;
const AggregateKernel kBitStringXor = kFold<Logic::exclusive>;

std::span<const FunctionBody> bit_functions() { return kTable; }
std::span<const FunctionBody> bit_functions_by_oid() { return kByOid; }

}  // namespace orrery
