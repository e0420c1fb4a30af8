#include "session/setting_checks.h"

#include "base/text.h"
#include "types/time_zone.h"

namespace orrery {
namespace {

constexpr std::string_view kStyles[] = {"ISO", "SQL", "Postgres", "German"};
constexpr std::string_view kOrders[] = {"MDY", "DMY", "YMD"};

bool starts_with_word(const std::string& text, std::string_view word) {
  return text.starts_with(word);
}

// One key word of DateStyle; false when it is none. `style` and `order` are indexes, -1 for not
// said.
bool read_date_word(const std::string& word, int& style, int& order, bool& conflict) {
  auto set = [&conflict](int& slot, int value) {
    conflict = conflict || (slot >= 0 && slot != value);
    slot = value;
  };
  if (word == "iso")
    set(style, 0);
  else if (word == "sql")
    set(style, 1);
  else if (starts_with_word(word, "postgres"))
    set(style, 2);
  else if (word == "german")
    set(style, 3);
  else if (word == "ymd")
    set(order, 2);
  else if (word == "dmy" || starts_with_word(word, "euro"))
    set(order, 1);
  else if (word == "mdy" || word == "us" || starts_with_word(word, "noneuro"))
    set(order, 0);
  else if (word != "default")
    return false;
  return true;
}

Status check_date_style(SettingValue& value, const SettingValue& current) {
  const std::optional<std::vector<std::string>> words = split_identifiers(value.text);
  if (!words)
    return invalid_setting(SettingId::date_style, value.text).detail("List syntax is invalid.");
  int style = -1;
  int order = -1;
  bool conflict = false;
  for (const std::string& word : *words) {
    if (read_date_word(word, style, order, conflict)) continue;
    return invalid_setting(SettingId::date_style, value.text)
        .detail(cat("Unrecognized key word: \"", word, "\"."));
  }
  if (conflict) {
    return invalid_setting(SettingId::date_style, value.text)
        .detail("Conflicting \"datestyle\" specifications.");
  }
  if (style == 3 && order < 0) order = 1;
  // What is not said stays as it is.
  if (style < 0) style = static_cast<int>(date_style_of(current.text));
  if (order < 0) order = static_cast<int>(date_order_of(current.text));
  value.text = cat(kStyles[style], ", ", kOrders[order]);
  return {};
}

Status check_client_encoding(SettingValue& value) {
  std::string plain;
  for (const char c : to_lower(value.text)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  if (plain == "utf8" || plain == "unicode") {
    value.text = "UTF8";
    return {};
  }
  if (plain == "sqlascii") {  // nothing is converted, which is what UTF8 means here too
    value.text = "SQL_ASCII";
    return {};
  }
  constexpr std::string_view kKnown[] = {"latin", "iso8859", "win", "koi8",    "euc",
                                         "sjis",  "big5",    "gb",  "uhc",     "johab",
                                         "mule",  "tcvn",    "abc", "shiftjis"};
  for (const std::string_view known : kKnown) {
    if (plain.starts_with(known)) return unsupported(cat("client encoding \"", value.text, "\""));
  }
  return invalid_setting(SettingId::client_encoding, value.text);
}

Status check_name_list(SettingId id, const SettingValue& value) {
  if (split_identifiers(value.text)) return {};
  return invalid_setting(id, value.text).detail("List syntax is invalid.");
}

// A zone that is known, under its own name.
Status check_zone(SettingId id, SettingValue& value) {
  const std::optional<TimeZone> zone = TimeZone::find(value.text);
  if (!zone) return invalid_setting(id, value.text);
  constexpr int64_t kMillennium = 946684800;  // 2000-01-01, long after offsets had become even
  if (zone->at(kMillennium).east_seconds % 60 != 0) {
    return raise(sqlstate::invalid_parameter_value,
                 cat("time zone \"", value.text, "\" appears to use leap seconds"))
        .detail("PostgreSQL does not support leap seconds.");
  }
  value.text = zone->name();
  return {};
}

size_t index_of(std::span<const std::string_view> names, std::string_view name) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

Status check_setting(SettingId id, SettingValue& value, const SettingValue& current) {
  if (id == SettingId::date_style) return check_date_style(value, current);
  if (id == SettingId::client_encoding) return check_client_encoding(value);
  if (id == SettingId::time_zone) return check_zone(id, value);
  if (id == SettingId::search_path || id == SettingId::temp_tablespaces)
    return check_name_list(id, value);
  if (id == SettingId::application_name || id == SettingId::cluster_name) {
    for (char& c : value.text) c = c < 32 || c > 126 ? '?' : c;
    return {};
  }
  if (id == SettingId::default_transaction_isolation && show_setting(id, value) == "serializable") {
    return unsupported("isolation level SERIALIZABLE");
  }
  if (id == SettingId::default_table_access_method && value.text != "heap") {
    return invalid_setting(id, value.text)
        .detail(cat("Table access method \"", value.text, "\" does not exist."));
  }
  if (id == SettingId::default_tablespace && !value.text.empty() && value.text != "pg_default") {
    return invalid_setting(id, value.text)
        .detail(cat("Tablespace \"", value.text, "\" does not exist."));
  }
  return {};
}

DateStyle date_style_of(std::string_view text) {
  return static_cast<DateStyle>(index_of(kStyles, text.substr(0, text.find(','))));
}

DateOrder date_order_of(std::string_view text) {
  return static_cast<DateOrder>(index_of(kOrders, text.substr(text.find(',') + 2)));
}

}  // namespace orrery
