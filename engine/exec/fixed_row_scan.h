#pragma once

#include "access/table_scan.h"
#include "exec/projection.h"
#include "exec/table_columns.h"

namespace orrery {

// In place of a scan when its table is reduced to one row version.
class FixedRowScan {
 public:
  FixedRowScan(ExecContext& context, const FixedRow& fixed, TableColumns& columns)
      : context_(context), fixed_(fixed), columns_(columns) {}

  // `recheck`: conditions that the scan would have applied by itself; may be null.
  Status open(const Expr* recheck) {
    if (recheck != nullptr)
      recheck_ = TRY(Evaluator::compile(context_, *recheck, columns_.layout()));
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    return {};
  }
  Result<Batch*> next(Arena& arena, Projection& projection) {
    if (given_ || !fixed_.tid) return static_cast<Batch*>(nullptr);
    given_ = true;
    const TableFetch::Fetched got =
        TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                          FetchMode::any_version, std::span<const Tid>(&*fixed_.tid, 1),
                          columns_.vectors(), 0, arena, nullptr, nullptr, nullptr));
    if (got.rows == 0) return static_cast<Batch*>(nullptr);
    const Batch row = columns_.batch(1);
    if (recheck_) {
      uint16_t kept = 0;
      const Rows still = TRY(recheck_->filter(arena, row, row.rows, &kept));
      if (still.count == 0) return static_cast<Batch*>(nullptr);
    }
    return projection.apply(arena, row);
  }
  void rewind() { given_ = false; }

 private:
  ExecContext& context_;
  const FixedRow& fixed_;
  TableColumns& columns_;
  std::optional<Evaluator> recheck_;
  std::optional<TableFetch> fetch_;
  bool given_ = false;
};

}  // namespace orrery
