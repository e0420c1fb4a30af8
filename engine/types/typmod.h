// Type modifiers: the numbers in varchar(20), numeric(10,2), timestamp(3), interval day to
// second(2). -1 is none.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"
#include "types/datum.h"

namespace orrery {

// The typmod of `type(modifiers...)`. 22023 when out of range, 42601 when the type takes none.
// For interval, modifiers are as the grammar makes them: field mask, or field mask and precision.
Result<int32_t> make_typmod(Oid type, std::span<const int32_t> modifiers);
// Appends the modifier as format_type prints it: "(10,2)", "(3)", " day to second(2)"; nothing for
// -1.
void append_typmod(Oid type, int32_t typmod, std::string& out);

}  // namespace orrery
