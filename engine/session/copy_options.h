// The options of COPY, checked as PostgreSQL checks them, with its messages.
#pragma once

#include <string>
#include <vector>

#include "sql/ast.h"

namespace orrery {

struct CopyOptions {
  enum class Format : uint8_t { text, csv, binary } format = Format::text;
  enum class Header : uint8_t { none, present, match } header = Header::none;
  char delimiter = '\t';
  char quote = '"';
  char escape = '"';
  std::string null_text = "\\N";
  bool freeze = false;
  bool force_quote_all = false;
  std::vector<std::string> force_quote, force_not_null, force_null;
};

// `text` is the statement's, for positions.
Result<CopyOptions> read_copy_options(const CopyStmt& statement, std::string_view text);

}  // namespace orrery
