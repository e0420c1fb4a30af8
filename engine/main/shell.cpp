#include "main/shell.h"

#include <cstdio>
#include <unistd.h>

#include "base/text.h"
#include "main/table_sink.h"

namespace orrery {
namespace {

bool starts_tag(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Past the quoted piece that begins at `at`; npos when it does not end.
size_t skip_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '\'' && at > 0 && (text[at - 1] == 'E' || text[at - 1] == 'e');
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// The tag of a dollar quote that begins at `at`, both dollars included; empty when it is none.
std::string_view dollar_tag(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() &&
         (starts_tag(text[end]) || (end > at + 1 && text[end] >= '0' && text[end] <= '9')))
    ++end;
  return end < text.size() && text[end] == '$' ? text.substr(at, end + 1 - at) : std::string_view();
}

size_t skip_comment(std::string_view text, size_t at) {
  int depth = 0;
  for (size_t i = at; i + 1 < text.size(); ++i) {
    if (text.substr(i, 2) == "/*") {
      ++depth;
      ++i;
    } else if (text.substr(i, 2) == "*/") {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return std::string_view::npos;
}

// A script's lines, one by one: statements and the data of COPY come from the same place.
class FileLines final : public LineSource {
 public:
  explicit FileLines(FILE* file) : file_(file) {}
  ~FileLines() { std::free(line_); }
  std::optional<std::string_view> next() override {
    const ssize_t length = getline(&line_, &capacity_, file_);
    if (length < 0) return std::nullopt;
    return std::string_view(line_, static_cast<size_t>(length));
  }

 private:
  FILE* file_;
  char* line_ = nullptr;
  size_t capacity_ = 0;
};

constexpr std::string_view kBlanks = " \t\n\r\f\v";

}  // namespace

size_t statement_end(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    size_t next = i + 1;
    if (c == '\'' || c == '"') {
      next = skip_quoted(text, i);
    } else if (text.substr(i, 2) == "--") {
      next = text.find('\n', i);
    } else if (text.substr(i, 2) == "/*") {
      next = skip_comment(text, i);
    } else if (const std::string_view tag = c == '$' ? dollar_tag(text, i) : std::string_view();
               !tag.empty()) {
      const size_t close = text.find(tag, i + tag.size());
      next = close == std::string_view::npos ? close : close + tag.size();
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      --depth;
    } else if (c == ';' && depth <= 0) {
      return i + 1;
    }
    if (next == std::string_view::npos) return next;
    i = next;
  }
  return std::string_view::npos;
}

bool Shell::run(std::string_view text) {
  TableSink sink(print_, lines_);
  const Status status = database_.query(text, sink);
  if (!status.ok()) {
    print_(true, describe_error("ERROR", status.error(), text));
    const std::string lower = to_lower(text);
    sink.give_up(lower.starts_with("copy") && lower.find("from stdin") != std::string::npos);
  }
  return status.ok();
}

bool Shell::run_script(bool prompts) {
  bool good = true;
  std::string pending;
  while (true) {
    if (prompts) prompt(pending.empty());
    const std::optional<std::string_view> line = lines_->next();
    if (!line) break;
    if (pending.empty() && (line->starts_with("\\q") || *line == "quit\n")) break;
    pending += *line;
    for (size_t end = statement_end(pending); end != std::string::npos;
         end = statement_end(pending)) {
      const size_t start = pending.find_first_not_of(kBlanks);
      good = run(std::string_view(pending).substr(start, end - start)) && good;
      pending.erase(0, end);
    }
    if (pending.find_first_not_of(kBlanks) == std::string::npos) pending.clear();
  }
  const size_t start = pending.find_first_not_of(kBlanks);
  if (start != std::string::npos) good = run(std::string_view(pending).substr(start)) && good;
  return good;
}

void Shell::prompt(bool first) {
  constexpr char kMarks[] = {'#', '*', '!'};
  const char mark = kMarks[static_cast<int>(database_.transaction_status())];
  print_(false, cat("orrery", first ? '=' : '-', mark, ' '));
}

int run_shell(const ShellCommand& command) {
  auto database = EmbeddedDatabase::open(command.database, split_settings(command.settings));
  if (!database.ok()) {
    std::fprintf(stderr, "orrery: %s\n", database.status().error().message.c_str());
    return kExitFailure;
  }
  FileLines lines(stdin);
  auto print = [](bool error, std::string_view text) {
    FILE* stream = error ? stderr : stdout;
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
  };
  Shell shell(**database, print, &lines);
  const bool person = isatty(0) != 0 && isatty(1) != 0;
  bool good = true;
  for (const std::string& statement : command.statements) good = shell.run(statement) && good;
  if (command.statements.empty()) good = shell.run_script(person) || person;
  const Status closed = (*database)->close();
  if (!closed.ok()) {
    std::fprintf(stderr, "orrery: %s\n", closed.error().message.c_str());
    return kExitFailure;
  }
  return good ? kExitOk : kExitFailure;
}

}  // namespace orrery
