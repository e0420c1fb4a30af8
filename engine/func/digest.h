// Message digests: MD5 [RFC 1321] for md5(), SHA-224 and SHA-256 [FIPS 180-4].
#pragma once

#include <string>
#include <string_view>

namespace orrery {

std::string md5_hex(std::string_view bytes);
std::string sha256(std::string_view bytes);  // 32 bytes
std::string sha224(std::string_view bytes);  // 28 bytes

}  // namespace orrery
