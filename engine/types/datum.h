// A value: eight bytes. Types passed by value (bool, integers, floats, oid, date, time, timestamps,
// "char") lie inside, the others are pointers to PostgreSQL's layout: a varlena (text, bytea,
// numeric, arrays...), or a fixed length (uuid 16, interval 16, name 64, tid 6). Whose memory it is
// depends on where the Datum lies: a batch's, a statement's arena's. NULL is not a Datum; it is a
// flag beside it.
//
// Integers narrower than 64 bits are kept sign-extended and unsigned ones zero-extended, so equal
// values have equal words.
//
// Varlena, little-endian, as PostgreSQL stores it:
//
//   first byte        form         length
//   xxxxxx00          4-byte header, plain: u32 >> 2, header included
//   xxxxxx10          4-byte header, compressed inline: u32 >> 2; then u32
//                     {raw size:30, method:2}, then the data
//   00000001          external: tag byte 18, then a ToastPointer; 18 bytes in all
//   xxxxxxx1          1-byte header: byte >> 1, header included; unaligned
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/ids.h"

namespace orrery {

struct Datum {
  uint64_t raw = 0;

  constexpr Datum() = default;
  constexpr explicit Datum(uint64_t word) : raw(word) {}
  static constexpr Datum of(bool v) { return Datum(uint64_t{v}); }
  static constexpr Datum of(char v) {
    return Datum(static_cast<uint64_t>(static_cast<int64_t>(static_cast<signed char>(v))));
  }
  static constexpr Datum of(int16_t v) { return Datum(static_cast<uint64_t>(int64_t{v})); }
  static constexpr Datum of(int32_t v) { return Datum(static_cast<uint64_t>(int64_t{v})); }
  static constexpr Datum of(int64_t v) { return Datum(static_cast<uint64_t>(v)); }
  static constexpr Datum of(uint32_t v) { return Datum(uint64_t{v}); }
  static constexpr Datum of(uint64_t v) { return Datum(v); }
  static constexpr Datum of(Oid v) { return Datum(uint64_t{v.v}); }
  static constexpr Datum of(float v) { return Datum(uint64_t{std::bit_cast<uint32_t>(v)}); }
  static constexpr Datum of(double v) { return Datum(std::bit_cast<uint64_t>(v)); }
  static Datum of(const void* v) { return Datum(reinterpret_cast<uint64_t>(v)); }

  // as<int32_t>(), as<double>(), as<Oid>(), as<const char*>() ...
  template <class T>
  T as() const {
    if constexpr (std::is_same_v<T, double>) {
      return std::bit_cast<double>(raw);
    } else if constexpr (std::is_same_v<T, float>) {
      return std::bit_cast<float>(static_cast<uint32_t>(raw));
    } else if constexpr (std::is_same_v<T, Oid>) {
      return Oid(static_cast<uint32_t>(raw));
    } else if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<T>(raw);
    } else {
      static_assert(std::is_integral_v<T>);
      return static_cast<T>(raw);
    }
  }
  // The content of a plain varlena (not compressed, not external). REQUIRES: is_plain_varlena.
  std::string_view text() const;
};
static_assert(sizeof(Datum) == 8);

// A value and whether it is NULL, for single values; batches keep the two apart (vector.h).
struct NullableDatum {
  Datum value;
  bool is_null = true;
};

// Where an external value lies; follows the two bytes {0x01, 18}.
struct ToastPointer {
  uint32_t raw_size;          // of the plain value with its 4-byte header
  uint32_t stored_size : 30;  // bytes in the TOAST table
  uint32_t method : 2;        // 0 plain, 1 LZ4
  uint32_t value_id;          // chunk_id in the TOAST table
  uint32_t toast_relation;    // OID of the TOAST table
};
static_assert(sizeof(ToastPointer) == 16);
constexpr uint8_t kToastPointerTag = 18;
constexpr uint32_t kToastPointerBytes = 2 + sizeof(ToastPointer);
constexpr uint32_t kVarlenaHeaderBytes = 4;
constexpr uint32_t kMaxValueBytes = 0x3fffffff;  // 1 GB - 1, header included

inline bool varlena_is_external(const void* v) { return load<uint8_t>(v) == 1; }
inline bool varlena_is_short(const void* v) {
  return (load<uint8_t>(v) & 1) == 1 && !varlena_is_external(v);
}
inline bool varlena_is_compressed(const void* v) { return (load<uint8_t>(v) & 3) == 2; }
inline bool varlena_is_plain(const void* v) {
  return varlena_is_short(v) || (load<uint8_t>(v) & 3) == 0;
}

// Bytes it occupies where it lies, header included.
inline uint32_t varlena_size(const void* v) {
  if (varlena_is_external(v)) return kToastPointerBytes;
  if (varlena_is_short(v)) return load<uint8_t>(v) >> 1;
  return load<uint32_t>(v) >> 2;
}
// The content of a plain varlena.
inline std::string_view varlena_view(const void* v) {
  const char* at = static_cast<const char*>(v);
  if (varlena_is_short(v)) return {at + 1, size_t{load<uint8_t>(v)} / 2 - 1};
  return {at + kVarlenaHeaderBytes, (load<uint32_t>(v) >> 2) - kVarlenaHeaderBytes};
}
inline std::string_view Datum::text() const { return varlena_view(as<const char*>()); }

// Sets the 4-byte header of a plain varlena of `total_bytes`, header included.
inline void varlena_set_size(void* v, uint32_t total_bytes) {
  store<uint32_t>(v, total_bytes << 2);
}

// A new plain varlena with a 4-byte header holding `content`. REQUIRES: content fits kMaxValueBytes
// (callers that take sizes from input check first and raise 54000).
inline Datum make_varlena(Arena& arena, std::string_view content) {
  const auto total = static_cast<uint32_t>(content.size() + kVarlenaHeaderBytes);
  char* v = static_cast<char*>(arena.allocate(total, 4));
  varlena_set_size(v, total);
  if (!content.empty()) std::memcpy(v + kVarlenaHeaderBytes, content.data(), content.size());
  return Datum::of(static_cast<const void*>(v));
}
// The same with the content left to the caller to fill: returns its first byte through `content`.
inline Datum make_varlena_space(Arena& arena, size_t content_bytes, char** content) {
  const auto total = static_cast<uint32_t>(content_bytes + kVarlenaHeaderBytes);
  char* v = static_cast<char*>(arena.allocate(total, 4));
  varlena_set_size(v, total);
  *content = v + kVarlenaHeaderBytes;
  return Datum::of(static_cast<const void*>(v));
}

}  // namespace orrery
