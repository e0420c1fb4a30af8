// Results that the session makes itself: rows of text columns, for SHOW and EXPLAIN.
#pragma once

#include <string>
#include <vector>

#include "session/backend.h"
#include "types/type_oids.h"

namespace orrery {

class TextRows {
 public:
  // `names` must outlive the result.
  explicit TextRows(std::span<const std::string_view> names, Oid type = type_oid::text) {
    for (const std::string_view name : names) {
      columns_.push_back({.name = name, .type = type, .type_length = -1});
    }
  }
  std::span<const ResultColumn> columns() const { return columns_; }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  Status send(Fiber& fiber, std::span<const WireFormat> formats, const TypeSettings& settings,
              ResultSink& sink) const;

 private:
  std::vector<ResultColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace orrery
