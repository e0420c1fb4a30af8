// macaddr (6 bytes) and macaddr8 (8 bytes, EUI-64).
#pragma once

#include <array>

#include "types/type_io.h"

namespace orrery {

using MacAddress = std::array<uint8_t, 6>;
using MacAddress8 = std::array<uint8_t, 8>;
template <size_t N>
std::array<uint8_t, N> load_mac(Datum value) {
  std::array<uint8_t, N> out;
  std::memcpy(out.data(), value.as<const char*>(), N);
  return out;
}
template <size_t N>
Datum make_mac(Arena& arena, const std::array<uint8_t, N>& bytes) {
  void* at = arena.allocate(N, 4);
  std::memcpy(at, bytes.data(), N);
  return Datum::of(static_cast<const void*>(at));
}
inline MacAddress8 widen_mac(const MacAddress& a) {
  return {a[0], a[1], a[2], 0xff, 0xfe, a[3], a[4], a[5]};
}
// 22003 unless the middle says that it was widened.
Result<MacAddress> narrow_mac(const MacAddress8& a);

template <size_t N>
int compare_mac(Datum a, Datum b) {
  return std::memcmp(a.as<const char*>(), b.as<const char*>(), N);
}
uint64_t hash_mac(Datum value);
uint64_t hash_mac8(Datum value);

Result<Datum> macaddr_in(IoContext& context, std::string_view text);
Result<Datum> macaddr8_in(IoContext& context, std::string_view text);
Status macaddr_out(IoContext& context, Datum value, std::string& out);
Status macaddr8_out(IoContext& context, Datum value, std::string& out);
Result<Datum> macaddr_receive(IoContext& context, Bytes bytes);
Result<Datum> macaddr8_receive(IoContext& context, Bytes bytes);
Status macaddr_send(IoContext& context, Datum value, std::string& out);
Status macaddr8_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
