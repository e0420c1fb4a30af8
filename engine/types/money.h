// money: 64-bit cents, read and written as the C locale has it: -$1,234.56.
#pragma once

#include "types/type_io.h"

namespace orrery {

Result<Datum> money_in(IoContext& context, std::string_view text);
Status money_out(IoContext& context, Datum value, std::string& out);
// "One hundred twenty three dollars and forty five cents".
std::string money_words(int64_t cents);

}  // namespace orrery
