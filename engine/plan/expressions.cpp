// Expressions on their way into a plan: outer references become parameters, sublinks become
// subplans, constants fold.
#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {

Expr* LevelPlanner::outer_param(const VarExpr& var, int levels_up) {
  auto* own = arena_.make<VarExpr>(var);
  own->levels_up = 0;
  return outer_value(own, levels_up);
}

// A parameter for what the query `levels_up` levels out computes: `own`, in its terms.
Expr* LevelPlanner::outer_value(Expr* own, int levels_up) {
  std::vector<LevelPlanner*> between;  // the levels that see it from inside
  LevelPlanner* owner = this;
  for (int i = 0; i < levels_up; ++i) {
    between.push_back(owner);
    owner = owner->parent_;
    CHECK(owner != nullptr);
  }
  const auto note_everywhere = [&](int slot) {
    for (LevelPlanner* level : between) level->note_use(slot);
  };
  auto* param = arena_.make<ParamExpr>();
  param->tag = ExprTag::param;
  param->type = own->type;
  param->typmod = own->typmod;
  param->collation = own->collation;
  param->location = own->location;
  param->kind = ParamKind::exec;
  for (const OuterParam& known : owner->params_) {
    if (!expr_equal(known.value, own)) continue;
    param->id = known.slot;
    note_everywhere(known.slot);
    return param;
  }
  param->id = new_param();
  owner->params_.push_back({own, param->id});
  note_everywhere(param->id);
  return param;
}

// An aggregate of a query further out: that query computes it.
Expr* LevelPlanner::outer_aggregate(const AggregateExpr& aggregate) {
  const int levels = aggregate.levels_up;
  const auto lowered = [&](Expr* e, auto&& self) -> Expr* {
    if (e->tag == ExprTag::var) {
      auto* made = arena_.make<VarExpr>(as<VarExpr>(*e));
      made->levels_up -= levels;
      return made;
    }
    return map_children(arena_, e, [&](Expr* child) { return self(child, self); });
  };
  auto* copy = arena_.make<AggregateExpr>(aggregate);
  copy->levels_up = 0;
  Expr* own = map_children(arena_, copy, [&](Expr* child) { return lowered(child, lowered); });
  return outer_value(own, levels);
}

void LevelPlanner::note_use(int slot) {
  if (std::find(uses_.begin(), uses_.end(), slot) == uses_.end()) uses_.push_back(slot);
}

// A slot that a level further out sets is read here, and so by all levels in between. Slots that no
// level owns are set by the very node that reads them.
void LevelPlanner::note_param(int slot) {
  const LevelPlanner* owner = this;
  const auto is_it = [slot](const OuterParam& param) { return param.slot == slot; };
  while (owner != nullptr && std::none_of(owner->params_.begin(), owner->params_.end(), is_it))
    owner = owner->parent_;
  if (owner == nullptr) return;
  for (LevelPlanner* level = this; level != owner; level = level->parent_) level->note_use(slot);
}

Result<Expr*> LevelPlanner::prepare(Expr* expr) {
  if (expr == nullptr) return nullptr;
  // A condition that was pushed down from the query around this one.
  if (expr->tag == ExprTag::param && as<ParamExpr>(*expr).kind == ParamKind::exec)
    note_param(as<ParamExpr>(*expr).id);
  if (expr->tag == ExprTag::var && as<VarExpr>(*expr).levels_up > 0) {
    return outer_param(as<VarExpr>(*expr), as<VarExpr>(*expr).levels_up);
  }
  if (expr->tag == ExprTag::aggregate && as<AggregateExpr>(*expr).levels_up > 0) {
    return outer_aggregate(as<AggregateExpr>(*expr));
  }
  if (expr->tag == ExprTag::sublink) return make_subplan(as<SublinkExpr>(*expr));
  if (expr->tag == ExprTag::call) TRY(note_effects(as<CallExpr>(*expr)));
  Status failed;
  Expr* mapped = map_children(arena_, expr, [&](Expr* child) -> Expr* {
    if (!failed.ok()) return child;
    Result<Expr*> made = prepare(child);
    if (!made.ok()) {
      failed = std::move(made).status();
      return child;
    }
    return *made;
  });
  TRY(std::move(failed));
  if (mapped->tag == ExprTag::aggregate) {
    const Volatility how = TRY(volatility(*mapped));
    auto* made = arena_.make<AggregateExpr>(as<AggregateExpr>(*mapped));
    made->is_volatile = how == Volatility::volatile_;
    return made;
  }
  return fold(mapped);
}

namespace {

constexpr Oid kNextval(1574), kRandom(1598), kClockTimestamp(2649), kGenRandomUuid(3432);

}  // namespace

// Whatever calls two of these can tell in which order they run: row by row, and within a row from
// left to right. That nextval() of one sequence ran before that of another nobody can tell, nor
// what draws from a clock or at random.
Status LevelPlanner::note_effects(const CallExpr& call) {
  const FunctionInfo* function = TRY(context_.catalog.function(context_.fiber, call.function));
  if (function == nullptr || function->volatility != Volatility::volatile_ ||
      call.function == kRandom || call.function == kClockTimestamp ||
      call.function == kGenRandomUuid)
    return {};
  const Expr* named = call.args.empty() ? nullptr : call.args[0];
  if (call.function != kNextval || named->tag != ExprTag::constant) {
    ++plan_.effects.calls;
    return {};
  }
  const Oid sequence = as<ConstantExpr>(*named).value.value.as<Oid>();
  if (std::ranges::find(plan_.effects.sequences, sequence) != plan_.effects.sequences.end())
    ++plan_.effects.calls;
  else
    plan_.effects.sequences.push_back(sequence);
  return {};
}

// VALUES is computed row by row whatever is in it: to what stands around it, it is one call.
void LevelPlanner::note_values(const Effects& before) {
  if (plan_.effects.calls == before.calls &&
      plan_.effects.sequences.size() == before.sequences.size())
    return;
  plan_.effects = before;
  ++plan_.effects.calls;
}

namespace {

// Replaces the exec parameters 0..n-1 of a sublink's test by slots of the plan's. A sublink within
// the test has parameters of its own under the same numbers.
Expr* renumber_test(Arena& arena, Expr* expr, std::span<const int> slots) {
  if (expr->tag == ExprTag::sublink) return expr;
  if (expr->tag == ExprTag::param && as<ParamExpr>(*expr).kind == ParamKind::exec) {
    const int id = as<ParamExpr>(*expr).id;
    if (id >= static_cast<int>(slots.size())) return expr;
    auto* param = arena.make<ParamExpr>(as<ParamExpr>(*expr));
    param->id = slots[static_cast<size_t>(id)];
    return param;
  }
  return map_children(arena, expr, [&](Expr* child) { return renumber_test(arena, child, slots); });
}

// EXISTS asks for a row, whatever stands in it and in whatever order: nothing of that is computed.
void keep_only_rows(Query& sub) {
  if (sub.command != CommandType::select || sub.set_operations != nullptr || sub.has_aggregates ||
      sub.has_windows || sub.has_set_functions || sub.has_modifying_cte ||
      !sub.grouping_sets.empty() || sub.having != nullptr || sub.limit_count != nullptr ||
      sub.limit_offset != nullptr || !sub.row_marks.empty())
    return;
  sub.targets = {};
  sub.group_by = sub.distinct = sub.order_by = {};
  sub.distinct_on = false;
}

}  // namespace

// value = (the subquery's one column), by an operator that hashes.
Result<bool> LevelPlanner::can_hash_test(const SubPlanExpr& plan) {
  if (plan.kind != SublinkKind::any || plan.test_params.size() != 1 || plan.test == nullptr ||
      plan.test->tag != ExprTag::call || !context_.settings.enable_hashagg)
    return false;
  const auto& call = as<CallExpr>(*plan.test);
  if (!call.op || call.args.size() != 2 || call.distinct || call.null_if) return false;
  if (call.args[1]->tag != ExprTag::param || as<ParamExpr>(*call.args[1]).id != plan.test_params[0])
    return false;
  const OperatorInfo* op = TRY(context_.catalog.op(context_.fiber, call.op));
  return op != nullptr && op->can_hash && op->left == op->right && op->name == "=";
}

// Grouping sets make NULLs of what they leave out, and a target that is a constant is no exception:
// it is told from other constants by standing in a relabel.
void LevelPlanner::set_constants_apart(Query& query) {
  if (query.grouping_sets.empty()) return;
  for (TargetEntry& target : query.targets) {
    const bool grouped = std::any_of(
        query.group_by.begin(), query.group_by.end(),
        [&](const SortClause& item) { return target.ref != 0 && item.target == target.ref; });
    if (!grouped || target.expr->tag != ExprTag::constant) continue;
    auto* made = arena_.make<RelabelExpr>();
    static_cast<Expr&>(*made) = *target.expr;
    made->tag = ExprTag::relabel;
    made->arg = target.expr;
    made->form = CallForm::implicit_cast;
    target.expr = made;
  }
}

Result<Expr*> LevelPlanner::make_subplan(SublinkExpr& link) {
  auto* made = arena_.make<SubPlanExpr>();
  made->tag = ExprTag::sub_plan;
  made->type = link.type;
  made->typmod = link.typmod;
  made->collation = link.collation;
  made->location = link.location;
  made->kind = link.kind;
  made->test = nullptr;

  if (link.kind == SublinkKind::exists) keep_only_rows(*link.subquery);
  LevelPlanner below(context_, plan_, this);
  Rel* rel = TRY(below.plan_query(*link.subquery));
  below.finish(*rel);
  made->plan = static_cast<int>(plan_.subplan_list.size());
  plan_.subplan_list.push_back(rel->node);
  std::vector<int> slots;
  std::vector<Expr*> values;
  for (const OuterParam& param : params_) {
    if (std::find(below.uses_.begin(), below.uses_.end(), param.slot) == below.uses_.end())
      continue;
    slots.push_back(param.slot);
    values.push_back(param.value);
  }
  made->param_slots = arena_.copy_array(slots);
  made->param_values = arena_.copy_array(values);
  if (link.test != nullptr) {
    std::vector<int> test_slots;
    size_t width = 0;
    for (const TargetEntry& target : link.subquery->targets) width += !target.junk;
    for (size_t i = 0; i < width; ++i) test_slots.push_back(new_param());
    made->test_params = arena_.copy_array(test_slots);
    made->test = TRY(prepare(renumber_test(arena_, link.test, test_slots)));
  }
  const bool hashes = TRY(can_hash_test(*made));
  const bool alone = below.uses_.empty();
  made->hashed = alone && hashes;
  // Nothing from outside: one run answers for all rows.
  made->is_init_plan = alone && link.test == nullptr;
  if (made->is_init_plan) made->result_param = new_param();
  return made;
}

Result<Expr*> LevelPlanner::fold(Expr* expr) {
  if (expr->tag == ExprTag::boolean) return fold_boolean(as<BooleanExpr>(*expr));
  bool foldable = expr->tag == ExprTag::call || expr->tag == ExprTag::coerce_via_io ||
                  expr->tag == ExprTag::relabel || expr->tag == ExprTag::array ||
                  expr->tag == ExprTag::array_coerce || expr->tag == ExprTag::scalar_array;
  if (!foldable) return expr;
  bool constant = true;
  for_each_child(*expr,
                 [&](const Expr& child) { constant = constant && child.tag == ExprTag::constant; });
  if (!constant || TRY(volatility(*expr)) != Volatility::immutable) return expr;
  if (expr->tag == ExprTag::call && as<CallExpr>(*expr).returns_set) return expr;
  Result<NullableDatum> value = context_.world.evaluate(context_.fiber, arena_, *expr);
  if (!value.ok()) {
    const bool ends = value.status().is_halted() || value.status().is(sqlstate::query_canceled) ||
                      value.status().is(sqlstate::admin_shutdown);
    if (ends) return std::move(value).status();
    return expr;  // it fails when, and if, it is run
  }
  const CatalogType* type = TRY(context_.catalog.type(context_.fiber, expr->type));
  auto* made = arena_.make<ConstantExpr>();
  made->tag = ExprTag::constant;
  made->type = expr->type;
  made->typmod = expr->typmod;
  made->collation = expr->collation;
  made->location = expr->location;
  made->length = type->io.length;
  made->by_reference = !type->io.by_value;
  made->value = *value;
  return made;
}

Result<Expr*> LevelPlanner::fold_boolean(BooleanExpr& expr) {
  if (expr.kind == BooleanKind::not_) {
    if (expr.args[0]->tag != ExprTag::constant) return &expr;
    auto* made = arena_.make<ConstantExpr>(as<ConstantExpr>(*expr.args[0]));
    if (!made->value.is_null) made->value.value = Datum::of(!made->value.value.as<bool>());
    return made;
  }
  const bool deciding = expr.kind == BooleanKind::or_;
  std::vector<Expr*> kept;
  for (Expr* arg : expr.args) {
    if (arg->tag == ExprTag::constant && !as<ConstantExpr>(*arg).value.is_null) {
      if (as<ConstantExpr>(*arg).value.value.as<bool>() == deciding) return arg;
      continue;
    }
    kept.push_back(arg);
  }
  if (kept.empty()) return expr.args[0];
  if (kept.size() == 1) return kept[0];
  if (kept.size() == expr.args.size()) return &expr;
  auto* made = arena_.make<BooleanExpr>(expr);
  made->args = arena_.copy_array(kept);
  return made;
}

Result<Volatility> LevelPlanner::volatility(const Expr& expr) {
  Volatility worst = Volatility::immutable;
  auto note = [&](Volatility v) {
    if (v == Volatility::volatile_ || (v == Volatility::stable && worst == Volatility::immutable))
      worst = v;
  };
  auto note_function = [&](Oid oid) -> Status {
    const FunctionInfo* f = TRY(context_.catalog.function(context_.fiber, oid));
    note(f == nullptr ? Volatility::volatile_ : f->volatility);
    return {};
  };
  switch (expr.tag) {
    case ExprTag::call:          TRY(note_function(as<CallExpr>(expr).function)); break;
    case ExprTag::scalar_array:  TRY(note_function(as<ScalarArrayExpr>(expr).function)); break;
    case ExprTag::coerce_via_io: {
      const Oid from = as<CoerceViaIoExpr>(expr).arg->type;
      const CatalogType* source = TRY(context_.catalog.type(context_.fiber, from));
      const CatalogType* target = TRY(context_.catalog.type(context_.fiber, expr.type));
      if (source != nullptr && source->output) TRY(note_function(source->output));
      if (target != nullptr && target->input) TRY(note_function(target->input));
      break;
    }
    case ExprTag::sql_value:        note(Volatility::stable); break;
    case ExprTag::sub_plan:
    case ExprTag::sublink:
    case ExprTag::aggregate:
    case ExprTag::window:           note(Volatility::stable); break;
    case ExprTag::constant:
    case ExprTag::var:
    case ExprTag::param:
    case ExprTag::boolean:
    case ExprTag::case_:
    case ExprTag::case_test:
    case ExprTag::coalesce:
    case ExprTag::min_max:
    case ExprTag::null_test:
    case ExprTag::boolean_test:
    case ExprTag::grouping:
    case ExprTag::array:
    case ExprTag::row:
    case ExprTag::subscript:
    case ExprTag::field_select:
    case ExprTag::row_compare:
    case ExprTag::relabel:
    case ExprTag::array_coerce:
    case ExprTag::coerce_to_domain:
    case ExprTag::set_to_default:   break;
  }
  Status failed;
  for_each_child(expr, [&](const Expr& child) {
    if (!failed.ok()) return;
    Result<Volatility> below = volatility(child);
    if (below.ok())
      note(*below);
    else
      failed = std::move(below).status();
  });
  TRY(std::move(failed));
  return worst;
}

RangeSet LevelPlanner::ranges_of(const Expr& expr) const {
  RangeSet set = 0;
  if (expr.tag == ExprTag::var && as<VarExpr>(expr).levels_up == 0 && as<VarExpr>(expr).range > 0)
    set |= range_bit(as<VarExpr>(expr).range);
  for_each_child(expr, [&](const Expr& child) { set |= ranges_of(child); });
  return set;
}

void LevelPlanner::split_and(Expr* expr, std::vector<Expr*>& out) {
  if (expr == nullptr) return;
  if (expr->tag == ExprTag::boolean && as<BooleanExpr>(*expr).kind == BooleanKind::and_) {
    for (Expr* arg : as<BooleanExpr>(*expr).args) split_and(arg, out);
    return;
  }
  if (expr->tag == ExprTag::constant && !as<ConstantExpr>(*expr).value.is_null &&
      as<ConstantExpr>(*expr).value.value.as<bool>())
    return;
  out.push_back(expr);
}

Expr* LevelPlanner::join_and(const std::vector<Expr*>& conditions) {
  if (conditions.empty()) return nullptr;
  if (conditions.size() == 1) return conditions[0];
  auto* made = arena_.make<BooleanExpr>();
  made->tag = ExprTag::boolean;
  made->type = type_oid::bool_;
  made->kind = BooleanKind::and_;
  made->args = arena_.copy_array(conditions);
  return made;
}

}  // namespace orrery
