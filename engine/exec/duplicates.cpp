// Duplicates out of sorted rows; INTERSECT and EXCEPT by counting.
#include "exec/operators_internal.h"
#include "exec/plain_keys.h"
#include "exec/projection.h"
#include "exec/shared_rows.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// Adjacent duplicates out.
class UniqueOperator final : public Operator {
 public:
  UniqueOperator(ExecContext& context, const UniquePlan& plan)
      : Operator(context, plan), unique_(plan), arena_(&context.budget) {}
  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    keys_ = TRY(group_keys(context_, unique_.columns, *plan_.left));
    store_.emplace(context_, TRY(column_descs(context_, plan_.left->targets)));
    plain_.set(keys_, store_->columns());
    kept_.resize(kBatchRows);
    return {};
  }
  Result<Batch*> next() override {
    while (true) {
      child_->wanted = wanted;
      Batch* child_batch = TRY(child_->next());
      if (child_batch == nullptr) return nullptr;
      arena_.reset();
      const Batch in = TRY(plain_.of(context_, arena_, *child_batch));
      uint32_t count = 0;
      for (uint32_t i = 0; i < in.rows.count; ++i) {
        const uint32_t row = in.rows[i];
        if (last_ != nullptr && row_equals(keys_, *last_, store_->width(), in.columns, row))
          continue;
        if (store_->bytes() > (1 << 16)) store_->clear();
        last_ = store_->add(in.columns, row);
        kept_[count++] = static_cast<uint16_t>(row);
      }
      TRY(context_.fiber.charge(in.rows.count));
      if (count == 0) continue;
      out_ = Batch{in.columns, Rows{kept_.data(), count}};
      return &out_;
    }
  }
  Status rescan() override {
    last_ = nullptr;
    store_->clear();
    return child_->rescan();
  }

 private:
  const UniquePlan& unique_;
  Arena arena_;
  OperatorPtr child_;
  std::vector<KeyColumn> keys_;
  PlainKeys plain_;
  std::optional<RowStore> store_;
  StoredRow* last_ = nullptr;
  std::vector<uint16_t> kept_;
  Batch out_;
};

// INTERSECT and EXCEPT [ALL]: counts how often each row comes from either side (told by the flag in
// the last column), then gives each row as often as the operation says.
class SetOpOperator final : public Operator {
 public:
  SetOpOperator(ExecContext& context, const SetOpPlan& plan)
      : Operator(context, plan), set_(plan), arena_(&context.budget), projection_(context) {}
  Status open() override {
    TRY(projection_.compile(plan_, outer_column));
    child_ = TRY(make_operator(context_, *plan_.left));
    std::vector<ColumnDesc> descs = TRY(column_descs(context_, plan_.left->targets));
    const std::vector<KeyColumn> keys = TRY(group_keys(context_, set_.columns, *plan_.left));
    plain_.set(keys, descs);
    table_.emplace(context_, descs, keys);
    descs_ = std::move(descs);
    columns_ = make_columns(context_.arena, descs_.size());
    return {};
  }
  Result<Batch*> next() override {
    if (!computed_) TRY(consume());
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    arena_.reset();
    while (at_ < table_->size()) {
      std::vector<StoredRow*> rows;
      uint32_t looked_at = 0;
      while (at_ < table_->size() && rows.size() < kBatchRows) {
        if (++looked_at % kBatchRows == 0) TRY(context_.fiber.charge(kBatchRows));
        StoredRow* row = table_->at(at_);
        const Counts& counts = *static_cast<Counts*>(row->head().payload);
        const uint64_t wanted = times(counts);
        while (given_ < wanted && rows.size() < kBatchRows) {
          rows.push_back(row);
          ++given_;
        }
        if (given_ < wanted) break;
        given_ = 0;
        ++at_;
      }
      if (rows.empty()) return nullptr;
      table_->store().load(rows, columns_);
      TRY(context_.fiber.charge(rows.size()));
      Batch* out = TRY(projection_.apply(
          arena_, Batch{columns_, Rows{nullptr, static_cast<uint32_t>(rows.size())}}, wanted));
      if (out != nullptr) return out;
    }
    return nullptr;
  }
  Status rescan() override {
    computed_ = false;
    at_ = 0;
    given_ = 0;
    projection_.forget_rest();
    table_->clear();
    return child_->rescan();
  }

 private:
  struct Counts {
    uint64_t left = 0;
    uint64_t right = 0;
  };
  uint64_t times(const Counts& c) const {
    if (set_.kind == SetOpKind::intersect)
      return set_.all ? std::min(c.left, c.right) : (c.left > 0 && c.right > 0 ? 1 : 0);
    return set_.all ? (c.left > c.right ? c.left - c.right : 0)
                    : (c.left > 0 && c.right == 0 ? 1 : 0);
  }
  Status consume() {
    computed_ = true;
    const size_t flag = descs_.size() - 1;
    while (Batch* child_batch = TRY(child_->next())) {
      arena_.reset();
      const Batch in = TRY(plain_.of(context_, arena_, *child_batch));
      for (uint32_t i = 0; i < in.rows.count; ++i) {
        const uint32_t row = in.rows[i];
        const uint64_t hash = table_->hash(in.columns, row);
        StoredRow* found = table_->find(in.columns, row, hash);
        if (found == nullptr) {
          found = TRY(table_->add(in.columns, row, hash));
          found->head().payload = table_->store().arena().make<Counts>();
        }
        auto& counts = *static_cast<Counts*>(found->head().payload);
        ++(in.columns[flag].value(row).as<int32_t>() == 0 ? counts.left : counts.right);
      }
      TRY(context_.budget.check());
      TRY(context_.fiber.charge(in.rows.count * 2));
    }
    return {};
  }

  const SetOpPlan& set_;
  Arena arena_;
  Projection projection_;
  OperatorPtr child_;
  std::vector<ColumnDesc> descs_;
  PlainKeys plain_;
  std::optional<RowSet> table_;
  std::vector<Vector> columns_;
  size_t at_ = 0;
  uint64_t given_ = 0;
  bool computed_ = false;
};

}  // namespace

OperatorPtr make_unique(ExecContext& context, const UniquePlan& plan) {
  return std::make_unique<UniqueOperator>(context, plan);
}
OperatorPtr make_set_op(ExecContext& context, const SetOpPlan& plan) {
  return std::make_unique<SetOpOperator>(context, plan);
}

}  // namespace orrery
