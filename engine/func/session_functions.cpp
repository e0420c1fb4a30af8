// Functions that act on or tell of the session: sequences, settings, transaction ids, other
// sessions.
#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/dependency.h"
#include "catalog/quote.h"
#include "catalog/relation_info.h"
#include "func/catalog_call_internal.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

Result<int64_t> set_sequence(Call& call, Oid sequence, int64_t value, bool is_called) {
  SessionServices* const services = TRY(services_of(call));
  TRY(services->set_value(call.context.fiber, sequence, value, is_called));
  return value;
}

// The sequence that a column owns: serial's and identity's.
Result<std::optional<std::string>> serial_sequence(Call& call, std::string_view table,
                                                   std::string_view column) {
  SessionServices* const services = TRY(services_of(call));
  const NameResolver* const names = call.settings().names;
  if (names == nullptr) return unsupported("names of catalog objects in this context");
  const Oid oid = TRY(names->resolve(type_oid::regclass, table));
  CatalogReader catalog(services->builtin(), services->rows());
  const RelationInfo* const info = TRY(catalog.relation(call.context.fiber, oid));
  const int16_t number = info == nullptr ? int16_t{0} : info->column_number(column);
  if (number == 0) {
    return raise(sqlstate::undefined_column,
                 cat("column \"", column, "\" of relation \"",
                     info == nullptr ? table : std::string_view(info->name), "\" does not exist"));
  }
  const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(oid), Datum::of(int32_t{number})};
  std::vector<Oid> owned;
  TRY(services->rows().scan(call.context.fiber, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                            [&](const CatalogRow& row, Tid) -> Status {
                              using namespace pg_depend;
                              const char type = row.get<char>(deptype);
                              if (row.get<Oid>(classid) == pg_class::kRelation &&
                                  row.get<int32_t>(objsubid) == 0 && (type == 'a' || type == 'i'))
                                owned.push_back(row.get<Oid>(objid));
                              return {};
                            }));
  for (Oid candidate : owned) {
    const RelationInfo* const found = TRY(catalog.relation(call.context.fiber, candidate));
    if (found == nullptr || found->kind != 'S') continue;
    return std::optional<std::string>(
        cat(quote_identifier(found->nsp_name), ".", quote_identifier(found->name)));
  }
  return std::optional<std::string>();
}

Result<std::optional<std::string>> current_setting(Call& call, std::string_view name,
                                                   bool missing_ok) {
  SessionServices* const services = TRY(services_of(call));
  Result<std::string> value = services->show_setting(name);
  if (value.ok()) return std::optional<std::string>(std::move(*value));
  Status status = std::move(value).status();
  if (missing_ok && status.is(sqlstate::undefined_object)) return std::optional<std::string>();
  return status;
}

Result<std::optional<uint64_t>> current_xid(Call& call, bool assign) {
  SessionServices* const services = TRY(services_of(call));
  const Xid xid = TRY(services->transaction_id(call.context.fiber, assign));
  if (xid == Xid{}) return std::optional<uint64_t>();
  return std::optional<uint64_t>(xid.v);
}

constexpr Kernel kLogEnd = lift([](Call& call) -> Result<uint64_t> {
  SessionServices* const services = TRY(services_of(call));
  return services->log_end().v;
});

template <bool kTerminate>
Result<bool> signal(Call& call, int32_t process_id) {
  SessionServices* const services = TRY(services_of(call));
  return services->signal_backend(call.context.fiber, process_id, kTerminate);
}

Result<std::string> set_config(Call& call, NullableDatum name, NullableDatum value,
                               NullableDatum is_local) {
  if (name.is_null) {
    return raise(sqlstate::null_value_not_allowed, "SET requires parameter name");
  }
  SessionServices* const services = TRY(services_of(call));
  std::optional<std::string> text;
  if (!value.is_null) text = value.value.text();
  return services->change_setting(call.context.fiber, name.value.text(), text,
                                  !is_local.is_null && is_local.value.as<bool>());
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("nextval_oid", lift([](Call& call, Oid sequence) -> Result<int64_t> {
           SessionServices* const services = TRY(services_of(call));
           return services->next_value(call.context.fiber, sequence);
         })),
    body("currval_oid", lift([](Call& call, Oid sequence) -> Result<int64_t> {
           SessionServices* const services = TRY(services_of(call));
           return services->current_value(call.context.fiber, sequence);
         })),
    body("lastval", lift([](Call& call) -> Result<int64_t> {
           SessionServices* const services = TRY(services_of(call));
           return services->last_value(call.context.fiber);
         })),
    body("setval_oid", lift([](Call& call, Oid sequence, int64_t value) {
           return set_sequence(call, sequence, value, true);
         })),
    body("setval3_oid", lift([](Call& call, Oid sequence, int64_t value, bool is_called) {
           return set_sequence(call, sequence, value, is_called);
         })),
    body("pg_sequence_last_value",
         lift([](Call& call, Oid sequence) -> Result<std::optional<int64_t>> {
           SessionServices* const services = TRY(services_of(call));
           return services->sequence_position(call.context.fiber, sequence);
         })),
    body("pg_get_serial_sequence",
         lift([](Call& call, std::string_view table, std::string_view column) {
           return serial_sequence(call, table, column);
         })),
    body("show_config_by_name", lift([](Call& call, std::string_view name) {
           return current_setting(call, name, false);
         })),
    body("show_config_by_name_missing_ok",
         lift([](Call& call, std::string_view name, bool missing_ok) {
           return current_setting(call, name, missing_ok);
         })),
    body("set_config_by_name", lift([](Call& call, NullableDatum name, NullableDatum value,
                                       NullableDatum is_local) -> Result<std::string> {
           return set_config(call, name, value, is_local);
         })),
    body("pgsql_version", lift([](Call& call) -> Result<std::string> {
           SessionServices* const services = TRY(services_of(call));
           const std::string number = TRY(services->show_setting("server_version"));
           return cat("PostgreSQL ", number, " compatible (Orrery)");
         })),
    body("pg_current_xact_id", lift([](Call& call) { return current_xid(call, true); })),
    body("pg_current_xact_id_if_assigned",
         lift([](Call& call) { return current_xid(call, false); })),
    body("pg_current_wal_lsn", kLogEnd),
    body("pg_current_wal_insert_lsn", kLogEnd),
    body("pg_is_in_recovery", lift([](Call&) { return false; })),
    body("pg_my_temp_schema", lift([](Call& call) -> Result<Oid> {
           SessionServices* const services = TRY(services_of(call));
           return services->temporary_schema();
         })),
    body("pg_is_other_temp_schema", lift([](Call& call, Oid nsp) -> Result<bool> {
           SessionServices* const services = TRY(services_of(call));
           if (nsp == services->temporary_schema()) return false;
           CatalogReader catalog(services->builtin(), services->rows());
           const NamespaceInfo* const info = TRY(catalog.nsp(call.context.fiber, nsp));
           return info != nullptr && info->name.starts_with("pg_temp_");
         })),
    body("pg_cancel_backend",
         lift([](Call& call, int32_t process_id) { return signal<false>(call, process_id); })),
    body("pg_terminate_backend", lift([](Call& call, int32_t process_id, int64_t) {
           return signal<true>(call, process_id);
         })),
}));

}  // namespace

std::span<const FunctionBody> session_functions() { return kTable; }

}  // namespace orrery
