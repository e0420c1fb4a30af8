// INSERT, UPDATE and DELETE: what the child computes, written by TableWriter, and RETURNING made of
// the result.
//
// READ COMMITTED: a row that another transaction changed after our snapshot is locked in its newest
// version and judged again by WHERE; if it still qualifies the new values are computed from it,
// else it is left alone. REPEATABLE READ raises 40001 instead [Berenson95].
#include "access/table_scan.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/recheck.h"
#include "exec/row_change.h"
#include "exec/row_store.h"
#include "exec/table_columns.h"
#include "exec/table_writer.h"
#include "txn/transaction_manager.h"

namespace orrery {
namespace {

Status serialization_failure(std::string_view what) {
  return raise(sqlstate::t_r_serialization_failure,
               cat("could not serialize access due to concurrent ", what));
}

class ModifyTableOperator final : public Operator {
 public:
  ModifyTableOperator(ExecContext& context, const ModifyTablePlan& plan)
      : Operator(context, plan),
        modify_(plan),
        relation_(*context.plan.range_table[static_cast<size_t>(plan.range - 1)]->relation),
        arena_(&context.budget),
        row_arena_(&context.budget),
        writer_(context, relation_),
        old_(context, relation_) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    TRY(writer_.open());
    child_width_ = plan_.left->targets.size();
    if (modify_.command == CommandType::insert)
      tids_ = static_cast<Tid*>(context_.arena.allocate(kBatchRows * sizeof(Tid), alignof(Tid)));
    table_width_ = relation_.columns.size() + kSystemColumns;
    row_.resize(table_width_ + child_width_);
    old_.note_all();
    old_.note_ctid();
    TRY(old_.prepare(1));
    fetch_.emplace(*context_.access, relation_.storage, old_.wanted());
    const auto returned = [this](const Expr& leaf) { return returning_column(leaf); };
    for (const TargetEntry& target : modify_.returning)
      returning_.push_back(TRY(Evaluator::compile(context_, *target.expr, returned)));
    returned_descs_ = TRY(column_descs(context_, modify_.returning));
    returned_.emplace(context_, returned_descs_);
    if (!returning_.empty()) returned_columns_ = make_columns(context_.arena, returning_.size());
    if (modify_.single_table) {
      if (modify_.recheck != nullptr)
        recheck_ = TRY(Evaluator::compile(context_, *modify_.recheck, old_.layout()));
      for (const TargetEntry& target : modify_.recompute)
        recompute_.push_back(TRY(Evaluator::compile(context_, *target.expr, old_.layout())));
    }
    if (!modify_.recheck_tables.empty())
      again_.emplace(context_, *plan_.left, modify_.recheck_tables);
    if (modify_.on_conflict != nullptr && modify_.on_conflict->do_update) TRY(compile_conflict());
    return changes_.open(context_, relation_);
  }

  // All rows are changed before the first is returned.
  Result<Batch*> next() override {
    if (!done_) {
      done_ = true;
      while (Batch* in = TRY(child_->next())) {
        arena_.reset();
        TRY(modify_.command == CommandType::insert ? insert(*in) : change(*in));
        TRY(context_.budget.check());
      }
      TRY(changes_.finish());
    }
    if (returned_at_ >= returned_rows_.size()) return nullptr;
    const auto count =
        static_cast<uint32_t>(std::min<size_t>(kBatchRows, returned_rows_.size() - returned_at_));
    returned_->load(std::span(returned_rows_).subspan(returned_at_, count), returned_columns_);
    returned_at_ += count;
    out_ = Batch{returned_columns_, Rows{nullptr, count}};
    return &out_;
  }
  Status rescan() override {
    return raise(sqlstate::internal_error, "a modifying statement cannot be run again");
  }
  bool restart() override {
    done_ = false;
    returned_rows_.clear();
    returned_->clear();
    returned_at_ = 0;
    changes_.restart();
    return child_->restart();
  }

 private:
  // RETURNING sees the table's row, and behind it the child's columns.
  int returning_column(const Expr& leaf) const {
    if (leaf.tag != ExprTag::var) return -1;
    const auto& var = as<VarExpr>(leaf);
    if (var.range == kOuterVar) return static_cast<int>(table_width_) + var.attno - 1;
    if (var.range <= 0) return -1;
    return var.attno > 0 ? var.attno - 1
                         : static_cast<int>(relation_.columns.size()) - var.attno - 1;
  }

  // The child's values as columns of the table; columns that get none are NULL.
  void place_new_values(const Batch& in) {
    for (size_t c = 0; c < table_width_; ++c) {
      if (null_ == nullptr)
        null_ = context_.arena.make<Vector>(Vector::make_constant(context_.arena, NullableDatum{}));
      row_[c] = *null_;
    }
    for (const TargetEntry& target : modify_.set) {
      row_[static_cast<size_t>(target.resno - 1)] =
          in.columns[static_cast<size_t>(as<VarExpr>(*target.expr).attno - 1)];
    }
    for (size_t c = 0; c < child_width_; ++c) row_[table_width_ + c] = in.columns[c];
  }

  Status insert(const Batch& in) {
    place_new_values(in);
    for (const TargetEntry& target : modify_.set) {
      const auto c = static_cast<size_t>(target.resno - 1);
      TRY(bring_in_column(context_, arena_, row_[c], in.rows, relation_.desc()[c]));
    }
    Batch batch{row_, in.rows};
    if (modify_.on_conflict != nullptr) return insert_or_conflict(batch);
    TRY(writer_.check_row_constraints(arena_, row_, in.rows));
    TRY(writer_.insert(arena_, batch, tids_));
    TRY(changes_.inserted(arena_, batch, std::span<const Tid>(tids_, in.rows.count)));
    context_.rows_processed += in.rows.count;
    for (uint32_t i = 0; i < in.rows.count; ++i) TRY(add_returned(batch, in.rows[i], tids_[i]));
    return {};
  }

  Status add_returned(Batch& batch, uint32_t row, Tid tid) {
    if (returning_.empty()) return {};
    row_arena_.reset();
    set_system_columns(row, tid);
    const auto one = static_cast<uint16_t>(row);
    std::vector<Vector> values;
    for (Evaluator& evaluator : returning_)
      values.push_back(*TRY(evaluator.evaluate(row_arena_, batch, Rows{&one, 1})));
    returned_rows_.push_back(returned_->add(values, row));
    return {};
  }
  void set_system_columns(uint32_t row, Tid tid) {
    char* at = static_cast<char*>(row_arena_.allocate(6, 2));
    store<uint16_t>(at, static_cast<uint16_t>(tid.block.v >> 16));
    store<uint16_t>(at + 2, static_cast<uint16_t>(tid.block.v));
    store<uint16_t>(at + 4, tid.slot);
    const size_t first = relation_.columns.size();
    Vector& ctid = row_[first] = Vector::make(row_arena_, row + 1);
    ctid.set(row, Datum::of(static_cast<const void*>(at)));
    row_[first + static_cast<size_t>(-kTableOidAttno) - 1] =
        Vector::make_constant(row_arena_, {Datum::of(relation_.oid), false});
  }

  // UPDATE and DELETE, row by row.
  Status change(const Batch& in) {
    const Vector& tids = in.columns[static_cast<size_t>(modify_.tid_column - 1)];
    for (uint32_t i = 0; i < in.rows.count; ++i) {
      const uint32_t row = in.rows[i];
      if (tids.is_null(row)) continue;  // the nullable side of an outer join
      TRY(change_row(in, row, tid_of(tids.value(row))));
      TRY(context_.fiber.charge(4));
    }
    return {};
  }

  Result<bool> fetch_old(Tid tid) {
    row_arena_.reset();
    const TableFetch::Fetched got = TRY(fetch_->fetch(
        context_.fiber, *context_.snapshot, SnapshotKind::mvcc, FetchMode::any_version,
        std::span<const Tid>(&tid, 1), old_.vectors(), 0, row_arena_, nullptr, nullptr, nullptr));
    return got.rows == 1;
  }

  Status change_row(const Batch& seen, uint32_t seen_row, Tid tid) {
    Batch in = seen;
    uint32_t row = seen_row;
    bool from_child = true;  // new values are the child's, until the row turns out to have changed
    while (true) {
      if (!TRY(fetch_old(tid))) return {};
      Batch old = old_.batch(1);
      if (!from_child && recheck_) {
        uint16_t kept = 0;
        const Rows still = TRY(recheck_->filter(row_arena_, old, old.rows, &kept));
        if (still.count == 0) return {};
      }
      ChangeResult done;
      if (modify_.command == CommandType::delete_) {
        done = TRY(
            writer_.heap().remove(context_.fiber, *context_.transaction, tid, *context_.snapshot));
        if (done.outcome == ChangeOutcome::ok) return finish_delete(in, row, old, tid);
      } else {
        TRY(place_updated(in, row, old, from_child));
        Batch fresh{row_, Rows{nullptr, 1}};
        TRY(writer_.check_row_constraints(row_arena_, row_, fresh.rows));
        std::vector<Datum> values;
        std::vector<uint8_t> nulls;
        TRY(row_values(fresh, values, nulls));
        done =
            TRY(writer_.heap().update(context_.fiber, *context_.transaction, tid,
                                      RowValues{values.data(), nulls.data()}, *context_.snapshot));
        if (done.outcome == ChangeOutcome::ok) return finish_update(fresh, old, done);
      }
      const std::optional<Tid> next = TRY(after_conflict(done, tid));
      if (!next) return {};
      tid = *next;
      if (modify_.single_table) {
        from_child = false;
        continue;
      }
      const FixedRow newest{modify_.range, tid};
      const Batch* again = TRY(again_->run(seen, seen_row, std::span(&newest, 1)));
      if (again == nullptr) return {};
      in = *again;
      row = in.rows[0];
    }
  }

  // What to do about a row that could not be changed as it was: nothing (skip it), or the tid to
  // try again with.
  Result<std::optional<Tid>> after_conflict(const ChangeResult& done, Tid tid) {
    if (done.outcome == ChangeOutcome::self_modified || done.outcome == ChangeOutcome::invisible)
      return std::optional<Tid>();
    const bool one_snapshot = context_.transaction->uses_one_snapshot();
    if (done.outcome == ChangeOutcome::deleted) {
      if (one_snapshot) return serialization_failure("delete");
      return std::optional<Tid>();
    }
    CHECK(done.outcome == ChangeOutcome::updated);
    if (one_snapshot) return serialization_failure("update");
    if (!modify_.single_table && modify_.recheck_tables.empty()) {
      return raise(sqlstate::t_r_serialization_failure,
                   "could not serialize access due to concurrent update")
          .hint(
              "A statement that changes rows joined with something other than tables does not "
              "follow concurrent updates. Run it again.");
    }
    const RowLock mode =
        modify_.command == CommandType::delete_ ? RowLock::update : RowLock::no_key_update;
    const ChangeResult newest = TRY(writer_.heap().lock_newest(
        context_.fiber, *context_.transaction, tid, mode, *context_.snapshot, RowWait::wait));
    if (newest.outcome != ChangeOutcome::ok) return std::optional<Tid>();
    return std::optional<Tid>(newest.tid);
  }

  // The new row at row number 0 of row_: old values where nothing is set.
  Status place_updated(const Batch& in, uint32_t row, const Batch& old, bool from_child) {
    for (size_t c = 0; c < table_width_; ++c) row_[c] = old.columns[c];
    for (size_t c = 0; c < child_width_; ++c) row_[table_width_ + c] = shifted(in.columns[c], row);
    for (size_t s = 0; s < modify_.set.size(); ++s) {
      const TargetEntry& target = modify_.set[s];
      const auto column = static_cast<size_t>(target.resno - 1);
      if (from_child) {
        row_[column] =
            shifted(in.columns[static_cast<size_t>(as<VarExpr>(*target.expr).attno - 1)], row);
      } else {
        row_[column] = *TRY(recompute_[s].evaluate(row_arena_, old, old.rows));
      }
    }
    return {};
  }
  // Row `row` of a column as a column of one row.
  static Vector shifted(const Vector& column, uint32_t row) {
    Vector one = column;
    if (!column.constant) {
      one.values += row;
      one.nulls += row;
    }
    one.constant = true;
    return one;
  }
  Status row_values(const Batch& batch, std::vector<Datum>& values, std::vector<uint8_t>& nulls) {
    for (size_t c = 0; c < relation_.columns.size(); ++c) {
      const bool is_null = batch.columns[c].is_null(0) || relation_.desc()[c].dropped;
      nulls.push_back(is_null);
      Datum value = is_null ? Datum() : batch.columns[c].value(0);
      if (!is_null && relation_.desc()[c].length == -1)
        value = TRY(bring_in(context_, row_arena_, value, relation_.toast));
      values.push_back(value);
    }
    return {};
  }

  Status finish_update(Batch& fresh, const Batch& old, const ChangeResult& done) {
    if (!done.hot) TRY(writer_.add_index_entries(row_arena_, fresh, 0, done.tid));
    ++context_.rows_processed;
    TRY(changes_.updated(row_arena_, old, fresh, done.tid));
    return add_kept_returned(fresh, done.tid);
  }
  Status finish_delete(const Batch& in, uint32_t row, const Batch& old, Tid tid) {
    ++context_.rows_processed;
    for (size_t c = 0; c < table_width_; ++c) row_[c] = old.columns[c];
    for (size_t c = 0; c < child_width_; ++c) row_[table_width_ + c] = shifted(in.columns[c], row);
    Batch gone{row_, Rows{nullptr, 1}};
    TRY(changes_.deleted(row_arena_, gone));
    return add_kept_returned(gone, tid);
  }
  // As add_returned, without letting go of the row's own arena.
  Status add_kept_returned(Batch& batch, Tid tid) {
    if (returning_.empty()) return {};
    set_system_columns(0, tid);
    std::vector<Vector> values;
    for (Evaluator& evaluator : returning_)
      values.push_back(*TRY(evaluator.evaluate(row_arena_, batch, batch.rows)));
    returned_rows_.push_back(returned_->add(values, 0));
    return {};
  }

  // ON CONFLICT: SET and WHERE see the existing row under the table's name, the proposed one as
  // EXCLUDED: columns of the first, then of the second.
  Status compile_conflict() {
    const OnConflict& conflict = *modify_.on_conflict;
    const auto column_of = [&](const Expr& leaf) {
      if (leaf.tag != ExprTag::var) return -1;
      const auto& var = as<VarExpr>(leaf);
      if (var.attno <= 0) return -1;
      return var.range == conflict.excluded_range ? static_cast<int>(table_width_) + var.attno - 1
                                                  : var.attno - 1;
    };
    for (const TargetEntry& target : conflict.set)
      conflict_set_.push_back(TRY(Evaluator::compile(context_, *target.expr, column_of)));
    if (conflict.where != nullptr)
      conflict_where_ = TRY(Evaluator::compile(context_, *conflict.where, column_of));
    return {};
  }

  Status insert_or_conflict(Batch& batch) {
    const OnConflict& conflict = *modify_.on_conflict;
    for (uint32_t i = 0; i < batch.rows.count; ++i) {
      const auto row = static_cast<uint16_t>(batch.rows[i]);
      Batch one{batch.columns, Rows{&row, 1}};
      TRY(writer_.check_row_constraints(arena_, row_, one.rows));
      while (true) {
        Tid tid;
        const std::optional<Tid> other =
            TRY(writer_.insert_unless_conflict(arena_, one, row, conflict.arbiter_indexes, &tid));
        if (!other) {
          TRY(changes_.inserted(arena_, one, std::span<const Tid>(&tid, 1)));
          ++context_.rows_processed;
          TRY(add_returned(batch, row, tid));
          break;
        }
        if (!conflict.do_update) {
          TRY(check_conflicting_seen(*other));
          break;
        }
        if (TRY(update_conflicting(batch, row, *other))) break;
      }
      TRY(context_.fiber.charge(8));
    }
    return {};
  }

  // One snapshot for the whole transaction must not act upon a row that it does not see.
  Status check_conflicting_seen(Tid tid) {
    if (!context_.transaction->uses_one_snapshot()) return {};
    const bool seen = TRY(is_seen_or_own(context_.fiber, *context_.access, relation_.storage,
                                         *context_.snapshot, tid));
    return seen ? Status() : serialization_failure("update");
  }

  // False: the row changed under us, look for the conflict again.
  Result<bool> update_conflicting(const Batch& batch, uint32_t row, Tid tid) {
    const ChangeResult locked =
        TRY(writer_.heap().lock(context_.fiber, *context_.transaction, tid, RowLock::no_key_update,
                                *context_.snapshot, RowWait::wait));
    // A row that this very command wrote: invisible to its own snapshot, or changed by it.
    if (locked.outcome == ChangeOutcome::self_modified ||
        locked.outcome == ChangeOutcome::invisible) {
      return raise(sqlstate::cardinality_violation,
                   "ON CONFLICT DO UPDATE command cannot affect row a second time")
          .hint(
              "Ensure that no rows proposed for insertion within the same command have duplicate "
              "constrained values.");
    }
    if (locked.outcome == ChangeOutcome::updated || locked.outcome == ChangeOutcome::deleted) {
      const bool deleted = locked.outcome == ChangeOutcome::deleted;
      if (context_.transaction->uses_one_snapshot())
        return serialization_failure(deleted ? "delete" : "update");
      return false;
    }
    TRY(check_conflicting_seen(tid));
    if (!TRY(fetch_old(tid))) return false;
    const Batch old = old_.batch(1);
    std::vector<Vector> both(old.columns.begin(), old.columns.end());
    both.resize(table_width_);
    for (size_t c = 0; c < relation_.columns.size(); ++c)
      both.push_back(shifted(batch.columns[c], row));
    Batch input{both, Rows{nullptr, 1}};
    if (conflict_where_) {
      uint16_t kept = 0;
      const Rows wanted = TRY(conflict_where_->filter(row_arena_, input, input.rows, &kept));
      if (wanted.count == 0) return true;
    }
    std::vector<Vector> fresh_columns(old.columns.begin(), old.columns.end());
    const OnConflict& conflict = *modify_.on_conflict;
    for (size_t s = 0; s < conflict.set.size(); ++s) {
      fresh_columns[static_cast<size_t>(conflict.set[s].resno - 1)] =
          *TRY(conflict_set_[s].evaluate(row_arena_, input, input.rows));
    }
    fresh_columns.resize(table_width_ + child_width_);
    for (size_t c = 0; c < child_width_; ++c)
      fresh_columns[table_width_ + c] = shifted(batch.columns[table_width_ + c], row);
    Batch fresh{fresh_columns, Rows{nullptr, 1}};
    TRY(writer_.check_row_constraints(row_arena_, fresh_columns, fresh.rows));
    std::vector<Datum> values;
    std::vector<uint8_t> nulls;
    TRY(row_values(fresh, values, nulls));
    const ChangeResult done =
        TRY(writer_.heap().update(context_.fiber, *context_.transaction, tid,
                                  RowValues{values.data(), nulls.data()}, *context_.snapshot));
    if (done.outcome != ChangeOutcome::ok) return false;
    if (!done.hot) TRY(writer_.add_index_entries(row_arena_, fresh, 0, done.tid));
    ++context_.rows_processed;
    TRY(changes_.updated(row_arena_, old, fresh, done.tid));
    if (returning_.empty()) return true;
    std::vector<Vector> saved = row_;
    row_ = fresh_columns;
    Batch shown{row_, Rows{nullptr, 1}};
    Status added = add_kept_returned(shown, done.tid);
    row_ = saved;
    TRY(std::move(added));
    return true;
  }

  const ModifyTablePlan& modify_;
  const RelationInfo& relation_;
  Arena arena_;      // of a batch
  Arena row_arena_;  // of a row being changed
  TableWriter writer_;
  RowChanges changes_;
  OperatorPtr child_;
  size_t child_width_ = 0, table_width_ = 0;
  std::vector<Vector> row_;  // the table's columns, system columns, the child's columns
  Vector* null_ = nullptr;
  TableColumns old_;
  std::optional<TableFetch> fetch_;
  std::vector<Evaluator> returning_;
  std::vector<ColumnDesc> returned_descs_;
  std::optional<RowStore> returned_;
  std::vector<StoredRow*> returned_rows_;
  std::vector<Vector> returned_columns_;
  size_t returned_at_ = 0;
  std::optional<RowRecheck> again_;  // where rows are joined
  std::optional<Evaluator> recheck_;
  std::vector<Evaluator> recompute_;
  std::vector<Evaluator> conflict_set_;
  std::optional<Evaluator> conflict_where_;
  Tid* tids_ = nullptr;  // kBatchRows, of rows inserted
  Batch out_;
  bool done_ = false;
};

}  // namespace

OperatorPtr make_modify_table(ExecContext& context, const ModifyTablePlan& plan) {
  return std::make_unique<ModifyTableOperator>(context, plan);
}

}  // namespace orrery
