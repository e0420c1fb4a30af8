// What the text of some settings must be beyond its kind, and how it is put into one form:
// DateStyle, TimeZone, encodings, lists of names. Needs no session.
#pragma once

#include "session/setting.h"
#include "types/settings.h"

namespace orrery {

// Puts `value` of setting `id` into its one form; `current` is what it replaces, for parts that are
// not said. 22023 with PostgreSQL's texts; 0A000 for what it means but is not there.
Status check_setting(SettingId id, SettingValue& value, const SettingValue& current);

// "ISO, MDY" and so on, as check_setting() has left it.
DateStyle date_style_of(std::string_view text);
DateOrder date_order_of(std::string_view text);

}  // namespace orrery
