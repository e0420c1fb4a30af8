// All that a node keeps on disk, and how it gets back to it: log, data files, buffer pool,
// double-write area, control file, checkpoints, recovery. What lies under transactions and knows
// nothing of them.
//
//   Storage storage(host, options, gate, handler);
//   TRY(storage.open(fiber));            // makes it if the directory is empty, otherwise recovers
//   ...
//   TRY(storage.shutdown(fiber));        // or crash: the next open() recovers
//
// The write path: pin pages, build a Change, reserve(), revalidate, apply() (storage/change.h).
// Nothing else alters a page. Files: a create is logged at once, belongs to a transaction, and is
// undone when that does not commit. A drop is part of the commit record (of txn); the file is
// unlinked once that is committed and a checkpoint has passed it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/change.h"
#include "storage/options.h"
#include "wal/redo_handler.h"

namespace orrery {

class Checkpointer;
class ControlFile;
class DataFiles;
class DoubleWrite;
class FileLife;
class PageWriter;
class Recovery;

struct VerifyReport {
  uint64_t files = 0;
  uint64_t pages = 0;
  uint64_t zero_pages = 0;
  std::vector<std::string> damaged;  // one line each
};

class Storage {
 public:
  Storage(Host& host, const StorageOptions& options, CommitGate& gate, RedoHandler& handler);
  Storage(const Storage&) = delete;
  ~Storage();

  // Recovers to the end of the log (or creates), starts a term and the background fibers. XX001
  // when the log or pages are damaged, 58030, 53100, 22023 for options out of range.
  Status open(Fiber& fiber);
  // Checkpoints and ends the background fibers; may be tried again when it failed. REQUIRES: nobody
  // else uses this.
  Status shutdown(Fiber& fiber);
  // True when open() made a new database: the caller fills it and then says so. Until
  // finish_creation() has returned, every open() begins again from nothing.
  bool is_new() const { return is_new_; }
  Status finish_creation(Fiber& fiber);

  Log& log() { return log_; }
  BufferPool& pool() { return *pool_; }
  const StorageOptions& options() const { return options_; }

  // Room in the log for this change; may suspend. Errors as Log::reserve.
  Status reserve(Fiber& fiber, const Change& change, ReserveKind kind = ReserveKind::ordinary);
  // Logs and does it, in one step. REQUIRES: reserve()d since the last suspension; its pages are
  // pinned by the caller.
  Lsn apply(const Change& change);

  // Makes an empty file that belongs to transaction `xid`. Errors: 58030, 53100, 57014. `named`, if
  // given, gets the file as soon as it is logged: it is the transaction's though making it fails.
  Result<FileId> create_file(Fiber& fiber, Xid xid, FileId* named = nullptr);
  // The same with a number of the caller's: a further fork of a file, or a fixed number below
  // kFirstFileNumber.
  Status create_file_as(Fiber& fiber, FileId file, Xid xid);
  // The transaction (top level) ended by the record at `lsn`: told when that record is appended or
  // redone, at the latest when a CommitObserver hears that it is committed. Committed: files it
  // created stay, `dropped` go with all forks. Aborted: files it created go. They go only once the
  // record is committed and behind a checkpoint.
  void end_files(Xid xid, bool committed, std::span<const FileId> dropped, Lsn lsn);
  // Cuts a file; returns once that is committed and done. REQUIRES: nobody pins or adds pages at or
  // behind `blocks` meanwhile.
  Status truncate_file(Fiber& fiber, FileId file, BlockNo blocks);
  // In blocks. 58P01 when there is no such file.
  Result<BlockNo> file_size(Fiber& fiber, FileId file);
  Result<bool> file_exists(Fiber& fiber, FileId file);

  // Makes recovery start at or after the present end of the log.
  Status checkpoint(Fiber& fiber);
  Lsn redo_lsn() const;  // where recovery would start now

  // Reads every page of every file from disk and checks it; works on a storage that is open and at
  // rest.
  Result<VerifyReport> verify(Fiber& fiber);
  // Structures in memory agree with each other.
  void check() const;

 private:
  void make_parts();
  Status wipe(Fiber& fiber, const std::vector<std::string>& names);
  Status create(Fiber& fiber, const std::vector<std::string>& names, bool unfinished);
  Status recover(Fiber& fiber, Recovery& recovery);
  Status remove_orphans(Fiber& fiber);
  Status start_term(Fiber& fiber, Recovery& recovery);
  Status log_and_create(Fiber& fiber, FileId file, Xid xid);

  Host& host_;
  StorageOptions options_;
  RedoHandler& handler_;
  Log log_;
  std::unique_ptr<DataFiles> files_;
  std::unique_ptr<BufferPool> pool_;
  std::unique_ptr<ControlFile> control_;
  std::unique_ptr<DoubleWrite> double_write_;
  std::unique_ptr<PageWriter> writer_;
  std::unique_ptr<FileLife> file_life_;
  std::unique_ptr<Checkpointer> checkpointer_;
  bool is_open_ = false;
  bool is_new_ = false;
};

}  // namespace orrery
