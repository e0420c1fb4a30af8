#include "catalog/statistics.h"

#include <cstring>

#include "catalog/columns.h"
#include "catalog/source.h"
#include "types/array.h"

namespace orrery {
namespace {

constexpr int16_t kMostCommon = 1, kHistogram = 2, kCorrelation = 3;
constexpr int16_t kSlots = 5;

std::vector<float> numbers_of(Datum array) {
  const TypeInfo* type = find_builtin_type(ArrayView::element_type(array));
  std::vector<float> out;
  if (type == nullptr) return out;
  for (const NullableDatum& value : ArrayView(array, *type).all())
    out.push_back(value.is_null ? 0.0F : value.value.as<float>());
  return out;
}

// Values of types that are not built in cannot be compared here: they are left out.
std::vector<Datum> values_of(Datum array, StoredStatistics& into) {
  const TypeInfo* type = find_builtin_type(ArrayView::element_type(array));
  std::vector<Datum> out;
  if (type == nullptr || type->compare == nullptr) return out;
  into.compare = type->compare;
  const char* bytes = array.as<const char*>();
  const size_t size = varlena_size(bytes);
  std::vector<uint64_t>& kept = into.arrays.emplace_back((size + 7) / 8);
  std::memcpy(kept.data(), bytes, size);
  const Datum copy = Datum::of(static_cast<const void*>(kept.data()));
  for (const NullableDatum& value : ArrayView(copy, *type).all()) {
    if (!value.is_null) out.push_back(value.value);
  }
  return out;
}

StoredStatistics read_row(const CatalogRow& row) {
  StoredStatistics made;
  made.column = row.get<int16_t>(pg_statistic::staattnum);
  made.null_fraction = row.get<float>(pg_statistic::stanullfrac);
  made.width = row.get<int32_t>(pg_statistic::stawidth);
  made.distinct = row.get<float>(pg_statistic::stadistinct);
  for (int16_t slot = 0; slot < kSlots; ++slot) {
    const auto at = [&](int16_t first) { return static_cast<int16_t>(first + slot); };
    const auto kind = row.get<int16_t>(at(pg_statistic::stakind1));
    const int16_t numbers = at(pg_statistic::stanumbers1);
    const int16_t values = at(pg_statistic::stavalues1);
    if (kind == kCorrelation && !row.is_null(numbers)) {
      const std::vector<float> found = numbers_of(row.value(numbers));
      if (!found.empty()) made.correlation = found[0];
    }
    if (row.is_null(values)) continue;
    if (kind == kHistogram) made.bounds = values_of(row.value(values), made);
    if (kind == kMostCommon && !row.is_null(numbers)) {
      made.common = values_of(row.value(values), made);
      made.fractions = numbers_of(row.value(numbers));
      if (made.common.size() != made.fractions.size()) {
        made.common.clear();
        made.fractions.clear();
      }
    }
  }
  return made;
}

}  // namespace

Result<std::unique_ptr<RelationStatistics>> load_statistics(Fiber& fiber, CatalogSource& source,
                                                            Oid relation) {
  auto made = std::make_unique<RelationStatistics>();
  const Datum keys[] = {Datum::of(relation)};
  TRY(source.scan(fiber, pg_statistic::kRelation, kPgStatisticRelidAttInhIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    made->columns.push_back(read_row(row));
                    return {};
                  }));
  return made;
}

}  // namespace orrery
