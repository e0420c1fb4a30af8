#include "main/table_sink.h"

#include "base/text.h"
#include "types/type_oids.h"
#include "types/utf8.h"

namespace orrery {
namespace {

bool is_number(Oid type) {
  return type == type_oid::int2 || type == type_oid::int4 || type == type_oid::int8 ||
         type == type_oid::oid || type == type_oid::float4 || type == type_oid::float8 ||
         type == type_oid::numeric || type == type_oid::xid || type == type_oid::money;
}

std::string_view severity_name(Severity severity) {
  constexpr std::string_view kNames[] = {"DEBUG", "LOG", "INFO", "NOTICE", "WARNING"};
  return kNames[static_cast<int>(severity)];
}

// The line of `text` that holds character `position`, and a caret under it.
std::string point_at(std::string_view text, int position) {
  const size_t at = utf8_offset(text, static_cast<size_t>(position - 1));
  const size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const size_t start = before == std::string_view::npos ? 0 : before + 1;
  const size_t end = std::min(text.find('\n', at), text.size());
  const auto number =
      1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(start), '\n');
  const std::string label = cat("LINE ", number, ": ");
  return cat(label, text.substr(start, end - start), "\n",
             std::string(label.size() + utf8_count(text.substr(start, at - start)), ' '), "^\n");
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
      column.width = std::max(column.width, utf8_count(row[c]));
    }
  }
  arena_.reset();
  return {};
}

void TableSink::print_table() {
  std::string rule;
  for (size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = columns_[c];
    const size_t space = column.width - utf8_count(column.name);
    out_ += cat(c > 0 ? "|" : "", " ", std::string(space / 2, ' '), column.name,
                std::string(space - space / 2, ' '), " ");
    rule += cat(c > 0 ? "+" : "", std::string(column.width + 2, '-'));
  }
  out_ += cat("\n", rule, "\n");
  for (const std::vector<std::string>& row : rows_) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = columns_[c];
      const std::string space(column.width - utf8_count(row[c]), ' ');
      const bool last = c + 1 == columns_.size();
      out_ += cat(c > 0 ? "|" : "", " ", column.right ? space : "", row[c],
                  column.right || last ? "" : space, last ? "" : " ");
    }
    out_ += "\n";
  }
  out_ += cat("(", rows_.size(), rows_.size() == 1 ? " row)\n\n" : " rows)\n\n");
}

void TableSink::end(std::string_view command_tag) {
  if (has_table_) {
    print_table();
  } else {
    out_ += cat(command_tag, "\n");
  }
  has_table_ = false;
}

void TableSink::notice(Severity severity, const Error& error) {
  err_ += describe_error(severity_name(severity), error, "");
}

Status TableSink::begin_copy_in(Fiber&, const CopyShape&) {
  return unsupported("COPY FROM STDIN in the shell");
}
Result<std::optional<Bytes>> TableSink::copy_in(Fiber&) { return std::optional<Bytes>(); }
Status TableSink::begin_copy_out(Fiber&, const CopyShape&) { return {}; }
Status TableSink::copy_out(Fiber&, Bytes data) {
  out_ += as_text(data);
  return {};
}

}  // namespace orrery
