// Message digests: MD5 [RFC 1321] for md5(), the SHA-2 family [FIPS 180-4].
#pragma once

#include <string>
#include <string_view>

#include "base/function.h"
#include "base/status.h"

namespace orrery {

// Told of each piece of a long message, in bytes; where it fails, the digest ends.
using Pause = FunctionRef<Status(uint64_t)>;

Result<std::string> md5_hex(std::string_view bytes, Pause pause);
Result<std::string> sha224(std::string_view bytes, Pause pause);  // 28 bytes
Result<std::string> sha256(std::string_view bytes, Pause pause);  // 32
Result<std::string> sha384(std::string_view bytes, Pause pause);  // 48
Result<std::string> sha512(std::string_view bytes, Pause pause);  // 64

}  // namespace orrery
