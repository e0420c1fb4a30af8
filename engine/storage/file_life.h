// Which files are on their way in or out: what a transaction made and may yet have to undo, and
// what is dropped but must stay until no recovery could need it. Kept by checkpoints, replayed from
// the log; decides, and leaves the doing to Storage.
//
// A file is unlinked only once the record that ended it is committed and lies below the redo point:
// then no record that touches the file is ever redone.
#pragma once

#include <optional>
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
  FileId take_number() { return make_file_id(now_.next_number++); }
  // A create record, when doing and when redoing.
  void created(FileId file, Xid xid);
  // Told at the latest when the record at `lsn` is committed.
  void transaction_ended(Xid xid, bool committed, std::span<const FileId> dropped, Lsn lsn);
  // A new term begins with the record at `lsn`: what unprepared transactions made goes.
  void term_started(Lsn lsn, RedoHandler& handler);

  // Files (main forks; all forks go) whose end lies below `redo`, taken off the list.
  std::vector<FileId> take_unlinkable(Lsn redo);
  // Back on the list: unlinking failed.
  void unlink_later(FileId file, Lsn lsn) { now_.ended.push_back({file, lsn}); }
  // Made by no record: left by a crash between making and logging.
  bool is_orphan(FileId file) const {
    return file_number(file) >= now_.next_number && file_number(file) < kFirstComputedNumber;
  }
  bool has_ended(FileId file) const;

  // A checkpoint begins at `redo`: what is true now is set aside, and corrected by what is still
  // told of records below. Once `redo` is committed save_kept() gives exactly the state as of
  // `redo`.
  void keep(Lsn redo);
  void save_kept(std::string& out);
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
  struct Lists {
    uint64_t next_number = kFirstFileNumber;
    std::vector<Made> made;  // by transactions in progress, in order
    std::vector<Ended> ended;

    void transaction_ended(Xid xid, bool committed, std::span<const FileId> dropped, Lsn lsn);
  };
  Lists now_;
  std::optional<Lists> kept_;
  Lsn kept_at_{};
};

}  // namespace orrery
