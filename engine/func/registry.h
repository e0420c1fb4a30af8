// The bodies of built-in functions, found by what pg_proc says of them: normally prosrc, the name
// of PostgreSQL's C function, which is unique for a body; by OID for functions that PostgreSQL
// writes in SQL, and for aggregates, whose prosrc says nothing. The tables are sorted constants: no
// registration code runs.
//
// A function that is listed in pg_proc and has no body here raises 0A000 when it is called.
#pragma once

#include <string_view>

#include "func/kernel.h"

namespace orrery {

struct FunctionBody {
  std::string_view name;  // prosrc; empty where the OID is the key
  Oid oid;
  Kernel kernel = nullptr;
  const SetKernel* set = nullptr;  // instead of kernel, for functions that return sets
};

// Null if there is no body.
const FunctionBody* find_function(Oid oid, std::string_view prosrc);
// The aggregate with this pg_proc OID, or null.
const AggregateKernel* find_aggregate(Oid oid);

}  // namespace orrery
