// Typed expressions to evaluation steps.
#include "analyze/walk.h"
#include "base/text.h"
#include "exec/eval_internal.h"
#include "exec/operator.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

class Compiler {
 public:
  Compiler(ExecContext& context, ColumnOf column_of) : context_(context), column_of_(column_of) {}

  Result<EvalNode*> compile(const Expr& expr) {
    const int column = column_of_(expr);
    if (column >= 0) {
      EvalNode* node = TRY(make(Step::column, expr));
      node->index = column;
      return node;
    }
    switch (expr.tag) {
      case ExprTag::constant: {
        EvalNode* node = TRY(make(Step::constant, expr));
        node->constant = as<ConstantExpr>(expr).value;
        return node;
      }
      case ExprTag::param: {
        const auto& param = as<ParamExpr>(expr);
        EvalNode* node = TRY(make(
            param.kind == ParamKind::external ? Step::external_param : Step::exec_param, expr));
        node->index = param.id;
        return node;
      }
      case ExprTag::case_test: {
        CHECK(!case_tests_.empty());
        return case_tests_.back();
      }
      case ExprTag::call:    return call(as<CallExpr>(expr));
      case ExprTag::boolean: {
        const auto& b = as<BooleanExpr>(expr);
        const Step step = b.kind == BooleanKind::and_  ? Step::and_
                          : b.kind == BooleanKind::or_ ? Step::or_
                                                       : Step::not_;
        return with_children(step, expr, b.args, false);
      }
      case ExprTag::case_: return case_node(as<CaseNode>(expr));
      case ExprTag::coalesce:
        return with_children(Step::coalesce, expr, as<CoalesceNode>(expr).args, false);
      case ExprTag::min_max: {
        const auto& m = as<MinMaxNode>(expr);
        EvalNode* node =
            TRY(with_children(m.greatest ? Step::greatest : Step::least, expr, m.args, true));
        const TypeOrder order = TRY(type_order(context_, expr.type));
        if (order.compare == nullptr) return unsupported("GREATEST or LEAST of this type");
        node->compare = order.compare;
        return node;
      }
      case ExprTag::null_test: {
        const auto& n = as<NullTestExpr>(expr);
        if (n.row_type && n.arg->tag == ExprTag::row) {
          return with_children(n.is_null ? Step::row_is_null : Step::row_is_not_null, expr,
                               as<RowNode>(*n.arg).fields, false);
        }
        Expr* arg = n.arg;
        return with_children(n.is_null ? Step::is_null : Step::is_not_null, expr,
                             std::span(&arg, 1), false);
      }
      case ExprTag::boolean_test: {
        Expr* arg = as<BooleanTestExpr>(expr).arg;
        EvalNode* node = TRY(with_children(Step::boolean_test, expr, std::span(&arg, 1), false));
        node->test = as<BooleanTestExpr>(expr).kind;
        return node;
      }
      case ExprTag::scalar_array:  return scalar_array(as<ScalarArrayExpr>(expr));
      case ExprTag::relabel:       return compile(*as<RelabelExpr>(expr).arg);
      case ExprTag::coerce_via_io: {
        Expr* arg = as<CoerceViaIoExpr>(expr).arg;
        return with_children(Step::coerce_via_io, expr, std::span(&arg, 1), true);
      }
      case ExprTag::array:
        return with_children(Step::array, expr, as<ArrayExpr>(expr).elements, true);
      case ExprTag::subscript:        return subscript(as<SubscriptExpr>(expr));
      case ExprTag::array_coerce:     return array_coerce(as<ArrayCoerceExpr>(expr));
      case ExprTag::row_compare:      return row_compare(as<RowCompareExpr>(expr));
      case ExprTag::sql_value:        return make(Step::session_value, expr);
      case ExprTag::sub_plan:         return sub_plan(as<SubPlanExpr>(expr));
      case ExprTag::row:              return unsupported("a row value in an expression");
      case ExprTag::field_select:     return unsupported("selection of a field");
      case ExprTag::coerce_to_domain: return unsupported("a cast to a domain");
      case ExprTag::grouping:         return unsupported("GROUPING here");
      case ExprTag::aggregate:        return unsupported("an aggregate here");
      case ExprTag::window:           return unsupported("a window function here");
      case ExprTag::set_to_default:   return unsupported("DEFAULT here");
      case ExprTag::var:              {
        const auto& var = as<VarExpr>(expr);
        if (var.attno < 0) return unsupported("this system column here");
        return raise(sqlstate::internal_error, cat("column ", var.range, ".", var.attno,
                                                   " is not in the input of its plan node"));
      }
      case ExprTag::sublink: return raise(sqlstate::internal_error, "unplanned subquery");
    }
    UNREACHABLE();
  }

 private:
  Result<EvalNode*> make(Step step, const Expr& expr) {
    auto* node = context_.arena.make<EvalNode>();
    node->step = step;
    node->type = expr.type;
    node->source = &expr;
    if (expr.type) {
      const ColumnDesc desc = TRY(type_desc(context_, expr.type));
      node->type_length = desc.length;
      node->type_by_value = desc.by_value;
    }
    return node;
  }

  // A child whose value will be looked into: toasted values are brought in first.
  Result<EvalNode*> plain(const Expr& expr) {
    EvalNode* child = TRY(compile(expr));
    const bool stored = child->step == Step::column || child->step == Step::exec_param ||
                        child->step == Step::case_ || child->step == Step::coalesce ||
                        child->step == Step::case_test || child->step == Step::sub_plan;
    if (!stored || child->type_length != -1) return child;
    EvalNode* node = TRY(make(Step::detoast, expr));
    node->children = context_.arena.make_array<EvalNode*>(1);
    node->children[0] = child;
    return node;
  }

  Result<EvalNode*> with_children(Step step, const Expr& expr, std::span<Expr* const> args,
                                  bool look_inside) {
    EvalNode* node = TRY(make(step, expr));
    node->children = context_.arena.make_array<EvalNode*>(args.size());
    node->args = context_.arena.make_array<Vector>(args.size());
    for (size_t i = 0; i < args.size(); ++i) {
      node->children[i] = look_inside ? TRY(plain(*args[i])) : TRY(compile(*args[i]));
    }
    return node;
  }

  Status set_function(EvalNode& node, Oid function, Oid result, std::span<Expr* const> args,
                      Oid collation) {
    const FunctionBody* body = TRY(function_body(context_, function));
    if (body->kernel == nullptr) return unsupported("a set-returning function here");
    node.kernel = body->kernel;
    node.site.function = function;
    node.site.result_type = result;
    node.site.result_typmod = node.source->typmod;
    node.site.collation = collation;
    if (node.source->tag == ExprTag::call) node.site.variadic = as<CallExpr>(*node.source).variadic;
    auto types = context_.arena.make_array<Oid>(args.size());
    for (size_t i = 0; i < args.size(); ++i) types[i] = args[i]->type;
    node.site.argument_types = types;
    const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, function));
    node.shape = make_call_shape(context_.arena, *info, node.site, find_builtin_type(result));
    return {};
  }

  Result<EvalNode*> call(const CallExpr& call) {
    const Step step = call.distinct ? Step::distinct : call.null_if ? Step::null_if : Step::call;
    EvalNode* node = TRY(with_children(step, call, call.args, true));
    TRY(set_function(*node, call.function, call.type, call.args, call.input_collation));
    return node;
  }

  Result<EvalNode*> case_node(const CaseNode& c) {
    EvalNode* node = TRY(make(Step::case_, c));
    std::vector<EvalNode*> children;
    if (c.arg != nullptr) {
      node->index = 1;
      children.push_back(TRY(plain(*c.arg)));
      node->test_value = TRY(make(Step::case_test, *c.arg));
      case_tests_.push_back(node->test_value);
    }
    for (const CaseArm& arm : c.whens) {
      children.push_back(TRY(compile(*arm.when)));
      // A CASE inside a result has its own test value.
      children.push_back(TRY(compile(*arm.then)));
    }
    children.push_back(TRY(compile(*c.otherwise)));
    if (c.arg != nullptr) case_tests_.pop_back();
    node->children = context_.arena.copy_array(children);
    return node;
  }

  Result<EvalNode*> scalar_array(const ScalarArrayExpr& sa) {
    Expr* args[] = {sa.left, sa.array};
    EvalNode* node = TRY(with_children(Step::scalar_array, sa, args, true));
    TRY(set_function(*node, sa.function, type_oid::bool_, args, sa.input_collation));
    node->use_or = sa.use_or;
    const CatalogType* array = TRY(context_.catalog.type(context_.fiber, sa.array->type));
    node->element_type = array->element;
    return node;
  }

  Result<EvalNode*> array_coerce(const ArrayCoerceExpr& coerce) {
    Expr* arg = coerce.arg;
    EvalNode* node = TRY(with_children(Step::array_coerce, coerce, std::span(&arg, 1), true));
    const CatalogType* from = TRY(context_.catalog.type(context_.fiber, arg->type));
    auto* test = context_.arena.make<CaseTestExpr>();
    test->tag = ExprTag::case_test;
    test->type = from->element;
    node->test_value = TRY(make(Step::case_test, *test));
    case_tests_.push_back(node->test_value);
    Result<EvalNode*> element = compile(*coerce.element);
    case_tests_.pop_back();
    if (!element.ok()) return std::move(element).status();
    node->element = *element;
    return node;
  }

  // Children: the container, bounds (missing ones are null children), what is assigned.
  Result<EvalNode*> subscript(const SubscriptExpr& s) {
    EvalNode* node = TRY(make(Step::subscript, s));
    EvalNode* container = TRY(plain(*s.container));
    std::vector<EvalNode*> children{container};
    for (const std::span<Expr*> bounds : {s.upper, s.lower}) {
      for (Expr* bound : bounds)
        children.push_back(bound == nullptr ? nullptr : TRY(plain(*bound)));
    }
    if (s.assign != nullptr) {
      EvalNode* assigned = TRY(plain(*s.assign));
      children.push_back(assigned);
    }
    node->children = context_.arena.copy_array(children);
    node->args = context_.arena.make_array<Vector>(children.size());
    return node;
  }

  // Types that one family of operators compares cast to each other without loss, one way.
  Status bring_to_one_type(Expr*& left, Expr*& right) {
    if (left->type == right->type) return {};
    const bool left_casts = TRY(cast_to(left, right->type));
    if (left_casts) return {};
    const bool right_casts = TRY(cast_to(right, left->type));
    if (right_casts) return {};
    return unsupported("comparison of rows with fields of different types");
  }
  Result<bool> cast_to(Expr*& expr, Oid type) {
    const CastInfo* cast = TRY(context_.catalog.cast(context_.fiber, expr->type, type));
    if (cast == nullptr || cast->context != CastContext::implicit) return false;
    if (cast->method == CastMethod::in_out) return false;
    if (cast->method == CastMethod::binary) {
      auto* relabelled = context_.arena.make<RelabelExpr>();
      relabelled->tag = ExprTag::relabel;
      relabelled->type = type;
      relabelled->arg = expr;
      expr = relabelled;
      return true;
    }
    auto* call = context_.arena.make<CallExpr>();
    call->tag = ExprTag::call;
    call->type = type;
    call->function = cast->function;
    call->args = context_.arena.make_array<Expr*>(1);
    call->args[0] = expr;
    expr = call;
    return true;
  }

  Result<EvalNode*> row_compare(const RowCompareExpr& r) {
    std::vector<Expr*> args;
    for (size_t i = 0; i < r.left.size(); ++i) {
      Expr* left = r.left[i];
      Expr* right = r.right[i];
      TRY(bring_to_one_type(left, right));
      args.push_back(left);
      args.push_back(right);
    }
    EvalNode* node = TRY(with_children(Step::row_compare, r, args, true));
    node->compares = context_.arena.make_array<Comparator>(r.left.size());
    for (size_t i = 0; i < r.left.size(); ++i) {
      const TypeOrder order = TRY(type_order(context_, args[i * 2]->type));
      if (order.compare == nullptr)
        return unsupported("comparison of rows with fields of this type");
      node->compares[i] = order.compare;
    }
    return node;
  }

  Result<EvalNode*> sub_plan(const SubPlanExpr& s) {
    EvalNode* node = TRY(make(Step::sub_plan, s));
    auto* state = context_.arena.make<SubPlanState>();
    state->expr = &s;
    state->values = context_.arena.make_array<EvalNode*>(s.param_values.size());
    for (size_t i = 0; i < s.param_values.size(); ++i)
      state->values[i] = TRY(compile(*s.param_values[i]));
    if (s.hashed)
      state->probe = TRY(plain(*as<CallExpr>(*s.test).args[0]));
    else if (s.test != nullptr)
      state->test = TRY(compile(*s.test));
    node->sub_plan = state;
    return node;
  }

  ExecContext& context_;
  ColumnOf column_of_;
  std::vector<EvalNode*> case_tests_;  // of the CASEs being compiled, innermost last
};

}  // namespace

Result<Evaluator> Evaluator::compile(ExecContext& context, const Expr& expr, ColumnOf column_of) {
  Compiler compiler(context, column_of);
  EvalNode* root = TRY(compiler.compile(expr));
  return Evaluator(context, root);
}

}  // namespace orrery
