// From rows to entries, field by field.
#include "catalog/builtin.h"
#include "catalog/columns.h"

namespace orrery {
namespace {

uint8_t alignment_bytes(char typalign) {
  switch (typalign) {
    case 'c': return 1;
    case 's': return 2;
    case 'i': return 4;
    default:  return 8;
  }
}

}  // namespace

ColumnDesc CatalogType::column(int32_t column_typmod) const {
  ColumnDesc desc;
  desc.type = oid;
  desc.typmod = column_typmod;
  desc.length = io.length;
  desc.alignment = io.alignment;
  desc.by_value = io.by_value;
  desc.storage = storage == 'x'   ? ColumnStorage::extended
                 : storage == 'e' ? ColumnStorage::external
                 : storage == 'm' ? ColumnStorage::main
                                  : ColumnStorage::plain;
  desc.collation = collation;
  return desc;
}

std::unique_ptr<CatalogType> make_type(const CatalogRow& row) {
  using namespace pg_type;
  auto type = std::make_unique<CatalogType>();
  type->oid = row.get<Oid>(oid);
  type->nsp = row.get<Oid>(typnamespace);
  type->owner = row.get<Oid>(typowner);
  type->name = row.name(typname);
  type->type = row.get<char>(typtype);
  type->category = row.get<char>(typcategory);
  type->preferred = row.get<bool>(typispreferred);
  type->defined = row.get<bool>(typisdefined);
  type->relation = row.get<Oid>(typrelid);
  type->element = row.get<Oid>(typelem);
  type->array = row.get<Oid>(typarray);
  type->subscript = row.get<Oid>(typsubscript);
  type->input = row.get<Oid>(typinput);
  type->output = row.get<Oid>(typoutput);
  type->receive = row.get<Oid>(typreceive);
  type->send = row.get<Oid>(typsend);
  type->typmod_in = row.get<Oid>(typmodin);
  type->typmod_out = row.get<Oid>(typmodout);
  type->storage = row.get<char>(typstorage);
  type->not_null = row.get<bool>(typnotnull);
  type->base_type = row.get<Oid>(typbasetype);
  type->typmod = row.get<int32_t>(typtypmod);
  type->dimensions = row.get<int32_t>(typndims);
  type->collation = row.get<Oid>(typcollation);
  type->default_text = row.text(typdefault);
  type->io.oid = type->oid;
  type->io.name = type->name;
  type->io.length = row.get<int16_t>(typlen);
  type->io.by_value = row.get<bool>(typbyval);
  type->io.alignment = alignment_bytes(row.get<char>(typalign));
  type->io.delimiter = row.get<char>(typdelim);
  type->io.element = type->is_true_array() ? type->element : kInvalidOid;
  type->io.array = type->array;
  if (const TypeInfo* known = find_builtin_type(type->oid)) {
    type->io.input = known->input;
    type->io.output = known->output;
    type->io.receive = known->receive;
    type->io.send = known->send;
    type->io.compare = known->compare;
    type->io.hash = known->hash;
  }
  return type;
}

std::unique_ptr<FunctionInfo> make_function(const CatalogRow& row) {
  using namespace pg_proc;
  auto function = std::make_unique<FunctionInfo>();
  function->oid = row.get<Oid>(oid);
  function->name = row.name(proname);
  function->nsp = row.get<Oid>(pronamespace);
  function->owner = row.get<Oid>(proowner);
  function->language = row.get<Oid>(prolang);
  function->cost = row.get<float>(procost);
  function->rows = row.get<float>(prorows);
  function->variadic = row.get<Oid>(provariadic);
  function->support = row.get<Oid>(prosupport);
  function->kind = row.get<char>(prokind);
  function->security_definer = row.get<bool>(prosecdef);
  function->leakproof = row.get<bool>(proleakproof);
  function->strict = row.get<bool>(proisstrict);
  function->returns_set = row.get<bool>(proretset);
  function->volatility = static_cast<Volatility>(row.get<char>(provolatile));
  function->parallel = row.get<char>(proparallel);
  function->defaults = row.get<int16_t>(pronargdefaults);
  function->result = row.get<Oid>(prorettype);
  function->args = row.oids(proargtypes);
  function->all_args = row.oids(proallargtypes);
  function->modes = row.chars(proargmodes);
  for (std::string_view name : row.texts(proargnames)) function->names.emplace_back(name);
  function->default_exprs = row.text(proargdefaults);
  function->source = row.text(prosrc);
  function->binary = row.text(probin);
  function->sql_body = row.text(prosqlbody);
  return function;
}

std::unique_ptr<OperatorInfo> make_operator(const CatalogRow& row) {
  using namespace pg_operator;
  auto op = std::make_unique<OperatorInfo>();
  op->oid = row.get<Oid>(oid);
  op->name = row.name(oprname);
  op->nsp = row.get<Oid>(oprnamespace);
  op->owner = row.get<Oid>(oprowner);
  op->kind = row.get<char>(oprkind);
  op->can_merge = row.get<bool>(oprcanmerge);
  op->can_hash = row.get<bool>(oprcanhash);
  op->left = row.get<Oid>(oprleft);
  op->right = row.get<Oid>(oprright);
  op->result = row.get<Oid>(oprresult);
  op->commutator = row.get<Oid>(oprcom);
  op->negator = row.get<Oid>(oprnegate);
  op->function = row.get<Oid>(oprcode);
  op->restrict_estimator = row.get<Oid>(oprrest);
  op->join_estimator = row.get<Oid>(oprjoin);
  return op;
}

std::unique_ptr<CastInfo> make_cast(const CatalogRow& row) {
  using namespace pg_cast;
  auto cast = std::make_unique<CastInfo>();
  cast->oid = row.get<Oid>(oid);
  cast->source = row.get<Oid>(castsource);
  cast->target = row.get<Oid>(casttarget);
  cast->function = row.get<Oid>(castfunc);
  cast->context = static_cast<CastContext>(row.get<char>(castcontext));
  cast->method = static_cast<CastMethod>(row.get<char>(castmethod));
  return cast;
}

std::unique_ptr<AggregateInfo> make_aggregate(const CatalogRow& row) {
  using namespace pg_aggregate;
  auto aggregate = std::make_unique<AggregateInfo>();
  aggregate->function = row.get<Oid>(aggfnoid);
  aggregate->kind = row.get<char>(aggkind);
  aggregate->direct_args = row.get<int16_t>(aggnumdirectargs);
  aggregate->transition = row.get<Oid>(aggtransfn);
  aggregate->final = row.get<Oid>(aggfinalfn);
  aggregate->combine = row.get<Oid>(aggcombinefn);
  aggregate->moving_transition = row.get<Oid>(aggmtransfn);
  aggregate->moving_inverse = row.get<Oid>(aggminvtransfn);
  aggregate->moving_final = row.get<Oid>(aggmfinalfn);
  aggregate->sort_operator = row.get<Oid>(aggsortop);
  aggregate->transition_type = row.get<Oid>(aggtranstype);
  aggregate->transition_space = row.get<int32_t>(aggtransspace);
  aggregate->has_initial_value = !row.is_null(agginitval);
  aggregate->initial_value = row.text(agginitval);
  return aggregate;
}

std::unique_ptr<OpclassInfo> make_opclass(const CatalogRow& row) {
  using namespace pg_opclass;
  auto opclass = std::make_unique<OpclassInfo>();
  opclass->oid = row.get<Oid>(oid);
  opclass->method = row.get<Oid>(opcmethod);
  opclass->name = row.name(opcname);
  opclass->nsp = row.get<Oid>(opcnamespace);
  opclass->owner = row.get<Oid>(opcowner);
  opclass->family = row.get<Oid>(opcfamily);
  opclass->input_type = row.get<Oid>(opcintype);
  opclass->is_default = row.get<bool>(opcdefault);
  opclass->key_type = row.get<Oid>(opckeytype);
  return opclass;
}

std::unique_ptr<CollationInfo> make_collation(const CatalogRow& row) {
  using namespace pg_collation;
  auto collation = std::make_unique<CollationInfo>();
  collation->oid = row.get<Oid>(oid);
  collation->name = row.name(collname);
  collation->nsp = row.get<Oid>(collnamespace);
  collation->owner = row.get<Oid>(collowner);
  collation->provider = row.get<char>(collprovider);
  collation->deterministic = row.get<bool>(collisdeterministic);
  return collation;
}

}  // namespace orrery
