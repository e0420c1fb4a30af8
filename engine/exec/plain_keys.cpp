#include "exec/plain_keys.h"

#include "exec/detoast.h"

namespace orrery {

void PlainKeys::set(std::span<const KeyColumn> keys, std::span<const ColumnDesc> columns) {
  keys_.clear();
  for (const KeyColumn& key : keys) {
    const auto column = static_cast<size_t>(key.column);
    if (columns[column].length == -1) keys_.push_back({column, columns[column]});
  }
}

Result<Batch> PlainKeys::of(ExecContext& context, Arena& arena, const Batch& in) {
  if (keys_.empty()) return in;
  columns_.assign(in.columns.begin(), in.columns.end());
  for (const Key& key : keys_)
    TRY(detoast_column(context, arena, columns_[key.column], in.rows, key.desc));
  return Batch{columns_, in.rows, in.tids};
}

}  // namespace orrery
