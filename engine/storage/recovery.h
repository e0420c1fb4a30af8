// From what a crash left to a state in which everything logged is done. May itself be interrupted
// any number of times: pages only move forward, and the redo point stays until a checkpoint is
// complete.
#pragma once

#include <map>

#include "storage/control_file.h"
#include "storage/data_files.h"
#include "storage/file_life.h"
#include "storage/storage.h"

namespace orrery {

class Recovery {
 public:
  struct Parts {
    Host& host;
    const StorageOptions& options;
    Log& log;
    BufferPool& pool;
    DataFiles& files;
    FileLife& file_life;
    RedoHandler& handler;
  };
  explicit Recovery(const Parts& parts) : parts_(parts) {}

  // Redoes [from, end). XX001 naming the record that does not fit, 58030, and whatever the handler
  // raises.
  Status redo(Fiber& fiber, Lsn from, Lsn end, std::optional<uint32_t> previous_crc);
  // One record: its pages in one step, then what it means to files and to the handler.
  Status redo_record(Fiber& fiber, const Record& record);
  // Pages that records wanted and that were not there, and that no later record explained away.
  // XX001 if any.
  Status check_missing() const;

 private:
  struct Address {
    FileId file;
    BlockNo block;
    friend auto operator<=>(const Address&, const Address&) = default;
  };
  Status redo_pages(Fiber& fiber, const Record& record, const ChangeView& view);
  Result<PageRef> page_for(Fiber& fiber, const ChangeView::Page& page, Lsn lsn);
  Status redo_file(Fiber& fiber, const Record& record);
  void missing(const ChangeView::Page& page, Lsn lsn);
  void explain_missing(FileId file, BlockNo first);
  void explain_missing_number(uint64_t number);
  void read_ahead(Bytes entry);

  Parts parts_;
  std::map<Address, Lsn> missing_;  // the first record that wanted it
};

}  // namespace orrery
