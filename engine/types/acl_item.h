// aclitem, one entry of an access list: "grantee=rights/grantor", the rights as letters, each with
// a star when it may be passed on. Stored as twelve bytes: grantee (0: PUBLIC), grantor, rights.
#pragma once

#include "types/type_io.h"

namespace orrery {

// The letters of rights, by bit; the option to grant one lies 16 bits higher.
constexpr std::string_view kAclLetters = "arwdDxtXUCTcsA";

Result<Datum> acl_item_in(IoContext& context, std::string_view text);
Status acl_item_out(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
