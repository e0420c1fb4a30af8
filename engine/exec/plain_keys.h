// Batches whose key columns are plain, for operators that compare and hash keys.
//
// A child's vectors are the child's: it may write its next rows into them. So a batch in which a
// value has to be brought in gets vectors of its own, and any other stays what it was.
#pragma once

#include <vector>

#include "exec/keys.h"

namespace orrery {

class PlainKeys {
 public:
  // `keys` name columns of rows that look as `columns` says.
  void set(std::span<const KeyColumn> keys, std::span<const ColumnDesc> columns);
  // `in` with its keys plain: valid until the next call, and as long as `in` and `arena` hold.
  Result<Batch> of(ExecContext& context, Arena& arena, const Batch& in);

 private:
  struct Key {
    size_t column;
    ColumnDesc desc;
  };
  std::vector<Key> keys_;  // those that can lie outside their row
  std::vector<Vector> columns_;
};

}  // namespace orrery
