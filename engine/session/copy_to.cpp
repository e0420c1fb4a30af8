#include "session/copy_to.h"

#include <algorithm>

#include "base/text.h"
#include "func/large_work.h"
#include "session/copy_binary.h"
#include "session/copy_text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// Digits, letters, signs, points, colons and blanks only.
bool has_plain_text(Oid type) {
  constexpr Oid kTypes[] = {
      type_oid::int2,   type_oid::int4,      type_oid::int8,       type_oid::oid,  type_oid::float4,
      type_oid::float8, type_oid::numeric,   type_oid::bool_,      type_oid::uuid, type_oid::date,
      type_oid::time,   type_oid::timestamp, type_oid::timestamptz};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

}  // namespace

Status CopyTo::open(std::span<const ResultColumn> columns) {
  const bool binary = options_.format == CopyOptions::Format::binary;
  const bool escapes_little =
      options_.format == CopyOptions::Format::text && options_.delimiter == '\t';
  for (const ResultColumn& column : columns) {
    const TypeInfo* info = TRY(find_type(settings_, column.type));
    const bool can = binary ? info->send != nullptr : info->output != nullptr;
    if (!can) return unsupported(cat(binary ? "binary " : "", "output of type ", info->name));
    const auto& quoted = options_.force_quote;
    columns_.push_back(
        {.name = std::string(column.name),
         .type = column.type,
         .info = info,
         .force_quote = options_.force_quote_all ||
                        std::find(quoted.begin(), quoted.end(), column.name) != quoted.end(),
         .plain = escapes_little && has_plain_text(column.type)});
  }
  return {};
}

void CopyTo::append_header(std::string& out) const {
  if (options_.format == CopyOptions::Format::binary) return append_copy_header(out);
  if (options_.header == CopyOptions::Header::none) return;
  const bool csv = options_.format == CopyOptions::Format::csv;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += options_.delimiter;
    if (csv) {
      append_copy_csv(options_, columns_[i].name, false, columns_.size() == 1, out);
    } else {
      append_copy_text(options_, columns_[i].name, out);
    }
  }
  out += '\n';
}

Status CopyTo::append_value(Fiber& fiber, const Column& column, Datum value, std::string& out) {
  IoContext io{.arena = arena_, .settings = settings_, .type = column.type};
  const TypeInfo& type = *column.info;
  if (column.plain) return type.output(io, value, out);
  scratch_.clear();
  TRY(write_value(fiber, io, type, type.output, value, scratch_));
  if (options_.format == CopyOptions::Format::csv) {
    append_copy_csv(options_, scratch_, column.force_quote, columns_.size() == 1, out);
  } else {
    append_copy_text(options_, scratch_, out);
  }
  return {};
}

Status CopyTo::append_row(Fiber& fiber, const Batch& batch, uint32_t row, std::string& out) {
  const bool binary = options_.format == CopyOptions::Format::binary;
  if (binary) append_copy_count(out, static_cast<int>(columns_.size()));
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const NullableDatum value = batch.columns[i].at(row);
    if (binary && value.is_null) {
      append_copy_null(out);
    } else if (binary) {
      const size_t begin = begin_copy_field(out);
      IoContext io{.arena = arena_, .settings = settings_, .type = column.type};
      TRY(write_value(fiber, io, *column.info, column.info->send, value.value, out));
      end_copy_field(out, begin);
    } else {
      if (i > 0) out += options_.delimiter;
      if (value.is_null) {
        out += options_.null_text;
      } else {
        TRY(append_value(fiber, column, value.value, out));
      }
    }
  }
  if (!binary) out += '\n';
  return {};
}

void CopyTo::append_end(std::string& out) const {
  if (options_.format == CopyOptions::Format::binary) append_copy_trailer(out);
}

}  // namespace orrery
