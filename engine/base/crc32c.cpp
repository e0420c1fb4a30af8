#include "base/crc32c.h"

#include <isa-l/crc.h>

namespace orrery {

uint32_t crc32c(Bytes bytes, uint32_t previous) {
  uint32_t state = ~previous;
  while (!bytes.empty()) {  // ISA-L takes an int length
    const size_t piece = bytes.size() < (1U << 30) ? bytes.size() : (1U << 30);
    // ISA-L's signature lacks const; it only reads.
    auto* at = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
    state = crc32_iscsi(at, static_cast<int>(piece), state);
    bytes = bytes.subspan(piece);
  }
  return ~state;
}

}  // namespace orrery
