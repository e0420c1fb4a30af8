// Which columns of a table a scan has to read, and where they lie in its batch: attribute number n
// at n - 1, system columns behind the last one.
#pragma once

#include <vector>

#include "exec/eval.h"

namespace orrery {

class TableColumns {
 public:
  TableColumns(ExecContext& context, const RelationInfo& relation)
      : context_(context), relation_(relation) {}

  // Everything that a scan's targets, filter and other expressions name.
  void note(const PlanNode& plan);
  void note(const Expr* expr);
  void note_all();
  void note_ctid();
  // After the last note(): makes the vectors, with room for `rows` rows.
  Status prepare(uint32_t rows = kBatchRows);

  const RelationInfo& relation() const { return relation_; }
  std::span<const int16_t> wanted() const { return wanted_; }
  // Beside wanted(): to be filled.
  std::span<Vector> vectors() { return read_; }
  // The filled vectors as a batch of `count` rows laid out by column_of.
  Batch batch(uint32_t count);
  // For Evaluator::compile; valid as long as this.
  struct Layout {
    int width;
    int operator()(const Expr& leaf) const;
  };
  const Layout& layout() { return layout_ = Layout{static_cast<int>(relation_.columns.size())}; }

 private:
  ExecContext& context_;
  const RelationInfo& relation_;
  std::vector<uint8_t> needed_;  // by attno - 1
  std::vector<uint8_t> system_;  // by -attno - 1
  std::vector<int16_t>
      wanted_;  // 0-based columns and system columns, as access numbers them, ascending
  std::vector<Vector> read_;
  std::vector<Vector> columns_;
  Layout layout_{0};
};
constexpr int kSystemColumns = 6;

}  // namespace orrery
