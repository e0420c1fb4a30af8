// What storage does not understand of a record goes up through this interface: declared here,
// implemented in txn and above, injected at the root. Storage has applied the record's page
// operations before it calls.
#pragma once

#include <string>

#include "base/status.h"
#include "fiber/fiber.h"
#include "wal/record.h"

namespace orrery {

class RedoHandler {
 public:
  virtual ~RedoHandler() = default;

  // A committed record, each once and in LSN order, on recovery and on followers. `info` is what
  // Change::info() or Log::append() was given: the payload without page operations. An error stops
  // redo with the record's LSN named.
  virtual Status redo(Fiber& fiber, const Record& record, Bytes info) = 0;

  // A checkpoint begins: append what load_state() needs to continue with the records from `lsn` on.
  // It must tell the outcome of every record below `lsn`, also of those not yet committed, and of
  // none at or after it. No suspension.
  virtual void save_state(Lsn lsn, std::string& out) = 0;
  // Before the first redo(). `state` is empty for a new database.
  virtual Status load_state(Bytes state) = 0;

  // At a term's start: true when `xid` is prepared, so that the files it created stay until its
  // outcome.
  virtual bool survives_term(Xid xid) = 0;
};

}  // namespace orrery
