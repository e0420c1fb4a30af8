// Which cache entries a change of a catalog row makes untrue, and how commit records say so.
//
// Record form, one after the other: u8 kind, u32 database, u64 key.
#pragma once

#include <string>

#include "base/function.h"
#include "catalog/cache.h"
#include "catalog/row.h"

namespace orrery {

// `before` is null for an insertion, `after` for a deletion.
void invalidations_of(Oid catalog, Oid database, const CatalogRow* before, const CatalogRow* after,
                      FunctionRef<void(const Invalidation&)> tell);

void encode_invalidation(const Invalidation& what, std::string& out);
// XX001 when the bytes are not a sequence of invalidations.
Status decode_invalidations(Bytes bytes, FunctionRef<void(const Invalidation&)> tell);

}  // namespace orrery
