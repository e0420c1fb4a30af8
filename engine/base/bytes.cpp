#include "base/bytes.h"

namespace orrery {

std::string_view ByteReader::read_c_string() {
  const auto* start = reinterpret_cast<const char*>(bytes_.data()) + at_;
  const void* nul = remaining() == 0 ? nullptr : std::memchr(start, 0, remaining());
  if (nul == nullptr) {
    fail();
    return {};
  }
  const auto length = static_cast<size_t>(static_cast<const char*>(nul) - start);
  at_ += length + 1;
  return {start, length};
}

uint64_t ByteReader::read_varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = read<uint8_t>();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;  // more than 64 bits
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail();
  return 0;
}

void ByteWriter::write_varint(uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

}  // namespace orrery
