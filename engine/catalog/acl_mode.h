// The rights that access lists give, as bits (acl.h).
#pragma once

#include <cstdint>

namespace orrery {

using AclMode = uint32_t;
constexpr AclMode kAclInsert = 1u << 0, kAclSelect = 1u << 1, kAclUpdate = 1u << 2,
                  kAclDelete = 1u << 3, kAclTruncate = 1u << 4, kAclReferences = 1u << 5,
                  kAclTrigger = 1u << 6, kAclExecute = 1u << 7, kAclUsage = 1u << 8,
                  kAclCreate = 1u << 9, kAclTemporary = 1u << 10, kAclConnect = 1u << 11,
                  kAclSet = 1u << 12, kAclAlterSystem = 1u << 13;

}  // namespace orrery
