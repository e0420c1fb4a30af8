// Finds the version of one row that a judge lets see, on the page where its tid points: along the
// HOT chain for the tid of an index entry, that very version otherwise.
#pragma once

#include "access/heap_page.h"
#include "access/table_scan.h"
#include "txn/visibility.h"

namespace orrery {

struct HotSearch {
  enum class Answer : uint8_t { found, none, unknown };

  const TransactionManager& transactions;
  const SlottedPage page;
  BlockNo block;
  VisibilityJudge& judge;
  FetchMode mode;
  bool all_visible = false;  // whatever is there is seen
  uint16_t slot = 0;         // found
  bool all_dead = false;     // none: no snapshot will find anything here again, crashes or not
  Xid unresolved{};          // unknown

  Answer run(uint16_t from);

 private:
  Answer found(uint16_t at) {
    slot = at;
    return Answer::found;
  }
  Answer none(bool dead) {
    all_dead = dead;
    return Answer::none;
  }
};

// What a unique check asks of the row under an index entry, whoever's snapshot.
struct RowState {
  bool exists = false;  // committed, or own, or in progress
  Tid version{};        // the one that exists: updated in place, it is not the entry's
  bool all_dead = false;
  Xid waits_for{};  // the answer hangs on this transaction
};
Result<RowState> probe_row(Fiber& fiber, Access& access, const TableInfo& table,
                           const Transaction& transaction, Tid tid);

}  // namespace orrery
