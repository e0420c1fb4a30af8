// CatalogReader's questions about types that take several rows: base types, default operator
// classes, binary coercion.
#include <algorithm>

#include "catalog/catalog.h"
#include "catalog/facts.h"

namespace orrery {
namespace {

constexpr Oid kAnyOid{2276}, kAnyElementOid{2283}, kAnyCompatibleOid{5077};
constexpr Oid kAnyArrayOid{2277}, kAnyCompatibleArrayOid{5078};
constexpr Oid kAnyEnumOid{3500}, kAnyRangeOid{3831}, kAnyCompatibleRangeOid{5080},
    kAnyMultirangeOid{4537};
constexpr Oid kRecordOid{2249}, kRecordArrayOid{2287};

}  // namespace

Result<Oid> CatalogReader::array_type(Fiber& fiber, Oid element) {
  const CatalogType* type = TRY(this->type(fiber, element));
  return type == nullptr ? kInvalidOid : type->array;
}

Result<Oid> CatalogReader::base_type(Fiber& fiber, Oid oid, int32_t* typmod) {
  for (;;) {
    const CatalogType* type = TRY(this->type(fiber, oid));
    if (type == nullptr || type->type != 'd') return oid;
    if (typmod != nullptr) *typmod = type->typmod;
    oid = type->base_type;
  }
}

Result<bool> CatalogReader::is_binary_coercible(Fiber& fiber, Oid source, Oid target) {
  if (source == target) return true;
  if (target == kAnyOid || target == kAnyElementOid || target == kAnyCompatibleOid) return true;
  const Oid base = TRY(base_type(fiber, source, nullptr));
  if (base == target) return true;
  const CatalogType* type = TRY(this->type(fiber, base));
  if (type == nullptr) return false;
  if (target == kAnyArrayOid || target == kAnyCompatibleArrayOid) return type->is_true_array();
  if (target == kAnyEnumOid) return type->type == 'e';
  if (target == kAnyRangeOid || target == kAnyCompatibleRangeOid) return type->type == 'r';
  if (target == kAnyMultirangeOid) return type->type == 'm';
  if (target == kRecordOid) return type->type == 'c';
  if (target == kRecordArrayOid && type->is_true_array()) {
    const CatalogType* element = TRY(this->type(fiber, type->element));
    return element != nullptr && element->type == 'c';
  }
  const CastInfo* cast = TRY(this->cast(fiber, base, target));
  return cast != nullptr && cast->method == CastMethod::binary &&
         cast->context == CastContext::implicit;
}

Result<Oid> CatalogReader::default_opclass(Fiber& fiber, Oid type, Oid method) {
  type = TRY(base_type(fiber, type, nullptr));
  for (const OpclassInfo* opclass : builtin_.opclasses(method, type)) {
    if (opclass->is_default) return opclass->oid;
  }
  // None for the type itself: one that its values fit, of a preferred type if there are several.
  const CatalogType* wanted = TRY(this->type(fiber, type));
  if (wanted == nullptr) return kInvalidOid;
  const FactTable& table = fact_table(pg_opclass::kRelation);
  int compatible = 0, preferred = 0;
  Oid any, best;
  for (size_t row = 0; row < table.size(); ++row) {
    if (table.fixed<Oid>(row, pg_opclass::opcmethod) != method ||
        !table.fixed<bool>(row, pg_opclass::opcdefault))
      continue;
    const Oid input = table.fixed<Oid>(row, pg_opclass::opcintype);
    const bool fits = TRY(is_binary_coercible(fiber, type, input));
    if (!fits) continue;
    const CatalogType* input_type = TRY(this->type(fiber, input));
    const bool is_preferred = input_type->category == wanted->category && input_type->preferred;
    (is_preferred ? best : any) = table.fixed<Oid>(row, pg_opclass::oid);
    ++(is_preferred ? preferred : compatible);
  }
  if (preferred == 1) return best;
  return preferred == 0 && compatible == 1 ? any : kInvalidOid;
}

Result<TypeOperators> CatalogReader::type_operators(Fiber& fiber, Oid type) {
  TypeOperators out;
  out.btree_opclass = TRY(default_opclass(fiber, type, kBtreeAccessMethod));
  if (const OpclassInfo* btree = builtin_.opclass(out.btree_opclass)) {
    const Oid input = btree->input_type;
    out.btree_family = btree->family;
    out.btree_input = input;
    out.lt = builtin_.family_operator(btree->family, input, input, 1);
    out.eq = builtin_.family_operator(btree->family, input, input, 3);
    out.gt = builtin_.family_operator(btree->family, input, input, 5);
    out.compare = builtin_.family_function(btree->family, input, input, 1);
  }
  out.hash_opclass = TRY(default_opclass(fiber, type, kHashAccessMethod));
  if (const OpclassInfo* hash = builtin_.opclass(out.hash_opclass)) {
    out.hash_family = hash->family;
    out.hash_function =
        builtin_.family_function(hash->family, hash->input_type, hash->input_type, 1);
    out.hash_eq = builtin_.family_operator(hash->family, hash->input_type, hash->input_type, 1);
    if (!out.eq) out.eq = out.hash_eq;
  }
  return out;
}

}  // namespace orrery
