#include "base/hash.h"

namespace orrery {
namespace {
constexpr uint64_t kSecret[3] = {0xa0761d6478bd642fULL, 0xe7037ed1a0b428dbULL,
                                 0x8ebc6af09c88c6e3ULL};

uint64_t load_tail(const std::byte* at, size_t count) {
  uint64_t value = 0;
  std::memcpy(&value, at, count);
  return value;
}
}  // namespace

uint64_t hash_bytes(Bytes bytes, uint64_t seed) {
  const std::byte* at = bytes.data();
  size_t left = bytes.size();
  uint64_t state = seed ^ kSecret[0];
  for (; left > 16; at += 16, left -= 16) {
    state = fold_multiply(load<uint64_t>(at) ^ kSecret[1], load<uint64_t>(at + 8) ^ state);
  }
  uint64_t a = 0;
  uint64_t b = 0;
  if (left > 8) {
    a = load<uint64_t>(at);
    b = load_tail(at + 8, left - 8);
  } else if (left > 0) {
    a = load_tail(at, left);
  }
  return fold_multiply(kSecret[2] ^ bytes.size(), fold_multiply(a ^ kSecret[1], b ^ state));
}

}  // namespace orrery
