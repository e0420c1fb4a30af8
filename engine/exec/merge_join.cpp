// Merge join: both sides come in the order of the keys. The inner rows of one key, a group, are
// kept beside the outer rows of that key; pairs are gathered up to a batch before the join's other
// conditions look at them.
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/join_pairs.h"
#include "exec/keys.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"

namespace orrery {
namespace {

// One side: its batch at hand with the keys computed, and which row comes next.
class MergeSide {
 public:
  MergeSide(ExecContext& context) : context_(context), arena_(&context.budget) {}

  Status open(const PlanNode& plan, std::span<const MergeKey> keys, bool outer) {
    const int range = outer ? kOuterVar : kInnerVar;
    const auto column_of = [range](const Expr& e) {
      return e.tag == ExprTag::var && as<VarExpr>(e).range == range ? as<VarExpr>(e).attno - 1 : -1;
    };
    for (const MergeKey& key : keys) {
      const Expr& expr = outer ? *key.outer : *key.inner;
      Evaluator made = TRY(Evaluator::compile(context_, expr, column_of));
      keys_.push_back(std::move(made));
      const ColumnDesc desc = TRY(type_desc(context_, expr.type));
      descs_.push_back(desc);
    }
    child_ = TRY(make_operator(context_, plan));
    return {};
  }

  // Takes the next batch where the one at hand is used up. False: there are no more rows.
  Result<bool> fill() {
    while (batch_ == nullptr || at_ >= batch_->rows.count) {
      if (done_) return false;
      batch_ = TRY(child_->next());
      at_ = 0;
      if (batch_ == nullptr) {
        done_ = true;
        return false;
      }
      arena_.reset();
      values_.clear();
      for (size_t k = 0; k < keys_.size(); ++k) {
        const Vector* computed = TRY(keys_[k].evaluate(arena_, *batch_, batch_->rows));
        Vector key = *computed;
        TRY(detoast_column(context_, arena_, key, batch_->rows, descs_[k]));
        values_.push_back(key);
      }
    }
    return true;
  }
  bool used_up() const { return batch_ == nullptr || at_ >= batch_->rows.count; }
  const Batch& batch() const { return *batch_; }
  uint32_t row() const { return batch_->rows[at_]; }
  void advance() { ++at_; }
  bool has_null_key() const {
    for (const Vector& value : values_) {
      if (value.is_null(row())) return true;
    }
    return false;
  }
  const std::vector<Vector>& keys() const { return values_; }
  const std::vector<ColumnDesc>& key_descs() const { return descs_; }

  Status rescan() {
    batch_ = nullptr;
    done_ = false;
    return child_->rescan();
  }

 private:
  ExecContext& context_;
  Arena arena_;
  OperatorPtr child_;
  std::vector<Evaluator> keys_;
  std::vector<ColumnDesc> descs_;
  Batch* batch_ = nullptr;
  std::vector<Vector> values_;
  uint32_t at_ = 0;
  bool done_ = false;
};

class MergeJoinOperator final : public Operator {
 public:
  MergeJoinOperator(ExecContext& context, const MergeJoinPlan& plan)
      : Operator(context, plan),
        join_(plan),
        arena_(&context.budget),
        projection_(context),
        outer_(context),
        inner_(context) {}

  Status open() override {
    outer_width_ = plan_.left->targets.size();
    inner_width_ = plan_.right->targets.size();
    const JoinColumns columns{static_cast<int>(outer_width_)};
    TRY(projection_.compile(plan_, columns));
    if (join_.join_condition != nullptr)
      condition_ = TRY(Evaluator::compile(context_, *join_.join_condition, columns));
    TRY(outer_.open(*plan_.left, join_.keys, true));
    TRY(inner_.open(*plan_.right, join_.keys, false));
    for (const MergeKey& key : join_.keys) {
      KeyColumn made = TRY(key_of_type(context_, key.inner->type, 0));
      made.descending = key.descending;
      made.nulls_first = key.nulls_first;
      if (made.compare == nullptr) return unsupported("a merge join over this type");
      keys_.push_back(made);
    }
    std::vector<ColumnDesc> stored = TRY(column_descs(context_, plan_.right->targets));
    for (const ColumnDesc& desc : inner_.key_descs()) stored.push_back(desc);
    stored_.resize(stored.size());
    store_.emplace(context_, std::move(stored), RowHeads::kept);
    pair_columns_ = make_columns(context_.arena, outer_width_ + inner_width_);
    kept_.resize(kBatchRows);
    real_.resize(kBatchRows);
    outer_matched_.resize(kBatchRows);
    return {};
  }

  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      Batch* out = TRY(step());
      if (out != nullptr) return out;
      if (finished_) return nullptr;
    }
  }

  Status rescan() override {
    group_.clear();
    lonely_inner_.clear();
    store_->clear();
    projection_.forget_rest();
    in_batch_ = finished_ = inner_done_ = false;
    group_at_ = 0;
    pairs_ = 0;
    TRY(outer_.rescan());
    return inner_.rescan();
  }

 private:
  static constexpr uint64_t kKeepBytes = 256 << 10;

  // Gathers pairs and gives them out; rows that only one side has come after them.
  Result<Batch*> step() {
    if (!in_batch_) {
      const bool more = TRY(outer_.fill());
      if (!more) return finish_inner();
      in_batch_ = true;
      std::fill(outer_matched_.begin(), outer_matched_.end(), 0);
    }
    TRY(gather());
    TRY(context_.fiber.charge(pairs_ + 1));
    if (pairs_ > 0) return emit_pairs();
    if (!lonely_inner_.empty()) return emit_lonely_inner();
    if (!outer_.used_up()) return nullptr;
    in_batch_ = false;
    return emit_rejected();
  }

  int compare_with_group(uint32_t row) const {
    for (size_t k = 0; k < keys_.size(); ++k) {
      const Datum a = outer_.keys()[k].value(row);
      const Datum b = group_[0]->values()[inner_width_ + k];
      const int order = keys_[k].compare(a, b);
      if (order != 0) return keys_[k].descending ? -order : order;
    }
    return 0;
  }

  // Pairs of the outer batch at hand, from where the last call stopped, until there are as many as
  // a batch takes or something else has to be given out first.
  Status gather() {
    while (!outer_.used_up() && pairs_ < kBatchRows) {
      const uint32_t row = outer_.row();
      if (outer_.has_null_key()) {
        add_lonely(row);
        continue;
      }
      while (!inner_done_ && (group_.empty() || compare_with_group(row) > 0)) {
        const bool full = store_->bytes() >= kKeepBytes && !lonely_inner_.empty();
        // Whether a row of the group stays alone is known once its pairs were judged.
        const bool judge = pairs_ > 0 && (store_->bytes() >= kKeepBytes ||
                                          (condition_ && keeps_inner(join_.join_type)));
        if (full || judge) return {};
        TRY(next_group());
      }
      if (group_.empty() || compare_with_group(row) != 0) {
        add_lonely(row);
        continue;
      }
      const bool one = !condition_ && (join_.join_type == JoinKind::semi ||
                                       join_.join_type == JoinKind::anti || join_.inner_unique);
      const size_t end = one ? 1 : group_.size();
      for (; group_at_ < end && pairs_ < kBatchRows; ++group_at_) {
        pair_outer_[pairs_] = static_cast<uint16_t>(row);
        if (!condition_) group_[group_at_]->head().matched = true;
        pair_inner_[pairs_++] = group_[group_at_];
      }
      if (group_at_ < end) return {};
      group_at_ = 0;
      outer_.advance();
    }
    return {};
  }
  void add_lonely(uint32_t row) {
    if (keeps_outer(join_.join_type)) {
      outer_matched_[row] = 1;  // it is given out here
      pair_outer_[pairs_] = static_cast<uint16_t>(row);
      pair_inner_[pairs_++] = nullptr;
    }
    outer_.advance();
  }

  // Reads the inner rows of the next key. group_ is left empty where there are none, and where rows
  // that were left alone have to be given out first. Rows behind us go when nobody points to them.
  Status next_group() {
    if (keeps_inner(join_.join_type)) {
      for (StoredRow* row : group_) {
        if (!row->head().matched) lonely_inner_.push_back(row);
      }
    }
    group_.clear();
    if (store_->bytes() >= kKeepBytes) {
      if (pairs_ > 0 || !lonely_inner_.empty()) return {};
      store_->clear();
    }
    while (true) {
      const bool more = TRY(inner_.fill());
      if (!more) {
        inner_done_ = true;
        return {};
      }
      const uint32_t row = inner_.row();
      const bool null_key = inner_.has_null_key();
      if (null_key && !keeps_inner(join_.join_type)) {
        inner_.advance();
        continue;
      }
      if (!null_key && !group_.empty() && !continues_group(row)) return {};
      const Batch& in = inner_.batch();
      std::copy(in.columns.begin(), in.columns.end(), stored_.begin());
      for (size_t k = 0; k < keys_.size(); ++k) stored_[inner_width_ + k] = inner_.keys()[k];
      StoredRow* stored = store_->add(stored_, row);
      if (null_key)
        lonely_inner_.push_back(stored);
      else
        group_.push_back(stored);
      inner_.advance();
      TRY(context_.fiber.charge(1));
      if (group_.size() % kBatchRows == 0) TRY(context_.budget.check());
    }
  }
  bool continues_group(uint32_t row) const {
    for (size_t k = 0; k < keys_.size(); ++k) {
      if (keys_[k].compare(inner_.keys()[k].value(row), group_[0]->values()[inner_width_ + k]) != 0)
        return false;
    }
    return true;
  }

  Result<Batch*> emit_pairs() {
    fill_pairs();
    uint32_t real = 0;
    for (uint32_t i = 0; i < pairs_; ++i) {
      if (pair_inner_[i] != nullptr) real_[real++] = static_cast<uint16_t>(i);
    }
    Rows passing{real_.data(), real};
    if (condition_ && real > 0)
      passing =
          TRY(condition_->filter(arena_, Batch{pair_columns_, passing}, passing, kept_.data()));
    uint32_t kept = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < pairs_; ++i) {
      if (pair_inner_[i] == nullptr) {
        out_rows_[kept++] = static_cast<uint16_t>(i);
        continue;
      }
      if (at >= passing.count || passing[at] != i) continue;
      ++at;
      const bool first = outer_matched_[pair_outer_[i]] == 0;
      outer_matched_[pair_outer_[i]] = 1;
      pair_inner_[i]->head().matched = true;
      if (join_.join_type == JoinKind::anti || (join_.join_type == JoinKind::semi && !first))
        continue;
      out_rows_[kept++] = static_cast<uint16_t>(i);
    }
    pairs_ = 0;
    if (kept == 0) return nullptr;
    return projection_.apply(arena_, Batch{pair_columns_, Rows{out_rows_, kept}}, wanted);
  }

  void fill_pairs() {
    gather_outer(pair_columns_, outer_.batch().columns.first(outer_width_),
                 std::span(pair_outer_).first(pairs_));
    gather_inner(std::span(pair_columns_).subspan(outer_width_, inner_width_),
                 std::span(pair_inner_).first(pairs_), stored_.size());
  }

  // Outer rows that had partners, all of which the condition rejected.
  Result<Batch*> emit_rejected() {
    if (!keeps_outer(join_.join_type) || !condition_) return nullptr;
    uint32_t count = 0;
    const Batch& batch = outer_.batch();
    for (uint32_t i = 0; i < batch.rows.count; ++i) {
      const uint32_t row = batch.rows[i];
      if (outer_matched_[row] == 0) out_rows_[count++] = static_cast<uint16_t>(row);
    }
    if (count == 0) return nullptr;
    std::vector<Vector> columns(batch.columns.begin(), batch.columns.end());
    for (size_t c = 0; c < inner_width_; ++c)
      columns.push_back(Vector::make_constant(arena_, NullableDatum{}));
    beside_ = std::move(columns);
    return projection_.apply(arena_, Batch{beside_, Rows{out_rows_, count}}, wanted);
  }

  Result<Batch*> emit_lonely_inner() {
    const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, lonely_inner_.size()));
    const size_t width = stored_.size();
    beside_.clear();
    for (size_t c = 0; c < outer_width_; ++c)
      beside_.push_back(Vector::make_constant(arena_, NullableDatum{}));
    for (size_t c = 0; c < inner_width_; ++c) {
      Vector& to = pair_columns_[outer_width_ + c];
      to.may_have_nulls = true;
      for (uint32_t i = 0; i < count; ++i) {
        to.values[i] = lonely_inner_[i]->values()[c];
        to.nulls[i] = lonely_inner_[i]->nulls(width)[c];
      }
      beside_.push_back(to);
    }
    lonely_inner_.erase(lonely_inner_.begin(), lonely_inner_.begin() + count);
    return projection_.apply(arena_, Batch{beside_, Rows{nullptr, count}}, wanted);
  }

  // No outer rows are left: what the inner side has yet is alone.
  Result<Batch*> finish_inner() {
    if (keeps_inner(join_.join_type)) {
      while (lonely_inner_.empty() && !(inner_done_ && group_.empty())) {
        TRY(next_group());
      }
      if (!lonely_inner_.empty()) return emit_lonely_inner();
    }
    finished_ = true;
    return nullptr;
  }

  const MergeJoinPlan& join_;
  Arena arena_;
  Projection projection_;
  std::optional<Evaluator> condition_;
  MergeSide outer_, inner_;
  size_t outer_width_ = 0, inner_width_ = 0;
  std::vector<KeyColumn> keys_;
  std::optional<RowStore> store_;  // inner rows with their keys behind their columns
  std::vector<Vector> stored_;
  std::vector<StoredRow*> group_;         // the inner rows of one key ...
  size_t group_at_ = 0;                   // ... and which of them the outer row meets next
  std::vector<StoredRow*> lonely_inner_;  // to be given out
  StoredRow* pair_inner_[kBatchRows];     // null: the outer row is alone
  uint16_t pair_outer_[kBatchRows];
  uint32_t pairs_ = 0;
  uint16_t out_rows_[kBatchRows];
  std::vector<Vector> pair_columns_;
  std::vector<Vector> beside_;
  std::vector<uint16_t> kept_, real_;
  std::vector<uint8_t> outer_matched_;  // by row of the outer batch
  bool in_batch_ = false;
  bool inner_done_ = false;
  bool finished_ = false;
};

}  // namespace

OperatorPtr make_merge_join(ExecContext& context, const MergeJoinPlan& plan) {
  return std::make_unique<MergeJoinOperator>(context, plan);
}

}  // namespace orrery
