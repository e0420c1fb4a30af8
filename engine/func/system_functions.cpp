// Set-returning functions behind system views: rows that no table holds, which the session gathers
// when the function begins (SessionServices::system_rows).
#include "base/text.h"
#include "func/catalog_call_internal.h"

namespace orrery {
namespace {

struct GatheredRows {
  std::span<std::span<NullableDatum>> rows;
  size_t at;
};

Result<void*> begin_gathered(EvalContext& context, SystemRows which, const NullableDatum* key,
                             size_t key_column) {
  SessionServices* const services = context.session.services;
  if (services == nullptr) return unsupported("this function without a session");
  std::vector<std::span<NullableDatum>> rows;
  TRY(services->system_rows(
      context.fiber, which, context.plan_arena, [&](std::span<const NullableDatum> row) {
        const bool wanted = key == nullptr || key->is_null ||
                            (!row[key_column].is_null &&
                             row[key_column].value.as<int32_t>() == key->value.as<int32_t>());
        if (wanted) rows.push_back(context.plan_arena.copy_array(row));
      }));
  auto* const state = context.plan_arena.make<GatheredRows>();
  state->rows = context.plan_arena.copy_array(std::span<const std::span<NullableDatum>>(rows));
  state->at = 0;
  return static_cast<void*>(state);
}

template <SystemRows kWhich>
Result<void*> begin_rows(EvalContext& context, CallSite&, std::span<const NullableDatum>) {
  return begin_gathered(context, kWhich, nullptr, 0);
}

// pg_stat_get_activity(process): one session, or with NULL all.
Result<void*> begin_activity(EvalContext& context, CallSite&, std::span<const NullableDatum> args) {
  constexpr size_t kProcessId = 1;
  return begin_gathered(context, SystemRows::activity, args.data(), kProcessId);
}

// Columns that this server has nothing to say of are NULL.
Result<uint32_t> next_rows(EvalContext&, CallSite&, void* at, std::span<Vector> columns) {
  auto& state = *static_cast<GatheredRows*>(at);
  uint32_t count = 0;
  for (; count < kBatchRows && state.at < state.rows.size(); ++count, ++state.at) {
    const std::span<NullableDatum> row = state.rows[state.at];
    for (size_t c = 0; c < columns.size(); ++c) {
      if (c < row.size()) {
        columns[c].set(count, row[c]);
      } else {
        columns[c].set_null(count);
      }
    }
  }
  return count;
}

template <SystemRows kWhich>
constexpr SetKernel kRows{begin_rows<kWhich>, next_rows};
constexpr SetKernel kActivity{begin_activity, next_rows};

// Of a table that is no partition and has none, as all tables here.
Result<void*> begin_none(EvalContext&, CallSite&, std::span<const NullableDatum>) {
  return static_cast<void*>(nullptr);
}
Result<uint32_t> next_none(EvalContext&, CallSite&, void*, std::span<Vector>) {
  return uint32_t{0};
}
constexpr SetKernel kNone{begin_none, next_none};

constexpr FunctionBody set(std::string_view name, const SetKernel* kernel) {
  return {.name = name, .set = kernel};
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    set("show_all_settings", &kRows<SystemRows::settings>),
    set("pg_stat_get_activity", &kActivity),
    set("pg_lock_status", &kRows<SystemRows::locks>),
    set("pg_prepared_statement", &kRows<SystemRows::prepared_statements>),
    set("pg_cursor", &kRows<SystemRows::cursors>),
    set("pg_partition_ancestors", &kNone),
    set("pg_partition_tree", &kNone),
    set("pg_listening_channels", &kNone),
}));

}  // namespace

std::span<const FunctionBody> system_functions() { return kTable; }

}  // namespace orrery
