// regclass and its kin: an OID that reads and prints as the name of what it stands for. "-" is 0;
// numbers are taken as they are; the rest is the NameResolver's.
#pragma once

#include "types/type_io.h"

namespace orrery {

Result<Datum> reg_in(IoContext& context, std::string_view text);
Status reg_out(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
