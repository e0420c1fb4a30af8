// Parse tree expressions to typed ones, node kind by node kind.
// The parser has many more node kinds than stand here: what is not listed is refused by name.
#pragma GCC diagnostic ignored "-Wswitch-enum"

#include "analyze/recursion.h"
#include "analyze/transform.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

BooleanTestKind boolean_test_kind(BoolTestType t) {
  switch (t) {
    case BoolTestType::is_true:        return BooleanTestKind::is_true;
    case BoolTestType::is_not_true:    return BooleanTestKind::is_not_true;
    case BoolTestType::is_false:       return BooleanTestKind::is_false;
    case BoolTestType::is_not_false:   return BooleanTestKind::is_not_false;
    case BoolTestType::is_unknown:     return BooleanTestKind::is_unknown;
    case BoolTestType::is_not_unknown: return BooleanTestKind::is_not_unknown;
  }
  UNREACHABLE();
}

}  // namespace

Result<Expr*> Transform::expression(Scope& scope, const Node* node, Clause clause) {
  const Clause before = scope.clause;
  scope.clause = clause;
  Result<Expr*> made = expr(scope, node);
  scope.clause = before;
  return made;
}

Result<Expr*> Transform::condition(Scope& scope, const Node* node, Clause clause) {
  Expr* made = TRY(expression(scope, node, clause));
  if (made->type == type_oid::bool_) return made;
  const Oid from = made->type;
  if (TRY(can_coerce(from, type_oid::bool_, CoercionContext::assignment))) {
    Expr* coerced = TRY(coerce(&scope, made, type_oid::bool_, -1, CoercionContext::assignment,
                               CallForm::implicit_cast, -1));
    if (coerced != nullptr) return coerced;
  }
  return error(
      sqlstate::datatype_mismatch,
      cat("argument of ", clause_name(clause), " must be type boolean, not type ", name_of(from)),
      made->location);
}

namespace {

// The expression forms, each a function so that expr() stays a list.
struct Forms {
  Transform& t;
  Scope& scope;
  AnalyzeContext& context = t.context_;

  Result<Expr*> constant(const A_Const& c) {
    switch (c.kind) {
      case ConstKind::null: return t.make_constant(type_oid::unknown, {}, -2, true, c.location);
      case ConstKind::integer:
        return t.make_constant(type_oid::int4, {Datum::of(c.ival), false}, 4, false, c.location);
      case ConstKind::boolean: return t.make_bool(c.boolval, c.location);
      case ConstKind::string:  {
        const std::string_view text = t.arena_.copy(c.text);
        return t.make_constant(type_oid::unknown,
                               {Datum::of(static_cast<const void*>(text.data())), false}, -2, true,
                               c.location);
      }
      case ConstKind::float_: {
        const size_t digits = c.text.starts_with('-') ? 1 : 0;
        const bool integral =
            c.text.find_first_not_of("0123456789", digits) == std::string_view::npos;
        if (integral) {
          Result<Datum> big = input_value(t.arena_, context.session.types, type_oid::int8, c.text);
          if (big.ok() && big->as<int64_t>() == std::numeric_limits<int32_t>::min()) {
            const Datum least = Datum::of(std::numeric_limits<int32_t>::min());
            return t.make_constant(type_oid::int4, {least, false}, 4, false, c.location);
          }
          if (big.ok()) return t.make_constant(type_oid::int8, {*big, false}, 8, false, c.location);
        }
        const Datum value =
            TRY(input_value(t.arena_, context.session.types, type_oid::numeric, c.text));
        return t.make_constant(type_oid::numeric, {value, false}, -1, true, c.location);
      }
      case ConstKind::bitstring: {
        Result<Datum> value = input_value(t.arena_, context.session.types, type_oid::bit, c.text);
        if (!value.ok())
          return std::move(value).status().at(error_position(context.text, c.location));
        return t.make_constant(type_oid::bit, {*value, false}, -1, true, c.location);
      }
    }
    UNREACHABLE();
  }

  Result<Expr*> param(const ParamRef& p) {
    if (context.param_types == nullptr || p.number <= 0 || p.number > 65535) {
      return t.error(sqlstate::undefined_parameter, cat("there is no parameter $", p.number),
                     p.location);
    }
    auto& types = *context.param_types;
    if (types.size() < static_cast<size_t>(p.number)) types.resize(static_cast<size_t>(p.number));
    Oid& known = types[static_cast<size_t>(p.number - 1)];
    if (known == type_oid::unknown) known = kInvalidOid;
    auto* made = t.node<ParamExpr>(ExprTag::param, known ? known : type_oid::unknown, p.location);
    made->kind = ParamKind::external;
    made->id = p.number;
    if (known) made->collation = TRY(t.type(known))->collation;
    return made;
  }

  Result<Expr*> bool_expr(const BoolExpr& b) {
    std::vector<Expr*> args;
    const std::string_view name = b.boolop == BoolExprType::and_  ? "AND"
                                  : b.boolop == BoolExprType::or_ ? "OR"
                                                                  : "NOT";
    for (const Node* arg : b.args) {
      Expr* made = TRY(t.expr(scope, arg));
      args.push_back(TRY(to_bool(made, name)));
    }
    const BooleanKind kind = b.boolop == BoolExprType::and_  ? BooleanKind::and_
                             : b.boolop == BoolExprType::or_ ? BooleanKind::or_
                                                             : BooleanKind::not_;
    return t.make_boolean(kind, t.arena_.copy_array(args), b.location);
  }

  Result<Expr*> to_bool(Expr* e, std::string_view construct) {
    if (e->type == type_oid::bool_) return e;
    Expr* made = TRY(t.can_coerce(e->type, type_oid::bool_, CoercionContext::assignment))
                     ? TRY(t.coerce(&scope, e, type_oid::bool_, -1, CoercionContext::assignment,
                                    CallForm::implicit_cast, -1))
                     : nullptr;
    if (made != nullptr) return made;
    return t.error(
        sqlstate::datatype_mismatch,
        cat("argument of ", construct, " must be type boolean, not type ", t.name_of(e->type)),
        e->location);
  }

  Result<Expr*> case_expr(const CaseExpr& c) {
    auto* made = t.node<CaseNode>(ExprTag::case_, kInvalidOid, c.location);
    made->arg = nullptr;
    Expr* test = nullptr;
    if (c.arg != nullptr) {
      Expr* arg = TRY(t.expr(scope, c.arg));
      if (arg->type == type_oid::unknown)
        arg = TRY(t.coerce(&scope, arg, type_oid::text, -1, CoercionContext::implicit,
                           CallForm::implicit_cast, -1));
      made->arg = arg;
      test = t.node<CaseTestExpr>(ExprTag::case_test, arg->type, -1);
      test->typmod = arg->typmod;
      test->collation = arg->collation;
    }
    std::vector<CaseArm> arms;
    std::vector<Expr*> results;
    for (const CaseWhen* when : c.args) {
      CaseArm arm{};
      if (test != nullptr) {
        Expr* value = TRY(t.expr(scope, when->expr));
        static constexpr std::string_view kEquals[] = {"="};
        arm.when = TRY(t.operator_call(&scope, Names(kEquals), test, value, when->expr->location));
      } else {
        arm.when = TRY(t.expr(scope, when->expr));
      }
      arm.when = TRY(to_bool(arm.when, "CASE/WHEN"));
      arm.then = TRY(t.expr(scope, when->result));
      arms.push_back(arm);
      results.push_back(arm.then);
    }
    Expr* otherwise = c.defresult == nullptr ? t.make_constant(type_oid::unknown, {}, -2, true, -1)
                                             : TRY(t.expr(scope, c.defresult));
    std::vector<Expr*> order{otherwise};  // ELSE is considered first, as in PostgreSQL
    order.insert(order.end(), results.begin(), results.end());
    const Oid type = TRY(t.common_type(order, "CASE"));
    for (CaseArm& arm : arms)
      arm.then = TRY(t.coerce_to_common(&scope, arm.then, type, "CASE/WHEN"));
    made->otherwise = TRY(t.coerce_to_common(&scope, otherwise, type, "CASE/ELSE"));
    made->whens = t.arena_.copy_array(arms);
    made->type = type;
    std::vector<Expr*> all{made->otherwise};
    for (const CaseArm& arm : arms) all.push_back(arm.then);
    made->typmod = t.common_typmod(all, type);
    made->collation = TRY(t.type(type))->collation;
    return made;
  }

  Result<std::vector<Expr*>> same_type(NodeList nodes, std::string_view what, Oid* type) {
    std::vector<Expr*> args;
    for (const Node* arg : nodes) args.push_back(TRY(t.expr(scope, arg)));
    *type = TRY(t.common_type(args, what));
    for (Expr*& arg : args) arg = TRY(t.coerce_to_common(&scope, arg, *type, what));
    return args;
  }

  Result<Expr*> coalesce(const CoalesceExpr& c) {
    Oid type;
    const std::vector<Expr*> args = TRY(same_type(c.args, "COALESCE", &type));
    auto* made = t.node<CoalesceNode>(ExprTag::coalesce, type, c.location);
    made->args = t.arena_.copy_array(args);
    made->typmod = t.common_typmod(args, type);
    made->collation = TRY(t.type(type))->collation;
    return made;
  }
  Result<Expr*> min_max(const MinMaxExpr& m) {
    Oid type;
    const std::vector<Expr*> args =
        TRY(same_type(m.args, m.op == MinMaxOp::greatest ? "GREATEST" : "LEAST", &type));
    auto* made = t.node<MinMaxNode>(ExprTag::min_max, type, m.location);
    made->greatest = m.op == MinMaxOp::greatest;
    made->args = t.arena_.copy_array(args);
    made->typmod = t.common_typmod(args, type);
    made->collation = TRY(t.type(type))->collation;
    return made;
  }

  Result<Expr*> array(const A_ArrayExpr& a, Oid wanted_array) {
    std::vector<Expr*> elements;
    bool nested = false;
    for (const Node* element : a.elements) {
      const auto* inner = as_if<A_ArrayExpr>(element);
      Expr* e = inner != nullptr ? TRY(array(*inner, wanted_array)) : TRY(t.expr(scope, element));
      if (inner != nullptr ||
          (e->type != type_oid::unknown && TRY(t.type(e->type))->is_true_array() &&
           wanted_array == kInvalidOid))
        nested = true;
      elements.push_back(e);
    }
    Oid element_type;
    Oid array_type;
    if (wanted_array) {
      array_type = wanted_array;
      element_type = nested ? wanted_array : TRY(t.type(wanted_array))->element;
    } else if (elements.empty()) {
      return t
          .error(sqlstate::indeterminate_datatype, "cannot determine type of empty array",
                 a.location)
          .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].");
    } else {
      element_type = TRY(t.common_type(elements, "ARRAY"));
      if (nested) {
        array_type = element_type;
      } else {
        array_type = TRY(context.catalog.array_type(context.fiber, element_type));
        if (!array_type) {
          return t.error(sqlstate::undefined_object,
                         cat("could not find array type for data type ", t.name_of(element_type)),
                         a.location);
        }
      }
    }
    auto* made = t.node<ArrayExpr>(ExprTag::array, array_type, a.location);
    for (Expr*& e : elements) {
      if (wanted_array) {
        Expr* coerced = TRY(t.coerce(&scope, e, element_type, -1, CoercionContext::explicit_,
                                     CallForm::explicit_cast, e->location));
        if (coerced == nullptr)
          return t.error(
              sqlstate::cannot_coerce,
              cat("cannot cast type ", t.name_of(e->type), " to ", t.name_of(element_type)),
              e->location);
        e = coerced;
      } else {
        e = TRY(t.coerce_to_common(&scope, e, element_type, "ARRAY"));
      }
      if (e->collation) made->collation = e->collation;
    }
    made->element_type = TRY(t.type(array_type))->element;
    made->multidims = nested;
    made->elements = t.arena_.copy_array(elements);
    return made;
  }

  Result<Expr*> cast(const TypeCast& c) {
    const TypeAndMod target = TRY(resolve_type_name(context, *c.type_name));
    const int location = c.location >= 0 ? c.location : c.type_name->location;
    if (const auto* a = as_if<A_ArrayExpr>(c.arg)) {
      const Oid base = TRY(context.catalog.base_type(context.fiber, target.type, nullptr));
      const CatalogType* info = TRY(t.type(base));
      if (info->is_true_array()) {
        Expr* made = TRY(array(*a, info->oid));
        return t.apply_typmod(made, target.typmod, CoercionContext::explicit_,
                              CallForm::explicit_cast, location);
      }
    }
    Expr* arg = TRY(t.expr(scope, c.arg));
    const Oid from = arg->type;
    Expr* made = TRY(t.coerce(&scope, arg, target.type, target.typmod, CoercionContext::explicit_,
                              CallForm::explicit_cast, location));
    if (made == nullptr) {
      return t.error(sqlstate::cannot_coerce,
                     cat("cannot cast type ", t.name_of(from), " to ", t.name_of(target.type)),
                     location);
    }
    return made;
  }

  Result<Expr*> sublink(const SubLink& s) {
    scope.has_sublinks = true;
    const RecursionPlace place(t, "a subquery");
    Query* query = TRY(t.select(*s.subselect, &scope));
    size_t width = 0;
    for (const TargetEntry& target : query->targets) width += !target.junk;
    auto* made = t.node<SublinkExpr>(ExprTag::sublink, type_oid::bool_, s.location);
    made->subquery = query;
    made->test = nullptr;
    if (s.sub_link_type == SubLinkType::exists) {
      made->kind = SublinkKind::exists;
      return made;
    }
    if (s.sub_link_type == SubLinkType::expr || s.sub_link_type == SubLinkType::array) {
      if (width != 1)
        return t.error(sqlstate::syntax_error, "subquery must return only one column", s.location);
      const Expr& column = *query->targets[0].expr;
      made->kind =
          s.sub_link_type == SubLinkType::expr ? SublinkKind::expression : SublinkKind::array;
      made->type = column.type;
      made->typmod = column.typmod;
      made->collation = column.collation;
      if (made->kind == SublinkKind::array) {
        made->type = TRY(context.catalog.array_type(context.fiber, column.type));
        if (!made->type)
          return t.error(sqlstate::undefined_object,
                         cat("could not find array type for data type ", t.name_of(column.type)),
                         s.location);
      }
      return made;
    }
    made->kind = s.sub_link_type == SubLinkType::any ? SublinkKind::any : SublinkKind::all;
    static constexpr std::string_view kEquals[] = {"="};
    const Names op = s.oper_name.empty() ? Names(kEquals) : s.oper_name;
    made->op_name = op.back();
    std::vector<Expr*> left;
    if (const auto* row = as_if<RowExpr>(s.testexpr)) {
      for (const Node* field : row->args) left.push_back(TRY(t.expr(scope, field)));
    } else {
      left.push_back(TRY(t.expr(scope, s.testexpr)));
    }
    if (left.size() < width)
      return t.error(sqlstate::syntax_error, "subquery has too many columns", s.location);
    if (left.size() > width)
      return t.error(sqlstate::syntax_error, "subquery has too few columns", s.location);
    std::vector<Expr*> tests;
    for (size_t i = 0; i < width; ++i) {
      const Expr& column = *query->targets[i].expr;
      auto* param = t.node<ParamExpr>(ExprTag::param, column.type, -1);
      param->kind = ParamKind::exec;
      param->id = static_cast<int>(i);
      param->typmod = column.typmod;
      param->collation = column.collation;
      tests.push_back(TRY(t.operator_call(&scope, op, left[i], param, s.location)));
      if (tests.back()->type != type_oid::bool_)
        return t.error(sqlstate::datatype_mismatch,
                       cat("operator ", op.back(), " must return type boolean, not type ",
                           t.name_of(tests.back()->type)),
                       s.location);
    }
    if (tests.size() > 1 && op.back() != "=" && op.back() != "<>")
      return unsupported("row comparison with a subquery by ordering");
    made->test = tests.size() == 1
                     ? tests[0]
                     : t.make_boolean(op.back() == "=" ? BooleanKind::and_ : BooleanKind::or_,
                                      t.arena_.copy_array(tests), s.location);
    return made;
  }

  Result<Expr*> indirection(const A_Indirection& a) {
    Expr* made = TRY(t.expr(scope, a.arg));
    size_t at = 0;
    while (at < a.indirection.size()) {
      const Node* step = a.indirection[at];
      if (step->tag == NodeTag::A_Indices) {
        const size_t first = at;
        while (at < a.indirection.size() && a.indirection[at]->tag == NodeTag::A_Indices) ++at;
        made = TRY(t.subscript(scope, made, a.indirection.subspan(first, at - first), a.location));
        continue;
      }
      if (step->tag == NodeTag::String)
        return unsupported("selection of a field of a composite value");
      return t.error(sqlstate::feature_not_supported,
                     "row expansion via \"*\" is not supported here", a.location);
    }
    return made;
  }
  Result<Expr*> row(const RowExpr& r) {
    auto* made = t.node<RowNode>(ExprTag::row, type_oid::record, r.location);
    std::vector<Expr*> fields;
    std::vector<std::string_view> names;
    for (const Node* field : r.args) {
      const auto* ref = as_if<ColumnRef>(field);
      if (ref != nullptr && ref->is_star) return unsupported("* inside ROW()");
      Expr* e = TRY(t.expr(scope, field));
      if (e->type == type_oid::unknown)
        e = TRY(t.coerce(&scope, e, type_oid::text, -1, CoercionContext::implicit,
                         CallForm::implicit_cast, -1));
      fields.push_back(e);
      names.push_back(t.arena_.copy(cat("f", fields.size())));
    }
    made->fields = t.arena_.copy_array(fields);
    made->names = t.arena_.copy_array(names);
    made->explicit_row = r.row_format == RowFormat::explicit_;
    return made;
  }

  Result<Expr*> null_test(const NullTest& n) {
    Expr* arg = TRY(t.expr(scope, n.arg));
    if (arg->type == type_oid::unknown)
      arg = TRY(t.coerce(&scope, arg, type_oid::text, -1, CoercionContext::implicit,
                         CallForm::implicit_cast, -1));
    auto* made = t.node<NullTestExpr>(ExprTag::null_test, type_oid::bool_, n.location);
    made->arg = arg;
    made->is_null = n.nulltesttype == NullTestType::is_null;
    made->row_type = arg->tag == ExprTag::row;
    return made;
  }

  Result<Expr*> sql_value(const SqlValueFunction& f) {
    using Op = SqlValueFunctionOp;
    SqlValueKind kind{};
    Oid type;
    switch (f.op) {
      case Op::current_date:
        kind = SqlValueKind::current_date;
        type = type_oid::date;
        break;
      case Op::current_time:
      case Op::current_time_n:
        kind = SqlValueKind::current_time;
        type = type_oid::timetz;
        break;
      case Op::current_timestamp:
      case Op::current_timestamp_n:
        kind = SqlValueKind::current_timestamp;
        type = type_oid::timestamptz;
        break;
      case Op::localtime:
      case Op::localtime_n:
        kind = SqlValueKind::localtime;
        type = type_oid::time;
        break;
      case Op::localtimestamp:
      case Op::localtimestamp_n:
        kind = SqlValueKind::localtimestamp;
        type = type_oid::timestamp;
        break;
      case Op::current_role:
        kind = SqlValueKind::current_role;
        type = type_oid::name;
        break;
      case Op::current_user:
        kind = SqlValueKind::current_user;
        type = type_oid::name;
        break;
      case Op::user:
        kind = SqlValueKind::user;
        type = type_oid::name;
        break;
      case Op::session_user:
        kind = SqlValueKind::session_user;
        type = type_oid::name;
        break;
      case Op::current_catalog:
        kind = SqlValueKind::current_catalog;
        type = type_oid::name;
        break;
      case Op::current_schema:
        kind = SqlValueKind::current_schema;
        type = type_oid::name;
        break;
    }
    auto* made = t.node<SqlValueExpr>(ExprTag::sql_value, type, f.location);
    made->kind = kind;
    made->typmod = f.typmod;
    made->collation = type == type_oid::name ? kCCollation : kInvalidOid;
    return made;
  }

  Result<Expr*> collate(const CollateClause& c) {
    Expr* arg = TRY(t.expr(scope, c.arg));
    if (arg->type == type_oid::unknown)
      arg = TRY(t.coerce(&scope, arg, type_oid::text, -1, CoercionContext::implicit,
                         CallForm::implicit_cast, -1));
    if (!TRY(t.type(arg->type))->collation) {
      return t.error(sqlstate::datatype_mismatch,
                     cat("collations are not supported by type ", t.name_of(arg->type)),
                     c.location);
    }
    SearchPath one;
    const SearchPath* path = &context.path;
    if (c.collname.size() > 1) {
      const std::string_view schema = c.collname[c.collname.size() - 2];
      const Oid nsp = TRY(context.catalog.nsp_oid(context.fiber, schema));
      one.namespaces = {nsp};
      path = &one;
    }
    const Oid collation =
        TRY(context.catalog.find_collation(context.fiber, *path, c.collname.back()));
    if (!collation) {
      return t.error(
          sqlstate::undefined_object,
          cat("collation \"", join(c.collname, "."), "\" for encoding \"UTF8\" does not exist"),
          c.location);
    }
    auto* made = t.node<RelabelExpr>(ExprTag::relabel, arg->type, c.location);
    made->arg = arg;
    made->typmod = arg->typmod;
    made->collation = collation;
    made->form = CallForm::explicit_cast;
    return made;
  }

  Result<Expr*> grouping(const GroupingFunc& g) {
    auto* made = t.node<GroupingExpr>(ExprTag::grouping, type_oid::int4, g.location);
    if (g.args.size() > 31)
      return t.error(sqlstate::too_many_arguments, "GROUPING must have fewer than 32 arguments",
                     g.location);
    std::vector<Expr*> args;
    for (const Node* arg : g.args) args.push_back(TRY(t.expr(scope, arg)));
    made->args = t.arena_.copy_array(args);
    scope.has_aggregates = true;
    return made;
  }
};

}  // namespace

Result<Expr*> Transform::expr(Scope& scope, const Node* node) {
  const RecursionLevel level(context_.fiber);
  TRY(level.check());
  Forms forms{*this, scope};
  switch (node->tag) {
    case NodeTag::A_Const:      return forms.constant(as<A_Const>(*node));
    case NodeTag::ColumnRef:    return column_ref(scope, as<ColumnRef>(*node));
    case NodeTag::ParamRef:     return forms.param(as<ParamRef>(*node));
    case NodeTag::A_Expr:       return operator_expression(scope, as<A_Expr>(*node));
    case NodeTag::BoolExpr:     return forms.bool_expr(as<BoolExpr>(*node));
    case NodeTag::FuncCall:     return function_call(scope, as<FuncCall>(*node));
    case NodeTag::TypeCast:     return forms.cast(as<TypeCast>(*node));
    case NodeTag::CaseExpr:     return forms.case_expr(as<CaseExpr>(*node));
    case NodeTag::CoalesceExpr: return forms.coalesce(as<CoalesceExpr>(*node));
    case NodeTag::MinMaxExpr:   return forms.min_max(as<MinMaxExpr>(*node));
    case NodeTag::NullTest:     return forms.null_test(as<NullTest>(*node));
    case NodeTag::BooleanTest:  {
      const auto& b = as<BooleanTest>(*node);
      Expr* arg = TRY(expr(scope, b.arg));
      auto* made = this->node<BooleanTestExpr>(ExprTag::boolean_test, type_oid::bool_, b.location);
      made->kind = boolean_test_kind(b.booltesttype);
      static constexpr std::string_view kNames[] = {
          "IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"};
      made->arg = TRY(forms.to_bool(arg, kNames[static_cast<size_t>(made->kind)]));
      return made;
    }
    case NodeTag::SubLink:          return forms.sublink(as<SubLink>(*node));
    case NodeTag::A_ArrayExpr:      return forms.array(as<A_ArrayExpr>(*node), kInvalidOid);
    case NodeTag::A_Indirection:    return forms.indirection(as<A_Indirection>(*node));
    case NodeTag::RowExpr:          return forms.row(as<RowExpr>(*node));
    case NodeTag::SqlValueFunction: return forms.sql_value(as<SqlValueFunction>(*node));
    case NodeTag::CollateClause:    return forms.collate(as<CollateClause>(*node));
    case NodeTag::GroupingFunc:     return forms.grouping(as<GroupingFunc>(*node));
    case NodeTag::SetToDefault:
      return error(sqlstate::syntax_error, "DEFAULT is not allowed in this context",
                   node->location);
    default:
      return unsupported(node_tag_name(node->tag))
          .at(error_position(context_.text, node->location));
  }
}

}  // namespace orrery
