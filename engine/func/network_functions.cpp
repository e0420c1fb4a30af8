// Network addresses: inet, cidr, macaddr, macaddr8.
#include <algorithm>

#include "base/text.h"
#include "func/lift.h"
#include "types/inet.h"
#include "types/mac_address.h"

namespace orrery {

template <>
struct Codec<Inet> {
  static constexpr bool kWord = false;
  static Inet from(Datum v) { return load_inet(v); }
  static Result<Datum> to(Arena& arena, const Inet& v) { return make_inet(arena, v); }
};
template <size_t N>
struct Codec<std::array<uint8_t, N>> {
  static constexpr bool kWord = false;
  static std::array<uint8_t, N> from(Datum v) { return load_mac<N>(v); }
  static Result<Datum> to(Arena& arena, const std::array<uint8_t, N>& v) {
    return make_mac(arena, v);
  }
};

namespace {

Inet network_of(Inet a) {
  a.fill_host(a.bits, false);
  return a;
}
Inet broadcast_of(Inet a) {
  a.fill_host(a.bits, true);
  return a;
}
Inet mask_of(const Inet& a, bool of_host) {
  Inet mask;
  mask.family = a.family;
  mask.bits = static_cast<uint8_t>(a.max_bits());
  mask.fill_host(of_host ? a.bits : 0, true);
  if (!of_host) mask.fill_host(a.bits, false);
  return mask;
}
Result<Inet> with_mask(Inet a, int32_t bits, bool is_cidr) {
  if (bits == -1) bits = a.max_bits();
  if (bits < 0 || bits > a.max_bits())
    return raise(sqlstate::invalid_parameter_value, cat("invalid mask length: ", bits));
  a.bits = static_cast<uint8_t>(bits);
  if (is_cidr) a.fill_host(bits, false);
  return a;
}
Inet host_form(Inet a) {
  a.bits = static_cast<uint8_t>(a.max_bits());
  return a;
}

// Whether b's network holds a's.
bool is_within(const Inet& a, const Inet& b, bool or_equal) {
  return a.family == b.family && (or_equal ? a.bits >= b.bits : a.bits > b.bits) &&
         common_bits(a, b, b.bits) == b.bits;
}
bool overlaps(const Inet& a, const Inet& b) {
  const int shared = std::min(a.bits, b.bits);
  return a.family == b.family && common_bits(a, b, shared) == shared;
}
Result<Inet> merge(const Inet& a, const Inet& b) {
  if (a.family != b.family) {
    return raise(sqlstate::invalid_parameter_value,
                 "cannot merge addresses from different families");
  }
  Inet out = a;
  out.bits = static_cast<uint8_t>(common_bits(a, b, std::min(a.bits, b.bits)));
  return network_of(out);
}

Inet complement(Inet a) {
  for (size_t i = 0; i < a.size(); ++i) a.address[i] = static_cast<uint8_t>(~a.address[i]);
  return a;
}
Result<Inet> logic(const Inet& a, const Inet& b, bool conjunction) {
  if (a.family != b.family) {
    return raise(sqlstate::invalid_parameter_value,
                 cat("cannot ", conjunction ? "AND" : "OR", " inet values of different sizes"));
  }
  Inet out = a;
  for (size_t i = 0; i < a.size(); ++i) {
    out.address[i] = static_cast<uint8_t>(conjunction ? a.address[i] & b.address[i]
                                                      : a.address[i] | b.address[i]);
  }
  out.bits = std::max(a.bits, b.bits);
  return out;
}

// The address as a number, plus `by`; what is carried out of it must be the sign alone.
Result<Inet> plus(Inet a, int64_t by, bool negate) {
  unsigned __int128 value = 0;
  for (size_t i = 0; i < a.size(); ++i) value = value << 8 | a.address[i];
  const bool down = negate ? by > 0 : by < 0;
  const uint64_t distance = by < 0 ? 0 - static_cast<uint64_t>(by) : static_cast<uint64_t>(by);
  const unsigned __int128 most = a.size() == 4 ? static_cast<unsigned __int128>(UINT32_MAX)
                                               : ~static_cast<unsigned __int128>(0);
  if (down ? distance > value : distance > most - value)
    return raise(sqlstate::numeric_value_out_of_range, "result is out of range");
  value = down ? value - distance : value + distance;
  for (size_t i = a.size(); i-- > 0; value >>= 8) a.address[i] = static_cast<uint8_t>(value);
  return a;
}
Result<int64_t> distance(const Inet& a, const Inet& b) {
  if (a.family != b.family) {
    return raise(sqlstate::invalid_parameter_value,
                 "cannot subtract inet values of different sizes");
  }
  unsigned __int128 x = 0, y = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    x = x << 8 | a.address[i];
    y = y << 8 | b.address[i];
  }
  const unsigned __int128 apart = x >= y ? x - y : y - x;
  const unsigned __int128 most = (static_cast<unsigned __int128>(1) << 63) - (x >= y ? 1 : 0);
  if (apart > most) return raise(sqlstate::numeric_value_out_of_range, "result is out of range");
  const auto low = static_cast<uint64_t>(apart);
  return static_cast<int64_t>(x >= y ? low : 0 - low);
}

template <auto kTest>
constexpr Kernel kNetwork =
    lift([](const Inet& a, const Inet& b) { return kTest(order_inet(a, b)); });

template <size_t N>
using Mac = std::array<uint8_t, N>;
template <size_t N, auto kTest>
constexpr Kernel kMac = lift(
    [](const Mac<N>& a, const Mac<N>& b) { return kTest(std::memcmp(a.data(), b.data(), N)); });
template <size_t N, auto kOf>
Mac<N> bytewise(const Mac<N>& a, const Mac<N>& b) {
  Mac<N> out;
  for (size_t i = 0; i < N; ++i) out[i] = static_cast<uint8_t>(kOf(a[i], b[i]));
  return out;
}
// The manufacturer's part.
template <size_t N>
Mac<N> prefix(Mac<N> a) {
  std::fill(a.begin() + 3, a.end(), uint8_t{0});
  return a;
}

constexpr auto kAnd = [](int a, int b) { return a & b; };
constexpr auto kOr = [](int a, int b) { return a | b; };
constexpr auto kNot = [](int a, int) { return ~a; };
constexpr auto kIsEq = [](int o) { return o == 0; };
constexpr auto kIsNe = [](int o) { return o != 0; };
constexpr auto kIsLt = [](int o) { return o < 0; };
constexpr auto kIsLe = [](int o) { return o <= 0; };
constexpr auto kIsGt = [](int o) { return o > 0; };
constexpr auto kIsGe = [](int o) { return o >= 0; };
constexpr auto kSign = [](int o) { return int32_t{(o > 0) - (o < 0)}; };

#define MAC(p, N)                                                                                  \
  body(p "_eq", kMac<N, kIsEq>), body(p "_ne", kMac<N, kIsNe>), body(p "_lt", kMac<N, kIsLt>),     \
      body(p "_le", kMac<N, kIsLe>), body(p "_gt", kMac<N, kIsGt>), body(p "_ge", kMac<N, kIsGe>), \
      body(p "_cmp", kMac<N, kSign>),                                                              \
      body(p "_and",                                                                               \
           lift([](const Mac<N>& a, const Mac<N>& b) { return bytewise<N, kAnd>(a, b); })),        \
      body(p "_or",                                                                                \
           lift([](const Mac<N>& a, const Mac<N>& b) { return bytewise<N, kOr>(a, b); })),         \
      body(p "_not", lift([](const Mac<N>& a) { return bytewise<N, kNot>(a, a); })),               \
      body(p "_trunc", lift([](const Mac<N>& a) { return prefix<N>(a); }))

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    MAC("macaddr", 6),
    MAC("macaddr8", 8),
    body("macaddr8_set7bit", lift([](const Mac<8>& a) {
           Mac<8> out = a;
           out[0] |= 2;
           return out;
         })),
    body("macaddrtomacaddr8", lift([](const Mac<6>& a) { return widen_mac(a); })),
    body("macaddr8tomacaddr", lift([](const Mac<8>& a) { return narrow_mac(a); })),
    body("network_eq", kNetwork<kIsEq>),
    body("network_ne", kNetwork<kIsNe>),
    body("network_lt", kNetwork<kIsLt>),
    body("network_le", kNetwork<kIsLe>),
    body("network_gt", kNetwork<kIsGt>),
    body("network_ge", kNetwork<kIsGe>),
    body("network_cmp", kNetwork<kSign>),
    body("network_larger",
         lift([](const Inet& a, const Inet& b) { return order_inet(a, b) > 0 ? a : b; })),
    body("network_smaller",
         lift([](const Inet& a, const Inet& b) { return order_inet(a, b) < 0 ? a : b; })),
    body("network_sub", lift([](const Inet& a, const Inet& b) { return is_within(a, b, false); })),
    body("network_subeq", lift([](const Inet& a, const Inet& b) { return is_within(a, b, true); })),
    body("network_sup", lift([](const Inet& a, const Inet& b) { return is_within(b, a, false); })),
    body("network_supeq", lift([](const Inet& a, const Inet& b) { return is_within(b, a, true); })),
    body("network_overlap", lift([](const Inet& a, const Inet& b) { return overlaps(a, b); })),
    body("inet_same_family",
         lift([](const Inet& a, const Inet& b) { return a.family == b.family; })),
    body("inet_merge", lift([](const Inet& a, const Inet& b) { return merge(a, b); })),
    body("inet_abbrev", lift([](const Inet& a) { return inet_text(a, false); })),
    body("cidr_abbrev", lift([](const Inet& a) { return cidr_abbreviation(a); })),
    body("network_show", lift([](const Inet& a) { return inet_text(a, true); })),
    body("network_host", lift([](const Inet& a) { return inet_address_text(a); })),
    body("network_family", lift([](const Inet& a) { return a.family == Inet::kIpv4 ? 4 : 6; })),
    body("network_masklen", lift([](const Inet& a) { return int32_t{a.bits}; })),
    body("network_broadcast", lift([](const Inet& a) { return broadcast_of(a); })),
    body("network_network", lift([](const Inet& a) { return network_of(a); })),
    body("inet_to_cidr", lift([](const Inet& a) { return network_of(a); })),
    body("network_netmask", lift([](const Inet& a) { return host_form(mask_of(a, false)); })),
    body("network_hostmask", lift([](const Inet& a) { return host_form(mask_of(a, true)); })),
    body("inet_set_masklen",
         lift([](const Inet& a, int32_t bits) { return with_mask(a, bits, false); })),
    body("cidr_set_masklen",
         lift([](const Inet& a, int32_t bits) { return with_mask(a, bits, true); })),
    body("inetnot", lift([](const Inet& a) { return complement(a); })),
    body("inetand", lift([](const Inet& a, const Inet& b) { return logic(a, b, true); })),
    body("inetor", lift([](const Inet& a, const Inet& b) { return logic(a, b, false); })),
    body("inetpl", lift([](const Inet& a, int64_t by) { return plus(a, by, false); })),
    body("inetmi_int8", lift([](const Inet& a, int64_t by) { return plus(a, by, true); })),
    body("inetmi", lift([](const Inet& a, const Inet& b) { return distance(a, b); })),
}));

constexpr FunctionBody kByOid[] = {
    // int8 + inet
    {.oid = Oid(2631),
     .kernel = lift([](int64_t by, const Inet& a) { return plus(a, by, false); })},
};

}  // namespace

std::span<const FunctionBody> network_functions() { return kTable; }
std::span<const FunctionBody> network_functions_by_oid() { return kByOid; }

}  // namespace orrery
