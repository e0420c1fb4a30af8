// Sizes and intervals of the engine, drawn from their legal ranges: small enough that a short run
// meets their limits.
#pragma once

#include "sim/tape.h"
#include "storage/options.h"

namespace orrery {

void draw_storage_options(Tape& tape, StorageOptions& options);

}  // namespace orrery
