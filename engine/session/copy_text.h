// COPY's text and CSV forms: bytes to fields and fields to bytes. No I/O, no types.
//
//   text   fields between delimiters, one line a row; \N is NULL; \b \f \n \r \t \v, \123, \x41 and
//          any other character behind a backslash are escapes; a line \. ends the data
//   CSV    RFC 4180 with a chosen quote and escape; a quoted field may hold line ends; an unquoted
//          field equal to the null text is NULL
//
// Lines end as the first one does: \n, \r\n or \r; another end later is an error, as in PostgreSQL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "session/copy_options.h"

namespace orrery {

struct CopyField {
  std::string_view text;  // decoded
  bool is_null = false;
};

class CopyLineReader {
 public:
  explicit CopyLineReader(const CopyOptions& options) : options_(options) {}

  // More input; `last` when none follows.
  void feed(Bytes bytes);
  void finish() { finished_ = true; }
  // The next line into fields(). False: feed more, or, after finish() or "\.", the end.
  // 22P04 with PostgreSQL's messages.
  Result<bool> next_line();
  bool is_done() const { return done_; }
  std::span<const CopyField> fields() const { return fields_; }
  // Valid until the next call, as fields are.
  std::string_view line() const { return line_; }
  uint64_t line_number() const { return line_number_; }  // a quoted field's line ends count
  // Some field is not the line's own text: it has bytes that escapes made.
  bool was_decoded() const { return !decoded_.empty(); }

 private:
  enum class LineEnd : uint8_t { unknown, newline, carriage_return, both };
  // Where the line at `at_` ends, its end mark left out and counted in `mark`; npos: not all of it
  // is here.
  Result<size_t> find_text_end(size_t* mark);
  Result<size_t> find_csv_end(size_t* mark);
  Result<size_t> check_end(size_t at, size_t* mark);
  void split_plain();
  Status split_text();
  Status split_csv();

  const CopyOptions& options_;
  std::string buffer_;
  size_t at_ = 0;           // the next line
  size_t scanned_ = 0;      // of it: no end before this
  bool in_quotes_ = false;  // at `scanned_`
  bool finished_ = false, done_ = false;
  LineEnd line_end_ = LineEnd::unknown;
  uint64_t line_number_ = 0;
  std::string_view line_;
  std::string decoded_;  // what escapes and quotes were taken out of
  std::vector<CopyField> fields_;
};

// Appends one field as its form wants it; the caller writes delimiters and line ends.
void append_copy_text(const CopyOptions& options, std::string_view value, std::string& out);
// `only`: it is the row's single column, where "\." must be quoted.
void append_copy_csv(const CopyOptions& options, std::string_view value, bool force_quote,
                     bool only, std::string& out);

}  // namespace orrery
