#include "storage/file_life.h"

#include "storage/test_node.h"

namespace orrery {
namespace {

TEST(FileLife, WhatIsToldAfterACheckpointBeganButLiesBelowItIsKept) {
  FileLife life;
  const FileId dropped = make_file_id(500);
  const FileId made = life.take_number();
  const FileId other = life.take_number();
  life.created(made, Xid(10));
  life.created(other, Xid(11));
  life.keep(Lsn(1000));
  life.transaction_ended(Xid(10), true, std::array{dropped},
                         Lsn(900));                       // appended before, told now
  life.transaction_ended(Xid(11), false, {}, Lsn(1100));  // will be redone
  std::string state;
  life.save_kept(state);
  FileLife again;
  ByteReader reader(as_bytes(state));
  ASSERT_TRUE(again.load(reader).ok());
  EXPECT_TRUE(again.has_ended(dropped));
  EXPECT_FALSE(again.has_ended(made));
  EXPECT_FALSE(again.has_ended(other));
  TestHandler handler;
  again.term_started(Lsn(2000), handler);  // nothing of 10 is left to undo
  EXPECT_FALSE(again.has_ended(made));
  EXPECT_TRUE(again.has_ended(other));
  EXPECT_EQ(again.take_unlinkable(Lsn(1000)), std::vector<FileId>{dropped});
  EXPECT_TRUE(again.is_orphan(make_file_id(kFirstFileNumber + 2)));
  EXPECT_FALSE(again.is_orphan(other));
}

TEST(FileLife, ACutShortStateIsRefused) {
  FileLife life;
  life.created(life.take_number(), Xid(10));
  life.keep(Lsn(1));
  std::string state;
  life.save_kept(state);
  for (size_t bytes = 0; bytes < state.size(); ++bytes) {
    FileLife again;
    ByteReader reader(as_bytes(state).first(bytes));
    EXPECT_TRUE(again.load(reader).is(sqlstate::data_corrupted)) << bytes;
  }
}

}  // namespace
}  // namespace orrery
