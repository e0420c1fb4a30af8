// A sequence's state is the one row of its file: last_value int8, log_cnt int8, is_called bool. It
// is overwritten in place, for everybody and at once: numbers given are not given again, whatever
// becomes of the transaction. One fiber at a time works on a sequence.
#pragma once

#include "access/access.h"
#include "access/heap.h"
#include "catalog/relation_info.h"
#include "fiber/sync.h"

namespace orrery {

struct SequenceState {
  int64_t last_value = 1;
  bool is_called = false;  // false: last_value itself comes next
};

// The mutex of each sequence in use, by file.
class SequenceLocks {
 public:
  Mutex& of(FileId file);

 private:
  HashMap<FileId, std::unique_ptr<Mutex>> mutexes_;
};

// Writes the row into a new file.
Status create_sequence_row(Fiber& fiber, Access& access, Transaction& transaction,
                           const TableInfo& table, const SequenceState& state);
Result<SequenceState> read_sequence(Fiber& fiber, Access& access, const TableInfo& table);
// The next number. 2200H "nextval: reached maximum value of sequence "s" (n)". The transaction gets
// an id, so that its end waits until the number's record is committed.
Result<int64_t> next_value(Fiber& fiber, Access& access, SequenceLocks& locks,
                           Transaction& transaction, const RelationInfo& sequence);
// 22003 "setval: value n is out of bounds for sequence "s" (min..max)".
Status set_value(Fiber& fiber, Access& access, SequenceLocks& locks, Transaction& transaction,
                 const RelationInfo& sequence, const SequenceState& state);

}  // namespace orrery
