#include "sim/sql/history_check.h"

#include <gtest/gtest.h>

namespace orrery {
namespace {

using End = ListTransaction::End;

ListOperation append(uint32_t list, uint64_t number) { return {true, list, number, {}}; }
ListOperation read(uint32_t list, std::vector<uint64_t> state) {
  return {false, list, 0, std::move(state)};
}
ListTransaction transaction(End end, bool repeatable, std::vector<ListOperation> operations) {
  return {end, repeatable, 0, UINT64_MAX, std::move(operations)};
}

TEST(HistoryCheck, AcceptsASerialHistory) {
  EXPECT_EQ(check_history({transaction(End::committed, true, {append(1, 10), read(1, {10})}),
                           transaction(End::committed, false, {read(1, {10}), append(1, 11)})},
                          {{1, {10, 11}}}),
            "");
}

TEST(HistoryCheck, FindsARolledBackAppend) {
  EXPECT_NE(check_history({transaction(End::aborted, false, {append(1, 10)})}, {{1, {10}}}), "");
}

TEST(HistoryCheck, FindsALostCommit) {
  EXPECT_NE(check_history({transaction(End::committed, false, {append(1, 10)})}, {{1, {}}}), "");
}

TEST(HistoryCheck, FindsAnAppendInAnotherList) {
  EXPECT_NE(
      check_history({transaction(End::committed, false, {append(1, 10)})}, {{1, {}}, {2, {10}}}),
      "");
}

TEST(HistoryCheck, FindsAppendsOfATransactionInAnotherOrder) {
  const std::vector<ListTransaction> two = {
      transaction(End::committed, false, {append(1, 10), append(1, 11)}),
      transaction(End::committed, false, {append(1, 12)})};
  EXPECT_EQ(check_history(two, {{1, {12, 10, 11}}}), "");
  EXPECT_NE(check_history(two, {{1, {12, 11, 10}}}), "");
  EXPECT_NE(check_history(two, {{1, {10, 12, 11}}}), "");
}

TEST(HistoryCheck, LeavesAnUnknownOutcomeOpenButWhole) {
  const std::vector<ListTransaction> one = {
      transaction(End::unknown, false, {append(1, 10), append(2, 11)})};
  EXPECT_EQ(check_history(one, {{1, {}}, {2, {}}}), "");
  EXPECT_EQ(check_history(one, {{1, {10}}, {2, {11}}}), "");
  EXPECT_NE(check_history(one, {{1, {10}}, {2, {}}}), "");
}

TEST(HistoryCheck, FindsAnIntermediateRead) {
  EXPECT_NE(check_history({transaction(End::committed, false, {append(1, 10), append(1, 11)}),
                           transaction(End::committed, false, {read(1, {10})})},
                          {{1, {10, 11}}}),
            "");
}

TEST(HistoryCheck, AllowsWriteSkewUnderSnapshotIsolation) {
  EXPECT_EQ(check_history({transaction(End::committed, true, {read(1, {}), append(2, 20)}),
                           transaction(End::committed, true, {read(2, {}), append(1, 10)})},
                          {{1, {10}}, {2, {20}}}),
            "");
}

TEST(HistoryCheck, FindsReadSkewUnderRepeatableReadOnly) {
  for (const bool repeatable : {true, false}) {
    const std::string wrong =
        check_history({transaction(End::committed, false, {append(1, 10), append(2, 20)}),
                       transaction(End::committed, repeatable, {read(1, {}), read(2, {20})})},
                      {{1, {10}}, {2, {20}}});
    EXPECT_EQ(wrong.empty(), !repeatable) << wrong;
  }
}

TEST(HistoryCheck, FindsACycleOfWrites) {
  EXPECT_NE(check_history({transaction(End::committed, false, {append(1, 10), append(2, 20)}),
                           transaction(End::committed, false, {append(1, 11), append(2, 21)})},
                          {{1, {10, 11}}, {2, {21, 20}}}),
            "");
}

TEST(HistoryCheck, FindsAReadOlderThanAnAcknowledgedCommit) {
  ListTransaction writer = transaction(End::committed, false, {append(1, 10)});
  writer.ended = 5;
  ListTransaction reader = transaction(End::committed, true, {read(1, {})});
  reader.began = 6;
  EXPECT_NE(check_history({writer, reader}, {{1, {10}}}), "");
}

}  // namespace
}  // namespace orrery
