// What settings there are (settings.def) and how the text of one is read and shown: PostgreSQL's
// rules for units, ranges and words, with its messages. No state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace orrery {

enum class SettingId : uint16_t {
#define SETTING_BOOL(id, ...) id,
#define SETTING_INT(id, ...) id,
#define SETTING_REAL(id, ...) id,
#define SETTING_STRING(id, ...) id,
#define SETTING_ENUM(id, ...) id,
#include "session/settings.def"
#undef SETTING_BOOL
#undef SETTING_INT
#undef SETTING_REAL
#undef SETTING_STRING
#undef SETTING_ENUM
  count
};

enum class SettingKind : uint8_t { boolean, integer, real, string, choice };
// Who may change it, and when: nobody; at server start; on reload of the file; at session start; a
// superuser at any time; anybody.
enum class SettingContext : uint8_t {
  internal,
  postmaster,
  sighup,
  superuser_backend,
  superuser,
  user
};
enum class SettingUnit : uint8_t { none, bytes, kilobytes, blocks, megabytes, ms, s, min };

struct SettingDef {
  std::string_view name;
  SettingKind kind;
  SettingContext context;
  SettingUnit unit;
  double number;          // the default of all but strings: 0 or 1, the number, the choice's index
  double least, most;     // of integers and reals
  std::string_view text;  // the default of strings
  std::string_view choices;  // separated by commas
  bool report;               // clients are told of changes
};

const SettingDef& setting_def(SettingId id);
// A session's or a transaction's state under the name of a setting: role, transaction_isolation,
// seed. It has no default that configuration could give, and RESET ALL leaves it.
bool is_state(SettingId id);
// By name, in any case; under its old names too. Nothing if there is no such setting.
std::optional<SettingId> find_setting(std::string_view name);
// All, in order of name.
constexpr size_t kSettingCount = static_cast<size_t>(SettingId::count);

struct SettingValue {
  double number = 0;
  std::string text;
};
SettingValue setting_default(SettingId id);

// 22023 with PostgreSQL's messages. Words in any case, numbers with units.
Result<SettingValue> parse_setting(SettingId id, std::string_view text);
// As SHOW prints it: "4MB", "on", "read committed".
std::string show_setting(SettingId id, const SettingValue& value);
// A number of this setting without its unit, as pg_settings shows it.
std::string plain_setting(SettingId id, double number);
// "kB" and so on, as pg_settings.unit; empty for none.
std::string_view unit_name(SettingUnit unit);

// Reads on, off, true, f, yes, 1 ... in any case, also shortened; nothing for other text.
std::optional<bool> parse_bool_word(std::string_view text);
// Identifiers separated by commas, quoted or folded to lower case. Nothing when it is no such list.
std::optional<std::vector<std::string>> split_identifiers(std::string_view text);
// As it must be written to be read as this identifier again.
std::string quote_identifier_if_needed(std::string_view name);

// 22023 "invalid value for parameter "name": "text"".
Status invalid_setting(SettingId id, std::string_view text);

}  // namespace orrery
