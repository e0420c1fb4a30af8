// Which files are on their way in or out: what a transaction made and may yet have to undo, and
// what is dropped but must stay until no recovery could need it. Kept by checkpoints, replayed from
// the log; decides, and leaves the doing to Storage.
//
// A file is unlinked only once the record that ended it is committed and lies below the redo point:
// then no record that touches the file is ever redone.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "storage/file_id.h"
#include "wal/redo_handler.h"

namespace orrery {

class FileLife {
 public:
  // The next number; it is used up.
  FileId take_number() { return make_file_id(next_number_++); }
  // A create record, when doing and when redoing.
  void created(FileId file, Xid xid);
  void transaction_ended(Xid xid, bool committed, std::span<const FileId> dropped, Lsn lsn);
  // A new term begins with the record at `lsn`: what unprepared transactions made goes.
  void term_started(Lsn lsn, RedoHandler& handler);

  // Files (main forks; all forks go) whose end lies below `redo`, taken off the list.
  std::vector<FileId> take_unlinkable(Lsn redo);
  // Back on the list: unlinking failed.
  void unlink_later(FileId file, Lsn lsn) { ended_.push_back({file, lsn}); }
  // Made by no record: left by a crash between making and logging.
  bool is_orphan(FileId file) const {
    return file_number(file) >= next_number_ && file_number(file) < kFirstComputedNumber;
  }
  bool has_ended(FileId file) const;

  void save(std::string& out) const;
  Status load(ByteReader& reader);
  void check() const;

 private:
  struct Made {
    FileId file;
    Xid xid;
  };
  struct Ended {
    FileId file;  // main fork
    Lsn lsn;
  };
  uint64_t next_number_ = kFirstFileNumber;
  std::vector<Made> made_;  // by transactions in progress, in order
  std::vector<Ended> ended_;
};

}  // namespace orrery
