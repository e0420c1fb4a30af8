// bit(n) and bit varying(n): strings of bits. A varlena of the number of bits and the bits, first
// bit highest, the last byte filled up with zeros, as in PostgreSQL.
#pragma once

#include <string>

#include "types/type_io.h"

namespace orrery {

struct BitView {
  int32_t length;  // in bits
  std::string_view bytes;
  bool at(int32_t i) const { return (bytes[static_cast<size_t>(i / 8)] >> (7 - i % 8) & 1) != 0; }
};
struct Bits {
  int32_t length = 0;
  std::string bytes;
  explicit Bits(int32_t bits)
      : length(bits), bytes(static_cast<size_t>(bits / 8 + (bits % 8 != 0)), '\0') {}
  explicit Bits(const BitView& view) : length(view.length), bytes(view.bytes) {}
  void set(int32_t i, bool on) {
    char& byte = bytes[static_cast<size_t>(i / 8)];
    const auto bit = static_cast<char>(0x80u >> i % 8);
    byte = static_cast<char>(on ? byte | bit : byte & ~bit);
  }
  // Zeros behind the last bit.
  void clear_rest();
  BitView view() const { return {length, bytes}; }
};

BitView load_bits(Datum value);
Result<Datum> make_bits(Arena& arena, const BitView& bits);
// `length` bits from `from` on (0-based); those outside are zero.
Bits bit_range(const BitView& bits, int64_t from, int32_t length);

// What bit(n) and bit varying(n) make of a value. 22026, 22001 unless the cast is explicit.
Result<Bits> fit_bit(const BitView& bits, int32_t typmod, bool is_explicit);
Result<Bits> fit_varbit(const BitView& bits, int32_t typmod, bool is_explicit);

int compare_bits(Datum a, Datum b);
uint64_t hash_bits(Datum value);

Result<Datum> bit_in(IoContext& context, std::string_view text);
Result<Datum> varbit_in(IoContext& context, std::string_view text);
Status bits_out(IoContext& context, Datum value, std::string& out);
Result<Datum> bit_receive(IoContext& context, Bytes bytes);
Result<Datum> varbit_receive(IoContext& context, Bytes bytes);
Status bits_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
