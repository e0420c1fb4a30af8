// jsonb, in PostgreSQL's stored form. A container, 4-aligned from the varlena's header on:
//
//   u32 header   number of items in 28 bits; scalar 0x10000000, object 0x20000000,
//                array 0x40000000
//   u32 entries  of each item its length in 28 bits, or with 0x80000000, every 32nd, the offset of
//                its end; its kind in 0x70000000: 0 string, 1 number, 2 false, 3 true, 4 null,
//                5 container
//   items        strings as they are; numbers (numeric varlenas) and containers 4-aligned, padding
//                counted with them
//
// An object has the entries of its keys first, sorted by length and bytes, then those of its
// values. A lone scalar is an array of one with the scalar bit. Functions work on the tree (json.h)
// that is made of it.
#pragma once

#include "types/json.h"

namespace orrery {

constexpr uint64_t kMaxJsonbItems = 0x01ffffff;  // of an array, and pairs of an object

// Sorts keys and drops all but the last of equal ones, in all of the tree; numbers take numeric's
// form. 22003 for a number that numeric cannot hold.
Status normalise_jsonb(Json& value);
// REQUIRES: normalised.
Result<Datum> make_jsonb(Arena& arena, const Json& value);
Json load_jsonb(Datum value);

// {"a": 1, "b": [2]}
void append_jsonb(std::string& out, const Json& value);
// The same in lines, indented by four.
void append_jsonb_pretty(std::string& out, const Json& value, int level);

// -1, 0, 1; `top` for whole values, where an empty array is below all scalars.
int order_jsonb(const Json& a, const Json& b, bool top);
bool jsonb_contains(const Json& whole, const Json& part);
int compare_jsonb(Datum a, Datum b);
uint64_t hash_jsonb(Datum value);

Result<Datum> jsonb_in(IoContext& context, std::string_view text);
Status jsonb_out(IoContext& context, Datum value, std::string& out);
Result<Datum> jsonb_receive(IoContext& context, Bytes bytes);
Status jsonb_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
