// A table (id int4, value int8, note text) with a unique index on id and TOAST, through access
// alone.
#pragma once

#include <string>
#include <vector>

#include "access/btree.h"
#include "access/table_scan.h"
#include "access/toast.h"
#include "access/vacuum.h"
#include "types/compare.h"
#include "types/type_oids.h"

namespace orrery {

struct BankRow {
  int32_t id = 0;
  int64_t value = 0;
  std::string note;
};

// Which files a table lies in; lasts over crashes.
struct BankFiles {
  FileId heap, index, toast_heap, toast_index;
};

class BankTable {
 public:
  BankTable(uint32_t oid, const BankFiles& files);

  static Result<BankFiles> create(Fiber& fiber, Access& access, Transaction& transaction,
                                  uint32_t oid);

  // 23505 when the id is there.
  Status insert(Fiber& fiber, Access& access, Transaction& transaction, const BankRow& row);
  Result<ChangeOutcome> update(Fiber& fiber, Access& access, Transaction& transaction, Tid tid,
                               const BankRow& row, const Snapshot& snapshot);
  // By the index; invalid tid when there is none.
  struct Found {
    Tid tid;
    BankRow row;
  };
  Result<Found> find(Fiber& fiber, Access& access, const Snapshot& snapshot, int32_t id);
  // In table order.
  Result<std::vector<BankRow>> scan(Fiber& fiber, Access& access, const Snapshot& snapshot);
  Status vacuum(Fiber& fiber, Access& access);
  // How many indexes were checked.
  Result<uint64_t> check(Fiber& fiber, Access& access);

 private:
  Result<BankRow> row_of(Fiber& fiber, Access& access, std::span<const Vector> columns, uint32_t i,
                         Arena& arena);

  TableInfo info_;
  IndexInfo index_;
};

}  // namespace orrery
