// Hashing with fixed seeds: equal in every build and every run, never of addresses. Not
// cryptographic. hash_bytes folds 128-bit products, the construction of wyhash [Wang Yi, 2019].
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace orrery {

constexpr uint64_t fold_multiply(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

constexpr uint64_t hash_u64(uint64_t value, uint64_t seed = 0) {
  return fold_multiply(value ^ 0x9e3779b97f4a7c15ULL ^ seed, 0xe7037ed1a0b428dbULL ^ seed);
}
constexpr uint64_t hash_combine(uint64_t a, uint64_t b) {
  return fold_multiply(a ^ 0xa0761d6478bd642fULL, b ^ 0xe7037ed1a0b428dbULL);
}

uint64_t hash_bytes(Bytes bytes, uint64_t seed = 0);
inline uint64_t hash_text(std::string_view text, uint64_t seed = 0) {
  return hash_bytes(as_bytes(text), seed);
}

// What HashMap uses; specialise by overloading hash_value for own key types.
inline uint64_t hash_value(std::string_view text) { return hash_text(text); }
template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
constexpr uint64_t hash_value(T value) {
  return hash_u64(static_cast<uint64_t>(value));
}
template <class T>
  requires requires(T t) { t.v; }
constexpr uint64_t hash_value(T strong) {
  return hash_u64(static_cast<uint64_t>(strong.v));
}

}  // namespace orrery
