// Functions that return sets: in FROM, and in a target list.
#include "analyze/walk.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/row_store.h"
#include "func/large_work.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// One call of a set-returning function, or of a scalar one taken as a set of one row.
class SetCall {
 public:
  SetCall(ExecContext& context, const Expr& expr)
      : context_(context), expr_(expr), state_arena_(&context.budget) {}

  Status open(ColumnOf column_of) {
    if (expr_.tag != ExprTag::call || !as<CallExpr>(expr_).returns_set) {
      scalar_ = TRY(Evaluator::compile(context_, expr_, column_of));
      return {};
    }
    const auto& call = as<CallExpr>(expr_);
    const FunctionBody* body = TRY(function_body(context_, call.function));
    if (body->set == nullptr) return unsupported("this set-returning function");
    kernel_ = body->set;
    site_.function = call.function;
    site_.result_type = call.type;
    site_.collation = call.input_collation;
    auto types = context_.arena.make_array<Oid>(call.args.size());
    for (size_t i = 0; i < call.args.size(); ++i) {
      types[i] = call.args[i]->type;
      args_.push_back(TRY(Evaluator::compile(context_, *call.args[i], column_of)));
      descs_.push_back(TRY(type_desc(context_, call.args[i]->type)));
    }
    site_.argument_types = types;
    const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, call.function));
    // Its rows stay where they are made: whatever they are, a worker may begin.
    shape_ = make_call_shape(context_.arena, *info, site_, find_builtin_type(type_oid::text));
    return {};
  }

  // Starts with the arguments that row `row` of `batch` gives.
  Status start(Arena& arena, const Batch& batch, uint32_t row) {
    done_ = false;
    const auto one = static_cast<uint16_t>(row);
    const Rows rows{&one, 1};
    if (scalar_) {
      value_ = TRY(scalar_->evaluate(arena, batch, rows))->at(row);
      return {};
    }
    std::vector<NullableDatum> values;
    for (size_t i = 0; i < args_.size(); ++i) {
      NullableDatum value = TRY(args_[i].evaluate(arena, batch, rows))->at(row);
      if (!value.is_null && descs_[i].length == -1)
        value.value = TRY(detoast(context_, arena, value.value));
      values.push_back(value);
    }
    const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, site_.function));
    const bool any_null =
        std::any_of(values.begin(), values.end(), [](const NullableDatum& v) { return v.is_null; });
    if (info->strict && any_null) {
      done_ = true;
      return {};
    }
    state_arena_.reset();
    site_.cache = nullptr;
    EvalContext eval{context_.fiber, arena, state_arena_, context_.session};
    apart_.clear();
    state_ = TRY(begin_set(eval, site_, shape_, *kernel_, values, apart_));
    return {};
  }

  // Up to kBatchRows more rows into `columns`; 0 at the end.
  Result<uint32_t> next(Arena& arena, std::span<Vector> columns) {
    if (done_) return 0U;
    for (Vector& column : columns) column.may_have_nulls = false;
    if (scalar_) {
      done_ = true;
      columns[0].set(0, value_);
      return 1U;
    }
    EvalContext eval{context_.fiber, arena, state_arena_, context_.session};
    const uint32_t count = TRY(kernel_->next(eval, site_, state_, columns));
    done_ = count == 0;
    return count;
  }

 private:
  ExecContext& context_;
  const Expr& expr_;
  std::optional<Evaluator> scalar_;
  const SetKernel* kernel_ = nullptr;
  CallSite site_;
  CallShape shape_;
  std::vector<Evaluator> args_;
  std::vector<ColumnDesc> descs_;
  Arena state_arena_;  // of this call alone: there may be one a row
  Arena apart_;        // the same, of a call that a worker began
  void* state_ = nullptr;
  NullableDatum value_;
  bool done_ = true;
};

// Functions in FROM, several side by side: a shorter one gives NULLs until the longest is done.
class FunctionScanOperator final : public Operator {
 public:
  FunctionScanOperator(ExecContext& context, const FunctionScanPlan& plan)
      : Operator(context, plan),
        entry_(*context.plan.range_table[static_cast<size_t>(plan.range - 1)]),
        arena_(&context.budget),
        projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, scanned_column));
    columns_.resize(entry_.columns.size());
    for (size_t f = 0; f < entry_.functions.size(); ++f) {
      parts_.push_back(std::make_unique<Part>(context_, *entry_.functions[f]));
      TRY(parts_[f]->call.open(outer_column));
      const auto width = static_cast<size_t>(entry_.function_columns[f]);
      parts_[f]->columns = make_columns(context_.arena, width);
    }
    if (entry_.with_ordinality) ordinals_ = make_columns(context_.arena, 1);
    null_ = Vector::make_constant(context_.arena, NullableDatum{});
    return {};
  }
  Result<Batch*> next() override {
    if (!started_) TRY(start());
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      const uint32_t count = TRY(fill());
      if (count == 0) return nullptr;
      TRY(context_.fiber.charge(count));
      place(count);
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted));
      if (out != nullptr) return out;
    }
  }
  Status rescan() override {
    started_ = false;
    projection_.forget_rest();
    return {};
  }

 private:
  struct Part {
    Part(ExecContext& context, const Expr& expr)
        : call(context, expr), arena(&context.budget), start_arena(&context.budget) {}
    SetCall call;
    Arena arena, start_arena;
    std::vector<Vector> columns;
    uint32_t at = 0, count = 0;  // of its rows at hand
    bool done = false;
  };

  Status start() {
    started_ = true;
    ordinal_ = 0;
    for (auto& part : parts_) {
      part->start_arena.reset();
      TRY(part->call.start(part->start_arena, Batch{{}, Rows{nullptr, 1}}, 0));
      part->at = part->count = 0;
      part->done = false;
    }
    return {};
  }

  // How many rows all the functions that are not done have at hand; 0 when all are.
  Result<uint32_t> fill() {
    uint32_t least = UINT32_MAX;
    for (auto& part : parts_) {
      if (part->at == part->count && !part->done) {
        part->arena.reset();
        part->at = 0;
        part->count = TRY(part->call.next(part->arena, part->columns));
        part->done = part->count == 0;
      }
      if (!part->done) least = std::min(least, part->count - part->at);
    }
    return least == UINT32_MAX ? 0U : least;
  }

  void place(uint32_t count) {
    size_t c = 0;
    for (auto& part : parts_) {
      for (const Vector& from : part->columns) {
        Vector& to = columns_[c++];
        to = part->done ? null_ : from;
        if (part->done || from.constant) continue;
        to.values += part->at;
        to.nulls += part->at;
      }
      if (!part->done) part->at += count;
    }
    if (!entry_.with_ordinality) return;
    for (uint32_t i = 0; i < count; ++i) ordinals_[0].set(i, Datum::of(++ordinal_));
    columns_[c] = ordinals_[0];
  }

  const RangeEntry& entry_;
  Arena arena_;
  Projection projection_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<Vector> columns_;   // as the entry has them
  std::vector<Vector> ordinals_;  // with_ordinality
  Vector null_;
  bool started_ = false;
  int64_t ordinal_ = 0;
};

// Target lists with set-returning functions: for each input row, the functions run in step; a
// shorter one gives NULLs until the longest is done.
class ProjectSetOperator final : public Operator {
 public:
  ProjectSetOperator(ExecContext& context, const ProjectSetPlan& plan)
      : Operator(context, plan), arena_(&context.budget) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    columns_ = make_columns(context_.arena, plan_.targets.size());
    for (const TargetEntry& target : plan_.targets) {
      Item item{};
      const bool set = target.expr->tag == ExprTag::call && as<CallExpr>(*target.expr).returns_set;
      if (!set && any_expr(*target.expr, [](const Expr& e) {
            return e.tag == ExprTag::call && as<CallExpr>(e).returns_set;
          })) {
        return unsupported("a set-returning function inside another expression");
      }
      if (set) {
        item.call = std::make_unique<SetCall>(context_, *target.expr);
        TRY(item.call->open(outer_column));
      } else {
        item.value = TRY(Evaluator::compile(context_, *target.expr, outer_column));
        item.has_effects = TRY(has_effects(context_, *target.expr));
      }
      items_.push_back(std::move(item));
    }
    return {};
  }

  Result<Batch*> next() override {
    while (given_ == made_) {
      arena_.reset();
      if (!running_) {
        const bool more = TRY(start_row());
        if (!more) return nullptr;
      }
      TRY(make_rows());
      running_ = made_ > 0;
    }
    return give();
  }
  Status rescan() override {
    in_ = nullptr;
    running_ = false;
    made_ = given_ = 0;
    return child_->rescan();
  }

 private:
  // The functions start with the values of the next row below; false when there is none.
  Result<bool> start_row() {
    start_arena_.reset();
    if (in_ == nullptr || at_ >= in_->rows.count) {
      child_->wanted = wanted < kBatchRows ? 1 : kBatchRows;  // one row may give all of them
      in_ = TRY(child_->next());
      at_ = 0;
      if (in_ == nullptr) return false;
    }
    row_ = in_->rows[at_++];
    for (Item& item : items_) {
      if (item.call != nullptr) TRY(item.call->start(start_arena_, *in_, row_));
    }
    return true;
  }

  // What the functions give next; none when all are done.
  Status make_rows() {
    made_ = given_ = 0;
    for (size_t i = 0; i < items_.size(); ++i) {
      columns_[i].may_have_nulls = false;
      if (items_[i].call == nullptr) continue;
      items_[i].count = TRY(items_[i].call->next(arena_, std::span(&columns_[i], 1)));
      made_ = std::max(made_, items_[i].count);
    }
    for (size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.call != nullptr) {
        for (uint32_t r = item.count; r < made_; ++r) columns_[i].set_null(r);
      } else if (made_ == 0 && item.has_effects) {
        // As PostgreSQL, which learns that a set is done while it computes one more row.
        const auto one = static_cast<uint16_t>(row_);
        TRY(item.value->evaluate(arena_, *in_, Rows{&one, 1}));
      }
    }
    return {};
  }

  // The rows made, as many as are wanted, with what stands beside the sets.
  Result<Batch*> give() {
    const uint32_t end = given_ + std::min(made_ - given_, std::max(wanted, 1U));
    const auto one = static_cast<uint16_t>(row_);
    for (size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.call != nullptr) continue;
      NullableDatum value;
      for (uint32_t r = given_; r < end; ++r) {
        if (r == given_ || item.has_effects)
          value = TRY(item.value->evaluate(arena_, *in_, Rows{&one, 1}))->at(row_);
        columns_[i].set(r, value);
      }
    }
    TRY(context_.fiber.charge(end - given_));
    rows_.clear();
    for (; given_ < end; ++given_) rows_.push_back(static_cast<uint16_t>(given_));
    out_ = Batch{columns_, Rows{rows_.data(), static_cast<uint32_t>(rows_.size())}};
    return &out_;
  }

  struct Item {
    std::unique_ptr<SetCall> call;
    std::optional<Evaluator> value;
    bool has_effects = false;  // then it is computed for each row of the set
    uint32_t count = 0;
  };
  Arena arena_;
  Arena start_arena_{&context_.budget};  // the arguments of the row at hand
  OperatorPtr child_;
  std::vector<Item> items_;
  std::vector<Vector> columns_;
  std::vector<uint16_t> rows_;
  Batch* in_ = nullptr;
  uint32_t at_ = 0;
  uint32_t row_ = 0;
  uint32_t made_ = 0;   // rows in columns_ ...
  uint32_t given_ = 0;  // ... and how many of them went out
  Batch out_;
  bool running_ = false;
};

}  // namespace

OperatorPtr make_function_scan(ExecContext& context, const FunctionScanPlan& plan) {
  return std::make_unique<FunctionScanOperator>(context, plan);
}
OperatorPtr make_project_set(ExecContext& context, const ProjectSetPlan& plan) {
  return std::make_unique<ProjectSetOperator>(context, plan);
}

}  // namespace orrery
