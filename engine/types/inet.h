// inet and cidr: an IPv4 or IPv6 address with the width of its network. A varlena of family (2 or
// 3), bits, and 4 or 16 bytes, as in PostgreSQL. cidr has no bits right of its mask.
#pragma once

#include <array>

#include "types/type_io.h"

namespace orrery {

struct Inet {
  static constexpr uint8_t kIpv4 = 2, kIpv6 = 3;
  uint8_t family = kIpv4;
  uint8_t bits = 32;
  std::array<uint8_t, 16> address{};  // the first size() count

  size_t size() const { return family == kIpv4 ? 4 : 16; }
  int max_bits() const { return family == kIpv4 ? 32 : 128; }
  // Bits from `bits` on become `ones`.
  void fill_host(int from_bit, bool ones);
};

Inet load_inet(Datum value);
Datum make_inet(Arena& arena, const Inet& inet);

// Leading bits that both have in common, at most `bits`.
int common_bits(const Inet& a, const Inet& b, int bits);
int order_inet(const Inet& a, const Inet& b);
int compare_inet(Datum a, Datum b);
uint64_t hash_inet(Datum value);

// The address, with "/bits" unless it is a whole host and `always_bits` is not said.
std::string inet_text(const Inet& inet, bool always_bits);
std::string inet_address_text(const Inet& inet);
// cidr's shortest form: 10/8.
std::string cidr_abbreviation(const Inet& cidr);

Result<Datum> inet_in(IoContext& context, std::string_view text);
Result<Datum> cidr_in(IoContext& context, std::string_view text);
Status inet_out(IoContext& context, Datum value, std::string& out);
Status cidr_out(IoContext& context, Datum value, std::string& out);
Result<Datum> inet_receive(IoContext& context, Bytes bytes);
Result<Datum> cidr_receive(IoContext& context, Bytes bytes);
Status inet_send(IoContext& context, Datum value, std::string& out);
Status cidr_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
