#include "session/settings.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace orrery {
namespace {

std::string shown(std::string_view name, std::string_view text) {
  const SettingId id = *find_setting(name);
  auto value = parse_setting(id, text);
  if (value.ok()) return show_setting(id, *value);
  const Error& error = value.status().error();
  return cat(error.code.text(), " ", error.message, error.hint.empty() ? "" : " | ", error.hint);
}

// Every expectation here is PostgreSQL 15's answer to the same SET and SHOW.
TEST(Setting, ReadsAndShowsAsPostgresqlDoes) {
  EXPECT_EQ(shown("work_mem", "4096"), "4MB");
  EXPECT_EQ(shown("work_mem", "2.5MB"), "2560kB");
  EXPECT_EQ(shown("work_mem", "   64kB  "), "64kB");
  EXPECT_EQ(shown("work_mem", "1e3"), "1000kB");
  EXPECT_EQ(shown("work_mem", "1000.6"), "1001kB");
  EXPECT_EQ(shown("work_mem", "0x100"), "256kB");
  EXPECT_EQ(shown("statement_timeout", "1min"), "1min");
  EXPECT_EQ(shown("statement_timeout", "90000"), "90s");
  EXPECT_EQ(shown("statement_timeout", "1.5h"), "90min");
  EXPECT_EQ(shown("statement_timeout", "0"), "0");
  EXPECT_EQ(shown("log_min_duration_statement", "-1"), "-1");
  EXPECT_EQ(shown("effective_cache_size", "524288"), "4GB");
  EXPECT_EQ(shown("random_page_cost", "1.10"), "1.1");
  EXPECT_EQ(shown("enable_sort", "FALS"), "off");
  EXPECT_EQ(shown("enable_sort", "yes"), "on");
  EXPECT_EQ(shown("synchronous_commit", "yes"), "on");
  EXPECT_EQ(shown("default_transaction_isolation", "REPEATABLE READ"), "repeatable read");

  EXPECT_EQ(shown("work_mem", "1"),
            "22023 1 kB is outside the valid range for parameter \"work_mem\" (64 .. 2147483647)");
  EXPECT_EQ(shown("work_mem", "abc"), "22023 invalid value for parameter \"work_mem\": \"abc\"");
  EXPECT_EQ(shown("work_mem", "10 zB"),
            "22023 invalid value for parameter \"work_mem\": \"10 zB\" | "
            "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".");
  EXPECT_EQ(shown("work_mem", "99999999999GB"),
            "22023 invalid value for parameter \"work_mem\": \"99999999999GB\" | Value exceeds "
            "integer range.");
  EXPECT_EQ(shown("enable_sort", "maybe"),
            "22023 parameter \"enable_sort\" requires a Boolean value");
  EXPECT_EQ(shown("enable_sort", "o"), "22023 parameter \"enable_sort\" requires a Boolean value");
  EXPECT_EQ(
      shown("bytea_output", "x"),
      "22023 invalid value for parameter \"bytea_output\": \"x\" | Available values: escape, hex.");
  EXPECT_EQ(
      shown("random_page_cost", "-1"),
      "22023 -1 is outside the valid range for parameter \"random_page_cost\" (0 .. 1.79769e+308)");
  EXPECT_EQ(shown("extra_float_digits", "99"),
            "22023 99 is outside the valid range for parameter \"extra_float_digits\" (-15 .. 3)");
  EXPECT_EQ(shown("log_min_duration_statement", "-2"),
            "22023 -2 ms is outside the valid range for parameter \"log_min_duration_statement\" "
            "(-1 .. 2147483647)");
}

TEST(Setting, IsFoundByNameInAnyCase) {
  EXPECT_EQ(find_setting("datestyle"), SettingId::date_style);
  EXPECT_EQ(find_setting("DATESTYLE"), SettingId::date_style);
  EXPECT_FALSE(find_setting("nosuch").has_value());
  for (size_t i = 0; i < kSettingCount; ++i) {
    const auto id = static_cast<SettingId>(i);
    EXPECT_EQ(find_setting(setting_def(id).name), id);
    const std::string text = show_setting(id, setting_default(id));
    auto again = parse_setting(id, text);
    ASSERT_TRUE(again.ok()) << setting_def(id).name;
    EXPECT_EQ(show_setting(id, *again), text);
  }
}

TEST(Identifiers, AreSplitFoldedAndQuoted) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(split_identifiers("a, B ,\"C d\""), (Names{"a", "b", "C d"}));
  EXPECT_EQ(split_identifiers("\"a\"\"b\""), Names{"a\"b"});
  EXPECT_EQ(split_identifiers(""), Names{});
  EXPECT_FALSE(split_identifiers("a,").has_value());
  EXPECT_FALSE(split_identifiers("a b").has_value());
  EXPECT_FALSE(split_identifiers("\"a").has_value());
  EXPECT_EQ(quote_identifier_if_needed("a_1"), "a_1");
  EXPECT_EQ(quote_identifier_if_needed("A\"b"), "\"A\"\"b\"");
}

struct Session {
  Settings node;
  Settings settings{&node};
  void set(const char* text, Settings::Scope scope, uint32_t level) {
    settings.set(SettingId::work_mem, parse_setting(SettingId::work_mem, text).value(), scope,
                 level);
  }
  std::string show() { return settings.show(SettingId::work_mem); }
};
constexpr auto kSession = Settings::Scope::session;
constexpr auto kLocal = Settings::Scope::local;

TEST(Settings, FollowTheTransaction) {
  Session s;
  s.set("1MB", kSession, 1);
  s.settings.end_level(1, false);
  EXPECT_EQ(s.show(), "4MB");
  s.set("1MB", kSession, 1);
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "1MB");
  s.set("2MB", kLocal, 1);
  EXPECT_EQ(s.show(), "2MB");
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "1MB");
  s.set("2MB", kSession, 1);
  s.set("3MB", kLocal, 1);
  EXPECT_EQ(s.show(), "3MB");
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "2MB");
  s.set("5MB", kLocal, 1);
  s.set("6MB", kSession, 1);
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "6MB");
  EXPECT_FALSE(s.settings.has_changes());
}

TEST(Settings, FollowSavepoints) {
  Session s;
  s.set("1MB", kSession, 1);
  s.set("2MB", kSession, 2);
  s.settings.end_level(2, false);
  EXPECT_EQ(s.show(), "1MB");
  s.set("3MB", kLocal, 2);
  s.settings.end_level(2, true);  // released: still the transaction's
  EXPECT_EQ(s.show(), "3MB");
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "1MB");

  s.set("2MB", kSession, 3);
  s.settings.end_level(3, true);
  s.set("7MB", kLocal, 2);
  s.settings.end_level(2, true);
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "2MB");

  s.set("8MB", kSession, 2);
  s.settings.end_level(2, true);
  s.settings.end_level(1, false);
  EXPECT_EQ(s.show(), "2MB");
}

TEST(Settings, LieOnTopOfTheNodes) {
  Session s;
  s.node.set_default(SettingId::work_mem, parse_setting(SettingId::work_mem, "9MB").value());
  EXPECT_EQ(s.show(), "9MB");
  s.set("1MB", kSession, 1);
  s.settings.reset(SettingId::work_mem, kSession, 1);
  s.settings.end_level(1, true);
  EXPECT_EQ(s.show(), "9MB");
  s.settings.set_default(SettingId::work_mem, parse_setting(SettingId::work_mem, "3MB").value());
  s.set("1MB", kSession, 1);
  s.settings.reset(SettingId::work_mem, kSession, 1);
  EXPECT_EQ(s.show(), "3MB");
}

TEST(Settings, KeepWhatApplicationsName) {
  Session s;
  EXPECT_EQ(s.settings.custom("app.user"), nullptr);
  s.settings.set_custom("app.user", "ada", kSession, 1);
  s.settings.end_level(1, true);
  EXPECT_EQ(*s.settings.custom("app.user"), "ada");
  s.settings.set_custom("app.user", "bob", kLocal, 1);
  EXPECT_EQ(*s.settings.custom("app.user"), "bob");
  s.settings.end_level(1, true);
  EXPECT_EQ(*s.settings.custom("app.user"), "ada");
}

}  // namespace
}  // namespace orrery
