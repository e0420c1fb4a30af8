// Cuts a script into statements the way psql does: at semicolons outside quotes, comments,
// parentheses and BEGIN ATOMIC bodies; lines that begin a psql command (a backslash) stand alone,
// and the lines that follow COPY ... FROM STDIN up to "\." are data, not SQL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orrery {

struct ScriptPiece {
  enum class Kind { statement, backslash, copy_data } kind;
  std::string_view text;  // a statement without its semicolon
};

// `standard_conforming_strings` is what the script's first statement will meet; the splitter
// follows SET standard_conforming_strings in the script.
std::vector<ScriptPiece> split_script(std::string_view script);

// What a shell needs to know about the text typed so far: where its first complete statement ends
// (past the semicolon), or npos; and, if it is incomplete, why: '\'' '"' '*' '(' '$' or '='
// (nothing open).
struct StatementEnd {
  size_t end = std::string_view::npos;
  char open = '=';
};
StatementEnd find_statement_end(std::string_view text, bool standard_conforming_strings = true);

}  // namespace orrery
