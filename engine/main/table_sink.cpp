#include "main/table_sink.h"

#include "base/text.h"
#include "types/type_oids.h"
#include "types/utf8.h"

namespace orrery {
namespace {

bool is_number(Oid type) {
  return type == type_oid::int2 || type == type_oid::int4 || type == type_oid::int8 ||
         type == type_oid::oid || type == type_oid::float4 || type == type_oid::float8 ||
         type == type_oid::numeric || type == type_oid::xid || type == type_oid::cid ||
         type == type_oid::xid8 || type == type_oid::money;
}

std::string_view severity_name(Severity severity) {
  constexpr std::string_view kNames[] = {"DEBUG", "LOG", "INFO", "NOTICE", "WARNING"};
  return kNames[static_cast<int>(severity)];
}

// The line of `text` that holds character `position`, and a caret under it; at most 60 characters
// of a long line, at least 10 of them behind the position.
std::string point_at(std::string_view text, int position) {
  const size_t at = utf8_offset(text, static_cast<size_t>(position - 1));
  const size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const size_t start = before == std::string_view::npos ? 0 : before + 1;
  const size_t end = std::min(text.find('\n', at), text.size());
  const auto number =
      1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(start), '\n');
  std::string line(text.substr(start, end - start));
  for (char& c : line) c = c == '\t' || c == '\r' ? ' ' : c;
  constexpr size_t kShown = 60;
  constexpr size_t kBehind = 10;
  const size_t length = utf8_count(line);
  const size_t caret = utf8_count(line.substr(0, at - start));
  size_t first = 0;
  size_t last = length;
  if (length > kShown) {
    if (caret + kBehind < kShown) {
      last = kShown;
    } else {
      last = std::min(caret + kBehind, length);
      first = last - kShown;
    }
  }
  const size_t from = utf8_offset(line, first);
  const std::string shown =
      cat(first > 0 ? "..." : "", line.substr(from, utf8_offset(line, last) - from),
          last < length ? "..." : "");
  const std::string label = cat("LINE ", number, ": ");
  const size_t indent = label.size() + caret - first + (first > 0 ? 3 : 0);
  return cat(label, shown, "\n", std::string(indent, ' '), "^\n");
}

// A value as psql puts it in a cell: tabs become blanks up to the next multiple of eight, other
// control characters escapes.
std::string cell_text(std::string_view value) {
  std::string out;
  size_t width = 0;  // of the line so far
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const size_t before = out.size();
    if (c == '\n') {
      out += c;
      width = 0;
      continue;
    }
    if (c == '\t') {
      out.append(8 - width % 8, ' ');
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      std::string digits;
      append_hex(digits, byte, 2);
      out += to_upper(digits);
    } else {
      out += c;
      width += (byte & 0xc0) != 0x80;
      continue;
    }
    width += out.size() - before;
  }
  return out;
}

}  // namespace

std::string describe_error(std::string_view severity, const Error& error, std::string_view text) {
  std::string out = cat(severity, ":  ", error.message, "\n");
  if (error.position > 0) out += point_at(text, error.position);
  if (!error.detail.empty()) out += cat("DETAIL:  ", error.detail, "\n");
  if (!error.hint.empty()) out += cat("HINT:  ", error.hint, "\n");
  if (!error.context.empty()) out += cat("CONTEXT:  ", error.context, "\n");
  return out;
}

Status TableSink::begin_rows(Fiber&, std::span<const ResultColumn> columns,
                             std::span<const WireFormat>, const TypeSettings& settings) {
  settings_ = &settings;
  columns_.clear();
  rows_.clear();
  has_table_ = true;
  for (const ResultColumn& column : columns) {
    const TypeInfo* info = TRY(find_type(settings, column.type));
    if (info->output == nullptr) return unsupported(cat("output of type ", info->name));
    columns_.push_back({.name = std::string(column.name),
                        .type = column.type,
                        .typmod = column.typmod,
                        .info = info,
                        .right = is_number(column.type),
                        .width = utf8_count(column.name)});
  }
  return {};
}

Status TableSink::add_rows(Fiber&, const Batch& batch) {
  for (uint32_t i = 0; i < batch.rows.count; ++i) {
    std::vector<std::string>& row = rows_.emplace_back(columns_.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
      Column& column = columns_[c];
      const NullableDatum value = batch.columns[c].at(batch.rows[i]);
      if (value.is_null) continue;
      IoContext context{
          .arena = arena_, .settings = *settings_, .type = column.type, .typmod = column.typmod};
      TRY(column.info->output(context, value.value, row[c]));
      row[c] = cell_text(row[c]);
      for (size_t at = 0; at <= row[c].size();) {
        const size_t end = std::min(row[c].find('\n', at), row[c].size());
        column.width =
            std::max(column.width, utf8_count(std::string_view(row[c]).substr(at, end - at)));
        at = end + 1;
      }
    }
  }
  arena_.reset();
  return {};
}

// One row, of as many lines as its longest value; a line that goes on ends with +.
void TableSink::print_cells(std::span<const std::string> cells, bool header) {
  std::vector<std::string_view> rest(cells.begin(), cells.end());
  bool first_line = true;
  for (bool more = true; more;) {
    more = false;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = columns_[c];
      const size_t newline = rest[c].find('\n');
      const std::string_view line = rest[c].substr(0, newline);
      const bool goes_on = newline != std::string_view::npos;
      more = more || goes_on;
      const size_t space = column.width - utf8_count(line);
      const bool last = c + 1 == columns_.size();
      const bool blank = last && !first_line && line.empty();  // nothing is left of it
      const size_t left = header ? space / 2 : column.right && !blank ? space : 0;
      const bool pads = !last || header || goes_on;
      out_ += cat(c > 0 ? "|" : "", " ", std::string(left, ' '), line,
                  pads ? std::string(space - left, ' ') : "",
                  goes_on ? "+"
                  : pads  ? " "
                          : "");
      rest[c] = goes_on ? rest[c].substr(newline + 1) : std::string_view();
    }
    out_ += "\n";
    first_line = false;
  }
}

void TableSink::print_table() {
  std::vector<std::string> names;
  std::string rule = columns_.empty() ? "--" : "";
  for (const Column& column : columns_) {
    rule += cat(names.empty() ? "" : "+", std::string(column.width + 2, '-'));
    names.push_back(column.name);
  }
  if (!columns_.empty()) print_cells(names, true);
  out_ += cat(rule, "\n");
  for (const std::vector<std::string>& row : rows_) {
    if (!columns_.empty()) print_cells(row, false);
  }
  out_ += cat("(", rows_.size(), rows_.size() == 1 ? " row)\n\n" : " rows)\n\n");
}

void TableSink::end(std::string_view command_tag) {
  if (has_table_) print_table();
  const bool changes = command_tag.starts_with("INSERT") || command_tag.starts_with("UPDATE") ||
                       command_tag.starts_with("DELETE");
  if (changes || (!has_table_ && !copied_out_)) out_ += cat(command_tag, "\n");
  has_table_ = copied_out_ = false;
  print_(false, out_);
  out_.clear();
}

void TableSink::notice(Severity severity, const Error& error) {
  print_(true, describe_error(severity_name(severity), error, ""));
}

Status TableSink::begin_copy_in(Fiber&, const CopyShape& shape) {
  if (lines_ == nullptr || shape.format == WireFormat::binary)
    return unsupported("COPY FROM STDIN without lines to read");
  copying_in_ = copied_in_ = true;
  return {};
}
// The line "\." goes out too, as psql has it: it ends the data for either side.
Result<std::optional<Bytes>> TableSink::copy_in(Fiber&) {
  const std::optional<std::string_view> line =
      copying_in_ ? lines_->next() : std::optional<std::string_view>();
  copying_in_ = line && !ends_data(*line);
  if (!line) return std::optional<Bytes>();
  return std::optional(as_bytes(*line));
}

bool TableSink::ends_data(std::string_view line) {
  return line == "\\.\n" || line == "\\.\r\n" || line == "\\.";
}

// What a failed COPY has not read is no SQL.
void TableSink::skip_data() {
  while (copying_in_) {
    const std::optional<std::string_view> line = lines_->next();
    copying_in_ = line && !ends_data(*line);
  }
}
Status TableSink::begin_copy_out(Fiber&, const CopyShape&) { return {}; }
Status TableSink::copy_out(Fiber&, Bytes data) {
  print_(false, as_text(data));
  return {};
}

}  // namespace orrery
