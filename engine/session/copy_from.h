// COPY FROM: bytes of a client or a file to rows of a table, in any of the three formats. Rows are
// gathered in vectors, a batch at a time, and written through the executor's TableWriter: no
// statement, plan or allocation a row.
//
// An error says where it was met, as PostgreSQL's does: the table, the line, and the column or the
// line's text. A batch's constraints are checked before a later line's syntax is complained of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exec/eval.h"
#include "exec/row_change.h"
#include "exec/table_writer.h"
#include "plan/planner.h"
#include "session/copy_binary.h"
#include "session/copy_text.h"
#include "types/type_io.h"

namespace orrery {

class CopyInput {
 public:
  // The next bytes, cut anywhere; nothing at the end. Valid until the next call.
  virtual Result<std::optional<Bytes>> read(Fiber& fiber) = 0;

 protected:
  ~CopyInput() = default;
};

class CopyFrom {
 public:
  // `columns`: the attribute numbers that the data has, in its order.
  CopyFrom(ExecContext& context, const RelationInfo& relation, std::vector<int16_t> columns,
           const CopyOptions& options);

  // Compiles defaults and `where`, which may be null.
  Status open(PlannerWorld& world, const Expr* where);
  // All rows of the input. Returns how many went into the table.
  Result<uint64_t> run(CopyInput& input);

 private:
  struct Field {
    int16_t number;  // of the attribute
    const TypeInfo* type;
    bool force_not_null = false, force_null = false;
  };
  struct Computed {
    size_t column;
    Evaluator value;
  };
  // Where a row of the batch stood.
  struct Source {
    uint64_t line;
    size_t text_end;  // of its text, in texts_
  };

  Status read_rows(CopyInput& input);
  Result<bool> next_line(CopyInput& input);
  Result<bool> next_tuple(CopyInput& input);
  Status read_header(CopyInput& input);
  Status add_line();
  Status add_tuple();
  Status add_field(size_t index, const CopyField& given);
  Status end_row(std::string_view text);
  Status compute_by_row(const Batch& batch);
  Status compute_others(Batch& batch);
  Status choose_rows(Batch& batch, uint16_t* kept);
  Status flush();
  // Which of several rows breaks a constraint: the first.
  Status check_constraints(const Batch& batch);

  std::string where_text(uint64_t line) const;
  std::string line_context(uint64_t line, std::string_view text) const;
  std::string row_context(uint32_t row, bool with_text) const;
  uint64_t line_number() const;

  ExecContext& context_;
  const RelationInfo& relation_;
  const CopyOptions& options_;
  std::vector<Field> fields_;
  std::vector<Computed> defaults_, generated_;
  std::vector<Vector> by_row_;  // the defaults' values where several have effects; else empty
  std::optional<Evaluator> where_;
  TableWriter writer_;
  RowChanges changes_;
  CopyLineReader lines_;
  CopyBinaryReader tuples_;
  Arena arena_;                  // of the batch
  std::vector<Vector> own_;      // what is read goes here
  std::vector<Vector> columns_;  // the batch as it is written: own_, defaults, NULLs
  uint32_t count_ = 0;           // rows in the batch
  bool input_over_ = false;
  std::vector<Source> sources_;
  std::string texts_;
  std::vector<Tid> tids_;
  uint64_t rows_ = 0;
};

}  // namespace orrery
