// Expressions back to SQL.
#include <algorithm>

#include "analyze/deparse_internal.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "types/type_io.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr int kCaseStep = 4;  // of indentation inside CASE

std::string_view sql_value_word(SqlValueKind kind) {
  switch (kind) {
    case SqlValueKind::current_date:      return "CURRENT_DATE";
    case SqlValueKind::current_time:      return "CURRENT_TIME";
    case SqlValueKind::current_timestamp: return "CURRENT_TIMESTAMP";
    case SqlValueKind::localtime:         return "LOCALTIME";
    case SqlValueKind::localtimestamp:    return "LOCALTIMESTAMP";
    case SqlValueKind::current_role:      return "CURRENT_ROLE";
    case SqlValueKind::current_user:      return "CURRENT_USER";
    case SqlValueKind::user:              return "USER";
    case SqlValueKind::session_user:      return "SESSION_USER";
    case SqlValueKind::current_catalog:   return "CURRENT_CATALOG";
    case SqlValueKind::current_schema:    return "CURRENT_SCHEMA";
  }
  UNREACHABLE();
}

std::string_view boolean_test_words(BooleanTestKind kind) {
  switch (kind) {
    case BooleanTestKind::is_true:        return " IS TRUE";
    case BooleanTestKind::is_not_true:    return " IS NOT TRUE";
    case BooleanTestKind::is_false:       return " IS FALSE";
    case BooleanTestKind::is_not_false:   return " IS NOT FALSE";
    case BooleanTestKind::is_unknown:     return " IS UNKNOWN";
    case BooleanTestKind::is_not_unknown: return " IS NOT UNKNOWN";
  }
  UNREACHABLE();
}

std::string_view row_compare_word(RowCompareKind kind) {
  switch (kind) {
    case RowCompareKind::lt: return "<";
    case RowCompareKind::le: return "<=";
    case RowCompareKind::ge: return ">=";
    case RowCompareKind::gt: return ">";
  }
  UNREACHABLE();
}

bool is_plain_number(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_of("eE.") != std::string_view::npos;
}

}  // namespace

Status Deparser::type_shown(Oid type, int32_t typmod) {
  const std::string name = TRY(type_name(context_, type, typmod));
  out += name;
  return {};
}

Status Deparser::constant(const ConstantExpr& e, bool label) {
  if (e.value.is_null) {
    out += "NULL";
    if (!label) return {};
    out += "::";
    return type_shown(e.type, e.typmod);
  }
  if (e.type == type_oid::regclass) {
    const RelationInfo* relation =
        TRY(context_.catalog.relation(context_.fiber, e.value.value.as<Oid>()));
    if (relation != nullptr) {
      const std::string name =
          TRY(relation_display_name(context_.fiber, context_.catalog, context_.path, *relation));
      out += cat(quote_literal(name), label ? "::regclass" : "");
      return {};
    }
  }
  std::string text;
  TRY(output_value(context_.arena, context_.session.types, e.type, e.value.value, text));
  bool needs_label = true;
  if (e.type == type_oid::bool_) {
    out += text == "t" ? "true" : "false";
    needs_label = false;
  } else if (e.type == type_oid::int4 && !text.starts_with('-')) {
    out += text;
    needs_label = false;
  } else if (e.type == type_oid::numeric && is_plain_number(text)) {
    out += text;
    needs_label = e.typmod >= 0;
  } else {
    out += quote_literal(text);
    needs_label = e.type != type_oid::unknown;
  }
  if (!needs_label || !label) return {};
  out += "::";
  TRY(type_shown(e.type, e.typmod));
  return {};
}

Status Deparser::var(const VarExpr& e) {
  std::string_view name;
  if (levels_.empty()) {
    CHECK(relation_ != nullptr);
    if (e.attno == 0) {
      out += cat(quote_identifier(relation_->name), ".*");
      return {};
    }
    if (e.attno > 0) {
      out += quote_identifier(relation_->column(static_cast<int16_t>(e.attno)).name);
      return {};
    }
  } else {
    CHECK(static_cast<size_t>(e.levels_up) < levels_.size());
    const Level& level = levels_[levels_.size() - 1 - static_cast<size_t>(e.levels_up)];
    const auto number = static_cast<size_t>(e.range - 1);
    const RangeEntry& entry = *level.query->range_table[number];
    // An unnamed join's columns are shown as what they are made of.
    if (entry.kind == RangeKind::join && entry.alias.empty() && e.attno > 0) {
      const Expr* merged = entry.join_columns[static_cast<size_t>(e.attno - 1)];
      if (merged->tag == ExprTag::var) return expr(*merged);
      out += quote_identifier(entry.columns[static_cast<size_t>(e.attno - 1)]);
      return {};
    }
    if (level.qualify || e.levels_up > 0 || e.attno == 0) {
      out += cat(quote_identifier(level.aliases[number]), ".");
    }
    if (e.attno == 0) {
      out += "*";
      return {};
    }
    if (e.attno > 0) name = entry.columns[static_cast<size_t>(e.attno - 1)];
  }
  constexpr std::string_view kSystem[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
  if (e.attno < 0) name = kSystem[-e.attno - 1];
  out += quote_identifier(name);
  return {};
}

Status Deparser::list(std::span<Expr* const> items) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    TRY(expr(*items[i]));
  }
  return {};
}

// What binds tighter than anything around it needs no parentheses of its own.
Status Deparser::child(const Expr& e, const Expr& parent) {
  if (!options_.pretty || stands_alone(e, parent)) return expr(e);
  return in_parentheses(e);
}

void Deparser::open() {
  if (!options_.pretty) out += "(";
}
void Deparser::close() {
  if (!options_.pretty) out += ")";
}

// The operator of two operands that consists of one character; 0 for others.
char Deparser::simple_operator(const Expr& e) const {
  if (e.tag != ExprTag::call) return 0;
  const auto& call = as<CallExpr>(e);
  if (call.form != CallForm::operator_ || call.distinct || call.null_if || call.args.size() != 2) {
    return 0;
  }
  const OperatorInfo* info = context_.catalog.builtin().op(call.op);
  return info != nullptr && info->name.size() == 1 ? info->name[0] : '\0';
}

namespace {

bool is_operator_call(const Expr& e) {
  if (e.tag != ExprTag::call) return false;
  const auto& call = as<CallExpr>(e);
  return !call.null_if && !call.distinct && call.form == CallForm::operator_;
}

// Around these the inner expression is delimited by brackets or commas anyway.
bool delimits(const Expr& parent) {
  switch (parent.tag) {
    case ExprTag::subscript:
    case ExprTag::array:
    case ExprTag::row:
    case ExprTag::coalesce:
    case ExprTag::min_max:
    case ExprTag::aggregate:
    case ExprTag::grouping:
    case ExprTag::window:
    case ExprTag::case_:     return true;
    case ExprTag::call:      {
      const auto& call = as<CallExpr>(parent);
      if (call.null_if) return true;
      return !call.distinct && call.form == CallForm::function;
    }
    case ExprTag::constant:
    case ExprTag::var:
    case ExprTag::param:
    case ExprTag::scalar_array:
    case ExprTag::boolean:
    case ExprTag::case_test:
    case ExprTag::null_test:
    case ExprTag::boolean_test:
    case ExprTag::sublink:
    case ExprTag::field_select:
    case ExprTag::row_compare:
    case ExprTag::relabel:
    case ExprTag::coerce_via_io:
    case ExprTag::array_coerce:
    case ExprTag::coerce_to_domain:
    case ExprTag::sql_value:
    case ExprTag::set_to_default:
    case ExprTag::sub_plan:         return false;
  }
  UNREACHABLE();
}

bool is_low(char op) { return op == '+' || op == '-'; }
bool is_high(char op) { return op == '*' || op == '/' || op == '%'; }

const Expr* coerced_argument(const Expr& e) {
  if (e.tag == ExprTag::relabel) return as<RelabelExpr>(e).arg;
  if (e.tag == ExprTag::coerce_via_io) return as<CoerceViaIoExpr>(e).arg;
  if (e.tag == ExprTag::array_coerce) return as<ArrayCoerceExpr>(e).arg;
  if (e.tag == ExprTag::coerce_to_domain) return as<CoerceToDomainExpr>(e).arg;
  return nullptr;
}

}  // namespace

// PostgreSQL's rules for parentheses that may be left out (isSimpleNode).
bool Deparser::stands_alone(const Expr& e, const Expr& parent) const {
  if (const Expr* arg = coerced_argument(e)) return stands_alone(*arg, e);
  if (e.tag == ExprTag::scalar_array || e.tag == ExprTag::row_compare) return false;
  if (e.tag == ExprTag::field_select) return parent.tag != ExprTag::field_select;
  if (e.tag == ExprTag::boolean) {
    if (parent.tag != ExprTag::boolean) return delimits(parent);
    const BooleanKind around = as<BooleanExpr>(parent).kind;
    if (as<BooleanExpr>(e).kind == BooleanKind::or_) return around == BooleanKind::or_;
    return around != BooleanKind::not_;
  }
  const bool is_test = e.tag == ExprTag::sublink || e.tag == ExprTag::null_test ||
                       e.tag == ExprTag::boolean_test ||
                       (e.tag == ExprTag::call && as<CallExpr>(e).distinct);
  const bool fenced = parent.tag == ExprTag::boolean || delimits(parent);
  if (is_test) return fenced;
  if (!is_operator_call(e)) return true;
  if (!is_operator_call(parent)) return fenced;
  const char own = simple_operator(e), around = simple_operator(parent);
  if (!is_low(own) && !is_high(own)) return false;
  if (!is_low(around) && !is_high(around)) return false;
  if (is_high(own) && is_low(around)) return true;
  if (is_low(own) && is_high(around)) return false;
  return as<CallExpr>(parent).args[0] == &e;
}

Status Deparser::in_parentheses(const Expr& e) {
  out += "(";
  TRY(expr(e));
  out += ")";
  return {};
}

Status Deparser::cast(const Expr& arg, const Expr& whole) {
  const auto* value = arg.tag == ExprTag::constant ? &as<ConstantExpr>(arg) : nullptr;
  if (value != nullptr && value->type == whole.type && value->typmod == -1) {
    TRY(constant(*value, false));
  } else {
    open();
    TRY(child(arg, whole));
    close();
  }
  out += "::";
  return type_shown(whole.type, whole.typmod);
}

Status Deparser::coerced(const Expr& arg, CallForm form, const Expr& whole) {
  if (form == CallForm::implicit_cast && !implicit_shown_) return child(arg, whole);
  return cast(arg, whole);
}

Status Deparser::operator_name(Oid op) {
  const OperatorInfo* info = TRY(context_.catalog.op(context_.fiber, op));
  CHECK(info != nullptr);
  out += info->name;
  return {};
}

Status Deparser::function_name(Oid function) {
  const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, function));
  CHECK(info != nullptr);
  if (info->nsp != kPgCatalogNamespace) {
    const NamespaceInfo* nsp = TRY(context_.catalog.nsp(context_.fiber, info->nsp));
    if (nsp != nullptr) out += cat(quote_identifier(nsp->name), ".");
  }
  out += quote_identifier(info->name);
  return {};
}

Status Deparser::operator_call(const CallExpr& e) {
  open();
  if (e.args.size() == 2) {
    TRY(operand(*e.args[0], e));
    out += " ";
  }
  TRY(operator_name(e.op));
  out += " ";
  TRY(operand(*e.args.back(), e));
  close();
  return {};
}

Status Deparser::function_call(Oid function, std::span<Expr* const> args, bool variadic) {
  TRY(function_name(function));
  out += "(";
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += ", ";
    if (variadic && i + 1 == args.size()) out += "VARIADIC ";
    show_implicit_ = true;
    TRY(expr(*args[i]));
  }
  out += ")";
  return {};
}

Status Deparser::call(const CallExpr& e) {
  if (e.distinct) {
    open();
    TRY(operand(*e.args[0], e));
    out += " IS DISTINCT FROM ";
    TRY(operand(*e.args[1], e));
    close();
    return {};
  }
  if (e.null_if) {
    out += "NULLIF(";
    TRY(list(e.args));
    out += ")";
    return {};
  }
  switch (e.form) {
    case CallForm::operator_: return operator_call(e);
    case CallForm::implicit_cast:
      return implicit_shown_ ? cast(*e.args[0], e) : child(*e.args[0], e);
    case CallForm::explicit_cast: return cast(*e.args[0], e);
    case CallForm::function:
    case CallForm::sql_syntax:    return function_call(e.function, e.args, e.variadic);
  }
  UNREACHABLE();
}

Status Deparser::boolean(const BooleanExpr& e) {
  if (e.kind == BooleanKind::not_) {
    open();
    out += "NOT ";
    TRY(child(*e.args[0], e));
    close();
    return {};
  }
  open();
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (i > 0) out += e.kind == BooleanKind::and_ ? " AND " : " OR ";
    TRY(child(*e.args[i], e));
  }
  close();
  return {};
}

Status Deparser::case_(const CaseNode& e) {
  line("CASE", 0, kCaseStep, 0);
  const Expr* around = std::exchange(case_arg_, e.arg);
  if (e.arg != nullptr) {
    out += " ";
    TRY(expr(*e.arg));
  }
  for (const CaseArm& arm : e.whens) {
    line("WHEN ", 0, 0, 0);
    // CASE x WHEN y is kept as x = y: show y.
    const bool simple = e.arg != nullptr && arm.when->tag == ExprTag::call &&
                        as<CallExpr>(*arm.when).args.size() == 2;
    TRY(expr(simple ? *as<CallExpr>(*arm.when).args[1] : *arm.when));
    out += " THEN ";
    TRY(expr(*arm.then));
  }
  line("ELSE ", 0, 0, 0);
  TRY(expr(*e.otherwise));
  line("END", -kCaseStep, 0, 0);
  case_arg_ = around;
  return {};
}

Status Deparser::subscript(const SubscriptExpr& e) {
  const bool simple = e.container->tag == ExprTag::var || e.container->tag == ExprTag::param;
  TRY(simple ? expr(*e.container) : in_parentheses(*e.container));
  for (size_t i = 0; i < e.upper.size(); ++i) {
    out += "[";
    if (!e.lower.empty()) {
      if (e.lower[i] != nullptr) TRY(expr(*e.lower[i]));
      out += ":";
    }
    if (e.upper[i] != nullptr) TRY(expr(*e.upper[i]));
    out += "]";
  }
  return {};
}

Status Deparser::row_compare(const RowCompareExpr& e) {
  out += "(ROW(";
  TRY(list(e.left));
  out += cat(") ", row_compare_word(e.kind), " ROW(");
  TRY(list(e.right));
  out += "))";
  return {};
}

Status Deparser::sublink(const SublinkExpr& e) {
  out += "(";
  switch (e.kind) {
    case SublinkKind::exists:      out += "EXISTS "; break;
    case SublinkKind::array:       out += "ARRAY"; break;
    case SublinkKind::expression:  break;
    case SublinkKind::any:
    case SublinkKind::all:
    case SublinkKind::row_compare: {
      // The test compares the left side with parameters that stand for the subquery's columns.
      CHECK(e.test != nullptr);
      std::vector<const Expr*> left;
      const Expr* test = e.test;
      auto add_left = [&](const Expr& comparison) {
        if (comparison.tag == ExprTag::call) left.push_back(as<CallExpr>(comparison).args[0]);
      };
      if (test->tag == ExprTag::boolean) {
        for (const Expr* arg : as<BooleanExpr>(*test).args) add_left(*arg);
      } else if (test->tag == ExprTag::row_compare) {
        for (const Expr* arg : as<RowCompareExpr>(*test).left) left.push_back(arg);
      } else {
        add_left(*test);
      }
      if (left.size() > 1) out += "ROW(";
      for (size_t i = 0; i < left.size(); ++i) {
        if (i > 0) out += ", ";
        TRY(expr(*left[i]));
      }
      if (left.size() > 1) out += ")";
      const std::string_view op = e.op_name.empty() ? "=" : e.op_name;
      if (e.kind == SublinkKind::any && op == "=") {
        out += " IN ";
      } else {
        out += cat(" ", op,
                   e.kind == SublinkKind::any   ? " ANY "
                   : e.kind == SublinkKind::all ? " ALL "
                                                : " ");
      }
      break;
    }
  }
  out += "(";
  TRY(query(*e.subquery, false));
  out += "))";
  return {};
}

Status Deparser::aggregate(const AggregateExpr& e) {
  TRY(function_name(e.function));
  out += "(";
  if (!e.distinct.empty()) out += "DISTINCT ";
  if (e.star) out += "*";
  bool first = true;
  for (const Expr* arg : e.direct_args) {
    if (!std::exchange(first, false)) out += ", ";
    TRY(expr(*arg));
  }
  const bool ordered_set = e.kind != 'n';
  auto sorted = [&](std::string_view words) -> Status {
    for (size_t i = 0; i < e.order_by.size(); ++i) {
      out += i == 0 ? words : std::string_view(", ");
      const auto entry = std::ranges::find(e.args, e.order_by[i].target, &TargetEntry::ref);
      CHECK(entry != e.args.end());
      TRY(expr(*entry->expr));
      if (e.order_by[i].descending) out += " DESC";
      if (e.order_by[i].nulls_first != e.order_by[i].descending) {
        out += e.order_by[i].nulls_first ? " NULLS FIRST" : " NULLS LAST";
      }
    }
    return {};
  };
  if (!ordered_set) {
    for (const TargetEntry& arg : e.args) {
      if (arg.junk) continue;
      if (!std::exchange(first, false)) out += ", ";
      TRY(expr(*arg.expr));
    }
    TRY(sorted(" ORDER BY "));
    out += ")";
  } else {
    out += ") WITHIN GROUP (";
    TRY(sorted("ORDER BY "));
    out += ")";
  }
  if (e.filter != nullptr) {
    out += " FILTER (WHERE ";
    TRY(expr(*e.filter));
    out += ")";
  }
  return {};
}

Status Deparser::window(const WindowExpr& e) {
  TRY(function_name(e.function));
  out += "(";
  if (e.star) out += "*";
  TRY(list(e.args));
  out += ")";
  if (e.filter != nullptr) {
    out += " FILTER (WHERE ";
    TRY(expr(*e.filter));
    out += ")";
  }
  out += " OVER ";
  if (levels_.empty()) {  // in a plan, which does not say how its windows were written
    out += "(?)";
    return {};
  }
  const Query& around = *levels_.back().query;
  const WindowClause& clause = around.windows[static_cast<size_t>(e.window)];
  if (!clause.name.empty()) {
    out += quote_identifier(clause.name);
    return {};
  }
  return window_definition(around, clause);
}

Status Deparser::scalar_array(const ScalarArrayExpr& e) {
  open();
  TRY(operand(*e.left, e));
  out += " ";
  TRY(operator_name(e.op));
  out += e.use_or ? " ANY (" : " ALL (";
  TRY(operand(*e.array, e));
  out += ")";
  close();
  return {};
}

Status Deparser::field_select(const FieldSelectExpr& e) {
  TRY(in_parentheses(*e.arg));
  const CatalogType* type = TRY(context_.catalog.type(context_.fiber, e.arg->type));
  const RelationInfo* row = TRY(
      context_.catalog.relation(context_.fiber, type == nullptr ? kInvalidOid : type->relation));
  if (row == nullptr) return unsupported("showing a field of an anonymous record");
  out += cat(".", quote_identifier(row->column(static_cast<int16_t>(e.field)).name));
  return {};
}

// Implicit casts are shown of operands and arguments, where they decide which operator is meant.
Status Deparser::operand(const Expr& e, const Expr& parent) {
  show_implicit_ = true;
  return child(e, parent);
}

// IS NULL, IS TRUE and so on.
Status Deparser::test(const Expr& e) {
  open();
  if (e.tag == ExprTag::null_test) {
    TRY(operand(*as<NullTestExpr>(e).arg, e));
    out += as<NullTestExpr>(e).is_null ? " IS NULL" : " IS NOT NULL";
  } else {
    TRY(child(*as<BooleanTestExpr>(e).arg, e));
    out += boolean_test_words(as<BooleanTestExpr>(e).kind);
  }
  close();
  return {};
}

Status Deparser::expr(const Expr& e) {
  if (options_.leaves != nullptr) {
    const bool shown = TRY(options_.leaves->print(e, out));
    if (shown) {
      show_implicit_ = false;
      return {};
    }
  }
  return plain_expr(e);
}

Status Deparser::plain_expr(const Expr& e) {
  implicit_shown_ = std::exchange(show_implicit_, false);
  switch (e.tag) {
    case ExprTag::constant:     return constant(as<ConstantExpr>(e), true);
    case ExprTag::var:          return var(as<VarExpr>(e));
    case ExprTag::param:        out += cat("$", as<ParamExpr>(e).id); return {};
    case ExprTag::call:         return call(as<CallExpr>(e));
    case ExprTag::scalar_array: return scalar_array(as<ScalarArrayExpr>(e));
    case ExprTag::boolean:      return boolean(as<BooleanExpr>(e));
    case ExprTag::case_:        return case_(as<CaseNode>(e));
    case ExprTag::case_test:
      if (case_arg_ != nullptr) return expr(*case_arg_);
      out += "VALUE";
      return {};
    case ExprTag::coalesce:
      out += "COALESCE(";
      TRY(list(as<CoalesceNode>(e).args));
      out += ")";
      return {};
    case ExprTag::min_max:
      out += as<MinMaxNode>(e).greatest ? "GREATEST(" : "LEAST(";
      TRY(list(as<MinMaxNode>(e).args));
      out += ")";
      return {};
    case ExprTag::null_test:
    case ExprTag::boolean_test: return test(e);
    case ExprTag::sublink:      return sublink(as<SublinkExpr>(e));
    case ExprTag::aggregate:    return aggregate(as<AggregateExpr>(e));
    case ExprTag::window:       return window(as<WindowExpr>(e));
    case ExprTag::grouping:
      out += "GROUPING(";
      TRY(list(as<GroupingExpr>(e).args));
      out += ")";
      return {};
    case ExprTag::array:
      out += "ARRAY[";
      TRY(list(as<ArrayExpr>(e).elements));
      out += "]";
      if (!as<ArrayExpr>(e).elements.empty()) return {};
      out += "::";
      return type_shown(e.type, -1);
    case ExprTag::row:
      out += "ROW(";
      TRY(list(as<RowNode>(e).fields));
      out += ")";
      return {};
    case ExprTag::subscript:    return subscript(as<SubscriptExpr>(e));
    case ExprTag::field_select: return field_select(as<FieldSelectExpr>(e));
    case ExprTag::row_compare:  return row_compare(as<RowCompareExpr>(e));
    case ExprTag::relabel:      return coerced(*as<RelabelExpr>(e).arg, as<RelabelExpr>(e).form, e);
    case ExprTag::coerce_via_io:
      return coerced(*as<CoerceViaIoExpr>(e).arg, as<CoerceViaIoExpr>(e).form, e);
    case ExprTag::array_coerce:
      return coerced(*as<ArrayCoerceExpr>(e).arg, as<ArrayCoerceExpr>(e).form, e);
    case ExprTag::coerce_to_domain:
      return coerced(*as<CoerceToDomainExpr>(e).arg, as<CoerceToDomainExpr>(e).form, e);
    case ExprTag::sql_value:      out += sql_value_word(as<SqlValueExpr>(e).kind); return {};
    case ExprTag::set_to_default: out += "DEFAULT"; return {};
    case ExprTag::sub_plan:       break;
  }
  UNREACHABLE();
}

}  // namespace orrery
