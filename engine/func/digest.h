// Message digests: MD5 [RFC 1321] for md5(), SHA-224 and SHA-256 [FIPS 180-4].
#pragma once

#include <string>
#include <string_view>

#include "base/function.h"
#include "base/status.h"

namespace orrery {

// `pause` is told of each piece of a long message, in bytes; where it fails, the digest ends.
Result<std::string> md5_hex(std::string_view bytes, FunctionRef<Status(uint64_t)> pause);
std::string sha256(std::string_view bytes);  // 32 bytes
std::string sha224(std::string_view bytes);  // 28 bytes

}  // namespace orrery
