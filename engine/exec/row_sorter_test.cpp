#include "exec/row_sorter.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/prng.h"
#include "base/text.h"
#include "fiber/io.h"
#include "fiber/test_host.h"
#include "types/compare.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

ColumnDesc int8_column() {
  return {.type = type_oid::int8, .length = 8, .alignment = 8, .by_value = true};
}
ColumnDesc text_column() { return {.type = type_oid::text, .length = -1, .alignment = 4}; }

struct Model {
  int64_t number;
  bool number_null;
  std::string text;
  size_t arrival;
};

// Rows (number, text, arrival), sorted by text descending, then by number with NULLs first.
class SorterTest {
 public:
  SorterTest(Fiber& fiber, uint64_t memory, TempSpace* space = nullptr)
      : sorter_(fiber, nullptr, {int8_column(), text_column(), int8_column()},
                {{.column = 1, .compare = compare_bytes, .hash = nullptr, .descending = true},
                 {.column = 0, .compare = compare_int, .hash = nullptr, .nulls_first = true}},
                memory, space) {}

  void add(Prng& prng, size_t count) {
    for (size_t at = 0; at < count; at += kBatchRows) {
      Arena arena;
      const auto rows = static_cast<uint32_t>(std::min<size_t>(kBatchRows, count - at));
      std::vector<Vector> columns{Vector::make(arena), Vector::make(arena), Vector::make(arena)};
      for (uint32_t i = 0; i < rows; ++i) {
        Model row{static_cast<int64_t>(prng.below(20)) - 10, prng.below(10) == 0,
                  std::string(prng.below(30), static_cast<char>('a' + prng.below(3))),
                  model_.size()};
        if (row.number_null)
          columns[0].set_null(i);
        else
          columns[0].set(i, Datum::of(row.number));
        columns[1].set(i, make_varlena(arena, row.text));
        columns[2].set(i, Datum::of(uint64_t{row.arrival}));
        model_.push_back(std::move(row));
      }
      Status added = sorter_.add(columns, Rows{nullptr, rows});
      if (!added.ok()) failure_ = std::move(added);
    }
  }
  const Status& failure() const { return failure_; }

  // Reads everything, batches and single rows by turns, and compares with the model.
  void check(size_t expected) {
    ASSERT_TRUE(failure_.ok());
    std::sort(model_.begin(), model_.end(), [](const Model& a, const Model& b) {
      if (a.text != b.text) return a.text > b.text;
      if (a.number_null != b.number_null) return a.number_null;
      if (!a.number_null && a.number != b.number) return a.number < b.number;
      return a.arrival < b.arrival;
    });
    ASSERT_TRUE(sorter_.sort().ok());
    Arena arena;
    std::vector<Vector> columns{Vector::make(arena), Vector::make(arena), Vector::make(arena)};
    size_t seen = 0;
    while (true) {
      Result<uint32_t> count = sorter_.next_batch(columns);
      ASSERT_TRUE(count.ok());
      if (*count == 0) break;
      for (uint32_t i = 0; i < *count; ++i) {
        if (seen == expected) return;
        compare(model_[seen++], columns[0].at(i), columns[1].value(i), columns[2].value(i));
      }
      Result<StoredRow*> one = sorter_.next();
      ASSERT_TRUE(one.ok());
      if (*one == nullptr || seen == expected) break;
      compare(model_[seen++], {(*one)->values()[0], (*one)->nulls(3)[0] != 0}, (*one)->values()[1],
              (*one)->values()[2]);
    }
    EXPECT_EQ(seen, std::min(expected, model_.size()));
  }

  void clear() {
    sorter_.clear();
    model_.clear();
  }
  RowSorter& sorter() { return sorter_; }

 private:
  static void compare(const Model& row, NullableDatum number, Datum text, Datum arrival) {
    ASSERT_EQ(number.is_null, row.number_null);
    if (!number.is_null) ASSERT_EQ(number.value.as<int64_t>(), row.number);
    ASSERT_EQ(text.text(), row.text);
    ASSERT_EQ(arrival.as<uint64_t>(), row.arrival);
  }

  RowSorter sorter_;
  std::vector<Model> model_;
  Status failure_;
};

TEST(RowSorter, OrdersRowsStablyWhateverTheMemory) {
  // The least memory takes several rounds of merging, the most none; 4 MB hold all, in chunks.
  for (const uint64_t memory :
       {uint64_t{1} << 30, uint64_t{4} << 20, uint64_t{200} << 10, uint64_t{20} << 10}) {
    run_in_fiber([&](Fiber& fiber) {
      Prng prng(memory);
      SorterTest test(fiber, memory);
      test.add(prng, 20'000);
      test.check(20'000);
      EXPECT_EQ(test.sorter().spilled(), memory < uint64_t{4} << 20);
      test.clear();
      test.add(prng, 300);
      test.check(300);
    });
  }
}

TEST(RowSorter, ReadsChunksThatCameInOrderOneAfterTheOther) {
  run_in_fiber([](Fiber& fiber) {
    RowSorter sorter(fiber, nullptr, {int8_column()},
                     {{.column = 0, .compare = compare_int, .hash = nullptr}}, 4 << 20, nullptr);
    constexpr int64_t kRows = 40 * kBatchRows;
    // Once in order, once with the last row before all others.
    for (const int64_t last : {kRows, int64_t{-1}}) {
      sorter.clear();
      Arena arena;
      std::vector<Vector> columns{Vector::make(arena)};
      for (int64_t at = 0; at < kRows; at += kBatchRows) {
        for (uint32_t i = 0; i < kBatchRows; ++i) columns[0].set(i, Datum::of(at + i));
        ASSERT_TRUE(sorter.add(columns, Rows{nullptr, kBatchRows}).ok());
      }
      columns[0].set(0, Datum::of(last));
      ASSERT_TRUE(sorter.add(columns, Rows{nullptr, 1}).ok());
      ASSERT_TRUE(sorter.sort().ok());
      for (int64_t i = 0; i <= kRows; ++i) {
        Result<StoredRow*> row = sorter.next();
        ASSERT_TRUE(row.ok() && *row != nullptr);
        const int64_t expected = last == kRows ? i : i - 1;
        ASSERT_EQ((*row)->values()[0].as<int64_t>(), expected);
      }
      EXPECT_EQ(sorter.next().value(), nullptr);
    }
    EXPECT_FALSE(sorter.spilled());
  });
}

TEST(RowSorter, MayBeGivenUpWhileWorkersSort) {
  run_in_fiber([](Fiber& fiber) {
    Prng prng(10);
    SorterTest test(fiber, 4 << 20);
    test.add(prng, 20'000);
    EXPECT_TRUE(test.failure().ok());
  });
}

TEST(TempFile, TakesNoMoreThanItsSessionMayAndGivesItBack) {
  run_in_fiber([](Fiber& fiber) {
    TempSpace space{.limit_bytes = 10 * kTempBlockBytes};
    {
      Prng prng(9);
      SorterTest test(fiber, 20 << 10, &space);
      test.add(prng, 20'000);
      EXPECT_TRUE(test.failure().is(sqlstate::configuration_limit_exceeded));
      EXPECT_EQ(space.used_bytes, space.limit_bytes);
    }
    EXPECT_EQ(space.used_bytes, 0U);
  });
}

TEST(TempFile, WhatACrashLeftIsRemovedAtTheStart) {
  run_in_fiber([](Fiber& fiber) {
    ASSERT_TRUE(remove_temp_files(fiber).ok());  // there is no directory yet
    ASSERT_TRUE(make_directory(fiber, kTempDirectory).ok());
    Result<FileHandle> left = open_file(fiber, cat(kTempDirectory, "/7"), true);
    ASSERT_TRUE(left.ok());
    ASSERT_TRUE(close_file(fiber, *left).ok());
    ASSERT_TRUE(remove_temp_files(fiber).ok());
    const Result<std::vector<std::string>> names = list_directory(fiber, kTempDirectory);
    EXPECT_TRUE(names.ok() && const_cast<Result<std::vector<std::string>>&>(names)->empty());
  });
}

TEST(RowSorter, KeepsTheFirstRowsOfTheOrderWithoutWriting) {
  run_in_fiber([](Fiber& fiber) {
    Prng prng(7);
    SorterTest test(fiber, 100 << 10);
    test.sorter().set_bound(50);
    test.add(prng, 30'000);
    EXPECT_FALSE(test.sorter().spilled());
    test.check(50);
  });
}

TEST(RowSorter, SpillsWhenEvenTheRowsWantedDoNotFit) {
  run_in_fiber([](Fiber& fiber) {
    Prng prng(8);
    SorterTest test(fiber, 20 << 10);
    test.sorter().set_bound(3000);
    test.add(prng, 10'000);
    EXPECT_TRUE(test.sorter().spilled());
    test.check(3000);
  });
}

TEST(RowSorter, LeavesNoFileAndNoHandle) {
  TestHost host;
  Scheduler scheduler(host);
  scheduler.spawn("test", [&](Fiber& fiber) {
    Prng prng(9);
    SorterTest test(fiber, 20 << 10);
    test.add(prng, 5000);
    EXPECT_TRUE(test.sorter().spilled());
    EXPECT_EQ(host.disk_test.memory.open_handles(), 1U);
    Result<std::vector<std::string>> names = list_directory(fiber, kTempDirectory);
    ASSERT_TRUE(names.ok());
    EXPECT_TRUE(names->empty());  // the name is gone while the file is in use
  });
  host.run(scheduler);
  EXPECT_EQ(host.disk_test.memory.open_handles(), 0U);
  EXPECT_EQ(host.disk_test.memory.chunk_bytes(), 0U);
}

TEST(RowSorter, SaysWhenTheDiskFails) {
  for (const uint64_t fail_at : {1, 2, 3, 4, 5, 6, 7, 8, 20, 40}) {
    TestHost host;
    Scheduler scheduler(host);
    bool failed = false;
    scheduler.spawn("test", [&](Fiber& fiber) {
      RowSorter sorter(fiber, nullptr, {int8_column()},
                       {{.column = 0, .compare = compare_int, .hash = nullptr}}, 20 << 10, nullptr);
      host.disk_test.fail_at = fail_at;
      Arena arena;
      std::vector<Vector> columns{Vector::make(arena)};
      for (uint32_t i = 0; i < kBatchRows; ++i) columns[0].set(i, Datum::of(int64_t{i}));
      Status status;
      for (int n = 0; n < 20 && status.ok(); ++n)
        status = sorter.add(columns, Rows{nullptr, kBatchRows});
      if (status.ok()) status = sorter.sort();
      while (status.ok()) {
        Result<uint32_t> count = sorter.next_batch(columns);
        if (count.ok() && *count == 0) break;
        if (!count.ok()) failed = true;
        if (failed) break;
      }
      failed = failed || !status.ok();
    });
    host.run(scheduler);
    EXPECT_TRUE(failed) << fail_at;
    EXPECT_EQ(host.disk_test.memory.open_handles(), 0U);
  }
}

}  // namespace
}  // namespace orrery
