// What the write path costs in processor time, on a disk that takes none: append and apply of a
// small change, a pin of a page that is here, and a commit alone. Run it under callgrind for
// instructions, or plainly for nanoseconds.
#include <ctime>  // tidy: allow(header) a program that measures

#include "base/text.h"
#include "fiber/test_host.h"
#include "storage/storage.h"

namespace orrery {
namespace {

class NoHandler final : public RedoHandler {
 public:
  Status redo(Fiber&, const Record&, Bytes) override { return {}; }
  void save_state(Lsn, std::string&) override {}
  Status load_state(Bytes) override { return {}; }
  bool survives_term(Xid) override { return false; }
};

double seconds_now() { return static_cast<double>(clock()) / CLOCKS_PER_SEC; }

template <class Body>
void measure(const char* what, int rounds, Body body) {
  const double before = seconds_now();
  for (int i = 0; i < rounds; ++i) body(i);
  const double each_ns = (seconds_now() - before) * 1e9 / rounds;
  fprintf(stdout, "%-40s %8.1f ns\n", what, each_ns);
}

Status run(Fiber& fiber, Storage& storage, TestHost& host) {
  TRY(storage.open(fiber));
  TRY(storage.finish_creation(fiber));
  const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
  for (int i = 0; i < 100; ++i) {
    PageRef page = TRY(storage.pool().extend(fiber, file));
    Change change(RecordKind::page_change);
    change.init(change.add(page), PageKind::test, 0);
    TRY(storage.reserve(fiber, change));
    storage.apply(change);
  }
  measure("pin and unpin a page that is here", 5'000'000, [&](int i) {
    Result<PageRef> page = storage.pool().pin(fiber, file, BlockNo(static_cast<uint32_t>(i % 100)));
    CHECK(page.ok());
  });
  const std::string tuple(200, 't');
  const auto insert = [&](int i) -> Lsn {
    Result<PageRef> page = storage.pool().pin(fiber, file, BlockNo(static_cast<uint32_t>(i % 100)));
    Change change(RecordKind::heap_insert, Xid(100));
    const int p = change.add(page.value());
    change.write(p, static_cast<uint16_t>(4000 + i % 1000), as_bytes(tuple));
    change.write_value(p, 64, uint32_t{17});
    change.write_value(p, 30, uint32_t{17});
    const Status reserved = storage.reserve(fiber, change);
    CHECK(reserved.ok());
    return storage.apply(change);
  };
  measure("pin, reserve, apply: insert of 200 bytes", 1'000'000, insert);
  TRY(fiber.sleep(seconds(1)));
  const uint64_t disk = host.disk_test.submitted;
  measure("insert and commit, alone", 200'000, [&](int i) {
    const Status committed = storage.log().wait_committed(fiber, insert(i));
    CHECK(committed.ok());
  });
  fprintf(stdout, "%-40s %8.3f\n", "disk requests per commit",
          static_cast<double>(host.disk_test.submitted - disk) / 200'000);
  return storage.shutdown(fiber);
}

}  // namespace
}  // namespace orrery

int main() {
  using namespace orrery;  // tidy: allow(word) a program
  TestHost host;
  Scheduler scheduler(host);
  GroupOfOne gate;
  NoHandler handler;
  StorageOptions options;
  options.pool_pages = 1024;
  options.log.recycled_segments = 4;
  options.checkpoint_log_bytes = 64 << 20;
  Storage storage(host, options, gate, handler);
  scheduler.spawn("bench", [&](Fiber& fiber) {
    const Status status = run(fiber, storage, host);
    if (!status.ok()) fprintf(stderr, "%s\n", status.error().message.c_str());
  });
  host.run(scheduler);
  return 0;
}
