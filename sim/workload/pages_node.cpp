#include "sim/workload/pages_node.h"

#include "base/text.h"
#include "fiber/io.h"
#include "fiber/scheduler.h"
#include "wal/log_reader.h"

namespace orrery {
namespace {

struct Ending {
  Lsn lsn;
  Xid xid;
  bool committed = false;
  std::vector<FileId> dropped;
};

std::string ending_info(const std::vector<FileId>& dropped) {
  std::string info;
  for (const FileId file : dropped) ByteWriter(info).write(file.v);
  return info;
}
std::vector<FileId> dropped_in(Bytes info) {
  std::vector<FileId> dropped;
  for (ByteReader reader(info); reader.remaining() > 0;) {
    dropped.emplace_back(reader.read<uint64_t>());
  }
  return dropped;
}

// Stands for txn: ends of transactions carry the files to drop. An end counts as soon as its record
// is appended, so a checkpoint must keep those that storage has not yet been told of.
class PagesHandler final : public RedoHandler {
 public:
  explicit PagesHandler(World& world) : world_(world) {}
  void set_storage(Storage* storage) { storage_ = storage; }

  Status redo(Fiber&, const Record& record, Bytes info) override {
    if (record.lsn <= last_redone_) {
      world_.fail("ledger", cat("redo handed out the record at ", record.lsn, " after that at ",
                                last_redone_));
    }
    last_redone_ = record.lsn;
    const bool commits = record.kind == RecordKind::transaction_commit;
    if (!commits && record.kind != RecordKind::transaction_abort) return {};
    storage_->end_files(record.xid, commits, dropped_in(info), record.lsn);
    return {};
  }
  void save_state(Lsn lsn, std::string& out) override {
    ByteWriter writer(out);
    for (const Ending& ending : endings_) {
      if (ending.lsn >= lsn) continue;
      writer.write(ending.lsn.v);
      writer.write(ending.xid.v);
      writer.write(static_cast<uint64_t>(ending.committed));
      writer.write(static_cast<uint64_t>(ending.dropped.size()));
      for (const FileId file : ending.dropped) writer.write(file.v);
    }
  }
  Status load_state(Bytes state) override {
    for (ByteReader reader(state); reader.remaining() > 0;) {
      const Lsn lsn(reader.read<uint64_t>());
      const Xid xid(reader.read<uint64_t>());
      const bool committed = reader.read<uint64_t>() != 0;
      std::vector<FileId> dropped(reader.read<uint64_t>());
      for (FileId& file : dropped) file = FileId(reader.read<uint64_t>());
      storage_->end_files(xid, committed, dropped, lsn);
    }
    return {};
  }
  bool survives_term(Xid) override { return false; }

  void begin_ending(Ending ending) { endings_.push_back(std::move(ending)); }
  // The record is committed: storage learns of it.
  void finish_ending(Lsn lsn) {
    for (size_t i = 0; i < endings_.size(); ++i) {
      if (endings_[i].lsn != lsn) continue;
      const Ending ending = std::move(endings_[i]);
      endings_.erase(endings_.begin() + static_cast<ptrdiff_t>(i));
      storage_->end_files(ending.xid, ending.committed, ending.dropped, lsn);
      return;
    }
  }

 private:
  World& world_;
  Storage* storage_ = nullptr;
  Lsn last_redone_;
  std::vector<Ending> endings_;  // appended, not yet committed
};

class PagesNode final : public Node {
 public:
  PagesNode(World& world, Machine& machine, Host& host, Scheduler& scheduler, PagesMemory& memory)
      : world_(world),
        machine_(machine),
        memory_(memory),
        tape_(world.tape()),
        gate_(world, machine, host, memory.quorum),
        handler_(world),
        storage_(host, memory.options, gate_, handler_) {
    handler_.set_storage(&storage_);
    scheduler.spawn("main", [this](Fiber& fiber) { main(fiber); });
  }
  bool is_serving() const override { return serving_; }

 private:
  // ---- life of the node

  void main(Fiber& fiber) {
    if (!accept(start(fiber), "opening the database")) {
      if (!fiber.scheduler().halted()) machine_.crash_soon(CrashKind::kill);
      return;
    }
    serving_ = true;
    if (memory_.at_rest) {
      memory_.finished = true;
      return;
    }
    for (uint32_t i = 0; i < memory_.workers; ++i) {
      ++running_;
      fiber.scheduler().spawn("worker", [this](Fiber& own) {
        work(own);
        --running_;
      });
    }
    while (running_ > 0) {
      if (!fiber.sleep(milliseconds(5)).ok()) return;
    }
    if (memory_.peace && accept(rest(fiber), "coming to rest")) {
      memory_.at_rest = true;
      machine_.crash_soon(CrashKind::power);
    }
  }

  Status start(Fiber& fiber) {
    TRY(storage_.open(fiber));
    const Lsn doubtful_from = memory_.quorum.doubtful_from;
    redo_ = storage_.redo_lsn();
    if (!storage_.is_new()) {
      memory_.made = memory_.quorum.enforced = true;
      TRY(settle_model(fiber, doubtful_from));
      return compare(fiber);
    }
    if (memory_.made) {
      world_.fail("ledger", "the database is gone: a new one was made in its place");
      return {};
    }
    memory_.base = memory_.live = PageModel();
    memory_.events.clear();
    gate_.settle();
    TRY(make_file(fiber));
    TRY(storage_.finish_creation(fiber));
    memory_.made = memory_.quorum.enforced = true;
    return {};
  }

  // The events that the log still holds have happened, the others never did.
  Status settle_model(Fiber& fiber, Lsn doubtful_from) {
    const Lsn end = gate_.kept_end();
    std::map<Lsn, Term> found;
    if (doubtful_from < end) found = TRY(terms_from(fiber, doubtful_from));
    for (const PageEvent& event : memory_.events) {
      const auto there = found.find(event.lsn);
      const bool is_kept = event.lsn < doubtful_from ||
                           (event.lsn < end && there != found.end() && there->second == event.term);
      if (is_kept) {
        memory_.base.apply(event);
      } else if (event.acknowledged) {
        world_.fail("ledger", cat("the change at ", event.lsn,
                                  " was acknowledged and is gone; the log ended at ", end));
        return {};
      }
    }
    memory_.events.clear();
    memory_.base.drop_uncommitted();
    for (const PageEvent& cut : memory_.cutting) {
      if (!memory_.base.files.contains(cut.file)) continue;
      const BlockNo size = TRY(storage_.file_size(fiber, cut.file));
      if (size <= cut.blocks) memory_.base.apply(cut);
    }
    memory_.cutting.clear();
    memory_.live = memory_.base;
    gate_.settle();
    return {};
  }

  // The records of the log from `from` on, each with the term of its entry: where an earlier open
  // cut and did not end, a later one may have written over what was cut.
  Result<std::map<Lsn, Term>> terms_from(Fiber& fiber, Lsn from) {
    std::map<Lsn, Term> terms;
    LogReader reader(storage_.log(), storage_.redo_lsn());
    while (true) {
      const Bytes entry = TRY(reader.next_durable(fiber));
      if (entry.empty()) return terms;
      const Term term(load<EntryHeader>(entry.data()).term);
      for (EntryRecords records(entry); !records.at_end();) {
        const Record record = TRY(records.next());
        if (record.lsn >= from) terms[record.lsn] = term;
      }
    }
  }

  Status compare(Fiber& fiber) {
    for (const auto& [file, model] : memory_.live.files) {
      const bool exists = TRY(storage_.file_exists(fiber, file));
      if (!exists) {
        world_.fail("ledger", cat("file ", file_path(file), " is gone"));
        return {};
      }
      const BlockNo size = TRY(storage_.file_size(fiber, file));
      for (size_t block = 0; block < model.pages.size(); ++block) {
        const PageContent& expected = model.pages[block];
        if (block >= size.v) {
          if (expected.bytes.empty()) continue;
          world_.fail("ledger", cat("file ", file_path(file), " has ", size,
                                    " blocks and should have ", model.pages.size()));
          return {};
        }
        const PageRef page =
            TRY(storage_.pool().pin(fiber, file, BlockNo(static_cast<uint32_t>(block))));
        ++memory_.compared_pages;
        const std::string difference = compare_page(page.bytes(), expected);
        if (difference.empty()) continue;
        world_.fail("model", cat("block ", block, " of ", file_path(file), ": ", difference));
        return {};
      }
    }
    return {};
  }

  // No work: everything is compared, checked, written and closed.
  Status rest(Fiber& fiber) {
    TRY(compare(fiber));
    storage_.check();
    if (storage_.pool().pinned_frames() != 0) {
      world_.fail("leak", cat(storage_.pool().pinned_frames(), " frames are pinned at rest"));
    }
    TRY(storage_.checkpoint(fiber));
    const VerifyReport report = TRY(storage_.verify(fiber));
    if (!report.damaged.empty()) world_.fail("structure", report.damaged[0]);
    if (report.files != memory_.live.files.size()) {
      world_.fail("leak", cat(report.files, " files are on disk at rest, and ",
                              memory_.live.files.size(), " should be"));
    }
    TRY(storage_.shutdown(fiber));
    if (fiber.scheduler().live_fibers() != 1) {
      world_.fail("leak", cat(fiber.scheduler().live_fibers() - 1, " fibers live after shutdown"));
    }
    return {};
  }

  // ---- workers

  void work(Fiber& fiber) {
    while (!is_enough()) {
      if (!accept(step(fiber), "a change") || world_.failure()) return;
      note_checkpoints();
      if (!fiber.yield().ok()) return;
    }
  }

  bool is_enough() const { return memory_.peace && memory_.after_peace >= kPeaceChanges; }

  // False when the node is to stop; an error that has a cause is waited out.
  bool accept(const Status& status, std::string_view doing) {
    if (status.ok()) return true;
    if (status.is_halted()) return false;
    ++memory_.errors;
    // Frames may stay pinned long while the disk stands still.
    if (status.is(sqlstate::insufficient_resources) && !memory_.peace) return true;
    return has_cause(world_, machine_, status, doing) && serving_;
  }

  void note_checkpoints() {
    if (storage_.redo_lsn() == redo_) return;
    redo_ = storage_.redo_lsn();
    ++memory_.checkpoints;
  }

  Status step(Fiber& fiber) {
    const uint64_t what = pick(100);
    const bool wants_more = memory_.live_pages() < memory_.wanted_pages;
    Status status;
    if (what < (wants_more ? 40 : 5)) {
      status = extend(fiber);
    } else if (what < 90) {
      status = change(fiber);
    } else if (what < 93) {
      status = storage_.checkpoint(fiber);
    } else if (what < 95) {
      status = make_file(fiber);
    } else if (what < 97) {
      status = drop_file(fiber);
    } else if (what < 98) {
      status = truncate(fiber);
    } else {
      status = fiber.sleep(microseconds(static_cast<int64_t>(pick(5000))));
    }
    if (!status.ok() && !status.is_halted()) TRY(fiber.sleep(milliseconds(5)));
    return status;
  }

  uint64_t pick(uint64_t candidates) {
    return tape_.pick(Site::workload, machine_.id(), candidates);
  }

  // A committed file that nobody cuts or drops meanwhile; shared with other changes.
  class FileUse {
   public:
    FileUse(PagesNode& node, FileId file) : node_(node), file_(file) { ++node_.users_[file_]; }
    FileUse(const FileUse&) = delete;
    ~FileUse() { --node_.users_[file_]; }

   private:
    PagesNode& node_;
    FileId file_;
  };
  std::optional<FileId> choose_file() {
    std::vector<FileId> files;
    for (const auto& [file, model] : memory_.live.files) {
      if (memory_.live.committed.contains(file) && !exclusive_.contains(file))
        files.push_back(file);
    }
    if (files.empty()) return std::nullopt;
    return files[pick(files.size())];
  }
  std::optional<FileId> choose_unused_file() {
    std::vector<FileId> files;
    for (const auto& [file, model] : memory_.live.files) {
      if (memory_.live.committed.contains(file) && !exclusive_.contains(file) &&
          users_[file] == 0) {
        files.push_back(file);
      }
    }
    if (files.size() < 2) return std::nullopt;  // one always stays
    return files[pick(files.size())];
  }

  // ---- changes

  void record(PageEvent event) {
    event.term = storage_.log().term();
    memory_.live.apply(event);
    memory_.events.push_back(std::move(event));
    ++memory_.changes;
  }

  // Waits for the commit, mostly, and notes that it was acknowledged.
  Status settle(Fiber& fiber, Lsn lsn) {
    if (pick(4) == 3) return {};
    TRY(storage_.log().wait_committed(fiber, lsn));
    for (size_t i = memory_.events.size(); i > 0; --i) {
      if (memory_.events[i - 1].lsn != lsn) continue;
      memory_.events[i - 1].acknowledged = true;
      break;
    }
    ++memory_.acknowledged;
    if (memory_.peace) ++memory_.after_peace;
    return {};
  }

  void initialise(Change& change, PageEvent& event, const PageRef& page) {
    const int index = change.add(page);
    const auto special = static_cast<uint16_t>(pick(3) * 16);
    change.init(index, PageKind::test, special);
    PageEdit operation{.kind = PageEdit::Kind::init, .file = page.file(), .block = page.block()};
    operation.a = static_cast<uint16_t>(PageKind::test);
    operation.b = special;
    event.operations.push_back(std::move(operation));
  }

  Status add_page(Fiber& fiber, FileId file, PageEvent& event) {
    const PageRef page = TRY(storage_.pool().extend(fiber, file));
    Change change(RecordKind::page_change);
    initialise(change, event, page);
    TRY(storage_.reserve(fiber, change));
    event.lsn = storage_.apply(change);
    return {};
  }

  Status extend(Fiber& fiber) {
    const std::optional<FileId> file = choose_file();
    if (!file) return fiber.sleep(milliseconds(1));
    const FileUse use(*this, *file);
    PageEvent event;
    TRY(add_page(fiber, *file, event));
    const Lsn lsn = event.lsn;
    record(std::move(event));
    return settle(fiber, lsn);
  }

  struct Place {
    FileId file;
    BlockNo block;
  };
  std::vector<Place> choose_pages() {
    std::vector<Place> places;
    const std::optional<FileId> file = choose_file();
    if (!file) return places;
    const std::vector<PageContent>& pages = memory_.live.files[*file].pages;
    const uint64_t wanted = 1 + pick(pick(4) == 3 ? Change::kMaxPages : 2);
    for (uint64_t i = 0; i < wanted && !pages.empty(); ++i) {
      const auto block = static_cast<uint32_t>(pick(pages.size()));
      const bool is_new = std::none_of(places.begin(), places.end(),
                                       [&](const Place& place) { return place.block.v == block; });
      if (is_new && !pages[block].bytes.empty()) places.push_back({*file, BlockNo(block)});
    }
    return places;
  }

  Status change(Fiber& fiber) {
    const std::vector<Place> places = choose_pages();
    if (places.empty()) return fiber.sleep(milliseconds(1));
    const FileUse use(*this, places[0].file);
    PinClaim claim;
    if (places.size() > 1) {
      claim = TRY(storage_.pool().claim(fiber, static_cast<uint32_t>(places.size())));
    }
    std::vector<PageRef> pins;
    for (const Place& place : places) {
      PageRef page = TRY(storage_.pool().pin(fiber, place.file, place.block));
      pins.push_back(std::move(page));
    }
    Change change(RecordKind::page_change);
    PageEvent event;
    for (const PageRef& page : pins) {
      change.add(page);
      const uint64_t operations = 1 + pick(3);
      for (uint64_t i = 0; i < operations; ++i) {
        event.operations.push_back(make_operation(page));
      }
    }
    for (const PageEdit& operation : event.operations) add_operation(change, pins, operation);
    TRY(storage_.reserve(fiber, change));
    event.lsn = storage_.apply(change);
    const Lsn lsn = event.lsn;
    record(std::move(event));
    if (pick(8) == 7) {
      const std::string hint(8, static_cast<char>('A' + pick(26)));
      pins[0].set_hint(static_cast<uint16_t>(kHintFrom + pick(16) * 8), as_bytes(hint));
    }
    pins.clear();
    claim.release();
    return settle(fiber, lsn);
  }

  PageEdit make_operation(const PageRef& page) {
    constexpr uint16_t kFrom = kPageHeaderBytes;
    PageEdit operation{.file = page.file(), .block = page.block()};
    const auto length = static_cast<uint16_t>(1 + pick(pick(4) == 3 ? 1500 : 40));
    operation.a = static_cast<uint16_t>(kFrom + pick(kHintFrom - kFrom - length));
    switch (pick(6)) {
      case 0:
        operation.kind = PageEdit::Kind::move;
        operation.b = static_cast<uint16_t>(kFrom + pick(kHintFrom - kFrom - length));
        operation.c = length;
        return operation;
      case 1:
        operation.kind = PageEdit::Kind::fill;
        operation.b = length;
        operation.c = static_cast<uint16_t>(pick(256));
        return operation;
      case 2:
        operation.kind = PageEdit::Kind::own_lsn;
        operation.a = static_cast<uint16_t>(kFrom + pick(kHintFrom - kFrom - 8));
        return operation;
      default:
        operation.bytes.assign(length, static_cast<char>(1 + memory_.changes % 255));
        return operation;
    }
  }

  static void add_operation(Change& change, const std::vector<PageRef>& pins,
                            const PageEdit& operation) {
    int index = 0;
    for (const PageRef& page : pins) {
      if (page.file() == operation.file && page.block() == operation.block)
        index = change.add(page);
    }
    switch (operation.kind) {
      case PageEdit::Kind::init: change.init(index, PageKind::test, operation.b); return;
      case PageEdit::Kind::write:
        change.write(index, operation.a, as_bytes(operation.bytes));
        return;
      case PageEdit::Kind::move: change.move(index, operation.a, operation.b, operation.c); return;
      case PageEdit::Kind::fill:
        change.fill(index, operation.a, operation.b, static_cast<std::byte>(operation.c));
        return;
      case PageEdit::Kind::own_lsn: change.write_own_lsn(index, operation.a); return;
    }
  }

  // ---- files

  // The end of a transaction that made and dropped files. It tries again until there is room for
  // it.
  Status end_transaction(Fiber& fiber, PageEvent event) {
    const std::string info = ending_info(event.dropped);
    while (true) {
      const Status reserved =
          storage_.log().reserve(fiber, kRecordHeaderBytes + info.size(), ReserveKind::finishing);
      if (reserved.ok()) break;
      if (!accept(reserved, "ending a transaction")) return reserved.clone();
      TRY(fiber.sleep(milliseconds(10)));
    }
    const RecordKind kind =
        event.committed ? RecordKind::transaction_commit : RecordKind::transaction_abort;
    const Lsn lsn = storage_.log().append(kind, event.xid, as_bytes(info));
    handler_.begin_ending(Ending{lsn, event.xid, event.committed, event.dropped});
    event.lsn = lsn;
    record(std::move(event));
    TRY(storage_.log().wait_committed(fiber, lsn));
    handler_.finish_ending(lsn);
    for (PageEvent& known : memory_.events) known.acknowledged |= known.lsn == lsn;
    return {};
  }

  Status make_file(Fiber& fiber) {
    PageEvent ending{.kind = PageEvent::Kind::end_transaction};
    ending.xid = Xid(memory_.next_xid++);
    const FileId file = TRY(storage_.create_file(fiber, ending.xid));
    ending.created.push_back(file);
    memory_.live.files[file];
    Status status;
    const uint64_t pages = pick(12);
    for (uint64_t i = 0; i < pages && status.ok(); ++i) {
      PageEvent event;
      status = add_page(fiber, file, event);
      if (status.ok()) record(std::move(event));
    }
    if (status.is_halted()) return status;
    ending.committed = status.ok() && (!memory_.made || pick(4) != 3);
    Status ended = end_transaction(fiber, std::move(ending));
    return ended.ok() ? std::move(status) : std::move(ended);
  }

  Status drop_file(Fiber& fiber) {
    const std::optional<FileId> file = choose_unused_file();
    if (!file) return {};
    exclusive_.insert(*file);
    PageEvent ending{.kind = PageEvent::Kind::end_transaction};
    ending.xid = Xid(memory_.next_xid++);
    ending.committed = true;
    ending.dropped.push_back(*file);
    return end_transaction(fiber, std::move(ending));
  }

  Status truncate(Fiber& fiber) {
    const std::optional<FileId> file = choose_unused_file();
    if (!file) return {};
    const size_t pages = memory_.live.files[*file].pages.size();
    if (pages == 0) return {};
    exclusive_.insert(*file);
    PageEvent cut{.kind = PageEvent::Kind::truncate};
    cut.file = *file;
    cut.blocks = BlockNo(static_cast<uint32_t>(pick(pages)));
    memory_.cutting.push_back(cut);
    Status status = storage_.truncate_file(fiber, *file, cut.blocks);
    if (status.is_halted()) return status;
    std::erase_if(memory_.cutting, [&](const PageEvent& other) { return other.file == *file; });
    if (status.ok()) {
      // It is committed, so any place in the log that nobody can take away will do; changes to this
      // file lie before it.
      cut.lsn = storage_.log().committed() - 1;
      cut.acknowledged = true;
      record(std::move(cut));
    }
    exclusive_.erase(*file);
    return status;
  }

  World& world_;
  Machine& machine_;
  PagesMemory& memory_;
  Tape& tape_;
  FakeQuorum gate_;
  PagesHandler handler_;
  Storage storage_;
  bool serving_ = false;
  uint32_t running_ = 0;
  Lsn redo_;
  std::map<FileId, uint32_t> users_;
  std::set<FileId> exclusive_;
};

}  // namespace

size_t PagesMemory::live_pages() const {
  size_t count = 0;
  for (const auto& [file, model] : live.files) count += model.pages.size();
  return count;
}

std::unique_ptr<Node> make_pages_node(World& world, Machine& machine, Host& host,
                                      Scheduler& scheduler, PagesMemory& memory) {
  return std::make_unique<PagesNode>(world, machine, host, scheduler, memory);
}

}  // namespace orrery
