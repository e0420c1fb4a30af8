#include "catalog/relation_info.h"

#include <algorithm>

namespace orrery {
namespace {

struct SystemColumn {
  std::string_view name;
  int16_t number;
};
constexpr SystemColumn kSystemColumns[] = {{"ctid", -1}, {"xmin", -2}, {"cmin", -3},
                                           {"xmax", -4}, {"cmax", -5}, {"tableoid", -6}};

}  // namespace

int16_t RelationInfo::column_number(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!desc()[i].dropped && columns[i].name == column) return static_cast<int16_t>(i + 1);
  }
  if (kind == 'v' || kind == 'c') return 0;
  for (const SystemColumn& system : kSystemColumns) {
    if (system.name == column) return system.number;
  }
  return 0;
}

const CatalogIndex* RelationInfo::index(Oid index) const {
  const auto at = std::ranges::find(indexes, index, &CatalogIndex::oid);
  return at == indexes.end() ? nullptr : &*at;
}

const CatalogIndex* RelationInfo::primary_key() const {
  const auto at = std::ranges::find(indexes, true, &CatalogIndex::primary);
  return at == indexes.end() ? nullptr : &*at;
}

const ConstraintInfo* RelationInfo::constraint(std::string_view constraint) const {
  const auto at = std::ranges::find(constraints, constraint, &ConstraintInfo::name);
  return at == constraints.end() ? nullptr : &*at;
}

}  // namespace orrery
