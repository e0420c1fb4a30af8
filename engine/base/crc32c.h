// CRC-32C (Castagnoli), as in iSCSI, RFC 3720: crc32c("123456789") == 0xe3069283.
#pragma once

#include "base/bytes.h"

namespace orrery {

// Continues from `previous`, the value returned for the bytes before these.
uint32_t crc32c(Bytes bytes, uint32_t previous = 0);

}  // namespace orrery
