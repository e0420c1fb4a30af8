#include <gtest/gtest.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/function.h"
#include "base/hash_map.h"
#include "base/ids.h"
#include "base/intrusive_list.h"
#include "base/prng.h"
#include "base/status.h"
#include "base/text.h"

namespace orrery {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return raise(sqlstate::data_exception, cat("odd: ", n)).detail("d").at(4);
  return n / 2;
}
Result<int> quarter(int n) {
  const int once = TRY(half(n));
  return TRY(half(once));
}

TEST(Status, TryLeavesWithTheInnermostError) {
  EXPECT_EQ(quarter(8).value(), 2);
  const Result<int> failed = quarter(6);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.status().error().code, sqlstate::data_exception);
  EXPECT_EQ(failed.status().error().message, "odd: 3");
  EXPECT_EQ(failed.status().error().position, 4);
}

TEST(Crc32c, MatchesTheCheckValueAndContinues) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xe3069283U);
}

TEST(Prng, IsTheSameInEveryBuild) {
  Prng prng(42);
  EXPECT_EQ(prng.next(), 1546998764402558742ULL);
  EXPECT_EQ(Prng(42).child("disk").seed(), Prng(42).child("disk").seed());
  EXPECT_NE(Prng(42).child("disk").seed(), Prng(42).child("net").seed());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(prng.below(7), 7U);
}

TEST(Hash, IsTheSameInEveryBuildAndSeesEveryByte) {
  std::string text = "the quick brown fox jumps over";
  const uint64_t before = hash_text(text);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] ^= 1;
    EXPECT_NE(hash_text(other), before) << i;
  }
}

TEST(Arena, CountsItsBudgetAndGivesItBack) {
  MemoryBudget node(nullptr, 1 << 20);
  MemoryBudget statement(&node, 1 << 16);
  {
    Arena arena(&statement);
    EXPECT_EQ(arena.copy("abc"), "abc");
    for (int i = 0; i < 100; ++i) arena.make_array<int64_t>(10);
    EXPECT_EQ(node.used_bytes(), arena.held_bytes());
    EXPECT_TRUE(statement.check().ok());
    EXPECT_TRUE(arena.try_allocate(1 << 17).status().is(sqlstate::out_of_memory));
    arena.allocate(1 << 17);
    EXPECT_FALSE(statement.check().ok());
    EXPECT_TRUE(node.check().ok());
    arena.reset();
    EXPECT_TRUE(statement.check().ok());
  }
  EXPECT_EQ(node.used_bytes(), 0U);
}

TEST(Arena, WhatLargeArenasDropIsFreedBitByBit) {
  constexpr uint64_t kMegabyte = 1 << 20;
  MemoryBudget session(nullptr, 1 << 30);
  session.defer_frees();
  MemoryBudget statement(&session, 1 << 30);
  {
    Arena small(&statement);
    small.allocate(kMegabyte);
  }
  EXPECT_FALSE(session.has_deferred());
  {
    Arena large(&statement), pieces(&statement);
    large.allocate(40 * kMegabyte);
    for (int i = 0; i < 400; ++i) pieces.allocate(100'000);
  }
  EXPECT_EQ(session.used_bytes(), 0U);
  int steps = 0;
  for (; session.has_deferred(); ++steps) session.free_some(4 * kMegabyte);
  EXPECT_GT(steps, 15);
  EXPECT_LT(steps, 30);
  Arena again(&statement);
  again.allocate(20 * kMegabyte);
  again.clear();
  EXPECT_TRUE(session.has_deferred());
  again.allocate(20 * kMegabyte);  // takes its place
  EXPECT_FALSE(session.has_deferred());
  again.clear();
  EXPECT_TRUE(session.has_deferred());  // and goes with the session
}

TEST(Bytes, ReaderNeverLeavesItsBytes) {
  std::string out;
  ByteWriter writer(out);
  writer.write<uint32_t>(7);
  writer.write_varint(300);
  writer.write_c_string("ab");
  ByteReader reader(as_bytes(out));
  EXPECT_EQ(reader.read<uint32_t>(), 7U);
  EXPECT_EQ(reader.read_varint(), 300U);
  EXPECT_EQ(reader.read_c_string(), "ab");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.read<uint64_t>(), 0U);
  EXPECT_FALSE(reader.ok());
}

TEST(HashMap, FindsByViewAndListsInOrder) {
  HashMap<std::string, int> map;
  map["b"] = 2;
  map["a"] = 1;
  EXPECT_EQ(*map.find(std::string_view("b")), 2);
  EXPECT_EQ(join(map.sorted_keys(), ","), "a,b");
}

struct Item {
  int n;
  ListHook<Item> hook;
};
TEST(IntrusiveList, RemovesFromAnywhere) {
  Item a{1, {}}, b{2, {}}, c{3, {}};
  IntrusiveList<Item, &Item::hook> list;
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  list.remove(b);
  EXPECT_EQ(list.pop_front()->n, 1);
  EXPECT_EQ(list.pop_front()->n, 3);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(Function, RefCallsAndUniqueOwns) {
  int calls = 0;
  auto count = [&](int n) { calls += n; };
  FunctionRef<void(int)> ref = count;
  ref(2);
  UniqueFunction<int()> owned = [p = std::make_unique<int>(5)] { return *p; };
  EXPECT_EQ(owned() + calls, 7);
}

}  // namespace
}  // namespace orrery
