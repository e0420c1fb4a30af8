// Moves the point where recovery would begin forward: fuzzy, so that nobody stops for it; paced, so
// that it does not crowd out others; local, so that the log does not know of it.
//
//   1. redo point R: the log is cut, and the state of FileLife and RedoHandler as of R is kept
//   2. every page first changed before R goes home, spread over part of the interval
//   3. R is committed; files whose records lie before R are made and cut
//   4. all files are synced, names too
//   5. the state, then the control file with R
//   6. files that ended before R are unlinked, log below R is released
//
// A crash before 5 leaves the old redo point, whose log and files are all there; after 5 the new
// one.
#pragma once

#include "storage/control_file.h"
#include "storage/file_life.h"
#include "storage/page_writer.h"

namespace orrery {

class Checkpointer {
 public:
  struct Parts {
    Host& host;
    const StorageOptions& options;
    Log& log;
    BufferPool& pool;
    DataFiles& files;
    DoubleWrite& double_write;
    PageWriter& writer;
    FileLife& file_life;
    ControlFile& control;
    RedoHandler& handler;
  };
  explicit Checkpointer(const Parts& parts) : parts_(parts) {}
  Checkpointer(const Checkpointer&) = delete;
  ~Checkpointer() { CHECK(!running_); }

  void start(Fiber& fiber);
  Status stop(Fiber& fiber);

  // Requests one and does not wait; nothing when one is asked for already.
  void request();
  // Requests one that begins after now and waits for it. Its error if it failed; 57014.
  Status checkpoint(Fiber& fiber);
  // Something was logged: looks whether it is time.
  void logged(Lsn position) {
    if (position >= wake_at_) [[unlikely]]
      wake(position);
  }

  // A file being made or cut, between its record and its end on disk: no redo point passes it
  // meanwhile.
  class FileWork {
   public:
    FileWork(Checkpointer& checkpointer, Lsn lsn) : checkpointer_(checkpointer), lsn_(lsn) {
      checkpointer_.file_work_.push_back(*this);
    }
    FileWork(const FileWork&) = delete;
    ~FileWork() {
      checkpointer_.file_work_.remove(*this);
      checkpointer_.file_work_done_.notify_all();
    }

   private:
    friend class Checkpointer;
    Checkpointer& checkpointer_;
    Lsn lsn_;
    ListHook<FileWork> hook_;
  };

  bool is_running() const { return running_; }
  uint64_t completed() const { return completed_; }
  // Unlinks what ended below the redo point on disk.
  Status unlink_ended(Fiber& fiber);

 private:
  void loop(Fiber& fiber);
  void wake(Lsn position);
  Result<bool> wait_until_due(Fiber& fiber);
  Status run(Fiber& fiber, bool hurry);
  Status write_dirty(Fiber& fiber, Lsn redo, bool hurry);
  Status pace(Fiber& fiber, size_t done, size_t total);

  Parts parts_;
  bool running_ = false;
  bool stopping_ = false;
  Lsn wake_at_{};           // a record beyond this wakes the fiber
  Instant begun_at_{};      // of the last one
  uint64_t requested_ = 0;  // tickets
  uint64_t served_ = 0;     // all tickets up to here were served, well or not
  uint64_t completed_ = 0;
  Status failure_;  // of the last one
  WaitQueue work_;
  WaitQueue done_;
  WaitQueue file_work_done_;
  IntrusiveList<FileWork, &FileWork::hook_> file_work_;  // in the order of their records
};

}  // namespace orrery
