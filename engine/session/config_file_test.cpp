#include "session/config_file.h"

#include <gtest/gtest.h>

#include "fiber/io.h"
#include "fiber/test_host.h"

namespace orrery {
namespace {

TEST(ConfigFile, ReadsAssignments) {
  auto lines = parse_config(
      "# comment\nwork_mem = 8MB\n\n  search_path='a, ''b''' # why\nport 5433\r\n", "x");
  ASSERT_TRUE(lines.ok());
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_EQ((*lines)[0].name, "work_mem");
  EXPECT_EQ((*lines)[0].value, "8MB");
  EXPECT_EQ((*lines)[1].value, "a, 'b'");
  EXPECT_EQ((*lines)[2].value, "5433");
  EXPECT_EQ((*lines)[2].line, 5);
  for (const char* bad : {"work_mem", "= 3", "a = 'b", "a = b c", "a ="}) {
    EXPECT_EQ(parse_config(bad, "f").status().error().message, "syntax error in file \"f\" line 1")
        << bad;
  }
}

TEST(ConfigFile, WhatAlterSystemWritesIsReadAgain) {
  run_in_fiber([](Fiber& fiber) {
    auto file = open_file(fiber, "orrery.conf", true);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(
        write_file(fiber, *file, 0, as_bytes("work_mem = 8MB\nrandom_page_cost = 2\n")).ok());
    ASSERT_TRUE(alter_system(fiber, "work_mem", "16MB").ok());
    ASSERT_TRUE(alter_system(fiber, "search_path", "it's, \"A\\b\"").ok());
    ASSERT_TRUE(alter_system(fiber, "WORK_MEM", "32MB").ok());
    Settings settings;
    ASSERT_TRUE(load_config(fiber, settings).ok());
    EXPECT_EQ(settings.show(SettingId::work_mem), "32MB");
    EXPECT_EQ(settings.show(SettingId::random_page_cost), "2");
    EXPECT_EQ(settings.show(SettingId::search_path), "it's, \"A\\b\"");
    ASSERT_TRUE(alter_system(fiber, "work_mem", std::nullopt).ok());
    Settings again;
    ASSERT_TRUE(load_config(fiber, again).ok());
    EXPECT_EQ(again.show(SettingId::work_mem), "8MB");
  });
}

TEST(ConfigFile, NamesWhatItDoesNotKnow) {
  run_in_fiber([](Fiber& fiber) {
    auto file = open_file(fiber, "orrery.conf", true);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_file(fiber, *file, 0, as_bytes("\nnosuch = 1\n")).ok());
    Settings settings;
    EXPECT_EQ(load_config(fiber, settings).error().message,
              "unrecognized configuration parameter \"nosuch\" in file \"orrery.conf\" line 2");
  });
}

}  // namespace
}  // namespace orrery
