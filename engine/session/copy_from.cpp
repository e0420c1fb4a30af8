#include "session/copy_from.h"

#include <algorithm>

#include "base/text.h"
#include "exec/projection.h"
#include "exec/table_columns.h"
#include "func/large_work.h"
#include "types/utf8.h"

namespace orrery {
namespace {

constexpr size_t kBatchBytes = size_t{1} << 20;

Status bad_format(std::string message) {
  return raise(sqlstate::bad_copy_file_format, std::move(message));
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Class 22: the input is wrong; not the connection, the machine or the user's patience.
bool is_about_data(const Status& status) { return status.error().code.class_text() == "22"; }

// As much of a value or a line as an error's context shows.
std::string shown(std::string_view text) {
  constexpr size_t kShown = 100;
  if (text.size() <= kShown) return std::string(text);
  return cat(text.substr(0, utf8_clip(text, kShown)), "...");
}

}  // namespace

CopyFrom::CopyFrom(ExecContext& context, const RelationInfo& relation, std::vector<int16_t> columns,
                   const CopyOptions& options)
    : context_(context),
      relation_(relation),
      options_(options),
      writer_(context, relation),
      lines_(options),
      arena_(&context.budget),
      tids_(kBatchRows) {
  for (const int16_t number : columns) {
    const std::string& name = relation.column(number).name;
    fields_.push_back({.number = number,
                       .type = nullptr,
                       .force_not_null = contains(options.force_not_null, name),
                       .force_null = contains(options.force_null, name)});
  }
}

Status CopyFrom::open(PlannerWorld& world, const Expr* where) {
  const bool binary = options_.format == CopyOptions::Format::binary;
  const Vector nothing = Vector::make_constant(context_.arena, NullableDatum{});
  columns_.assign(relation_.columns.size() + kSystemColumns, nothing);
  std::vector<bool> given(relation_.columns.size());
  for (Field& field : fields_) {
    const auto at = static_cast<size_t>(field.number - 1);
    field.type = TRY(find_type(context_.session.types, relation_.desc()[at].type));
    const bool can = binary ? field.type->receive != nullptr : field.type->input != nullptr;
    if (!can) return unsupported(cat(binary ? "binary " : "", "input of type ", field.type->name));
    own_.push_back(Vector::make(context_.arena));
    given[at] = true;
  }
  int effects = 0;
  for (size_t c = 0; c < relation_.columns.size(); ++c) {
    const ColumnInfo& column = relation_.columns[c];
    if (given[c] || relation_.desc()[c].dropped || !column.has_default) continue;
    const Expr* expr = TRY(
        world.column_default(context_.fiber, context_.arena, relation_, static_cast<int>(c) + 1));
    const bool has_effect = TRY(has_effects(context_, *expr));
    effects += has_effect ? 1 : 0;
    Evaluator value = TRY(Evaluator::compile(context_, *expr, scanned_column));
    (column.generated != '\0' ? generated_ : defaults_).push_back({c, std::move(value)});
  }
  for (size_t i = 0; effects > 1 && i < defaults_.size(); ++i)
    by_row_.push_back(Vector::make(context_.arena));
  if (where != nullptr) where_ = TRY(Evaluator::compile(context_, *where, scanned_column));
  TRY(writer_.open());
  return changes_.open(context_, relation_);
}

Result<uint64_t> CopyFrom::run(CopyInput& input) {
  Status status = read_rows(input);
  if (!status.ok()) {
    // Rows before the one complained of may have been wrong first.
    if (count_ > 0 && is_about_data(status)) {
      Batch batch{columns_, Rows{nullptr, count_}};
      uint16_t kept[kBatchRows];
      TRY(choose_rows(batch, kept));
      TRY(check_constraints(batch));
    }
    return status;
  }
  TRY(flush());
  TRY(changes_.finish());
  return rows_;
}

Status CopyFrom::read_rows(CopyInput& input) {
  const bool binary = options_.format == CopyOptions::Format::binary;
  if (options_.header != CopyOptions::Header::none) TRY(read_header(input));
  while (true) {
    const bool more = TRY(binary ? next_tuple(input) : next_line(input));
    if (!more) return {};
    TRY(binary ? add_tuple() : add_line());
    TRY(end_row(binary ? std::string_view() : lines_.line()));
  }
}

uint64_t CopyFrom::line_number() const {
  return options_.format == CopyOptions::Format::binary ? tuples_.number() : lines_.line_number();
}

std::string CopyFrom::where_text(uint64_t line) const {
  return cat("COPY ", relation_.name, ", line ", line);
}
std::string CopyFrom::line_context(uint64_t line, std::string_view text) const {
  return cat(where_text(line), ": \"", shown(text), "\"");
}
std::string CopyFrom::row_context(uint32_t row, bool with_text) const {
  const Source& source = sources_[row];
  if (!with_text || options_.format == CopyOptions::Format::binary) return where_text(source.line);
  const size_t start = row == 0 ? 0 : sources_[row - 1].text_end;
  return line_context(source.line, std::string_view(texts_).substr(start, source.text_end - start));
}

// ---- text and CSV

Result<bool> CopyFrom::next_line(CopyInput& input) {
  while (true) {
    auto line = lines_.next_line();
    if (!line.ok()) {
      return std::move(line).status().context(line_context(lines_.line_number(), lines_.line()));
    }
    if (*line) return true;
    if (input_over_) return false;
    const std::optional<Bytes> bytes = TRY(input.read(context_.fiber));
    if (bytes) {
      lines_.feed(*bytes);  // nothing to it behind "\."
      TRY(context_.fiber.charge(bytes->size() / 16 + 1));
    } else {
      input_over_ = true;  // said once: who asks again waits for ever
      lines_.finish();
    }
  }
}

Status CopyFrom::read_header(CopyInput& input) {
  const bool any = TRY(next_line(input));
  if (!any || options_.header != CopyOptions::Header::match) return {};
  const std::string context = line_context(lines_.line_number(), lines_.line());
  const std::span<const CopyField> names = lines_.fields();
  if (names.size() != fields_.size()) {
    return bad_format(cat("wrong number of fields in header line: got ", names.size(),
                          ", expected ", fields_.size()))
        .context(context);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& expected = relation_.column(fields_[i].number).name;
    if (names[i].is_null) {
      return bad_format(cat("column name mismatch in header line field ", i + 1,
                            ": got null value (\"", options_.null_text, "\"), expected \"",
                            expected, "\""))
          .context(context);
    }
    if (names[i].text != expected) {
      return bad_format(cat("column name mismatch in header line field ", i + 1, ": got \"",
                            names[i].text, "\", expected \"", expected, "\""))
          .context(context);
    }
  }
  return {};
}

Status CopyFrom::add_line() {
  const std::string_view text = lines_.line();
  const std::span<const CopyField> given = lines_.fields();
  auto work = [&]() -> Status {
    TRY(check_utf8(text));
    // A line without columns is empty, and reads as one empty field.
    const bool none = fields_.empty() && text.empty();
    if (given.size() > fields_.size() && !none)
      return bad_format("extra data after last expected column");
    if (given.size() < fields_.size()) {
      return bad_format(cat("missing data for column \"",
                            relation_.column(fields_[given.size()].number).name, "\""));
    }
    return {};
  };
  Status status = work();
  if (!status.ok()) return std::move(status).context(line_context(line_number(), text));
  for (size_t i = 0; i < fields_.size(); ++i) TRY(add_field(i, given[i]));
  return {};
}

Status CopyFrom::add_field(size_t index, const CopyField& given) {
  const Field& field = fields_[index];
  bool is_null = given.is_null;
  if (is_null && field.force_not_null) is_null = false;
  if (field.force_null && given.text == options_.null_text) is_null = true;
  Vector& vector = own_[index];
  const ColumnDesc& desc = relation_.desc()[static_cast<size_t>(field.number - 1)];
  if (is_null) {
    vector.set_null(count_);
    return {};
  }
  IoContext io{.arena = arena_,
               .settings = context_.session.types,
               .type = desc.type,
               .typmod = desc.typmod};
  Status status;
  // Escapes may have made bytes that the line did not have.
  if (lines_.was_decoded()) status = check_utf8(given.text);
  if (status.ok()) {
    Result<Datum> value = read_text(context_.fiber, io, *field.type, given.text);
    if (value.ok()) {
      vector.set(count_, *value);
      return {};
    }
    status = std::move(value).status();
  }
  return std::move(status).context(cat(where_text(line_number()), ", column ",
                                       relation_.column(field.number).name, ": \"",
                                       shown(given.text), "\""));
}

// ---- binary

Result<bool> CopyFrom::next_tuple(CopyInput& input) {
  while (true) {
    auto tuple = tuples_.next(static_cast<int>(fields_.size()));
    if (!tuple.ok()) {
      Status status = std::move(tuple).status();
      if (tuples_.number() == 0) return status;
      return std::move(status).context(where_text(tuples_.number()));
    }
    if (*tuple) return true;
    if (input_over_) return false;
    const std::optional<Bytes> bytes = TRY(input.read(context_.fiber));
    if (bytes) {
      tuples_.feed(*bytes);
      TRY(context_.fiber.charge(bytes->size() / 16 + 1));
    } else {
      input_over_ = true;  // said once: who asks again waits for ever
      tuples_.finish();
    }
  }
}

Status CopyFrom::add_tuple() {
  for (size_t i = 0; i < fields_.size(); ++i) {
    const CopyBinaryReader::Field& given = tuples_.fields()[i];
    if (given.is_null) {
      own_[i].set_null(count_);
      continue;
    }
    const Field& field = fields_[i];
    const ColumnDesc& desc = relation_.desc()[static_cast<size_t>(field.number - 1)];
    IoContext io{.arena = arena_,
                 .settings = context_.session.types,
                 .type = desc.type,
                 .typmod = desc.typmod};
    Result<Datum> value = read_binary(context_.fiber, io, *field.type, given.bytes);
    if (!value.ok()) {
      return std::move(value).status().context(
          cat(where_text(tuples_.number()), ", column ", relation_.column(field.number).name));
    }
    own_[i].set(count_, *value);
  }
  return {};
}

// ---- batches

Status CopyFrom::end_row(std::string_view text) {
  texts_ += text;
  sources_.push_back({.line = line_number(), .text_end = texts_.size()});
  ++count_;
  if (count_ == kBatchRows || texts_.size() > kBatchBytes ||
      (count_ % 64 == 0 && arena_.held_bytes() > 8 * kBatchBytes)) {
    TRY(flush());
  }
  return {};
}

// Volatile functions notice in which order they are called: row by row.
Status CopyFrom::compute_by_row(const Batch& batch) {
  for (Vector& vector : by_row_) vector.may_have_nulls = false;
  for (uint32_t i = 0; i < batch.rows.count; ++i) {
    const auto row = static_cast<uint16_t>(batch.rows[i]);
    for (size_t d = 0; d < defaults_.size(); ++d) {
      const Vector* value = TRY(defaults_[d].value.evaluate(arena_, batch, Rows{&row, 1}));
      by_row_[d].set(row, value->at(row));
    }
  }
  for (size_t d = 0; d < defaults_.size(); ++d) columns_[defaults_[d].column] = by_row_[d];
  return {};
}

Status CopyFrom::compute_others(Batch& batch) {
  for (size_t i = 0; i < fields_.size(); ++i)
    columns_[static_cast<size_t>(fields_[i].number - 1)] = own_[i];
  if (!by_row_.empty()) TRY(compute_by_row(batch));
  for (std::vector<Computed>* all : {&defaults_, &generated_}) {
    if (all == &defaults_ && !by_row_.empty()) continue;
    for (Computed& computed : *all) {
      const Vector* value = TRY(computed.value.evaluate(arena_, batch, batch.rows));
      columns_[computed.column] = *value;
    }
  }
  return {};
}

// Completes the rows read, and leaves those that WHERE wants.
Status CopyFrom::choose_rows(Batch& batch, uint16_t* kept) {
  TRY(compute_others(batch));
  if (where_) batch.rows = TRY(where_->filter(arena_, batch, batch.rows, kept));
  return {};
}

Status CopyFrom::check_constraints(const Batch& batch) {
  if (writer_.check_row_constraints(arena_, columns_, batch.rows).ok()) return {};
  for (uint32_t i = 0; i < batch.rows.count; ++i) {
    const auto row = static_cast<uint16_t>(batch.rows[i]);
    Status status = writer_.check_row_constraints(arena_, columns_, Rows{&row, 1});
    if (!status.ok()) return std::move(status).context(row_context(row, true));
  }
  return {};
}

Status CopyFrom::flush() {
  if (count_ == 0) return {};
  Batch batch{columns_, Rows{nullptr, count_}};
  uint16_t kept[kBatchRows];
  TRY(choose_rows(batch, kept));
  if (batch.rows.count > 0) {
    TRY(check_constraints(batch));
    Status status = writer_.insert(arena_, batch, tids_.data());
    if (!status.ok()) {
      return std::move(status).context(row_context(batch.rows[writer_.indexed()], false));
    }
    TRY(changes_.inserted(arena_, batch, std::span<const Tid>(tids_.data(), batch.rows.count)));
  }
  rows_ += batch.rows.count;
  count_ = 0;
  sources_.clear();
  texts_.clear();
  arena_.reset();
  for (Vector& vector : own_) vector.may_have_nulls = false;
  return context_.budget.check();
}

}  // namespace orrery
