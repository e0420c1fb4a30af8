// The whole parse tree: everything parse() can return.
#pragma once

#include "sql/definitions.h"  // IWYU pragma: export
#include "sql/expressions.h"  // IWYU pragma: export
#include "sql/node.h"         // IWYU pragma: export
#include "sql/queries.h"      // IWYU pragma: export
#include "sql/utility.h"      // IWYU pragma: export
