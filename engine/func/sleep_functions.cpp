// pg_sleep. Its kin for intervals and moments are SQL over it.
#include <algorithm>

#include "fiber/fiber.h"
#include "func/lift.h"

namespace orrery {
namespace {

constexpr double kLongestSleepSeconds = 1e9;

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("pg_sleep", lift([](Call& call, double wanted) -> Result<int32_t> {  // void: any word
           if (!(wanted > 0)) return 0;
           const double micros = std::min(wanted, kLongestSleepSeconds) * 1e6;
           TRY(call.context.fiber.sleep(microseconds(static_cast<int64_t>(micros))));
           return 0;
         })),
}));

}  // namespace

std::span<const FunctionBody> sleep_functions() { return kTable; }

}  // namespace orrery
