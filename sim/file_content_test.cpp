#include "sim/file_content.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/prng.h"
#include "sim/file_tree.h"

namespace orrery {
namespace {

std::string text_of(const FileContent& content) {
  std::string out(content.size_bytes(), '?');
  EXPECT_EQ(content.read(0, std::as_writable_bytes(std::span(out))), out.size());
  return out;
}

// The same file as plain strings: what the cache shows, and for each sector every content it had
// since it was last durable.
struct Model {
  std::string cache;
  std::vector<std::string> states{""};  // of the whole file, since the last full sync, oldest first

  void write(size_t offset, const std::string& data) {
    if (cache.size() < offset + data.size()) cache.resize(offset + data.size(), '\0');
    cache.replace(offset, data.size(), data);
    states.push_back(cache);
  }
  void resize(size_t size) {
    cache.resize(size, '\0');
    states.push_back(cache);
  }
  void sync() { states.assign(1, cache); }
  // A sector of `found` at `at` is one that some state had there (or zeros, where an extension
  // reached disk before data).
  bool explains(const std::string& found, size_t at) const {
    const std::string piece = found.substr(at, kSectorBytes);
    for (const std::string& state : states) {
      std::string was = at < state.size() ? state.substr(at, kSectorBytes) : "";
      was.resize(piece.size(), '\0');
      if (was == piece) return true;
    }
    return piece == std::string(piece.size(), '\0');
  }
};

void run_history(uint64_t seed, bool with_crash) {
  Prng draw(seed);
  FileContent file;
  Model model;
  for (int step = 0; step < 60; ++step) {
    const uint64_t what = draw.below(20);
    if (what < 14) {
      const std::string data(1 + draw.below(9000), static_cast<char>('a' + draw.below(26)));
      const uint64_t offset = draw.below(30'000);
      file.note_completed(file.write(offset, as_bytes(data)));
      model.write(offset, data);
    } else if (what < 16) {
      // By whole sectors when crashes come: a truncation kept without the write before it leaves a
      // mix that the model does not know.
      const uint64_t size = draw.below(80) * kSectorBytes + (with_crash ? 0 : draw.below(512));
      file.note_completed(file.resize(size));
      model.resize(size);
    } else if (what < 19 || !with_crash) {
      file.finish_sync(file.begin_sync());
      model.sync();
    } else {
      const uint64_t keep_percent = draw.below(101);
      file.crash([&](size_t, uint32_t) { return draw.below(100) < keep_percent; });
      const std::string found = text_of(file);
      for (size_t at = 0; at < found.size(); at += kSectorBytes) {
        RC_ASSERT(model.explains(found, at));
      }
      model.cache = found;
      model.sync();
    }
    RC_ASSERT(text_of(file) == model.cache);
  }
  // Everything synced survives a crash that keeps nothing.
  file.finish_sync(file.begin_sync());
  file.crash([](size_t, uint32_t) { return false; });
  RC_ASSERT(text_of(file) == model.cache);
}

RC_GTEST_PROP(FileContent, ShowsTheLastWriteAndKeepsWhatWasSynced, (uint64_t seed)) {
  run_history(seed, false);
}
RC_GTEST_PROP(FileContent, ASectorAfterACrashIsOneOfItsStatesSinceTheSync, (uint64_t seed)) {
  run_history(seed, true);
}

TEST(FileContent, ASyncCoversOnlyWritesThatWereDoneWhenItBegan) {
  FileContent file;
  const uint64_t done = file.write(0, as_bytes("done"));
  file.note_completed(done);
  file.write(4096, as_bytes("in flight"));
  const uint64_t begun = file.begin_sync();
  file.note_completed(file.write(8192, as_bytes("later")));
  file.finish_sync(begun);
  EXPECT_EQ(file.pending_writes(), 2u);
  file.crash([](size_t, uint32_t) { return false; });
  EXPECT_EQ(text_of(file).substr(0, 4), "done");
  EXPECT_EQ(file.size_bytes(), 4u);
}

TEST(FileContent, TruncationAndRegrowthReadZerosAfterTheSync) {
  FileContent file;
  file.note_completed(file.write(0, as_bytes(std::string(20'000, 'x'))));
  file.finish_sync(file.begin_sync());
  file.note_completed(file.resize(100));
  file.note_completed(file.resize(20'000));
  file.finish_sync(file.begin_sync());
  file.crash([](size_t, uint32_t) { return false; });
  EXPECT_EQ(text_of(file), std::string(100, 'x') + std::string(19'900, '\0'));
}

TEST(FileTree, ARenameThatWasNotSyncedMayBeUndone) {
  FileTree tree;
  const FileNumber old_file = tree.open("a", true, false).value();
  tree.mutable_content(old_file).write(0, as_bytes("old"));
  ASSERT_TRUE(tree.sync_directory("").ok());
  tree.mutable_content(old_file).finish_sync(tree.content(old_file).begin_sync());
  const FileNumber fresh = tree.open("b", true, false).value();
  tree.mutable_content(fresh).write(0, as_bytes("new"));
  ASSERT_TRUE(tree.rename("b", "a").ok());
  const auto all_kept = [](FileNumber, FileContent& content) {
    content.crash([](size_t, uint32_t) { return true; });
  };
  FileTree undone(tree);
  undone.crash([](const std::string&, size_t) { return size_t{0}; }, all_kept);
  EXPECT_EQ(text_of(undone.content(undone.open("a", false, false).value())), "old");
  EXPECT_TRUE(undone.open("b", false, false).status().is(sqlstate::undefined_file));
  tree.crash([](const std::string&, size_t changes) { return changes; }, all_kept);
  EXPECT_EQ(text_of(tree.content(tree.open("a", false, false).value())), "new");
}

TEST(FileTree, AFileInADirectoryThatWasNeverSyncedIsGone) {
  FileTree tree;
  ASSERT_TRUE(tree.make_directory("d").ok());
  ASSERT_TRUE(tree.open("d/a", true, false).ok());
  ASSERT_TRUE(tree.sync_directory("d").ok());
  tree.crash([](const std::string&, size_t) { return size_t{0}; }, [](FileNumber, FileContent&) {});
  EXPECT_TRUE(tree.list("d").status().is(sqlstate::undefined_file));
  EXPECT_TRUE(tree.named_files().empty());
}

}  // namespace
}  // namespace orrery
