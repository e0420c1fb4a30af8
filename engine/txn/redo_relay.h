// Storage wants its RedoHandler when it is made, and the transaction manager wants storage: the
// relay stands in between.
#pragma once

#include "wal/redo_handler.h"

namespace orrery {

class RedoRelay final : public RedoHandler {
 public:
  // REQUIRES: before the storage is opened.
  void connect(RedoHandler& handler) { handler_ = &handler; }

  Status redo(Fiber& fiber, const Record& record, Bytes info) override {
    return handler_->redo(fiber, record, info);
  }
  void save_state(Lsn lsn, std::string& out) override { handler_->save_state(lsn, out); }
  Status load_state(Bytes state) override { return handler_->load_state(state); }
  bool survives_term(Xid xid) override { return handler_->survives_term(xid); }

 private:
  RedoHandler* handler_ = nullptr;
};

}  // namespace orrery
