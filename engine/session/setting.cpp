#include "session/setting.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/text.h"

namespace orrery {
namespace {

// The place of `word` in a list separated by commas; the list's length if it is not there.
constexpr double index_in(std::string_view list, std::string_view word) {
  int index = 0;
  while (true) {
    const size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return index;
    ++index;
    if (comma == std::string_view::npos) return index;
    list.remove_prefix(comma + 1);
  }
}

constexpr SettingDef kDefs[] = {
#define SETTING_BOOL(id, name, context, value, report) \
  {name,                                               \
   SettingKind::boolean,                               \
   SettingContext::context,                            \
   SettingUnit::none,                                  \
   value ? 1 : 0,                                      \
   0,                                                  \
   1,                                                  \
   "",                                                 \
   "",                                                 \
   report},
#define SETTING_INT(id, name, context, unit, value, least, most, report) \
  {name,                                                                 \
   SettingKind::integer,                                                 \
   SettingContext::context,                                              \
   SettingUnit::unit,                                                    \
   value,                                                                \
   least,                                                                \
   most,                                                                 \
   "",                                                                   \
   "",                                                                   \
   report},
#define SETTING_REAL(id, name, context, unit, value, least, most, report) \
  {                                                                       \
      name,                                                               \
      SettingKind::real,                                                  \
      SettingContext::context,                                            \
      SettingUnit::unit,                                                  \
      value,                                                              \
      least,                                                              \
      most,                                                               \
      "",                                                                 \
      "",                                                                 \
      report},
#define SETTING_STRING(id, name, context, value, report)                                       \
  {name,  SettingKind::string, SettingContext::context, SettingUnit::none, 0, 0, 0, value, "", \
   report},
#define SETTING_ENUM(id, name, context, value, choices, report) \
  {name,                                                        \
   SettingKind::choice,                                         \
   SettingContext::context,                                     \
   SettingUnit::none,                                           \
   index_in(choices, value),                                    \
   0,                                                           \
   0,                                                           \
   "",                                                          \
   choices,                                                     \
   report},
#include "session/settings.def"
#undef SETTING_BOOL
#undef SETTING_INT
#undef SETTING_REAL
#undef SETTING_STRING
#undef SETTING_ENUM
};
static_assert(std::size(kDefs) == kSettingCount);

// Units that may be written, largest first; `size` in bytes or microseconds.
struct Unit {
  std::string_view name;
  double size;
};
constexpr Unit kMemoryUnits[] = {
    {"TB", 1099511627776.0}, {"GB", 1073741824.0}, {"MB", 1048576.0}, {"kB", 1024.0}, {"B", 1.0}};
constexpr Unit kTimeUnits[] = {{"d", 86400e6}, {"h", 3600e6}, {"min", 60e6},
                               {"s", 1e6},     {"ms", 1e3},   {"us", 1.0}};

std::span<const Unit> units_of(SettingUnit unit) {
  return unit <= SettingUnit::megabytes ? std::span<const Unit>(kMemoryUnits) : kTimeUnits;
}

// Of the setting's own unit, in bytes or microseconds.
double base_size(SettingUnit unit) {
  switch (unit) {
    case SettingUnit::none:
    case SettingUnit::bytes:     return 1;
    case SettingUnit::kilobytes: return 1024;
    case SettingUnit::blocks:    return 8192;
    case SettingUnit::megabytes: return 1048576;
    case SettingUnit::ms:        return 1e3;
    case SettingUnit::s:         return 1e6;
    case SettingUnit::min:       return 60e6;
  }
  UNREACHABLE();
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// A number at the front, which is taken off: decimal with or without fraction and exponent, and for
// integers hexadecimal and octal as in C.
std::optional<double> take_number(std::string_view& text, bool integer) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  double value = 0;
  const char* end = nullptr;
  const bool hexadecimal = integer && (rest.starts_with("0x") || rest.starts_with("0X"));
  const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const bool fraction =
      digits < rest.size() && (rest[digits] == '.' || rest[digits] == 'e' || rest[digits] == 'E');
  if (hexadecimal || (integer && digits > 1 && rest[0] == '0' && !fraction)) {
    if (hexadecimal) rest.remove_prefix(2);
    uint64_t whole = 0;
    const auto parsed =
        std::from_chars(rest.data(), rest.data() + rest.size(), whole, hexadecimal ? 16 : 8);
    if (parsed.ec != std::errc()) return std::nullopt;
    value = static_cast<double>(whole);
    end = parsed.ptr;
  } else {
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (parsed.ec == std::errc::invalid_argument || std::isnan(value)) return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range) value = HUGE_VAL;
    end = parsed.ptr;
  }
  text = text.substr(static_cast<size_t>(end - text.data()));
  return negative ? -value : value;
}

std::string general(double value) {
  char buffer[64];
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 6);
  return {buffer, written.ptr};
}

Status with_unit_hint(SettingId id, std::string_view text, std::span<const Unit> units) {
  const bool memory = units.data() == kMemoryUnits;
  return invalid_setting(id, text).hint(
      memory ? R"(Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".)"
             : R"(Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".)");
}

Result<double> parse_quantity(SettingId id, std::string_view text) {
  const SettingDef& def = setting_def(id);
  const bool integer = def.kind == SettingKind::integer;
  std::string_view rest = trim(text);
  const std::optional<double> number = take_number(rest, integer);
  if (!number) return invalid_setting(id, text);
  double value = *number;
  const std::string_view word = trim(rest);
  if (!word.empty()) {
    if (def.unit == SettingUnit::none) return invalid_setting(id, text);
    const std::span<const Unit> units = units_of(def.unit);
    auto unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == word; });
    if (unit == units.end()) return with_unit_hint(id, text, units);
    value *= unit->size / base_size(def.unit);
    // A fraction of a unit is rounded to whole ones of the next smaller unit: 30.1GB is so many MB.
    if (unit + 1 != units.end() && value != std::floor(value)) {
      const double next = (unit + 1)->size / base_size(def.unit);
      value = std::nearbyint(value / next) * next;
    }
  }
  if (!integer) return value;
  value = std::nearbyint(value);
  if (value > INT32_MAX || value < INT32_MIN) {
    return invalid_setting(id, text).hint("Value exceeds integer range.");
  }
  return value;
}

Result<SettingValue> parse_number(SettingId id, std::string_view text) {
  const SettingDef& def = setting_def(id);
  const double value = TRY(parse_quantity(id, text));
  if (value < def.least || value > def.most) {
    const std::string_view unit = unit_name(def.unit);
    auto print = [&](double v) {
      return def.kind == SettingKind::real ? general(v) : cat(static_cast<int64_t>(v));
    };
    return raise(sqlstate::invalid_parameter_value,
                 cat(print(value), unit.empty() ? "" : " ", unit,
                     " is outside the valid range for parameter \"", def.name, "\" (",
                     print(def.least), " .. ", print(def.most), ")"));
  }
  return SettingValue{.number = value};
}

std::string_view choice_at(std::string_view list, int index) {
  for (; index > 0; --index) list.remove_prefix(list.find(',') + 1);
  return list.substr(0, list.find(','));
}

Result<SettingValue> parse_choice(SettingId id, std::string_view text) {
  const SettingDef& def = setting_def(id);
  std::string_view list = def.choices;
  for (int index = 0;; ++index) {
    const size_t comma = list.find(',');
    if (equals_ignoring_case(list.substr(0, comma), text))
      return SettingValue{.number = static_cast<double>(index)};
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  // Where on and off are choices, their other spellings are too; but not shortened.
  if (def.choices.ends_with(",on,off")) {
    const std::string word = to_lower(text);
    const bool on = word == "true" || word == "yes" || word == "1";
    if (on || word == "false" || word == "no" || word == "0")
      return parse_choice(id, on ? "on" : "off");
  }
  std::string names(def.choices);
  for (size_t at = 0; (at = names.find(',', at)) != std::string::npos; at += 2)
    names.replace(at, 1, ", ");
  return invalid_setting(id, text).hint(cat("Available values: ", names, "."));
}

std::string show_number(const SettingDef& def, double value) {
  const auto plain = [&](double v) {
    return def.kind == SettingKind::real ? general(v) : cat(static_cast<int64_t>(v));
  };
  if (def.unit == SettingUnit::none || value <= 0) return plain(value);
  const double size = value * base_size(def.unit);
  for (const Unit& unit : units_of(def.unit)) {
    const double count = size / unit.size;
    if (count == std::floor(count)) return cat(plain(count), unit.name);
  }
  return cat(plain(value), unit_name(def.unit));
}

}  // namespace

bool is_state(SettingId id) {
  constexpr SettingId kStates[] = {SettingId::role,
                                   SettingId::session_authorization,
                                   SettingId::transaction_isolation,
                                   SettingId::transaction_read_only,
                                   SettingId::transaction_deferrable,
                                   SettingId::seed};
  return std::ranges::find(kStates, id) != std::end(kStates);
}

const SettingDef& setting_def(SettingId id) {
  CHECK(id < SettingId::count);
  return kDefs[static_cast<size_t>(id)];
}

std::optional<SettingId> find_setting(std::string_view name) {
  if (equals_ignoring_case(name, "sort_mem")) return SettingId::work_mem;
  if (equals_ignoring_case(name, "vacuum_mem")) return SettingId::maintenance_work_mem;
  const std::string wanted = to_lower(name);
  const auto* found = std::lower_bound(
      std::begin(kDefs), std::end(kDefs), wanted,
      [](const SettingDef& def, const std::string& key) { return to_lower(def.name) < key; });
  if (found == std::end(kDefs) || to_lower(found->name) != wanted) return std::nullopt;
  return static_cast<SettingId>(found - kDefs);
}

SettingValue setting_default(SettingId id) {
  const SettingDef& def = setting_def(id);
  return {.number = def.number, .text = std::string(def.text)};
}

Status invalid_setting(SettingId id, std::string_view text) {
  return raise(sqlstate::invalid_parameter_value,
               cat("invalid value for parameter \"", setting_def(id).name, "\": \"", text, "\""));
}

std::string plain_setting(SettingId id, double number) {
  if (setting_def(id).kind == SettingKind::real) return general(number);
  return cat(static_cast<int64_t>(number));
}

std::string_view unit_name(SettingUnit unit) {
  constexpr std::string_view kNames[] = {"", "B", "kB", "8kB", "MB", "ms", "s", "min"};
  return kNames[static_cast<size_t>(unit)];
}

Result<SettingValue> parse_setting(SettingId id, std::string_view text) {
  const SettingDef& def = setting_def(id);
  switch (def.kind) {
    case SettingKind::boolean: {
      const std::optional<bool> value = parse_bool_word(text);
      if (value) return SettingValue{.number = *value ? 1.0 : 0.0};
      return raise(sqlstate::invalid_parameter_value,
                   cat("parameter \"", def.name, "\" requires a Boolean value"));
    }
    case SettingKind::integer:
    case SettingKind::real:    return parse_number(id, text);
    case SettingKind::choice:  return parse_choice(id, text);
    case SettingKind::string:  return SettingValue{.text = std::string(text)};
  }
  UNREACHABLE();
}

std::string show_setting(SettingId id, const SettingValue& value) {
  const SettingDef& def = setting_def(id);
  switch (def.kind) {
    case SettingKind::boolean: return value.number != 0 ? "on" : "off";
    case SettingKind::integer:
    case SettingKind::real:    return show_number(def, value.number);
    case SettingKind::choice:
      return std::string(choice_at(def.choices, static_cast<int>(value.number)));
    case SettingKind::string: return value.text;
  }
  UNREACHABLE();
}

std::optional<bool> parse_bool_word(std::string_view text) {
  const std::string word = to_lower(text);
  // Any beginning will do, as long as it is not that of the other word too.
  for (const std::string_view yes : {"true", "yes", "on", "1"}) {
    if (!word.empty() && yes.starts_with(word) && word != "o") return true;
  }
  for (const std::string_view no : {"false", "no", "off", "0"}) {
    if (!word.empty() && no.starts_with(word) && word != "o") return false;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> split_identifiers(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  std::vector<std::string> names;
  text = trim(text);
  while (!text.empty()) {
    std::string name;
    if (text[0] == '"') {
      size_t at = 1;
      while (true) {
        const size_t quote = text.find('"', at);
        if (quote == std::string_view::npos) return std::nullopt;
        name += text.substr(at, quote - at);
        at = quote + 1;
        if (at >= text.size() || text[at] != '"') break;
        name += '"';
        ++at;
      }
      text.remove_prefix(at);
    } else {
      const size_t end = std::min(text.find_first_of(", \t\n\r\f\v"), text.size());
      if (end == 0) return std::nullopt;
      name = to_lower(text.substr(0, end));
      text.remove_prefix(end);
    }
    names.push_back(name.substr(0, 63));
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.empty()) return names;
    if (text[0] != ',') return std::nullopt;
    text = trim(text.substr(1));
    if (text.empty()) return std::nullopt;
  }
  return names;
}

std::string quote_identifier_if_needed(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const bool safe = !name.empty() && plain(name[0]) &&
                    std::all_of(name.begin(), name.end(),
                                [&](char c) { return plain(c) || (c >= '0' && c <= '9'); });
  if (safe) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace orrery
