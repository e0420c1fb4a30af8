// The payload of commit and abort records.
//
//   8  wall time (microseconds since 2000), 0 for an abort
//   1  1 when the whole transaction ended, 0 for a rolled back savepoint
//   varint count, then that many u64: subtransactions that ended with it
//   varint count, then that many u64: files dropped
//   the rest: invalidations
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "txn/transaction_manager.h"

namespace orrery {

std::string encode_end(const TransactionEnd& end, bool whole);

// Owns what a TransactionEnd points to.
struct DecodedEnd {
  TransactionEnd end;
  bool whole = false;
  std::vector<Xid> children;
  std::vector<FileId> files;
};
// XX001 when it is malformed.
Status decode_end(Bytes payload, DecodedEnd* out);

}  // namespace orrery
