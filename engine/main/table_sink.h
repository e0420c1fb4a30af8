// Prints results as psql does: aligned tables with a header, a rule and a row count; tags and
// notices on lines of their own.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/function.h"
#include "session/backend.h"
#include "types/type_io.h"

namespace orrery {

// Takes what is printed: of the results, or of the errors and notices.
using PrintText = FunctionRef<void(bool error, std::string_view text)>;

class LineSource {
 public:
  // The next line with its end, valid until the next call; nothing at the end.
  virtual std::optional<std::string_view> next() = 0;

 protected:
  ~LineSource() = default;
};

class TableSink final : public ResultSink {
 public:
  // `lines`: the data of COPY ... FROM STDIN; null: there is none.
  TableSink(PrintText print, LineSource* lines) : print_(print), lines_(lines) {}

  // After a failure: the statement's data, up to "\.", is passed over. `expected`: the statement
  // asked for data, whether or not it came so far as to read it.
  void give_up(bool expected) {
    if (expected && !copied_in_) copying_in_ = lines_ != nullptr;
    skip_data();
  }

  Status begin_rows(Fiber& fiber, std::span<const ResultColumn> columns,
                    std::span<const WireFormat> formats, const TypeSettings& settings) override;
  Status add_rows(Fiber& fiber, const Batch& batch) override;
  void end(std::string_view command_tag) override;
  void end_suspended() override {}
  void end_empty() override {}
  void notice(Severity severity, const Error& error) override;
  Status begin_copy_in(Fiber& fiber, const CopyShape& shape) override;
  Result<std::optional<Bytes>> copy_in(Fiber& fiber) override;
  Status begin_copy_out(Fiber& fiber, const CopyShape& shape) override;
  Status copy_out(Fiber& fiber, Bytes data) override;
  void end_copy_out() override { copied_out_ = true; }

 private:
  struct Column {
    std::string name;
    Oid type;
    int32_t typmod;
    const TypeInfo* info;
    bool right = false;  // numbers
    size_t width = 0;    // in characters
  };
  static bool ends_data(std::string_view line);
  void skip_data();
  void print_table();
  void print_cells(std::span<const std::string> cells, bool header);

  PrintText print_;
  LineSource* lines_;
  std::string out_;
  const TypeSettings* settings_ = nullptr;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  bool has_table_ = false;
  bool copied_out_ = false;
  bool copying_in_ = false;  // data may follow among the lines
  bool copied_in_ = false;
  Arena arena_;
};

// "ERROR:  message" with its position, detail, hint and context, as psql prints it.
std::string describe_error(std::string_view severity, const Error& error, std::string_view text);

}  // namespace orrery
