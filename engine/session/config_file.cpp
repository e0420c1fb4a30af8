#include "session/config_file.h"

#include "base/text.h"
#include "fiber/io.h"
#include "session/setting_checks.h"

namespace orrery {
namespace {

constexpr char kConfig[] = "orrery.conf";
constexpr char kAutoConfig[] = "orrery.auto.conf";
constexpr char kAutoConfigNew[] = "orrery.auto.conf.new";

Result<std::string> read_whole(Fiber& fiber, const char* name) {
  auto file = open_file(fiber, name, false);
  if (!file.ok() && file.status().is(sqlstate::undefined_file)) return std::string();
  const FileHandle handle = TRY(std::move(file));
  auto size = file_size(fiber, handle);
  std::string text(size.ok() ? *size : 0, '\0');
  auto count = read_file(fiber, handle, 0, std::as_writable_bytes(std::span(text)));
  TRY(close_file(fiber, handle));
  TRY(std::move(size));
  TRY(std::move(count));
  return text;
}

Status write_whole(Fiber& fiber, const char* name, std::string_view text) {
  const FileHandle file = TRY(open_file(fiber, name, true));
  Status written = truncate_file(fiber, file, 0);
  if (written.ok()) written = write_file(fiber, file, 0, as_bytes(text));
  if (written.ok()) written = sync_file(fiber, file);
  TRY(close_file(fiber, file));
  return written;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
  return text;
}

// A value in quotes, '' and \' being a quote. Null when it does not end.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    const bool doubled = c == '\'' && rest.starts_with('\'');
    if (c == '\'' && !doubled) return value;
    if (doubled || (c == '\\' && !rest.empty())) {
      value += rest[0];
      rest.remove_prefix(1);
    } else {
      value += c;
    }
  }
  return std::nullopt;
}

std::optional<ConfigLine> parse_line(std::string_view line) {
  const size_t name_end = std::min(line.find_first_of(" \t=#'"), line.size());
  ConfigLine parsed{.name = std::string(line.substr(0, name_end))};
  line = skip_space(line.substr(name_end));
  if (line.starts_with('=')) line = skip_space(line.substr(1));
  if (parsed.name.empty() || line.empty()) return std::nullopt;
  if (line[0] == '\'') {
    std::optional<std::string> value = take_quoted(line);
    if (!value) return std::nullopt;
    parsed.value = std::move(*value);
  } else {
    const size_t end = std::min(line.find_first_of(" \t\r#"), line.size());
    parsed.value = line.substr(0, end);
    line.remove_prefix(end);
    if (parsed.value.empty()) return std::nullopt;
  }
  line = skip_space(line);
  if (!line.empty() && line[0] != '#') return std::nullopt;
  return parsed;
}

Status apply(const ConfigLine& line, std::string_view file, Settings& settings) {
  const std::optional<SettingId> id = find_setting(line.name);
  if (!id) {
    return raise(sqlstate::undefined_object,
                 cat("unrecognized configuration parameter \"", line.name, "\" in file \"", file,
                     "\" line ", line.line));
  }
  if (setting_def(*id).context == SettingContext::internal || is_state(*id)) {
    return raise(sqlstate::cant_change_runtime_param,
                 cat("parameter \"", line.name, "\" cannot be changed"));
  }
  SettingValue value = TRY(parse_setting(*id, line.value));
  TRY(check_setting(*id, value, {.text = settings.get_text(*id)}));
  settings.set_default(*id, std::move(value));
  return {};
}

}  // namespace

Result<std::vector<ConfigLine>> parse_config(std::string_view text, std::string_view file_name) {
  std::vector<ConfigLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = skip_space(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#') continue;
    std::optional<ConfigLine> parsed = parse_line(line);
    if (!parsed) {
      return raise(sqlstate::syntax_error,
                   cat("syntax error in file \"", file_name, "\" line ", number));
    }
    parsed->line = number;
    lines.push_back(std::move(*parsed));
  }
  return lines;
}

std::string config_line(std::string_view name, std::string_view value) {
  std::string line = cat(name, " = '");
  for (const char c : value) {
    if (c == '\'' || c == '\\') line += c;
    line += c;
  }
  return line + "'\n";
}

Status set_node_setting(Settings& settings, std::string_view name, const std::string& value) {
  return apply({.name = std::string(name), .value = value}, "command line", settings);
}

Status load_config(Fiber& fiber, Settings& settings) {
  for (const char* file : {kConfig, kAutoConfig}) {
    const std::string text = TRY(read_whole(fiber, file));
    const std::vector<ConfigLine> lines = TRY(parse_config(text, file));
    for (const ConfigLine& line : lines) TRY(apply(line, file, settings));
  }
  return {};
}

Status alter_system(Fiber& fiber, std::string_view name, std::optional<std::string> value) {
  const std::string text = TRY(read_whole(fiber, kAutoConfig));
  const std::vector<ConfigLine> lines = TRY(parse_config(text, kAutoConfig));
  std::string out = "# Written by ALTER SYSTEM; it overwrites what is changed here by hand.\n";
  for (const ConfigLine& line : lines) {
    if (!equals_ignoring_case(line.name, name)) out += config_line(line.name, line.value);
  }
  if (value) out += config_line(name, *value);
  TRY(write_whole(fiber, kAutoConfigNew, out));
  TRY(rename_file(fiber, kAutoConfigNew, kAutoConfig));
  return sync_directory(fiber, "");
}

Status alter_system_reset_all(Fiber& fiber) {
  TRY(write_whole(fiber, kAutoConfigNew, ""));
  TRY(rename_file(fiber, kAutoConfigNew, kAutoConfig));
  return sync_directory(fiber, "");
}

}  // namespace orrery
