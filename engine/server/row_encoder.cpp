#include "server/row_encoder.h"

#include "base/text.h"
#include "func/large_work.h"
#include "server/protocol.h"

namespace orrery {

Status RowEncoder::prepare(std::span<const ResultColumn> columns,
                           std::span<const WireFormat> formats, const TypeSettings& settings) {
  settings_ = &settings;
  columns_.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    const TypeInfo* type = TRY(find_type(settings, columns[i].type));
    const bool binary = wire::format_of(formats, i) == WireFormat::binary;
    if (binary && type->send == nullptr) {
      return raise(sqlstate::undefined_function,
                   cat("no binary output function available for type ", type->name));
    }
    if (!binary && type->output == nullptr) return unsupported(cat("output of type ", type->name));
    columns_.push_back({.write = binary ? type->send : type->output,
                        .info = type,
                        .type = columns[i].type,
                        .typmod = columns[i].typmod});
  }
  return {};
}

Status RowEncoder::append(Fiber& fiber, const Batch& batch, uint32_t i, std::string& out) {
  CHECK(batch.columns.size() >= columns_.size());
  const uint32_t row = batch.rows[i];
  const size_t start = out.size();
  out.push_back('D');
  out.append(6, '\0');
  store_be<uint16_t>(out.data() + start + 5, static_cast<uint16_t>(columns_.size()));
  for (size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = columns_[c];
    const Vector& values = batch.columns[c];
    const size_t length_at = out.size();
    out.append(4, '\xff');  // -1: NULL
    if (values.is_null(row)) continue;
    IoContext context{
        .arena = arena_, .settings = *settings_, .type = column.type, .typmod = column.typmod};
    Status written =
        write_value(fiber, context, *column.info, column.write, values.value(row), out);
    if (!written.ok()) {
      out.resize(start);
      return written;
    }
    store_be<uint32_t>(out.data() + length_at, static_cast<uint32_t>(out.size() - length_at - 4));
  }
  store_be<uint32_t>(out.data() + start + 1, static_cast<uint32_t>(out.size() - start - 1));
  return {};
}

}  // namespace orrery
