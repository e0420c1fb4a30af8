// The embedded time zone data: written by gen_time_zones.py at build time, sorted by name without
// regard to case.
#pragma once

#include <span>
#include <string_view>

namespace orrery {

struct ZoneEntry {
  std::string_view name;
  std::string_view tzif;  // the version 2 part of a TZif file, header included
};
std::span<const ZoneEntry> zone_table();

}  // namespace orrery
