// Arrays, for the expression steps that take them apart and put them together; the layout is
// types/array.h's.
#pragma once

#include <optional>
#include <span>

#include "exec/context.h"

namespace orrery {

// The elements in storage order, in `arena`.
Result<std::span<NullableDatum>> deconstruct(ExecContext& context, Arena& arena, Oid element_type,
                                             Datum array);
// One dimension from 1; empty when there are no elements.
Result<NullableDatum> build_array(ExecContext& context, Arena& arena, Oid element_type,
                                  std::span<const NullableDatum> elements);
// Arrays of equal shape as one of one dimension more: 2202E when shapes differ.
Result<NullableDatum> build_nested_array(ExecContext& context, Arena& arena, Oid element_type,
                                         std::span<const NullableDatum> arrays);
// Other elements in the shape of `like`.
Result<NullableDatum> rebuild_array(ExecContext& context, Arena& arena, Oid element_type,
                                    Datum like, std::span<const NullableDatum> elements);
// NULL outside the bounds, or when the number of subscripts is not the number of dimensions.
Result<NullableDatum> array_element(ExecContext& context, Arena& arena, Oid element_type,
                                    Datum array, std::span<const std::optional<int32_t>> index);
Result<NullableDatum> array_slice(ExecContext& context, Arena& arena, Oid element_type, Datum array,
                                  std::span<const std::optional<int32_t>> lower,
                                  std::span<const std::optional<int32_t>> upper);
// `array` with the element at `upper`, or those from `lower` (when there is any) to `upper`, taken
// from `value`. A NULL or empty array begins to exist; one of one dimension grows, with NULLs
// between. 2202E for bounds that cannot be, 54000 for too many elements.
Result<NullableDatum> assign_subscript(ExecContext& context, Arena& arena, Oid element_type,
                                       NullableDatum array,
                                       std::span<const std::optional<int32_t>> lower,
                                       std::span<const std::optional<int32_t>> upper,
                                       NullableDatum value);

}  // namespace orrery
