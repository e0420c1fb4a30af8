// Window functions. Rows come sorted by partition and order; a partition is read whole, then its
// rows go out one batch at a time with what the functions say of them.
//
// A stored row is the child's columns, then the arguments of every function, computed as the row
// comes: so a function may look at any row of the partition without computing anything again.
#include "analyze/walk.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/window_frame.h"
#include "func/aggregate.h"
#include "func/large_work.h"

namespace orrery {
namespace {

enum class Ranking : uint16_t {
  row_number = 3100,
  rank,
  dense_rank,
  percent_rank,
  cume_dist,
  ntile,
  lag,
  lag_offset,
  lag_default,
  lead,
  lead_offset,
  lead_default,
  first_value,
  last_value,
  nth_value,
};

struct WindowFunction {
  const WindowExpr* expr;
  size_t first_column = 0;  // of its arguments in the stored row
  std::vector<Evaluator> args;
  std::optional<Evaluator> filter;
  size_t filter_column = 0;
  // An aggregate: its state over the frame [begin, end) of the row before.
  const AggregateKernel* kernel = nullptr;
  CallSite site;
  std::unique_ptr<Arena> states, results;
  void* state = nullptr;
  uint64_t begin = 0, end = 0;
  NullableDatum result;
  bool has_result = false;
  uint64_t first_bucket_row = UINT64_MAX;  // ntile: the first row that names a number
};

class WindowOperator final : public Operator {
 public:
  WindowOperator(ExecContext& context, const WindowPlan& plan)
      : Operator(context, plan),
        window_(plan),
        arena_(&context.budget),
        projection_(context),
        frame_(context, plan) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    width_ = plan_.left->targets.size();
    descs_ = TRY(column_descs(context_, plan_.left->targets));
    for (const TargetEntry& target : plan_.targets) TRY(find(*target.expr));
    rows_.emplace(context_, descs_);
    partition_keys_ = TRY(group_keys(context_, window_.partition_by, *plan_.left));
    order_keys_ = TRY(sort_keys(context_, window_.order_by, *plan_.left));
    TRY(frame_.open());
    const auto column_of = [this](const Expr& leaf) { return layout(leaf); };
    TRY(projection_.compile(plan_, column_of));
    columns_ = make_columns(context_.arena, width_ + functions_.size());
    stored_.resize(descs_.size());
    update_columns_ = make_columns(context_.arena, descs_.size());
    return {};
  }

  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      if (at_ >= rows_->size()) {
        const bool more = TRY(read_partition());
        if (!more) return nullptr;
      }
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, rows_->size() - at_));
      for (Vector& column : columns_) column.may_have_nulls = true;
      for (uint32_t i = 0; i < count; ++i) TRY(compute_row(at_ + i, i));
      at_ += count;
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted));
      if (out != nullptr) return out;
    }
  }

  Status rescan() override {
    in_ = nullptr;
    input_done_ = started_ = false;
    projection_.forget_rest();
    rows_->clear();
    at_ = 0;
    return child_->rescan();
  }

 private:
  int layout(const Expr& leaf) const {
    for (size_t i = 0; i < functions_.size(); ++i) {
      if (functions_[i].expr == &leaf) return static_cast<int>(width_ + i);
    }
    return outer_column(leaf);
  }

  Status find(const Expr& e) {
    if (e.tag == ExprTag::window) return add_function(as<WindowExpr>(e));
    Status status;
    for_each_child(e, [&](const Expr& child) {
      if (status.ok()) status = find(child);
    });
    return status;
  }

  Status add_function(const WindowExpr& expr) {
    WindowFunction f{};
    f.expr = &expr;
    f.first_column = descs_.size();
    std::vector<Oid> types;
    for (const Expr* arg : expr.args) {
      {
        auto made = TRY(Evaluator::compile(context_, *arg, outer_column));
        f.args.push_back(std::move(made));
      }
      {
        auto made = TRY(type_desc(context_, arg->type));
        descs_.push_back(std::move(made));
      }
      types.push_back(arg->type);
    }
    if (expr.filter != nullptr) {
      f.filter = TRY(Evaluator::compile(context_, *expr.filter, outer_column));
      f.filter_column = descs_.size();
      {
        auto made = TRY(type_desc(context_, expr.filter->type));
        descs_.push_back(std::move(made));
      }
    }
    if (expr.is_aggregate) {
      f.kernel = find_aggregate(expr.function);
      f.states = std::make_unique<Arena>(&context_.budget);
      f.results = std::make_unique<Arena>(&context_.budget);
    }
    const bool known = expr.function.v >= 3100 && expr.function.v <= 3114;
    if (expr.is_aggregate ? f.kernel == nullptr : !known) {
      const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, expr.function));
      return unsupported(cat("window function ", info == nullptr ? "" : info->name));
    }
    f.site.function = expr.function;
    f.site.result_type = expr.type;
    f.site.argument_types = context_.arena.copy_array(types);
    f.site.collation = expr.input_collation;
    functions_.push_back(std::move(f));
    return {};
  }

  // The child's columns with the functions' arguments behind them.
  Status take_batch() {
    in_ = TRY(child_->next());
    in_at_ = 0;
    if (in_ == nullptr) return {};
    in_arena_.reset();
    std::copy(in_->columns.begin(), in_->columns.end(), stored_.begin());
    for (WindowFunction& f : functions_) {
      for (size_t a = 0; a < f.args.size(); ++a) {
        const Vector* value = TRY(f.args[a].evaluate(in_arena_, *in_, in_->rows));
        stored_[f.first_column + a] = *value;
      }
      if (!f.filter) continue;
      const Vector* counts = TRY(f.filter->evaluate(in_arena_, *in_, in_->rows));
      stored_[f.filter_column] = *counts;
    }
    // Keys and arguments are looked into; columns that only pass stay as they are.
    for (size_t c = 0; c < descs_.size(); ++c) {
      const bool key = is_key(c);
      if (c < width_ && !key) continue;
      TRY(detoast_column(context_, in_arena_, stored_[c], in_->rows, descs_[c]));
    }
    return {};
  }
  bool is_key(size_t column) const {
    const auto same = [&](const KeyColumn& key) {
      return static_cast<size_t>(key.column) == column;
    };
    return std::any_of(partition_keys_.begin(), partition_keys_.end(), same) ||
           std::any_of(order_keys_.begin(), order_keys_.end(), same);
  }

  // False when there are no more rows.
  Result<bool> read_partition() {
    if (!started_) {
      started_ = true;
      start_arena_.reset();
      TRY(frame_.start_scan(start_arena_));
    }
    rows_->clear();
    groups_.clear();
    at_ = 0;
    const size_t width = descs_.size();
    RowStore first_store(context_, descs_);
    const StoredRow* first = nullptr;
    StoredRow* peer = nullptr;
    RowStore peer_store(context_, descs_);
    while (true) {
      if (in_ == nullptr || in_at_ >= in_->rows.count) {
        if (input_done_) break;
        TRY(take_batch());
        input_done_ = in_ == nullptr;
        if (input_done_) break;
      }
      for (; in_at_ < in_->rows.count; ++in_at_) {
        const uint32_t row = in_->rows[in_at_];
        if (first == nullptr) {
          first = first_store.add(stored_, row);
        } else if (!row_equals(partition_keys_, *first, width, stored_, row)) {
          start_partition();
          return true;
        }
        if (peer == nullptr || !row_equals(order_keys_, *peer, width, stored_, row)) {
          groups_.push_back(rows_->size());
          if (peer_store.bytes() > (1 << 16)) peer_store.clear();
          peer = peer_store.add(stored_, row);
        }
        TRY(rows_->add(stored_, row));
      }
      TRY(context_.fiber.charge(in_->rows.count * 2));
      TRY(context_.budget.check());
    }
    start_partition();
    return rows_->size() > 0;
  }

  void start_partition() {
    frame_.start_partition(*rows_, groups_);
    for (WindowFunction& f : functions_) {
      f.state = nullptr;
      f.has_result = false;
      f.begin = f.end = 0;
      f.first_bucket_row = UINT64_MAX;
    }
  }

  Status compute_row(uint64_t row, uint32_t out) {
    TRY(frame_.move_to(row));
    const StoredRow* stored = TRY(rows_->row(row));
    for (size_t c = 0; c < width_; ++c) {
      NullableDatum value{stored->values()[c], stored->nulls(descs_.size())[c] != 0};
      if (!value.is_null) value.value = copy_datum(arena_, value.value, descs_[c]);
      columns_[c].set(out, value);
    }
    for (size_t i = 0; i < functions_.size(); ++i) {
      WindowFunction& f = functions_[i];
      const NullableDatum value = TRY(f.kernel != nullptr ? aggregate(f) : ranking(f, row));
      columns_[width_ + i].set(out, value);
    }
    return context_.fiber.charge(1 + functions_.size());
  }

  // Argument `number` of `f` at `row`, copied for the batch.
  Result<NullableDatum> argument(const WindowFunction& f, size_t number, uint64_t row) {
    const StoredRow* stored = TRY(rows_->row(row));
    const size_t column = f.first_column + number;
    if (stored->nulls(descs_.size())[column] != 0) return NullableDatum{};
    return NullableDatum{copy_datum(arena_, stored->values()[column], descs_[column]), false};
  }

  Result<NullableDatum> ranking(WindowFunction& f, uint64_t row) {
    const auto which = static_cast<Ranking>(f.expr->function.v);
    const uint64_t count = rows_->size();
    const auto whole = [](uint64_t v) {
      return NullableDatum{Datum::of(static_cast<int64_t>(v)), false};
    };
    switch (which) {
      case Ranking::row_number:   return whole(row + 1);
      case Ranking::rank:         return whole(frame_.group_begin + 1);
      case Ranking::dense_rank:   return whole(frame_.group + 1);
      case Ranking::percent_rank: {
        const double part =
            count <= 1 ? 0.0
                       : static_cast<double>(frame_.group_begin) / static_cast<double>(count - 1);
        return NullableDatum{Datum::of(part), false};
      }
      case Ranking::cume_dist: {
        const double part = static_cast<double>(frame_.group_end) / static_cast<double>(count);
        return NullableDatum{Datum::of(part), false};
      }
      case Ranking::ntile:        return bucket(f, row);
      case Ranking::lag:
      case Ranking::lag_offset:
      case Ranking::lag_default:  return neighbour(f, row, false);
      case Ranking::lead:
      case Ranking::lead_offset:
      case Ranking::lead_default: return neighbour(f, row, true);
      case Ranking::first_value:
        for (uint64_t r = frame_.begin; r < frame_.end; ++r) {
          if (!frame_.is_excluded(r)) return argument(f, 0, r);
        }
        return NullableDatum{};
      case Ranking::last_value:
        for (uint64_t r = frame_.end; r > frame_.begin; --r) {
          if (!frame_.is_excluded(r - 1)) return argument(f, 0, r - 1);
        }
        return NullableDatum{};
      case Ranking::nth_value: return nth(f, row);
    }
    UNREACHABLE();
  }

  // The first `count % buckets` buckets hold one row more than the others. The number of buckets is
  // what the first row that names one says; rows before it have none.
  Result<NullableDatum> bucket(WindowFunction& f, uint64_t row) {
    const bool known = f.first_bucket_row != UINT64_MAX;
    const NullableDatum given = TRY(argument(f, 0, known ? f.first_bucket_row : row));
    if (given.is_null) return NullableDatum{};
    if (!known) f.first_bucket_row = row;
    row -= f.first_bucket_row;
    const auto buckets = given.value.as<int32_t>();
    if (buckets <= 0) {
      return raise(sqlstate::invalid_argument_for_ntile,
                   "argument of ntile must be greater than zero");
    }
    const uint64_t number = static_cast<uint64_t>(buckets);
    const uint64_t small = rows_->size() / number;
    const uint64_t larger = rows_->size() % number;
    const uint64_t in_larger = larger * (small + 1);
    const uint64_t at = row < in_larger ? row / (small + 1) : larger + (row - in_larger) / small;
    return NullableDatum{Datum::of(static_cast<int32_t>(at + 1)), false};
  }

  Result<NullableDatum> neighbour(const WindowFunction& f, uint64_t row, bool ahead) {
    int64_t offset = 1;
    if (f.expr->args.size() > 1) {
      const NullableDatum given = TRY(argument(f, 1, row));
      if (given.is_null) return NullableDatum{};
      offset = given.value.as<int32_t>();
    }
    const int64_t wanted = static_cast<int64_t>(row) + (ahead ? offset : -offset);
    if (wanted >= 0 && wanted < static_cast<int64_t>(rows_->size()))
      return argument(f, 0, static_cast<uint64_t>(wanted));
    if (f.expr->args.size() > 2) return argument(f, 2, row);
    return NullableDatum{};
  }

  Result<NullableDatum> nth(const WindowFunction& f, uint64_t row) {
    const NullableDatum given = TRY(argument(f, 1, row));
    if (given.is_null) return NullableDatum{};
    int64_t left = given.value.as<int32_t>();
    if (left <= 0) {
      return raise(sqlstate::invalid_argument_for_nth_value,
                   "argument of nth_value must be greater than zero");
    }
    if (!frame_.excludes()) {
      const uint64_t at = frame_.begin + static_cast<uint64_t>(left) - 1;
      if (at >= frame_.end) return NullableDatum{};
      return argument(f, 0, at);
    }
    for (uint64_t r = frame_.begin; r < frame_.end; ++r) {
      if (!frame_.is_excluded(r) && --left == 0) return argument(f, 0, r);
    }
    return NullableDatum{};
  }

  // A frame that only grows adds its new rows to the state; any other is computed anew when it is
  // not the one of the row before.
  Result<NullableDatum> aggregate(WindowFunction& f) {
    const uint64_t begin = std::min(frame_.begin, frame_.end);
    const bool same = f.has_result && !frame_.excludes() && f.begin == begin && f.end == frame_.end;
    if (!same) {
      const bool goes_on = f.state != nullptr && frame_.only_grows() && frame_.end >= f.end;
      if (!goes_on) {
        f.states->reset();
        f.state = f.states->allocate(std::max<size_t>(f.kernel->state_bytes, 16), 16);
        std::memset(f.state, 0, f.kernel->state_bytes);
        EvalContext eval{context_.fiber, *f.states, context_.arena, context_.session};
        if (f.kernel->init != nullptr) TRY(f.kernel->init(eval, f.site, f.state));
      }
      const uint64_t from = goes_on ? f.end : begin;
      TRY(add_rows(f, from, frame_.end));
      f.begin = begin;
      f.end = frame_.end;
      f.results->reset();
      EvalContext eval{context_.fiber, *f.results, context_.arena, context_.session};
      f.result = {};
      TRY(finalize_aggregate(eval, f.site, *f.kernel, f.state, &f.result));
      f.has_result = true;
    }
    if (f.result.is_null) return f.result;
    const ColumnDesc desc = TRY(type_desc(context_, f.expr->type));
    return NullableDatum{copy_datum(arena_, f.result.value, desc), false};
  }

  Status add_rows(WindowFunction& f, uint64_t from, uint64_t to) {
    const size_t width = descs_.size();
    while (from < to) {
      uint32_t count = 0;
      update_arena_.reset();
      const uint64_t stop = std::min(to, from + kBatchRows);
      TRY(context_.fiber.charge(stop - from));
      for (; from < stop; ++from) {
        if (frame_.is_excluded(from)) continue;
        const StoredRow* row = TRY(rows_->row(from));
        const uint8_t* nulls = row->nulls(width);
        if (f.filter && (nulls[f.filter_column] != 0 || !row->values()[f.filter_column].as<bool>()))
          continue;
        for (size_t a = 0; a < f.args.size(); ++a) {
          const size_t c = f.first_column + a;
          NullableDatum value{row->values()[c], nulls[c] != 0};
          if (!value.is_null) value.value = copy_datum(update_arena_, value.value, descs_[c]);
          update_columns_[c].set(count, value);
        }
        ++count;
      }
      if (count == 0) continue;
      same_states_.assign(count, f.state);
      EvalContext eval{context_.fiber, *f.states, context_.arena, context_.session};
      const std::span<const Vector> args =
          std::span(update_columns_).subspan(f.first_column, f.args.size());
      TRY(f.kernel->update(eval, f.site, same_states_.data(), args, Rows{nullptr, count}));
      for (size_t a = 0; a < f.args.size(); ++a)
        update_columns_[f.first_column + a].may_have_nulls = false;
    }
    return {};
  }

  const WindowPlan& window_;
  Arena arena_;
  Arena in_arena_{&context_.budget};
  Arena start_arena_{&context_.budget};
  Arena update_arena_{&context_.budget};
  Projection projection_;
  WindowFrame frame_;
  OperatorPtr child_;
  size_t width_ = 0;               // of the child
  std::vector<ColumnDesc> descs_;  // of a stored row
  std::vector<WindowFunction> functions_;
  std::vector<KeyColumn> partition_keys_, order_keys_;
  std::optional<PartitionRows> rows_;
  std::vector<uint64_t> groups_;
  uint64_t at_ = 0;
  std::vector<Vector> columns_;  // the child's, then the functions' results
  std::vector<Vector> stored_;
  std::vector<Vector> update_columns_;
  std::vector<void*> same_states_;
  Batch* in_ = nullptr;
  uint32_t in_at_ = 0;
  bool input_done_ = false;
  bool started_ = false;
};

}  // namespace

OperatorPtr make_window(ExecContext& context, const WindowPlan& plan) {
  return std::make_unique<WindowOperator>(context, plan);
}

}  // namespace orrery
