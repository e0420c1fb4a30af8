// What the files of JSON functions share.
#pragma once

#include "func/lift.h"
#include "types/array.h"
#include "types/json.h"

namespace orrery {

// A value of any type as JSON text, as to_json() has it.
Status append_as_json(Call& call, Oid type, NullableDatum value, std::string& out);
// JSON text as a jsonb.
Result<Datum> text_to_jsonb(Arena& arena, std::string_view text);
// The elements of a text[].
Result<std::vector<NullableDatum>> text_elements(Call& call, Datum array);
// An array index written as text, as paths have it.
std::optional<int32_t> path_index(std::string_view text);
// What `->` finds, -1 being the last item; null for nothing.
const Json* json_item(const Json& value, int64_t index);
// What a path leads to; null for nothing.
Result<const Json*> json_follow(Call& call, const Json& value, Datum path);

}  // namespace orrery
