// What all tables and indexes of a node share, and what is remembered of their files between
// statements: where to insert next, how full the map's pages are, which index descents are under
// way.
//
// Everything here is a memory of something pages say, or of running fibers; losing it costs time,
// not truth.
#pragma once

#include <deque>
#include <memory>

#include "base/hash_map.h"
#include "storage/storage.h"
#include "txn/transaction_manager.h"

namespace orrery {

// What is remembered of a map fork.
struct MapState {
  bool exists = false;
  BlockNo blocks{0};  // its size
  Mutex making;       // of the fork and of its pages
};

// What is remembered of one table's files.
struct TableMemory {
  BlockNo insert_block = kInvalidBlock;  // had room lately
  std::vector<uint8_t> map_page_best;    // by page of the free-space map: no block there has more
  uint64_t dead_estimate = 0;            // row versions ended since the last vacuum
  uint64_t slots_freed = 0;  // by vacuums: a tid noted before may name another row since
  MapState maps[2];

  MapState& map(Fork fork) { return maps[fork == Fork::visibility ? 1 : 0]; }
};

// What is remembered of one index's file.
struct IndexMemory {
  BlockNo root = kInvalidBlock;  // looked at first; wrong when its page is no root any more
  uint64_t insertions = 0;       // so that a unique check knows whether it still holds
  // Pages that were unlinked, and when; taken once the descents of that time have ended.
  struct Unlinked {
    BlockNo block;
    uint64_t moment;
  };
  std::deque<Unlinked> unlinked;
  bool searched = false;  // for pages unlinked before this start
  // Built by this transaction over broken HOT chains (table_scan.h): of no use to older snapshots.
  Xid broken_by{};
};

// Index descents under way, by the moment they began. A page unlinked at moment t may be reused
// once no descent that began before t is left: until then somebody may hold a link to it.
class Descents {
 public:
  class Guard {
   public:
    explicit Guard(Descents& descents) : descents_(descents), began_(++descents.now_) {
      descents_.active_.push_back(*this);
    }
    Guard(const Guard&) = delete;
    ~Guard() { descents_.active_.remove(*this); }

   private:
    friend class Descents;
    Descents& descents_;
    uint64_t began_;

   public:
    ListHook<Guard> hook_;  // of Descents
  };
  // A page unlinked now may be reused when is_past(moment).
  uint64_t moment() { return ++now_; }
  bool is_past(uint64_t moment) const {
    return active_.empty() || active_.front()->began_ > moment;
  }

 private:
  uint64_t now_ = 0;
  IntrusiveList<Guard, &Guard::hook_> active_;  // oldest first
};

class Access final : private CommitListener {
 public:
  Access(Storage& storage, TransactionManager& transactions);
  Access(const Access&) = delete;
  ~Access();

  Storage& storage() { return storage_; }
  TransactionManager& transactions() { return transactions_; }
  LockTable& locks() { return transactions_.locks(); }
  Descents& descents() { return descents_; }
  TableMemory& memory_of(FileId file);
  IndexMemory& index_memory_of(FileId file);
  // Whether a search of this index finds all that a snapshot at `visible` sees. False for an index
  // over broken HOT chains until the transaction that built it is seen.
  Result<bool> index_serves(Fiber& fiber, FileId index, Lsn visible);
  // Of how many files something is remembered.
  size_t remembered_files() const { return memories_.size() + index_memories_.size(); }

 private:
  // The files of a transaction that ended are gone: nobody may use them any more.
  void ended(const TransactionEnd& end) override;
  void left_dead(std::span<const InsertedRows> inserted) override;

  Storage& storage_;
  TransactionManager& transactions_;
  Descents descents_;
  HashMap<FileId, std::unique_ptr<TableMemory>> memories_;
  HashMap<FileId, std::unique_ptr<IndexMemory>> index_memories_;
};

}  // namespace orrery
