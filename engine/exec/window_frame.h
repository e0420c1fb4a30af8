// Which rows of its partition a window's frame holds for the row at hand: ROWS, GROUPS and RANGE
// with every bound, and EXCLUDE. As the row moves on, bounds never move back.
#pragma once

#include "exec/eval.h"
#include "exec/keys.h"
#include "exec/partition_rows.h"

namespace orrery {

class WindowFrame {
 public:
  WindowFrame(ExecContext& context, const WindowPlan& plan) : context_(context), plan_(plan) {}

  Status open();
  // The offsets' values, once a scan: 22004, 22013.
  Status start_scan(Arena& arena);
  // A new partition; `groups` are the numbers of the rows that open a group of peers.
  void start_partition(PartitionRows& rows, const std::vector<uint64_t>& groups);
  // Goes on to row `row`.
  Status move_to(uint64_t row);

  uint64_t begin = 0, end = 0;                    // the rows of the frame, without end ...
  uint64_t excluded_begin = 0, excluded_end = 0;  // ... less these ...
  bool keeps_current = false;                     // ... but with the current row
  uint64_t group_begin = 0, group_end = 0;        // the current row's peers
  uint64_t group = 0;                             // their number

  bool is_excluded(uint64_t row) const {
    return row >= excluded_begin && row < excluded_end && !(keeps_current && row == current_);
  }
  bool excludes() const;
  // The frame always begins with the partition, and nothing is excluded.
  bool only_grows() const;

 private:
  struct InRange {
    Kernel kernel = nullptr;
    CallSite site;
  };
  Result<InRange> in_range_function(Oid function, const Expr& offset);
  Result<uint64_t> rows_bound(bool start) const;
  uint64_t groups_bound(bool start) const;
  Result<uint64_t> range_bound(bool start);
  Result<bool> in_range(InRange& call, Datum value, Datum base, NullableDatum offset, bool sub,
                        bool less);
  Status check_offset(NullableDatum value, std::string_view which) const;
  bool has(uint32_t option) const { return (plan_.clause->frame_options & option) != 0; }

  ExecContext& context_;
  const WindowPlan& plan_;
  std::optional<Evaluator> start_, end_;
  NullableDatum start_offset_, end_offset_;
  InRange start_in_range_, end_in_range_;
  PartitionRows* rows_ = nullptr;
  const std::vector<uint64_t>* groups_ = nullptr;
  uint64_t current_ = 0;
  Arena arena_{&context_.budget};
  Arena base_arena_{&context_.budget};
};

}  // namespace orrery
