#include "catalog/builtin.h"

#include <algorithm>
#include <array>

#include "catalog/facts.h"

namespace orrery {
namespace {

// Row numbers whose name column equals `name`, in a table ordered by name first.
std::span<const uint16_t> rows_named(const FactTable& table, int16_t column,
                                     std::string_view name) {
  auto name_of = [&](uint16_t row) { return table.fixed_name(row, column); };
  const auto found = std::ranges::equal_range(table.order, name, {}, name_of);
  return {found.begin(), found.end()};
}

// Row numbers of `order` whose leading fixed-length columns equal `key`.
template <size_t n>
std::span<const uint16_t> rows_keyed(const FactTable& table, std::span<const uint16_t> order,
                                     const std::array<int16_t, n>& columns,
                                     const std::array<int64_t, n>& key) {
  auto key_of = [&](uint16_t row) {
    std::array<int64_t, n> out;
    for (size_t i = 0; i < n; ++i) {
      switch (table.columns[static_cast<size_t>(columns[i] - 1)].length) {
        case 1:  out[i] = table.fixed<char>(row, columns[i]); break;
        case 2:  out[i] = table.fixed<int16_t>(row, columns[i]); break;
        default: out[i] = table.fixed<uint32_t>(row, columns[i]); break;
      }
    }
    return out;
  };
  const auto found = std::ranges::equal_range(order, key, {}, key_of);
  return {found.begin(), found.end()};
}

std::string_view name_of(Oid catalog, int16_t column, Oid oid) {
  const FactTable& table = fact_table(catalog);
  const auto row = table.find(oid);
  return row ? table.fixed_name(*row, column) : std::string_view();
}

}  // namespace

namespace {
struct FamilyKey {
  Oid family, left, right;
  int16_t number;
  friend bool operator==(const FamilyKey&, const FamilyKey&) = default;
  friend uint64_t hash_value(const FamilyKey& k) {
    const uint64_t types = uint64_t{k.left.v} << 32 | k.right.v;
    return hash_combine(hash_combine(k.family.v, types), static_cast<uint64_t>(k.number));
  }
};
}  // namespace

struct BuiltinCatalog::Made {
  HashMap<uint32_t, std::unique_ptr<CatalogType>> types;
  HashMap<uint32_t, std::unique_ptr<FunctionInfo>> functions;
  HashMap<uint32_t, std::unique_ptr<OperatorInfo>> operators;
  HashMap<uint32_t, std::unique_ptr<CastInfo>> casts;
  HashMap<uint32_t, std::unique_ptr<AggregateInfo>> aggregates;
  HashMap<uint32_t, std::unique_ptr<OpclassInfo>> opclasses;
  HashMap<uint32_t, std::unique_ptr<CollationInfo>> collations;
  HashMap<std::string, std::vector<const FunctionInfo*>> functions_by_name;
  HashMap<std::string, std::vector<const OperatorInfo*>> operators_by_name;
  HashMap<FamilyKey, Oid> family_operators;  // 0: there is none
  HashMap<FamilyKey, Oid> family_functions;

  template <class T, class Make>
  static const T* get(HashMap<uint32_t, std::unique_ptr<T>>& made, const FactTable& table, Oid oid,
                      Make make) {
    if (const auto* held = made.find(oid.v)) return held->get();
    const auto row = table.find(oid);
    if (!row) return nullptr;
    const FactRow fact = table.row(*row);
    std::unique_ptr<T> entry = make(fact.view());
    const T* out = entry.get();
    made.insert(oid.v, std::move(entry));
    return out;
  }
};

BuiltinCatalog::BuiltinCatalog() : made_(std::make_unique<Made>()) {}
BuiltinCatalog::~BuiltinCatalog() = default;

const CatalogType* BuiltinCatalog::type(Oid oid) {
  return Made::get(made_->types, fact_table(pg_type::kRelation), oid, make_type);
}
const FunctionInfo* BuiltinCatalog::function(Oid oid) {
  return Made::get(made_->functions, fact_table(pg_proc::kRelation), oid, make_function);
}
const OperatorInfo* BuiltinCatalog::op(Oid oid) {
  return Made::get(made_->operators, fact_table(pg_operator::kRelation), oid, make_operator);
}
const AggregateInfo* BuiltinCatalog::aggregate(Oid function) {
  return Made::get(made_->aggregates, fact_table(pg_aggregate::kRelation), function,
                   make_aggregate);
}
const OpclassInfo* BuiltinCatalog::opclass(Oid oid) {
  return Made::get(made_->opclasses, fact_table(pg_opclass::kRelation), oid, make_opclass);
}
const CollationInfo* BuiltinCatalog::collation(Oid oid) {
  return Made::get(made_->collations, fact_table(pg_collation::kRelation), oid, make_collation);
}

const CatalogType* BuiltinCatalog::type(std::string_view name) {
  const FactTable& table = fact_table(pg_type::kRelation);
  const auto rows = rows_named(table, pg_type::typname, name);
  // All built-in names but those of TOAST tables' and catalogs' row types are pg_catalog's, and
  // those are unique too.
  for (uint16_t row : rows) {
    if (table.fixed<Oid>(row, pg_type::typnamespace) == kPgCatalogNamespace)
      return type(table.fixed<Oid>(row, pg_type::oid));
  }
  return nullptr;
}

const CollationInfo* BuiltinCatalog::collation(std::string_view name) {
  const FactTable& table = fact_table(pg_collation::kRelation);
  for (size_t row = 0; row < table.size(); ++row) {
    if (table.fixed_name(row, pg_collation::collname) == name)
      return collation(table.fixed<Oid>(row, pg_collation::oid));
  }
  return nullptr;
}

const CastInfo* BuiltinCatalog::cast(Oid source, Oid target) {
  const FactTable& table = fact_table(pg_cast::kRelation);
  const auto rows = rows_keyed<2>(table, table.order, {pg_cast::castsource, pg_cast::casttarget},
                                  {source.v, target.v});
  if (rows.empty()) return nullptr;
  return Made::get(made_->casts, table, table.fixed<Oid>(rows[0], pg_cast::oid), make_cast);
}

std::span<const FunctionInfo* const> BuiltinCatalog::functions(std::string_view name) {
  if (const auto* held = made_->functions_by_name.find(name)) return *held;
  const FactTable& table = fact_table(pg_proc::kRelation);
  std::vector<const FunctionInfo*> out;
  for (uint16_t row : rows_named(table, pg_proc::proname, name))
    out.push_back(function(table.fixed<Oid>(row, pg_proc::oid)));
  if (out.empty()) return {};
  made_->functions_by_name.insert(std::string(name), std::move(out));
  return *made_->functions_by_name.find(name);
}

std::span<const OperatorInfo* const> BuiltinCatalog::operators(std::string_view name) {
  if (const auto* held = made_->operators_by_name.find(name)) return *held;
  const FactTable& table = fact_table(pg_operator::kRelation);
  std::vector<const OperatorInfo*> out;
  for (uint16_t row : rows_named(table, pg_operator::oprname, name))
    out.push_back(op(table.fixed<Oid>(row, pg_operator::oid)));
  if (out.empty()) return {};
  made_->operators_by_name.insert(std::string(name), std::move(out));
  return *made_->operators_by_name.find(name);
}

std::vector<const OpclassInfo*> BuiltinCatalog::opclasses(Oid method, Oid type) {
  const FactTable& table = fact_table(pg_opclass::kRelation);
  std::vector<const OpclassInfo*> out;
  // opcmethod is the only column of the key before the name; the input type comes after it at a
  // fixed place too.
  for (uint16_t row :
       rows_keyed<2>(table, table.order, {pg_opclass::opcmethod, pg_opclass::opcintype},
                     {method.v, type.v})) {
    out.push_back(opclass(table.fixed<Oid>(row, pg_opclass::oid)));
  }
  return out;
}

Oid BuiltinCatalog::opclass(Oid method, std::string_view name) const {
  const FactTable& table = fact_table(pg_opclass::kRelation);
  for (size_t row = 0; row < table.size(); ++row) {
    if (table.fixed<Oid>(row, pg_opclass::opcmethod) == method &&
        table.fixed_name(row, pg_opclass::opcname) == name) {
      return table.fixed<Oid>(row, pg_opclass::oid);
    }
  }
  return kInvalidOid;
}

Oid BuiltinCatalog::family_operator(Oid family, Oid left, Oid right, int16_t strategy) const {
  using namespace pg_amop;
  const FamilyKey key{family, left, right, strategy};
  if (const Oid* held = made_->family_operators.find(key)) return *held;
  const FactTable& table = fact_table(kRelation);
  const auto rows =
      rows_keyed<4>(table, table.order, {amopfamily, amoplefttype, amoprighttype, amopstrategy},
                    {family.v, left.v, right.v, strategy});
  const Oid found = rows.empty() ? kInvalidOid : table.fixed<Oid>(rows[0], amopopr);
  made_->family_operators.insert(key, found);
  return found;
}

Oid BuiltinCatalog::family_function(Oid family, Oid left, Oid right, int16_t number) const {
  using namespace pg_amproc;
  const FamilyKey key{family, left, right, number};
  if (const Oid* held = made_->family_functions.find(key)) return *held;
  const FactTable& table = fact_table(kRelation);
  const auto rows =
      rows_keyed<4>(table, table.order, {amprocfamily, amproclefttype, amprocrighttype, amprocnum},
                    {family.v, left.v, right.v, number});
  const Oid found = rows.empty() ? kInvalidOid : table.fixed<Oid>(rows[0], amproc);
  made_->family_functions.insert(key, found);
  return found;
}

std::vector<FamilyMember> BuiltinCatalog::memberships(Oid op) const {
  using namespace pg_amop;
  const FactTable& table = fact_table(kRelation);
  std::vector<FamilyMember> out;
  for (uint16_t row : rows_keyed<1>(table, table.second_order, {amopopr}, {op.v})) {
    out.push_back({.family = table.fixed<Oid>(row, amopfamily),
                   .left = table.fixed<Oid>(row, amoplefttype),
                   .right = table.fixed<Oid>(row, amoprighttype),
                   .op = op,
                   .method = table.fixed<Oid>(row, amopmethod),
                   .strategy = table.fixed<int16_t>(row, amopstrategy),
                   .ordering = table.fixed<char>(row, amoppurpose) == 'o'});
  }
  return out;
}

std::string_view BuiltinCatalog::access_method_name(Oid oid) const {
  return name_of(pg_am::kRelation, pg_am::amname, oid);
}
std::string_view BuiltinCatalog::language_name(Oid oid) const {
  return name_of(pg_language::kRelation, pg_language::lanname, oid);
}
std::string_view BuiltinCatalog::family_name(Oid oid) const {
  return name_of(pg_opfamily::kRelation, pg_opfamily::opfname, oid);
}

Oid BuiltinCatalog::access_method(std::string_view name) const {
  const FactTable& table = fact_table(pg_am::kRelation);
  for (size_t row = 0; row < table.size(); ++row) {
    if (table.fixed_name(row, pg_am::amname) == name) return table.fixed<Oid>(row, pg_am::oid);
  }
  return kInvalidOid;
}

Oid BuiltinCatalog::range_subtype(Oid range) const {
  const FactTable& table = fact_table(pg_range::kRelation);
  const auto row = table.find(range);
  return row ? table.fixed<Oid>(*row, pg_range::rngsubtype) : kInvalidOid;
}

}  // namespace orrery
