// What the text forms of values depend on beside the value: session settings, the clock's reading,
// and names of catalog objects. All of it comes in as a parameter; nothing here asks a clock or an
// environment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/stop_sign.h"
#include "types/datum.h"

namespace orrery {

class TimeZone;  // types/time_zone.h

enum class DateStyle : uint8_t { iso, sql, postgres, german };
enum class DateOrder : uint8_t { mdy, dmy, ymd };
enum class IntervalStyle : uint8_t { postgres, postgres_verbose, sql_standard, iso_8601 };

struct TypeInfo;

// Turns names of catalog objects into OIDs and back, for regclass and its kin, and knows types that
// are not built in. Declared here, implemented by the catalog, injected.
class NameResolver {
 public:
  virtual ~NameResolver() = default;
  // `reg_type` is one of regproc, regprocedure, regoper, regoperator, regclass, regtype, regrole,
  // regnamespace, regcollation, regconfig, regdictionary; `text` is a name as typed (qualified,
  // quoted). Numbers and "-" were handled.
  virtual Result<Oid> resolve(Oid reg_type, std::string_view text) const = 0;
  // Appends the name of `object`, quoted and qualified as needed; its number if it is unknown.
  virtual Status append_name(Oid reg_type, Oid object, std::string& out) const = 0;
  // Null if there is no such type. Built-in types do not come here.
  virtual const TypeInfo* find_type(Oid type) const = 0;
};

struct TypeSettings {
  DateStyle date_style = DateStyle::iso;
  DateOrder date_order = DateOrder::mdy;
  IntervalStyle interval_style = IntervalStyle::postgres;
  const TimeZone* time_zone = nullptr;  // null is UTC
  int extra_float_digits = 1;
  bool bytea_escape = false;            // bytea_output
  WallTime now;                         // start of the transaction: 'now', 'today'
  const NameResolver* names = nullptr;  // null: reg* types take and print numbers only
  const StopSign* stop = nullptr;       // on another thread than the engine's: ends long work
};

}  // namespace orrery
