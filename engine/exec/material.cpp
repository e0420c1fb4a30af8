// Operators that keep their input to read it again: Material, CTEs, and recursion's working tables.
#include "exec/keys.h"
#include "exec/operators_internal.h"
#include "exec/plain_keys.h"
#include "exec/projection.h"
#include "exec/shared_rows.h"

namespace orrery {
namespace {

class MaterialOperator final : public Operator {
 public:
  MaterialOperator(ExecContext& context, const MaterialPlan& plan) : Operator(context, plan) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    rows_.emplace(context_, TRY(column_descs(context_, plan_.left->targets)));
    reader_.emplace(*rows_);
    columns_ = make_columns(context_.arena, rows_->width());
    version_ = context_.params_version(static_cast<const MaterialPlan&>(plan_).reads_params);
    return {};
  }
  Result<Batch*> next() override {
    if (reader_->at_end() && !complete_) {
      Batch* in = TRY(child_->next());
      complete_ = in == nullptr;
      if (in != nullptr) TRY(rows_->add(*in));
    }
    const uint32_t count = TRY(reader_->next(columns_));
    if (count == 0) return nullptr;
    out_ = Batch{columns_, Rows{nullptr, count}};
    return &out_;
  }
  Status rescan() override {
    const auto& plan = static_cast<const MaterialPlan&>(plan_);
    const uint64_t version = context_.params_version(plan.reads_params);
    if (version == version_) return rewind();
    version_ = version;
    rows_->clear();
    reader_->rewind();
    complete_ = false;
    return child_->rescan();
  }
  Status rewind() override {
    reader_->rewind();
    return {};
  }

 private:
  OperatorPtr child_;
  std::optional<SharedRows> rows_;
  std::optional<SharedRows::Reader> reader_;
  std::vector<Vector> columns_;
  Batch out_;
  bool complete_ = false;
  uint64_t version_ = 0;  // of the parameters the rows were computed with
};

// Readers of one CTE share what was computed so far; whoever needs more pulls it.
class CteScanOperator final : public Operator {
 public:
  CteScanOperator(ExecContext& context, const CteScanPlan& plan)
      : Operator(context, plan), cte_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, scanned_column));
    state_ = &context_.shared_rows(cte_.cte_param);
    if (state_->source == nullptr) {
      const PlanNode& source = *context_.plan.subplans[static_cast<size_t>(cte_.subplan)];
      state_->owned_source = TRY(make_operator(context_, source));
      state_->source = state_->owned_source.get();
      state_->rows =
          std::make_unique<SharedRows>(context_, TRY(column_descs(context_, source.targets)));
      state_->version = context_.params_version(cte_.reads_params);
    }
    reader_.emplace(*state_->rows);
    columns_ = make_columns(context_.arena, state_->rows->width());
    return {};
  }
  Result<Batch*> next() override {
    TRY(follow_params());
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      while (reader_->at_end()) {
        if (state_->complete) return nullptr;
        state_->source->wanted = wanted;
        Batch* in = TRY(state_->source->next());
        if (in == nullptr) {
          state_->complete = true;
          return nullptr;
        }
        TRY(state_->rows->add(*in));
      }
      const uint32_t count = TRY(reader_->next(columns_));
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted));
      if (out != nullptr) return out;
    }
  }
  Status rescan() override {
    reader_->rewind();
    projection_.forget_rest();
    return {};
  }

 private:
  // Rows that were computed from other values around the query are computed again, once for all
  // readers: these are all started over when such a value changes.
  Status follow_params() {
    const uint64_t version = context_.params_version(cte_.reads_params);
    if (version == state_->version) return {};
    state_->version = version;
    state_->complete = false;
    state_->rows->clear();
    reader_->rewind();
    projection_.forget_rest();
    return state_->source->rescan();
  }

  const CteScanPlan& cte_;
  Arena arena_;
  Projection projection_;
  CteState* state_ = nullptr;
  std::vector<Vector> columns_;
  std::optional<SharedRows::Reader> reader_;
};

class WorkTableScanOperator final : public Operator {
 public:
  WorkTableScanOperator(ExecContext& context, const WorkTableScanPlan& plan)
      : Operator(context, plan), work_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, scanned_column));
    state_ = &context_.shared_rows(work_.work_table_param);
    return {};
  }
  Result<Batch*> next() override {
    CHECK(state_->rows != nullptr);  // its RecursiveUnion is running
    if (columns_.empty()) columns_ = make_columns(context_.arena, state_->rows->width());
    if (!reader_) reader_.emplace(*state_->rows);
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (!reader_->at_end()) {
      arena_.reset();
      const uint32_t count = TRY(reader_->next(columns_));
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted));
      if (out != nullptr) return out;
    }
    return nullptr;
  }
  Status rescan() override {
    reader_.reset();  // the working table may be another one by now
    projection_.forget_rest();
    return {};
  }

 private:
  const WorkTableScanPlan& work_;
  Arena arena_;
  Projection projection_;
  CteState* state_ = nullptr;
  std::vector<Vector> columns_;
  std::optional<SharedRows::Reader> reader_;
};

// The non-recursive term fills the working table; each round runs the recursive term over it and
// makes its rows the next working table, until a round yields nothing. UNION drops rows seen
// before, in any round.
class RecursiveUnionOperator final : public Operator {
 public:
  RecursiveUnionOperator(ExecContext& context, const RecursiveUnionPlan& plan)
      : Operator(context, plan), union_(plan) {}

  Status open() override {
    descs_ = TRY(column_descs(context_, plan_.left->targets));
    const std::vector<KeyColumn> keys = TRY(group_keys(context_, union_.columns, *plan_.left));
    plain_.set(keys, descs_);
    state_ = &context_.shared_rows(union_.work_table_param);
    state_->rows = std::make_unique<SharedRows>(context_, descs_);
    next_table_ = std::make_unique<SharedRows>(context_, descs_);
    if (union_.distinct) seen_.emplace(context_, descs_, keys);
    base_ = TRY(make_operator(context_, *plan_.left));
    step_ = TRY(make_operator(context_, *plan_.right));
    kept_.resize(kBatchRows);
    return {};
  }
  Result<Batch*> next() override {
    while (true) {
      Operator& term = *(recursing_ ? step_ : base_);
      term.wanted = wanted;
      Batch* in = TRY(term.next());
      if (in == nullptr) {
        if (!TRY(start_round())) return nullptr;
        continue;
      }
      Rows rows = in->rows;
      if (union_.distinct) {
        arena_.reset();
        const Batch plain = TRY(plain_.of(context_, arena_, *in));
        rows = TRY(seen_->keep_new(plain, kept_.data()));
      }
      if (rows.count == 0) continue;
      out_ = Batch{in->columns, rows};
      TRY(next_table_->add(out_));
      return &out_;
    }
  }
  Status rescan() override {
    recursing_ = false;
    state_->rows->clear();
    next_table_->clear();
    if (seen_) seen_->clear();
    context_.touch_param(union_.work_table_param);
    TRY(base_->rescan());
    return step_->rescan();
  }

 private:
  Result<bool> start_round() {
    if (next_table_->size() == 0) return false;
    std::swap(state_->rows, next_table_);
    next_table_->clear();
    recursing_ = true;
    context_.touch_param(union_.work_table_param);
    TRY(step_->rescan());
    return true;
  }

  const RecursiveUnionPlan& union_;
  std::vector<ColumnDesc> descs_;
  Arena arena_{&context_.budget};
  PlainKeys plain_;
  OperatorPtr base_, step_;
  CteState* state_ = nullptr;  // holds the working table
  std::unique_ptr<SharedRows> next_table_;
  std::optional<RowSet> seen_;
  std::vector<uint16_t> kept_;
  Batch out_;
  bool recursing_ = false;
};

}  // namespace

OperatorPtr make_material(ExecContext& context, const MaterialPlan& plan) {
  return std::make_unique<MaterialOperator>(context, plan);
}
OperatorPtr make_cte_scan(ExecContext& context, const CteScanPlan& plan) {
  return std::make_unique<CteScanOperator>(context, plan);
}
OperatorPtr make_work_table_scan(ExecContext& context, const WorkTableScanPlan& plan) {
  return std::make_unique<WorkTableScanOperator>(context, plan);
}
OperatorPtr make_recursive_union(ExecContext& context, const RecursiveUnionPlan& plan) {
  return std::make_unique<RecursiveUnionOperator>(context, plan);
}

}  // namespace orrery
