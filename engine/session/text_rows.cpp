#include "session/text_rows.h"

namespace orrery {

Status TextRows::send(Fiber& fiber, std::span<const WireFormat> formats,
                      const TypeSettings& settings, ResultSink& sink) const {
  TRY(sink.begin_rows(fiber, columns_, formats, settings));
  Arena arena;
  for (size_t first = 0; first < rows_.size(); first += kBatchRows) {
    arena.reset();
    const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, rows_.size() - first));
    std::vector<Vector> vectors;
    for (size_t c = 0; c < columns_.size(); ++c) {
      Vector& vector = vectors.emplace_back(Vector::make(arena));
      for (uint32_t i = 0; i < count; ++i) vector.set(i, make_varlena(arena, rows_[first + i][c]));
    }
    TRY(sink.add_rows(fiber, Batch{.columns = vectors, .rows = {.count = count}}));
  }
  return {};
}

}  // namespace orrery
