// Prints results as psql does: aligned tables with a header, a rule and a row count; tags and
// notices on lines of their own.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "session/backend.h"
#include "types/type_io.h"

namespace orrery {

class TableSink final : public ResultSink {
 public:
  TableSink(std::string& out, std::string& err) : out_(out), err_(err) {}

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
  void end_copy_out() override {}

 private:
  struct Column {
    std::string name;
    Oid type;
    int32_t typmod;
    const TypeInfo* info;
    bool right = false;  // numbers
    size_t width = 0;    // in characters
  };
  void print_table();

  std::string& out_;
  std::string& err_;
  const TypeSettings* settings_ = nullptr;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  bool has_table_ = false;
  Arena arena_;
};

// "ERROR:  message" with its position, detail, hint and context, as psql prints it.
std::string describe_error(std::string_view severity, const Error& error, std::string_view text);

}  // namespace orrery
