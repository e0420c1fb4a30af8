#include "func/registry.h"

#include <algorithm>

#include "func/aggregate.h"
#include "func/lift.h"

namespace orrery {
namespace {

const FunctionBody* find_in(std::span<const FunctionBody> table, std::string_view name) {
  const auto at = std::lower_bound(
      table.begin(), table.end(), name,
      [](const FunctionBody& body, std::string_view key) { return body.name < key; });
  return at != table.end() && at->name == name ? &*at : nullptr;
}

}  // namespace

const FunctionBody* find_function(Oid oid, std::string_view prosrc) {
  for (const FunctionBody& entry : functions_by_oid()) {
    if (entry.oid == oid) return &entry;
  }
  for (const auto table : {sql_functions, catalog_functions_by_oid, size_functions_by_oid,
                           network_functions_by_oid, bit_functions_by_oid}) {
    for (const FunctionBody& entry : table()) {
      if (entry.oid == oid) return &entry;
    }
  }
  for (const auto table :
       {integer_functions,   float_functions,     numeric_functions,      comparison_functions,
        cast_functions,      text_functions,      string_functions,       bytea_functions,
        date_time_functions, date_part_functions, array_functions,        set_functions,
        regex_functions,     misc_functions,      format_functions,       log_position_functions,
        sleep_functions,     catalog_functions,   session_functions,      size_functions,
        privilege_functions, system_functions,    bit_functions,          money_functions,
        network_functions,   hash_functions,      input_output_functions, json_functions,
        jsonb_functions,     jsonb_casts,         json_build_functions,   window_range_functions,
        unicode_functions}) {
    if (const FunctionBody* const found = find_in(table(), prosrc); found != nullptr) return found;
  }
  return nullptr;
}

const AggregateKernel* find_aggregate(Oid oid) {
  const std::span<const AggregateEntry> table = aggregate_table();
  const auto at =
      std::lower_bound(table.begin(), table.end(), oid,
                       [](const AggregateEntry& entry, Oid key) { return entry.oid < key; });
  return at != table.end() && at->oid == oid ? at->kernel : nullptr;
}

}  // namespace orrery
