// How a B-tree on one type is searched with values of another, where its operator family compares
// the two. All bounds on a column are first turned into one type, wide enough for those it may be
// compared with, so that bounds of different types may meet on it.
#pragma once

#include "types/type_io.h"

namespace orrery {

struct CrossSearch {
  Oid stored, given;   // types of the column and of the bound
  Oid wide;            // what bounds are turned into
  Comparator compare;  // of a stored value with a wide one; null: the index's own will do
};

// Null when no search is known: then the index is of no use to the comparison. (A date or timestamp
// column against a timestamptz is such: the session's zone would have to be asked for each key.)
const CrossSearch* find_cross_search(Oid stored, Oid given);

// `value` of type `from` as `wide`. What lies beyond its range stands beside infinity
// (place_in_zone).
Datum widen(Arena& arena, const TypeSettings& settings, Datum value, Oid from, Oid wide);

}  // namespace orrery
