// FOR UPDATE and its kin: locks the rows that pass. Under READ COMMITTED a row that changed
// meanwhile is locked in its newest version and looked at again.
#include "access/heap.h"
#include "base/text.h"
#include "exec/operators_internal.h"
#include "exec/recheck.h"
#include "exec/row_store.h"
#include "txn/transaction_manager.h"

namespace orrery {
namespace {

Status serialization_failure(std::string_view what) {
  return raise(sqlstate::t_r_serialization_failure,
               cat("could not serialize access due to concurrent ", what));
}

class LockRowsOperator final : public Operator {
 public:
  LockRowsOperator(ExecContext& context, const LockRowsPlan& plan)
      : Operator(context, plan), lock_(plan), again_(context, *plan.left, plan.recheck_tables) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    std::vector<ColumnDesc> descs = TRY(column_descs(context_, plan_.left->targets));
    store_.emplace(context_, std::move(descs));
    return {};
  }
  Result<Batch*> next() override {
    while (true) {
      if (in_ == nullptr || at_ >= in_->rows.count) {
        child_->wanted = wanted;
        in_ = TRY(child_->next());
        at_ = 0;
        if (in_ == nullptr) return nullptr;
      }
      TRY(lock_some(*in_));
      if (!replaced_) {
        if (kept_.empty()) continue;
        out_ = Batch{in_->columns, Rows{kept_.data(), static_cast<uint32_t>(kept_.size())}};
        return &out_;
      }
      if (stored_.empty()) continue;
      if (columns_.empty()) columns_ = make_columns(context_.arena, store_->width());
      store_->load(stored_, columns_);
      out_ = Batch{columns_, Rows{nullptr, static_cast<uint32_t>(stored_.size())}};
      return &out_;
    }
  }
  Status rescan() override {
    in_ = nullptr;
    return child_->rescan();
  }
  bool restart() override {
    in_ = nullptr;
    return child_->restart();
  }

 private:
  // Locks rows of the batch at hand until as many have passed as are wanted. Rows that stay as they
  // are go to kept_; from the first one that has changed on, all are copied to stored_.
  Status lock_some(const Batch& in) {
    kept_.clear();
    stored_.clear();
    store_->clear();
    replaced_ = false;
    while (at_ < in.rows.count && kept_.size() + stored_.size() < std::max(wanted, 1U)) {
      const auto row = static_cast<uint16_t>(in.rows[at_++]);
      changed_.clear();
      const bool locked = TRY(lock_row(in, row));
      if (!locked) continue;
      if (changed_.empty()) {
        if (replaced_)
          stored_.push_back(store_->add(in.columns, row));
        else
          kept_.push_back(row);
        continue;
      }
      const Batch* now = TRY(again_.run(in, row, changed_));
      if (now == nullptr) continue;
      if (!replaced_) {
        for (const uint16_t before : kept_) stored_.push_back(store_->add(in.columns, before));
        kept_.clear();
        replaced_ = true;
      }
      stored_.push_back(store_->add(now->columns, now->rows[0]));
    }
    return {};
  }

  // False: the row is left out. Rows that another transaction has changed are noted in changed_.
  Result<bool> lock_row(const Batch& in, uint32_t row) {
    for (size_t m = 0; m < lock_.marks.size(); ++m) {
      const Vector& tids = in.columns[static_cast<size_t>(lock_.tid_columns[m] - 1)];
      if (tids.is_null(row)) continue;
      const bool locked = TRY(lock_one(lock_.marks[m], tid_of(tids.value(row))));
      if (!locked) return false;
    }
    return true;
  }

  Result<bool> lock_one(const RowMark& mark, Tid tid) {
    const RelationInfo& relation =
        *context_.plan.range_table[static_cast<size_t>(mark.range - 1)]->relation;
    const RowWait wait = mark.wait == LockWait::skip    ? RowWait::skip_locked
                         : mark.wait == LockWait::error ? RowWait::no_wait
                                                        : RowWait::wait;
    Heap heap(*context_.access, relation.storage);
    const auto mode = static_cast<RowLock>(mark.strength);
    ChangeResult done =
        TRY(heap.lock(context_.fiber, *context_.transaction, tid, mode, *context_.snapshot, wait));
    TRY(context_.fiber.charge(4));
    if (done.outcome == ChangeOutcome::updated) {
      if (context_.transaction->uses_one_snapshot()) return serialization_failure("update");
      if (lock_.recheck_tables.empty()) {
        return raise(sqlstate::t_r_serialization_failure,
                     "could not serialize access due to concurrent update")
            .hint(
                "A locking SELECT over something other than tables does not follow concurrent "
                "updates. Run it again.");
      }
      done = TRY(heap.lock_newest(context_.fiber, *context_.transaction, tid, mode,
                                  *context_.snapshot, wait));
      if (done.outcome == ChangeOutcome::ok) changed_.push_back({mark.range, done.tid});
    }
    switch (done.outcome) {
      case ChangeOutcome::ok: return true;
      case ChangeOutcome::would_block:
        if (mark.wait == LockWait::skip) return false;
        return raise(sqlstate::lock_not_available,
                     cat("could not obtain lock on row in relation \"", relation.name, "\""));
      case ChangeOutcome::deleted:
        if (context_.transaction->uses_one_snapshot()) return serialization_failure("delete");
        return false;
      case ChangeOutcome::self_modified:
      case ChangeOutcome::invisible:
      case ChangeOutcome::updated:       return false;
    }
    UNREACHABLE();
  }

  const LockRowsPlan& lock_;
  RowRecheck again_;
  OperatorPtr child_;
  std::optional<RowStore> store_;
  std::vector<FixedRow> changed_;
  std::vector<uint16_t> kept_;
  std::vector<StoredRow*> stored_;
  bool replaced_ = false;
  std::vector<Vector> columns_;
  Batch* in_ = nullptr;  // the child's batch at hand ...
  uint32_t at_ = 0;      // ... and which of its rows comes next
  Batch out_;
};

}  // namespace

OperatorPtr make_lock_rows(ExecContext& context, const LockRowsPlan& plan) {
  return std::make_unique<LockRowsOperator>(context, plan);
}

}  // namespace orrery
