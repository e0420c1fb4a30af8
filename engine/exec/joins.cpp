// Nested loop and hash join. A join's input batch is its outer columns followed by its inner
// columns.
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/keys.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"

namespace orrery {
namespace {

// For each outer row the inner side is read again, with that row's values in the parameters. The
// outer row stands beside an inner batch as constant columns, so no pair is copied.
class NestedLoopOperator final : public Operator {
 public:
  NestedLoopOperator(ExecContext& context, const NestedLoopPlan& plan)
      : Operator(context, plan), join_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    outer_width_ = plan_.left->targets.size();
    inner_width_ = plan_.right->targets.size();
    const JoinColumns columns{static_cast<int>(outer_width_)};
    TRY(projection_.compile(plan_, columns));
    if (join_.join_condition != nullptr)
      condition_ = TRY(Evaluator::compile(context_, *join_.join_condition, columns));
    for (const Expr* value : join_.param_values)
      values_.push_back(TRY(Evaluator::compile(context_, *value, outer_column)));
    outer_ = TRY(make_operator(context_, *plan_.left));
    inner_ = TRY(make_operator(context_, *plan_.right));
    columns_.resize(outer_width_ + inner_width_);
    nulls_ = make_columns(context_.arena, inner_width_);
    for (Vector& column : nulls_) {
      column.set_null(0);
      column.constant = true;
    }
    kept_.resize(kBatchRows);
    return {};
  }

  Result<Batch*> next() override {
    arena_.reset();
    while (true) {
      if (!inner_running_ && !TRY(next_outer_row())) return nullptr;
      Batch* inner = TRY(inner_->next());
      if (inner == nullptr) {
        inner_running_ = false;
        const bool lonely =
            !matched_ && (join_.join_type == JoinKind::left || join_.join_type == JoinKind::anti);
        if (!lonely) continue;
        std::copy(nulls_.begin(), nulls_.end(),
                  columns_.begin() + static_cast<ptrdiff_t>(outer_width_));
        Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, 1}}));
        if (out != nullptr) return out;
        continue;
      }
      std::copy(inner->columns.begin(), inner->columns.end(),
                columns_.begin() + static_cast<ptrdiff_t>(outer_width_));
      Rows rows = inner->rows;
      if (condition_)
        rows = TRY(condition_->filter(arena_, Batch{columns_, rows}, rows, kept_.data()));
      TRY(context_.fiber.charge(inner->rows.count));
      if (rows.count == 0) continue;
      matched_ = true;
      if (join_.join_type == JoinKind::anti) {
        inner_running_ = false;
        continue;
      }
      if (join_.join_type == JoinKind::semi) {
        inner_running_ = false;
        rows.count = 1;
      }
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, rows}));
      if (out != nullptr) return out;
    }
  }

  Status rescan() override {
    outer_batch_ = nullptr;
    inner_running_ = false;
    return outer_->rescan();
  }
  bool restart() override {
    outer_batch_ = nullptr;
    inner_running_ = scanned_once_ = false;
    return outer_->restart() && inner_->restart();
  }

 private:
  Result<bool> next_outer_row() {
    while (outer_batch_ == nullptr || outer_at_ >= outer_batch_->rows.count) {
      outer_batch_ = TRY(outer_->next());
      outer_at_ = 0;
      if (outer_batch_ == nullptr) return false;
    }
    const uint32_t row = outer_batch_->rows[outer_at_++];
    for (size_t c = 0; c < outer_width_; ++c) {
      const Vector& column = outer_batch_->columns[c];
      Vector& one = columns_[c];
      one.values = column.constant ? column.values : column.values + row;
      one.nulls = column.constant ? column.nulls : column.nulls + row;
      one.constant = true;
      one.may_have_nulls = column.may_have_nulls;
    }
    const std::span<Vector> outer_columns(columns_.data(), outer_width_);
    for (size_t p = 0; p < values_.size(); ++p) {
      const Vector* value = TRY(
          values_[p].evaluate(arena_, Batch{outer_columns, Rows{nullptr, 1}}, Rows{nullptr, 1}));
      context_.exec_params[static_cast<size_t>(join_.param_slots[p])] = value->at(0);
    }
    if (scanned_once_) TRY(inner_->rescan());
    scanned_once_ = true;
    inner_running_ = true;
    matched_ = false;
    return true;
  }

  const NestedLoopPlan& join_;
  Arena arena_;
  Projection projection_;
  std::optional<Evaluator> condition_;
  std::vector<Evaluator> values_;
  OperatorPtr outer_, inner_;
  size_t outer_width_ = 0, inner_width_ = 0;
  std::vector<Vector> columns_;
  std::vector<Vector> nulls_;
  std::vector<uint16_t> kept_;
  Batch* outer_batch_ = nullptr;
  uint32_t outer_at_ = 0;
  bool inner_running_ = false;
  bool scanned_once_ = false;
  bool matched_ = false;
};

// The inner side is read into a hash table once; outer rows then probe it. Pairs are gathered up to
// a batch before the join's other conditions look at them. In a right or full join, inner rows
// remember whether they were matched.
class HashJoinOperator final : public Operator {
 public:
  HashJoinOperator(ExecContext& context, const HashJoinPlan& plan)
      : Operator(context, plan), join_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    outer_width_ = plan_.left->targets.size();
    const PlanNode& inner_plan = *plan_.right->left;
    inner_width_ = inner_plan.targets.size();
    const JoinColumns columns{static_cast<int>(outer_width_)};
    TRY(projection_.compile(plan_, columns));
    if (join_.join_condition != nullptr)
      condition_ = TRY(Evaluator::compile(context_, *join_.join_condition, columns));
    const auto inner_column = [](const Expr& e) {
      return e.tag == ExprTag::var && as<VarExpr>(e).range == kInnerVar ? as<VarExpr>(e).attno - 1
                                                                        : -1;
    };
    for (const HashKey& key : join_.keys) {
      outer_keys_.push_back(TRY(Evaluator::compile(context_, *key.outer, outer_column)));
      inner_keys_.push_back(TRY(Evaluator::compile(context_, *key.inner, inner_column)));
      keys_.push_back(TRY(key_of_type(context_, key.inner->type, 0)));
      descs_.push_back(TRY(type_desc(context_, key.inner->type)));
      if (keys_.back().hash == nullptr) return unsupported("a hash join over this type");
    }
    std::vector<ColumnDesc> stored = TRY(column_descs(context_, inner_plan.targets));
    for (const ColumnDesc& desc : descs_) stored.push_back(desc);  // keys lie behind the columns
    store_.emplace(context_, std::move(stored));
    outer_ = TRY(make_operator(context_, *plan_.left));
    inner_ = TRY(make_operator(context_, inner_plan));
    columns_.resize(outer_width_ + inner_width_);
    pair_columns_ = make_columns(context_.arena, outer_width_ + inner_width_);
    kept_.resize(kBatchRows);
    return {};
  }

  Result<Batch*> next() override {
    arena_.reset();
    if (!built_) TRY(build());
    while (true) {
      Batch* out = TRY(phase_ == Phase::probe ? probe() : sweep());
      if (out != nullptr) return out;
      if (phase_ == Phase::done) return nullptr;
    }
  }

  Status rescan() override {
    outer_batch_ = nullptr;
    phase_ = Phase::probe;
    built_ = false;
    rows_.clear();
    store_->clear();
    TRY(inner_->rescan());
    return outer_->rescan();
  }

 private:
  enum class Phase : uint8_t { probe, sweep, done };
  bool keeps_inner() const {
    return join_.join_type == JoinKind::right || join_.join_type == JoinKind::full;
  }
  bool keeps_outer() const {
    return join_.join_type == JoinKind::left || join_.join_type == JoinKind::full ||
           join_.join_type == JoinKind::anti;
  }

  Status build() {
    built_ = true;
    Arena arena(&context_.budget);
    const size_t width = store_->width();
    std::vector<Vector> all(width);
    while (Batch* in = TRY(inner_->next())) {
      arena.reset();
      std::copy(in->columns.begin(), in->columns.end(), all.begin());
      for (size_t k = 0; k < inner_keys_.size(); ++k) {
        Vector key = *TRY(inner_keys_[k].evaluate(arena, *in, in->rows));
        TRY(detoast_column(context_, arena, key, in->rows, descs_[k]));
        all[inner_width_ + k] = key;
      }
      for (uint32_t i = 0; i < in->rows.count; ++i) {
        const uint32_t row = in->rows[i];
        bool null_key = false;
        uint64_t hash = 0;
        for (size_t k = 0; k < keys_.size(); ++k) {
          const Vector& key = all[inner_width_ + k];
          null_key = null_key || key.is_null(row);
          if (!null_key) hash = hash_combine(hash, keys_[k].hash(key.value(row)));
        }
        if (null_key && !keeps_inner()) continue;  // matches nothing
        StoredRow* stored = store_->add(all, row);
        stored->hash = hash;
        stored->unmatchable = null_key;
        rows_.push_back(stored);
      }
      TRY(context_.budget.check());
      TRY(context_.fiber.charge(in->rows.count * 2));
    }
    size_t buckets = 64;
    while (buckets < rows_.size()) buckets *= 2;
    buckets_.assign(buckets, nullptr);
    for (size_t i = rows_.size(); i > 0;
         --i) {  // backwards, so that chains keep the order of arrival
      StoredRow* row = rows_[i - 1];
      if (row->unmatchable) continue;
      StoredRow*& bucket = buckets_[row->hash & (buckets - 1)];
      row->next = bucket;
      bucket = row;
    }
    return {};
  }

  Status hash_outer() {
    const Rows rows = outer_batch_->rows;
    key_values_.clear();
    hashes_.assign(kBatchRows, 0);
    null_keys_.assign(kBatchRows, 0);
    for (size_t k = 0; k < outer_keys_.size(); ++k) {
      Vector key = *TRY(outer_keys_[k].evaluate(outer_arena_, *outer_batch_, rows));
      TRY(detoast_column(context_, outer_arena_, key, rows, descs_[k]));
      for (uint32_t i = 0; i < rows.count; ++i) {
        const uint32_t row = rows[i];
        if (key.is_null(row))
          null_keys_[row] = 1;
        else
          hashes_[row] = hash_combine(hashes_[row], keys_[k].hash(key.value(row)));
      }
      key_values_.push_back(key);
    }
    outer_matched_.assign(kBatchRows, 0);
    return {};
  }

  bool keys_equal(const StoredRow& row, uint32_t outer_row) const {
    for (size_t k = 0; k < keys_.size(); ++k) {
      const Datum a = row.values()[inner_width_ + k];
      const Datum b = key_values_[k].value(outer_row);
      if (keys_[k].plain_words ? a.raw != b.raw : keys_[k].compare(a, b) != 0) return false;
    }
    return true;
  }

  // Gathers matching pairs, from where the last call stopped.
  uint32_t gather() {
    uint32_t count = 0;
    while (count < kBatchRows) {
      while (chain_ == nullptr) {
        if (outer_at_ >= outer_batch_->rows.count) return count;
        outer_row_ = outer_batch_->rows[outer_at_++];
        if (null_keys_[outer_row_] == 0)
          chain_ = buckets_[hashes_[outer_row_] & (buckets_.size() - 1)];
      }
      StoredRow* candidate = chain_;
      chain_ = chain_->next;
      if (candidate->hash != hashes_[outer_row_] || !keys_equal(*candidate, outer_row_)) continue;
      pair_inner_[count] = candidate;
      pair_outer_[count] = static_cast<uint16_t>(outer_row_);
      ++count;
    }
    return count;
  }

  void fill_pairs(uint32_t count) {
    for (size_t c = 0; c < outer_width_; ++c) {
      const Vector& from = outer_batch_->columns[c];
      Vector& to = pair_columns_[c];
      to.may_have_nulls = from.may_have_nulls;
      for (uint32_t i = 0; i < count; ++i) {
        to.values[i] = from.value(pair_outer_[i]);
        to.nulls[i] = from.is_null(pair_outer_[i]);
      }
    }
    fill_inner(count);
  }
  void fill_inner(uint32_t count) {
    const size_t width = store_->width();
    for (size_t c = 0; c < inner_width_; ++c) {
      Vector& to = pair_columns_[outer_width_ + c];
      to.may_have_nulls = true;
      to.constant = false;
      for (uint32_t i = 0; i < count; ++i) {
        to.values[i] = pair_inner_[i]->values()[c];
        to.nulls[i] = pair_inner_[i]->nulls(width)[c];
      }
    }
  }

  Result<Batch*> probe() {
    if (outer_batch_ == nullptr) {
      outer_arena_.reset();
      outer_batch_ = TRY(outer_->next());
      if (outer_batch_ == nullptr) {
        phase_ = keeps_inner() ? Phase::sweep : Phase::done;
        sweep_at_ = 0;
        return nullptr;
      }
      outer_at_ = 0;
      chain_ = nullptr;
      TRY(hash_outer());
    }
    const uint32_t count = gather();
    TRY(context_.fiber.charge(outer_batch_->rows.count + count));
    if (count == 0) return finish_outer_batch();
    fill_pairs(count);
    const Batch pairs{pair_columns_, Rows{nullptr, count}};
    Rows rows = pairs.rows;
    if (condition_) rows = TRY(condition_->filter(arena_, pairs, rows, kept_.data()));
    uint32_t passed = 0;
    for (uint32_t i = 0; i < rows.count; ++i) {
      const uint32_t pair = rows[i];
      const bool first = outer_matched_[pair_outer_[pair]] == 0;
      outer_matched_[pair_outer_[pair]] = 1;
      pair_inner_[pair]->matched = true;
      if (join_.join_type == JoinKind::anti || (join_.join_type == JoinKind::semi && !first))
        continue;
      kept_[passed++] = static_cast<uint16_t>(pair);
    }
    if (passed == 0) return nullptr;
    return projection_.apply(arena_, Batch{pair_columns_, Rows{kept_.data(), passed}});
  }

  // Outer rows nobody matched come out beside NULLs.
  Result<Batch*> finish_outer_batch() {
    Batch* batch = outer_batch_;
    outer_batch_ = nullptr;
    if (!keeps_outer()) return nullptr;
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      const auto row = static_cast<uint16_t>(batch->rows[i]);
      if (outer_matched_[row] == 0) pair_outer_[count++] = row;
    }
    if (count == 0) return nullptr;
    std::copy(batch->columns.begin(), batch->columns.end(), columns_.begin());
    for (size_t c = 0; c < inner_width_; ++c) {
      Vector& null = columns_[outer_width_ + c];
      if (null.values == nullptr) null = Vector::make_constant(context_.arena, NullableDatum{});
    }
    return projection_.apply(arena_, Batch{columns_, Rows{pair_outer_, count}});
  }

  // Inner rows nobody matched.
  Result<Batch*> sweep() {
    uint32_t count = 0;
    while (count < kBatchRows && sweep_at_ < rows_.size()) {
      StoredRow* row = rows_[sweep_at_++];
      if (!row->matched) pair_inner_[count++] = row;
    }
    if (count == 0) {
      phase_ = Phase::done;
      return nullptr;
    }
    fill_inner(count);
    std::copy(pair_columns_.begin(), pair_columns_.end(), columns_.begin());
    for (size_t c = 0; c < outer_width_; ++c)
      columns_[c] = Vector::make_constant(arena_, NullableDatum{});
    return projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}});
  }

  const HashJoinPlan& join_;
  Arena arena_;
  Arena outer_arena_{&context_.budget};
  Projection projection_;
  std::optional<Evaluator> condition_;
  std::vector<Evaluator> outer_keys_, inner_keys_;
  std::vector<KeyColumn> keys_;
  std::vector<ColumnDesc> descs_;
  std::optional<RowStore> store_;
  OperatorPtr outer_, inner_;
  size_t outer_width_ = 0, inner_width_ = 0;
  std::vector<StoredRow*> rows_;
  std::vector<StoredRow*> buckets_;
  std::vector<Vector> columns_;
  std::vector<Vector> pair_columns_;
  std::vector<uint16_t> kept_;
  StoredRow* pair_inner_[kBatchRows];
  uint16_t pair_outer_[kBatchRows];
  std::vector<Vector> key_values_;
  std::vector<uint64_t> hashes_;
  std::vector<uint8_t> null_keys_;
  std::vector<uint8_t> outer_matched_;
  Batch* outer_batch_ = nullptr;
  uint32_t outer_at_ = 0;
  uint32_t outer_row_ = 0;
  StoredRow* chain_ = nullptr;
  size_t sweep_at_ = 0;
  Phase phase_ = Phase::probe;
  bool built_ = false;
};

}  // namespace

OperatorPtr make_nested_loop(ExecContext& context, const NestedLoopPlan& plan) {
  return std::make_unique<NestedLoopOperator>(context, plan);
}
OperatorPtr make_hash_join(ExecContext& context, const HashJoinPlan& plan) {
  return std::make_unique<HashJoinOperator>(context, plan);
}

}  // namespace orrery
