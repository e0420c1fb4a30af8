#include "storage/change.h"

#include "storage/test_node.h"

namespace orrery {
namespace {

TEST(Change, TheSameBytesWhenDoingAndWhenRedoing) {
  StorageNode node;
  FileId file;
  std::vector<std::byte> done(2 * kPageBytes);
  node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    file = TRY(storage.create_file(fiber, kBootstrapXid));
    PageRef a = TRY(storage.pool().extend(fiber, file));
    PageRef b = TRY(storage.pool().extend(fiber, file));
    Change change(RecordKind::page_change, Xid(77));
    const int pa = change.add(a);
    const int pb = change.add(b);
    EXPECT_EQ(change.add(a), pa);
    change.init(pa, PageKind::test, 16);
    change.init(pb, PageKind::heap, 0);
    const std::string text = "the quick brown fox";
    change.write(pa, 100, as_bytes(text));
    change.move(pa, 104, 100, 19);
    change.fill(pb, 200, 50, std::byte{0xee});
    change.write_own_lsn(pb, 300);
    change.write_value(pa, 28 + 2, uint16_t{777});
    for (int i = 0; i < 40; ++i)
      change.write_value(pb, static_cast<uint16_t>(1000 + 8 * i), uint64_t(i));
    change.info(as_bytes("for the handler"));
    TRY(storage.reserve(fiber, change));
    const Lsn lsn = storage.apply(change);
    EXPECT_EQ(a.lsn(), lsn);
    EXPECT_EQ(load<uint64_t>(b.data() + 300), lsn.v);
    EXPECT_EQ(as_text(Bytes(a.data() + 100, 23)), "the the quick brown fox");
    EXPECT_EQ(a.header().lower, 777);
    EXPECT_EQ(a.header().special, kPageBytes - 16);
    std::memcpy(done.data(), a.data(), kPageBytes);
    std::memcpy(done.data() + kPageBytes, b.data(), kPageBytes);
    TRY(storage.log().wait_committed(fiber, lsn));
    return raise_halted();  // no shutdown: nothing but the log is on disk
  });
  node.disk.kill();
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    PageRef a = TRY(storage.pool().pin(fiber, file, BlockNo(0)));
    PageRef b = TRY(storage.pool().pin(fiber, file, BlockNo(1)));
    EXPECT_EQ(std::memcmp(a.data(), done.data(), kPageBytes), 0);
    EXPECT_EQ(std::memcmp(b.data(), done.data() + kPageBytes, kPageBytes), 0);
    return {};
  });
}

// Whatever the bytes: decode() says no, or what it lets through stays within the pages.
TEST(Change, NoPayloadWritesOutsideThePages) {
  std::string good;
  ByteWriter writer(good);
  writer.write(uint8_t{2});
  writer.write(uint8_t{0});
  writer.write(uint16_t{4});
  writer.write(uint32_t{3});
  for (uint32_t block = 0; block < 2; ++block) {
    writer.write(make_file_id(16384).v);
    writer.write(block);
  }
  writer.write_text("abc");
  writer.write(static_cast<uint8_t>(static_cast<uint8_t>(PageOperation::init) << 4));
  writer.write(uint8_t{255});
  writer.write(uint16_t{8});
  writer.write(static_cast<uint8_t>(1 | static_cast<uint8_t>(PageOperation::write) << 4));
  writer.write(uint16_t{8000});
  writer.write(uint16_t{5});
  writer.write_text("hello");
  writer.write(static_cast<uint8_t>(static_cast<uint8_t>(PageOperation::move) << 4));
  writer.write(uint16_t{4000});
  writer.write(uint16_t{100});
  writer.write(uint16_t{4000});
  writer.write(static_cast<uint8_t>(1 | static_cast<uint8_t>(PageOperation::fill) << 4));
  writer.write(uint16_t{64});
  writer.write(uint16_t{8128});
  writer.write(uint8_t{9});
  ASSERT_TRUE(ChangeView::decode(as_bytes(good)).ok());

  std::vector<std::byte> memory(4 * kPageBytes);  // a guard on either side
  Prng prng(1);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (uint64_t n = prng.below(4) + 1; n > 0; --n)
      bytes[prng.below(bytes.size())] = static_cast<char>(prng.next());
    if (prng.chance(1, 4)) bytes.resize(prng.below(bytes.size()));
    const Result<ChangeView> view = ChangeView::decode(as_bytes(bytes));
    if (!view.ok()) {
      EXPECT_TRUE(view.status().is(sqlstate::data_corrupted));
      continue;
    }
    ++accepted;
    std::memset(memory.data(), 0, memory.size());
    std::array<std::byte*, Change::kMaxPages> pages{};
    for (int p = 0; p < view.value().page_count && p < 2; ++p)
      pages[p] = memory.data() + kPageBytes * (1 + p);
    view.value().apply(pages, Lsn(1));
    const ConstPageBytes before(memory.data(), kPageBytes);
    const ConstPageBytes after(memory.data() + 3 * kPageBytes, kPageBytes);
    ASSERT_TRUE(is_zero_page(before) && is_zero_page(after));
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace orrery
