// Coercion: whether a value of one type can stand where another is wanted, and the expression that
// makes it so. PostgreSQL's rules: pg_cast with its contexts, binary compatibility, I/O conversion
// to and from the string category, arrays by element, domains by base type, polymorphic parameters
// by consistency.
#include "analyze/transform.h"
#include "base/text.h"
#include "func/large_work.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

enum class Path : uint8_t { none, relabel, function, via_io, array };
struct Pathway {
  Path path = Path::none;
  Oid function;
};

bool is_polymorphic(Oid type) {
  using namespace type_oid;
  return type == anyelement || type == anyarray || type == anynonarray || type == anyenum ||
         type == anyrange || type == anymultirange || type == anycompatible ||
         type == anycompatiblearray || type == anycompatiblenonarray ||
         type == anycompatiblerange || type == anycompatiblemultirange;
}

bool allowed(CastContext cast, CoercionContext how) {
  switch (cast) {
    case CastContext::implicit:   return true;
    case CastContext::assignment: return how != CoercionContext::implicit;
    case CastContext::explicit_:  return how == CoercionContext::explicit_;
  }
  return false;
}

Result<Pathway> find_pathway(Transform& t, Oid from, Oid to, CoercionContext how) {
  AnalyzeContext& c = t.context_;
  from = TRY(c.catalog.base_type(c.fiber, from, nullptr));
  to = TRY(c.catalog.base_type(c.fiber, to, nullptr));
  if (from == to) return Pathway{Path::relabel, {}};
  const CastInfo* cast = TRY(c.catalog.cast(c.fiber, from, to));
  if (cast != nullptr) {
    if (!allowed(cast->context, how)) return Pathway{};
    switch (cast->method) {
      case CastMethod::function: return Pathway{Path::function, cast->function};
      case CastMethod::binary:   return Pathway{Path::relabel, {}};
      case CastMethod::in_out:   return Pathway{Path::via_io, {}};
    }
  }
  const CatalogType* source = TRY(t.type(from));
  const CatalogType* target = TRY(t.type(to));
  if (source->is_true_array() && target->is_true_array() && to != type_oid::oidvector &&
      to != type_oid::int2vector) {
    const Pathway element = TRY(find_pathway(t, source->element, target->element, how));
    if (element.path != Path::none)
      return Pathway{element.path == Path::relabel ? Path::relabel : Path::array, element.function};
  }
  // Every type can be turned into a string by assignment, and a string into any type when asked for
  // explicitly.
  if (how != CoercionContext::implicit && target->category == 'S') return Pathway{Path::via_io, {}};
  if (how == CoercionContext::explicit_ && source->category == 'S')
    return Pathway{Path::via_io, {}};
  return Pathway{};
}

}  // namespace

Result<const CatalogType*> Transform::type(Oid oid) {
  const CatalogType* found = TRY(context_.catalog.type(context_.fiber, oid));
  if (found == nullptr)
    return raise(sqlstate::undefined_object, cat("type with OID ", oid, " does not exist"));
  return found;
}

Result<bool> Transform::binary_coercible(Oid from, Oid to) {
  if (from == to || to == type_oid::any) return true;
  from = TRY(context_.catalog.base_type(context_.fiber, from, nullptr));
  if (from == to) return true;
  const CatalogType* source = TRY(type(from));
  if (to == type_oid::anyarray && source->is_true_array()) return true;
  if (to == type_oid::anyelement) return true;
  if (to == type_oid::anynonarray && !source->is_true_array()) return true;
  if (to == type_oid::record && source->type == 'c') return true;
  const CastInfo* cast = TRY(context_.catalog.cast(context_.fiber, from, to));
  return cast != nullptr && cast->method == CastMethod::binary &&
         cast->context == CastContext::implicit;
}

Result<bool> Transform::can_coerce(Oid from, Oid to, CoercionContext how) {
  using namespace type_oid;
  if (from == to || to == any || is_polymorphic(to)) return true;
  if (from == unknown) return true;
  const Pathway way = TRY(find_pathway(*this, from, to, how));
  if (way.path != Path::none) return true;
  const CatalogType* source = TRY(type(from));
  const CatalogType* target = TRY(type(to));
  if (from == record && target->type == 'c') return true;
  if (to == record && source->type == 'c') return true;
  if (to != record_array || !source->is_true_array()) return false;
  const CatalogType* element = TRY(type(source->element));
  return element->type == 'c';
}

Result<bool> Transform::fits(std::span<const Oid> actual, std::span<const Oid> declared) {
  using namespace type_oid;
  Oid element;
  Oid array_element;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (!TRY(can_coerce(actual[i], declared[i], CoercionContext::implicit))) return false;
    if (actual[i] == unknown || !is_polymorphic(declared[i])) continue;
    const Oid base = TRY(context_.catalog.base_type(context_.fiber, actual[i], nullptr));
    const CatalogType* info = TRY(type(base));
    const bool wants_array = declared[i] == anyarray || declared[i] == anycompatiblearray;
    const bool wants_range = declared[i] == anyrange || declared[i] == anycompatiblerange;
    const bool wants_multirange =
        declared[i] == anymultirange || declared[i] == anycompatiblemultirange;
    if (wants_array && !info->is_true_array()) return false;
    if (wants_range && info->type != 'r') return false;
    if (wants_multirange && info->type != 'm') return false;
    if (declared[i] == anyenum && info->type != 'e') return false;
    if ((declared[i] == anynonarray || declared[i] == anycompatiblenonarray) &&
        info->is_true_array()) {
      return false;
    }
    if (declared[i] == anyarray) {
      if (array_element && array_element != info->element) return false;
      array_element = info->element;
    }
    if (declared[i] == anyelement || declared[i] == anynonarray || declared[i] == anyenum) {
      if (element && element != base) return false;
      element = base;
    }
  }
  if (element && array_element && element != array_element) return false;
  return compatible_agree(actual, declared);
}

// Whether the "anycompatible" parameters have a common type: of one category, to which all coerce.
Result<bool> Transform::compatible_agree(std::span<const Oid> actual,
                                         std::span<const Oid> declared) {
  using namespace type_oid;
  std::vector<Oid> members;
  for (size_t i = 0; i < actual.size(); ++i) {
    const bool plain = declared[i] == anycompatible || declared[i] == anycompatiblenonarray;
    if (actual[i] == unknown || (!plain && declared[i] != anycompatiblearray)) continue;
    const Oid base = TRY(context_.catalog.base_type(context_.fiber, actual[i], nullptr));
    const CatalogType* info = TRY(type(base));
    members.push_back(plain ? base : info->element);
  }
  if (members.empty()) return true;
  Oid common = members[0];
  for (Oid member : members) {
    if (member == common) continue;
    const CatalogType* a = TRY(type(common));
    const CatalogType* b = TRY(type(member));
    if (a->category != b->category) return false;
    const bool up = TRY(can_coerce(common, member, CoercionContext::implicit));
    const bool down = TRY(can_coerce(member, common, CoercionContext::implicit));
    if (!a->preferred && up && !down) common = member;
  }
  for (Oid member : members) {
    const bool coerces = TRY(can_coerce(member, common, CoercionContext::implicit));
    if (!coerces) return false;
  }
  return true;
}

Result<Expr*> Transform::apply_typmod(Expr* arg, int32_t typmod, CoercionContext how, CallForm form,
                                      int location) {
  if (typmod < 0 || arg->typmod == typmod) return arg;
  const Oid base = TRY(context_.catalog.base_type(context_.fiber, arg->type, nullptr));
  const CatalogType* info = TRY(type(base));
  const bool array = info->is_true_array();
  const Oid element = array ? info->element : base;
  const CastInfo* cast = TRY(context_.catalog.cast(context_.fiber, element, element));
  if (cast == nullptr || !cast->function) return arg;
  const FunctionInfo* function = TRY(context_.catalog.function(context_.fiber, cast->function));
  auto make_length_call = [&](Expr* value, Oid result) {
    std::vector<Expr*> args{
        value, make_constant(type_oid::int4, {Datum::of(typmod), false}, 4, false, -1)};
    if (function->args.size() > 2) args.push_back(make_bool(how == CoercionContext::explicit_, -1));
    auto* call = node<CallExpr>(ExprTag::call, result, location);
    call->function = cast->function;
    call->form = form;
    call->typmod = typmod;
    call->collation = value->collation;
    call->args = arena_.copy_array(args);
    return call;
  };
  if (!array) return make_length_call(arg, arg->type);
  auto* each = node<CaseTestExpr>(ExprTag::case_test, element, -1);
  each->typmod = arg->typmod;
  auto* coerced = node<ArrayCoerceExpr>(ExprTag::array_coerce, arg->type, location);
  coerced->arg = arg;
  coerced->element = make_length_call(each, element);
  coerced->typmod = typmod;
  coerced->form = form;
  coerced->collation = arg->collation;
  return coerced;
}

Result<Expr*> Transform::coerce(Scope* scope, Expr* arg, Oid to, int32_t typmod,
                                CoercionContext how, CallForm form, int location) {
  using namespace type_oid;
  const Oid from = arg->type;
  if (to == from || to == any || (is_polymorphic(to) && from != unknown)) {
    if (to == from) return apply_typmod(arg, typmod, how, form, location);
    return arg;
  }
  if (is_polymorphic(to)) return arg;
  if (from == unknown && arg->tag == ExprTag::constant) {
    auto& literal = as<ConstantExpr>(*arg);
    int32_t base_typmod = typmod;
    const Oid base = TRY(context_.catalog.base_type(context_.fiber, to, &base_typmod));
    const CatalogType* target = TRY(type(base));
    NullableDatum value;
    if (!literal.value.is_null) {
      // A length or precision is applied afterwards, by its cast; an interval is read with it.
      IoContext io{arena_, context_.session.types, base, base == interval ? base_typmod : -1};
      if (target->io.input == nullptr) return unsupported(cat("input of type ", name_of(base)));
      Result<Datum> made =
          read_text(context_.fiber, io, target->io, literal.value.value.as<const char*>());
      if (!made.ok())
        return std::move(made).status().at(error_position(context_.text, arg->location));
      value = {*made, false};
    }
    Expr* constant =
        make_constant(base, value, target->io.length, !target->io.by_value, arg->location);
    constant->collation = target->collation;
    if (base_typmod >= 0) {
      constant->typmod = base == interval ? base_typmod : -1;
      constant = TRY(apply_typmod(constant, base_typmod, how, form, location));
    }
    if (base == to) return constant;
    auto* domain = node<CoerceToDomainExpr>(ExprTag::coerce_to_domain, to, location);
    domain->arg = constant;
    domain->form = form;
    return domain;
  }
  if (arg->tag == ExprTag::param && as<ParamExpr>(*arg).kind == ParamKind::external &&
      from == unknown) {
    Oid& known = (*context_.param_types)[static_cast<size_t>(as<ParamExpr>(*arg).id - 1)];
    const Oid base = TRY(context_.catalog.base_type(context_.fiber, to, nullptr));
    if (!known) known = base;
    if (known != base) {
      return error(sqlstate::ambiguous_parameter,
                   cat("inconsistent types deduced for parameter $", as<ParamExpr>(*arg).id),
                   arg->location)
          .detail(cat(name_of(known), " versus ", name_of(base)));
    }
    arg->type = known;
    arg->collation = TRY(type(known))->collation;
    return coerce(scope, arg, to, typmod, how, form, location);
  }
  if (from == unknown) {  // an expression of unknown type: text by its nature
    auto* io = node<CoerceViaIoExpr>(ExprTag::coerce_via_io, to, location);
    io->arg = arg;
    io->form = form;
    return io;
  }
  const Pathway way = TRY(find_pathway(*this, from, to, how));
  const Oid base = TRY(context_.catalog.base_type(context_.fiber, to, nullptr));
  const CatalogType* target = TRY(type(base));
  Expr* made = nullptr;
  switch (way.path) {
    case Path::none:    break;
    case Path::relabel: {
      auto* relabel = node<RelabelExpr>(ExprTag::relabel, base, location);
      relabel->arg = arg;
      relabel->form = form;
      relabel->collation = target->collation;
      made = base == from ? arg : relabel;
      break;
    }
    case Path::function: {
      const FunctionInfo* function = TRY(context_.catalog.function(context_.fiber, way.function));
      std::vector<Expr*> args{arg};
      if (function->args.size() > 1)
        args.push_back(make_constant(int4, {Datum::of(typmod), false}, 4, false, -1));
      if (function->args.size() > 2)
        args.push_back(make_bool(how == CoercionContext::explicit_, -1));
      auto* call = node<CallExpr>(ExprTag::call, base, location);
      call->function = way.function;
      call->form = form;
      call->args = arena_.copy_array(args);
      call->collation = target->collation;
      call->input_collation = arg->collation;
      if (function->args.size() > 1) call->typmod = typmod;
      made = call;
      break;
    }
    case Path::via_io: {
      auto* io = node<CoerceViaIoExpr>(ExprTag::coerce_via_io, base, location);
      io->arg = arg;
      io->form = form;
      io->collation = target->collation;
      made = io;
      break;
    }
    case Path::array: {
      const Oid from_base = TRY(context_.catalog.base_type(context_.fiber, from, nullptr));
      const CatalogType* source = TRY(type(from_base));
      auto* each = node<CaseTestExpr>(ExprTag::case_test, source->element, -1);
      auto* coerced = node<ArrayCoerceExpr>(ExprTag::array_coerce, base, location);
      coerced->arg = arg;
      coerced->element = TRY(coerce(scope, each, target->element, typmod, how, form, location));
      if (coerced->element == nullptr) return nullptr;
      coerced->form = form;
      coerced->collation = target->collation;
      if (typmod >= 0) coerced->typmod = typmod;
      made = coerced;
      break;
    }
  }
  if (made == nullptr) {
    if (arg->tag == ExprTag::row && target->type == 'c') {
      return unsupported("conversion of a row to a composite type");
    }
    const bool record_like = to == record && TRY(type(from))->type == 'c';
    if (!record_like) return nullptr;
    auto* relabel = node<RelabelExpr>(ExprTag::relabel, to, location);
    relabel->arg = arg;
    relabel->form = form;
    return relabel;
  }
  made = TRY(apply_typmod(made, typmod, how, form, location));
  if (base == to) return made;
  auto* domain = node<CoerceToDomainExpr>(ExprTag::coerce_to_domain, to, location);
  domain->arg = made;
  domain->form = form;
  return domain;
}

Result<Expr*> Transform::coerce_to_common(Scope* scope, Expr* arg, Oid to, std::string_view what) {
  if (arg->type == to) return arg;
  if (TRY(can_coerce(arg->type, to, CoercionContext::implicit))) {
    Expr* made =
        TRY(coerce(scope, arg, to, -1, CoercionContext::implicit, CallForm::implicit_cast, -1));
    if (made != nullptr) return made;
  }
  return error(sqlstate::cannot_coerce,
               cat(what, " could not convert type ", name_of(arg->type), " to ", name_of(to)),
               arg->location);
}

Result<Expr*> Transform::assign(Scope* scope, Expr* value, Oid to, int32_t typmod,
                                std::string_view column, int location) {
  const Oid from = value->type;
  Expr* made = nullptr;
  if (TRY(can_coerce(from, to, CoercionContext::assignment))) {
    made = TRY(
        coerce(scope, value, to, typmod, CoercionContext::assignment, CallForm::implicit_cast, -1));
  }
  if (made != nullptr) return made;
  return error(sqlstate::datatype_mismatch,
               cat("column \"", column, "\" is of type ", name_of(to),
                   " but expression is of type ", name_of(from)),
               location)
      .hint("You will need to rewrite or cast the expression.");
}

Result<Oid> Transform::common_type(std::span<Expr* const> exprs, std::string_view what) {
  CHECK(!exprs.empty());
  // All the same, domains included: nothing to decide.
  Oid chosen = exprs[0]->type;
  if (chosen != type_oid::unknown) {
    bool same = true;
    for (const Expr* e : exprs) same = same && e->type == chosen;
    if (same) return chosen;
  }
  chosen = TRY(context_.catalog.base_type(context_.fiber, chosen, nullptr));
  const CatalogType* chosen_type = TRY(type(chosen));
  for (const Expr* e : exprs.subspan(1)) {
    const Oid next = TRY(context_.catalog.base_type(context_.fiber, e->type, nullptr));
    if (next == type_oid::unknown || next == chosen) continue;
    const CatalogType* next_type = TRY(type(next));
    if (chosen == type_oid::unknown) {
      chosen = next;
      chosen_type = next_type;
    } else if (next_type->category != chosen_type->category) {
      if (what.empty()) return kInvalidOid;
      return error(
          sqlstate::datatype_mismatch,
          cat(what, " types ", name_of(chosen), " and ", name_of(next), " cannot be matched"),
          e->location);
    } else if (!chosen_type->preferred &&
               TRY(can_coerce(chosen, next, CoercionContext::implicit)) &&
               !TRY(can_coerce(next, chosen, CoercionContext::implicit))) {
      chosen = next;
      chosen_type = next_type;
    }
  }
  return chosen == type_oid::unknown ? type_oid::text : chosen;
}

int32_t Transform::common_typmod(std::span<Expr* const> exprs, Oid wanted) {
  int32_t typmod = -1;
  bool first = true;
  for (const Expr* e : exprs) {
    if (e->type != wanted || (!first && e->typmod != typmod)) return -1;
    typmod = e->typmod;
    first = false;
  }
  return typmod;
}

// Decides what polymorphic parameters stand for, and replaces them in `declared`; returns the
// result type. The "any" family must agree exactly; the "anycompatible" family takes a common type.
Result<Oid> Transform::resolve_polymorphic(std::span<const Oid> actual, std::vector<Oid>& declared,
                                           Oid result, int location) {
  using namespace type_oid;
  Oid element, array;
  std::vector<Expr*> compatible;
  bool any_polymorphic = is_polymorphic(result);
  bool has_unknown = false;
  for (size_t i = 0; i < declared.size(); ++i) {
    any_polymorphic = any_polymorphic || is_polymorphic(declared[i]);
    const Oid given = actual[i] == unknown
                          ? unknown
                          : TRY(context_.catalog.base_type(context_.fiber, actual[i], nullptr));
    if (declared[i] == anyelement || declared[i] == anynonarray || declared[i] == anyenum) {
      if (given == unknown) {
        has_unknown = true;
        continue;
      }
      if (element && element != given) {
        return error(sqlstate::datatype_mismatch,
                     "arguments declared \"anyelement\" are not all alike", location)
            .detail(cat(name_of(element), " versus ", name_of(given)));
      }
      element = given;
    } else if (declared[i] == anyarray) {
      if (given == unknown) {
        has_unknown = true;
        continue;
      }
      if (array && array != given) {
        return error(sqlstate::datatype_mismatch,
                     "arguments declared \"anyarray\" are not all alike", location)
            .detail(cat(name_of(array), " versus ", name_of(given)));
      }
      array = given;
    } else if (declared[i] == anycompatible || declared[i] == anycompatiblenonarray) {
      if (given != unknown)
        compatible.push_back(node<CaseTestExpr>(ExprTag::case_test, given, location));
    } else if (declared[i] == anycompatiblearray && given != unknown) {
      compatible.push_back(
          node<CaseTestExpr>(ExprTag::case_test, TRY(type(given))->element, location));
    } else if (declared[i] == anyrange || declared[i] == anymultirange ||
               declared[i] == anycompatiblerange || declared[i] == anycompatiblemultirange) {
      return unsupported("a function over ranges");
    }
  }
  if (!any_polymorphic) return result;
  if (array) {
    const CatalogType* info = TRY(type(array));
    const Oid of_array = array == anyarray ? anyelement : info->element;
    if (!of_array || !(info->is_true_array() || info->element)) {
      return error(sqlstate::datatype_mismatch,
                   cat("argument declared anyarray is not an array but type ", name_of(array)),
                   location);
    }
    if (element && element != of_array) {
      return error(sqlstate::datatype_mismatch,
                   "argument declared anyarray is not consistent with argument declared anyelement",
                   location)
          .detail(cat(name_of(array), " versus ", name_of(element)));
    }
    element = of_array;
  }
  if (!element && has_unknown) {
    return error(sqlstate::datatype_mismatch,
                 "could not determine polymorphic type because input has type unknown", location);
  }
  if (element && !array) array = TRY(context_.catalog.array_type(context_.fiber, element));
  Oid common;
  Oid common_array;
  if (!compatible.empty()) {
    common = TRY(common_type(compatible, "arguments of anycompatible family"));
  } else {
    common = text;
  }
  common_array = TRY(context_.catalog.array_type(context_.fiber, common));
  auto replace = [&](Oid t) {
    if (t == anyelement || t == anynonarray || t == anyenum) return element;
    if (t == anyarray) return array;
    if (t == anycompatible || t == anycompatiblenonarray) return common;
    if (t == anycompatiblearray) return common_array;
    return t;
  };
  for (size_t i = 0; i < declared.size(); ++i) declared[i] = replace(declared[i]);
  const Oid out = replace(result);
  if (is_polymorphic(result) && !out) {
    return error(sqlstate::undefined_object,
                 cat("could not find array type for data type ", name_of(element)), location);
  }
  return out;
}

Expr* Transform::make_constant(Oid constant_type, NullableDatum value, int16_t length,
                               bool by_reference, int location) {
  auto* constant = node<ConstantExpr>(ExprTag::constant, constant_type, location);
  constant->value = value;
  constant->length = length;
  constant->by_reference = by_reference;
  return constant;
}

Expr* Transform::make_bool(bool value, int location) {
  return make_constant(type_oid::bool_, {Datum::of(value), false}, 1, false, location);
}

Result<Expr*> Transform::make_null(Oid null_type, int location) {
  const CatalogType* info = TRY(type(null_type));
  Expr* constant = make_constant(null_type, {}, info->io.length, !info->io.by_value, location);
  constant->collation = info->collation;
  return constant;
}

Expr* Transform::make_boolean(BooleanKind kind, std::span<Expr*> args, int location) {
  auto* e = node<BooleanExpr>(ExprTag::boolean, type_oid::bool_, location);
  e->kind = kind;
  e->args = args;
  return e;
}

}  // namespace orrery
