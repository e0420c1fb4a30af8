// jsonb subscripted: j['a'][0], read and assigned to.
#pragma once

#include <span>
#include <string_view>

#include "fiber/fiber.h"
#include "types/datum.h"

namespace orrery {

// What the steps lead to; NULL where there is nothing.
Result<NullableDatum> jsonb_element(Fiber& fiber, Arena& arena, Datum value,
                                    std::span<const std::string_view> path);
// The value with `fresh` (NULL: JSON's null) where the steps lead. What is missing on the way is
// made, an array for a number and an object for anything else, with nulls in front of an item past
// the end. `indexed`: the first step was written as a number, which tells what a NULL value
// becomes.
// 22023 for a scalar on the way, or for a place before an array's first; 22P02 for a name as an
// array's index; 54000 for an index no array can have, 53200 for more nulls than memory has room
// for.
Result<Datum> assign_jsonb_element(Fiber& fiber, Arena& arena, NullableDatum value,
                                   std::span<const std::string_view> path, bool indexed,
                                   NullableDatum fresh);

}  // namespace orrery
