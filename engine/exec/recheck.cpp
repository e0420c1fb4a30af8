#include "exec/recheck.h"

#include "base/bytes.h"

namespace orrery {

Tid tid_of(Datum value) {
  const char* bytes = value.as<const char*>();
  return Tid{BlockNo(uint32_t{load<uint16_t>(bytes)} << 16 | load<uint16_t>(bytes + 2)),
             load<uint16_t>(bytes + 4)};
}

Result<Batch*> RowRecheck::run(const Batch& in, uint32_t row, std::span<const FixedRow> changed) {
  fixed_.clear();
  for (const RecheckTable& table : tables_) {
    FixedRow fixed{table.range, std::nullopt};
    const Vector& tids = in.columns[static_cast<size_t>(table.tid_column - 1)];
    if (!tids.is_null(row)) fixed.tid = tid_of(tids.value(row));
    for (const FixedRow& now : changed) {
      if (now.range == table.range) fixed.tid = now.tid;
    }
    fixed_.push_back(fixed);
  }
  // Operators are made anew: this is rare, and nothing of the run before may be left.
  root_.reset();
  context_.reset();
  arena_ = std::make_unique<Arena>(&outer_.budget);
  context_ = std::make_unique<ExecContext>(outer_.fiber, *arena_, outer_.budget, outer_.catalog,
                                           outer_.session, outer_.plan);
  context_->params = outer_.params;
  context_->related = outer_.related;
  context_->access = outer_.access;
  context_->transaction = outer_.transaction;
  context_->snapshot = outer_.snapshot;
  context_->work_mem_bytes = outer_.work_mem_bytes;
  context_->exec_params = outer_.exec_params;
  context_->fixed_rows = fixed_;
  root_ = TRY(make_operator(*context_, plan_));
  return root_->next();
}

}  // namespace orrery
