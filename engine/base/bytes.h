// Fixed-width little-endian loads and stores on unaligned memory, and a bounds-checked reader and
// an appending writer for formats. Everything the engine stores is little-endian; big-endian
// helpers serve pgwire.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"

namespace orrery {

static_assert(std::endian::native == std::endian::little, "stored formats are little-endian");

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

template <class T>
T load(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void store(void* to, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof value);
}

constexpr uint16_t swap_bytes(uint16_t v) { return __builtin_bswap16(v); }
constexpr uint32_t swap_bytes(uint32_t v) { return __builtin_bswap32(v); }
constexpr uint64_t swap_bytes(uint64_t v) { return __builtin_bswap64(v); }
template <class T>
T load_be(const void* from) {
  return static_cast<T>(swap_bytes(load<std::make_unsigned_t<T>>(from)));
}
template <class T>
void store_be(void* to, T value) {
  store(to, swap_bytes(static_cast<std::make_unsigned_t<T>>(value)));
}

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads a format front to back. A read past the end makes it !ok() and yields zeros, so that a
// decoder checks once at its end; nothing outside the bytes is ever touched.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  template <class T>
  T read() {
    T value{};
    if (Bytes piece = take(sizeof(T)); piece.size() == sizeof(T))
      std::memcpy(&value, piece.data(), sizeof value);
    return value;
  }
  template <class T>
  T read_be() {
    return static_cast<T>(swap_bytes(read<std::make_unsigned_t<T>>()));
  }
  Bytes take(size_t count) {
    if (count > remaining()) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  // Up to and without a NUL, which is consumed; !ok() if there is none.
  std::string_view read_c_string();
  uint64_t read_varint();  // LEB128, at most 10 bytes

  size_t remaining() const { return bytes_.size() - at_; }
  size_t offset() const { return at_; }
  bool ok() const { return ok_; }
  void fail() {
    ok_ = false;
    at_ = bytes_.size();
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

// Appends to a string it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  template <class T>
  void write(T value) {
    static_assert(std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  void write_be(T value) {
    write(swap_bytes(static_cast<std::make_unsigned_t<T>>(value)));
  }
  void write_bytes(Bytes bytes) {
    out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void write_text(std::string_view text) { out_.append(text); }
  void write_c_string(std::string_view text) {
    out_.append(text);
    out_.push_back('\0');
  }
  void write_varint(uint64_t value);
  size_t size() const { return out_.size(); }

 private:
  std::string& out_;
};

}  // namespace orrery
