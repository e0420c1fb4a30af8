// The rows behind pg_settings, pg_stat_activity, pg_locks, pg_prepared_statements and pg_cursors.
#include <algorithm>

#include "base/text.h"
#include "catalog/columns.h"
#include "session/services_internal.h"
#include "types/array.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

std::string_view context_word(SettingContext context) {
  switch (context) {
    case SettingContext::internal:          return "internal";
    case SettingContext::postmaster:        return "postmaster";
    case SettingContext::sighup:            return "sighup";
    case SettingContext::superuser_backend: return "superuser-backend";
    case SettingContext::superuser:         return "superuser";
    case SettingContext::user:              return "user";
  }
  UNREACHABLE();
}

std::string_view kind_word(SettingKind kind) {
  switch (kind) {
    case SettingKind::boolean: return "bool";
    case SettingKind::integer: return "integer";
    case SettingKind::real:    return "real";
    case SettingKind::string:  return "string";
    case SettingKind::choice:  return "enum";
  }
  UNREACHABLE();
}

std::string_view state_word(ActivityState state) {
  switch (state) {
    case ActivityState::idle:                       return "idle";
    case ActivityState::active:                     return "active";
    case ActivityState::idle_in_transaction:        return "idle in transaction";
    case ActivityState::idle_in_failed_transaction: return "idle in transaction (aborted)";
  }
  UNREACHABLE();
}

std::string_view lock_word(LockKind kind) {
  switch (kind) {
    case LockKind::relation:    return "relation";
    case LockKind::row:         return "tuple";
    case LockKind::transaction: return "transactionid";
    case LockKind::speculation: return "spectoken";
    case LockKind::object:      return "object";
    case LockKind::advisory:    return "advisory";
  }
  UNREACHABLE();
}

}  // namespace

class Session::Services::Gatherer {
 public:
  using Add = FunctionRef<void(std::span<const NullableDatum>)>;
  Gatherer(Session& session, Arena& arena, Add add) : session_(session), arena_(arena), add_(add) {}

  Status settings();
  Status activity(Fiber& fiber);
  Status locks(Fiber& fiber);
  Status prepared_statements();
  Status cursors();

 private:
  NullableDatum text(std::string_view value) { return {make_varlena(arena_, value), false}; }
  static NullableDatum null() { return {}; }
  template <class T>
  static NullableDatum word(T value) {
    return {Datum::of(value), false};
  }
  static NullableDatum moment(WallTime at) { return at == WallTime{} ? null() : word(at.v); }
  void setting(SettingId id);

  Session& session_;
  Arena& arena_;
  Add add_;
};

void Session::Services::Gatherer::setting(SettingId id) {
  const SettingDef& def = setting_def(id);
  const Settings& settings = session_.settings_;
  Result<std::string> shown = session_.show_by_name(def.name);
  const bool has_number = def.kind == SettingKind::integer || def.kind == SettingKind::real;
  std::string value = shown.ok() ? std::move(*shown) : std::string();
  if (has_number) value = plain_setting(id, settings.get_real(id));
  const SettingValue boot = setting_default(id);
  const SettingValue reset = settings.default_value(id);
  const auto plain = [&](const SettingValue& of) {
    return has_number ? plain_setting(id, of.number) : orrery::show_setting(id, of);
  };
  const std::string boot_text = plain(boot), reset_text = plain(reset);
  NullableDatum choices = null();
  if (def.kind == SettingKind::choice) {
    std::vector<NullableDatum> words;
    std::string_view rest = def.choices;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      words.push_back(text(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    Result<Datum> array = make_array(arena_, *find_builtin_type(type_oid::text), words);
    if (array.ok()) choices = {*array, false};
  }
  const std::string_view unit = unit_name(def.unit);
  const std::string_view source = value != reset_text       ? "session"
                                  : reset_text != boot_text ? "configuration file"
                                                            : "default";
  const NullableDatum row[] = {text(def.name),
                               text(value),
                               unit.empty() ? null() : text(unit),
                               null(),
                               null(),
                               null(),
                               text(context_word(def.context)),
                               text(kind_word(def.kind)),
                               text(source),
                               has_number ? text(plain_setting(id, def.least)) : null(),
                               has_number ? text(plain_setting(id, def.most)) : null(),
                               choices,
                               text(boot_text),
                               text(reset_text),
                               null(),
                               null(),
                               word(false)};
  add_(row);
}

Status Session::Services::Gatherer::settings() {
  for (size_t i = 0; i < kSettingCount; ++i) setting(static_cast<SettingId>(i));
  return {};
}

// Others' statements are for superusers and members of their roles.
Status Session::Services::Gatherer::activity(Fiber& fiber) {
  struct Seen {
    ActivityEntry entry;
    bool may_see;
  };
  std::vector<Seen> all;
  for (const auto& [process_id, entry] : session_.node_.activity.entries()) {
    all.push_back({*entry, false});
  }
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  constexpr Oid kReadAllStats{3375};
  const bool sees_all = TRY(catalog->is_member(fiber, session_.current_user_, kReadAllStats));
  for (Seen& seen : all) {
    const bool member = TRY(catalog->is_member(fiber, session_.current_user_, seen.entry.user));
    seen.may_see = sees_all || member;
  }
  for (const Seen& seen : all) {
    const ActivityEntry& entry = seen.entry;
    std::vector<NullableDatum> row(30);
    row[0] = word(entry.database);
    row[1] = word(entry.process_id);
    row[2] = word(entry.user);
    row[3] = text(entry.application_name);
    row[5] = text(seen.may_see ? std::string_view(entry.statement)
                               : std::string_view("<insufficient privilege>"));
    if (seen.may_see) {
      row[4] = text(state_word(entry.state));
      row[8] = moment(entry.transaction_start);
      row[9] = moment(entry.statement_start);
      row[10] = moment(entry.session_start);
      row[11] = moment(entry.state_change);
      row[17] = text("client backend");
    }
    row[18] = word(false);
    add_(row);
  }
  return {};
}

Status Session::Services::Gatherer::locks(Fiber& fiber) {
  const std::vector<LockTable::Entry> entries = session_.node_.transactions.locks().entries();
  // Row locks name files; whose they are stands in pg_class.
  std::map<uint64_t, Oid> relations;
  const bool has_rows = std::ranges::any_of(
      entries, [](const auto& entry) { return entry.tag.kind == LockKind::row; });
  if (has_rows) {
    TRY(session_.store_->scan(fiber, pg_class::kRelation, kInvalidOid, {},
                              [&](const CatalogRow& row, Tid) -> Status {
                                const Oid file = row.get<Oid>(pg_class::relfilenode);
                                if (file) relations[file.v] = row.get<Oid>(pg_class::oid);
                                return {};
                              }));
  }
  for (const LockTable::Entry& entry : entries) {
    const LockTag& tag = entry.tag;
    std::vector<NullableDatum> row(16);
    row[0] = text(lock_word(tag.kind));
    if (tag.kind == LockKind::relation || tag.kind == LockKind::object ||
        tag.kind == LockKind::advisory) {
      row[1] = word(tag.database);
    }
    if (tag.kind == LockKind::relation) row[2] = word(Oid(static_cast<uint32_t>(tag.a)));
    if (tag.kind == LockKind::row) {
      const auto found = relations.find(file_number(FileId(tag.a)));
      row[1] = word(session_.identity_.database);
      if (found != relations.end()) row[2] = word(found->second);
      row[3] = word(static_cast<int32_t>(tag.b >> 16));
      row[4] = word(static_cast<int16_t>(tag.b & 0xffff));
    }
    if (tag.kind == LockKind::transaction || tag.kind == LockKind::speculation) {
      row[6] = word(static_cast<uint32_t>(tag.a));
    }
    if (tag.kind == LockKind::object) {
      row[7] = word(Oid(static_cast<uint32_t>(tag.a)));
      row[8] = word(Oid(static_cast<uint32_t>(tag.b)));
      row[9] = word(int16_t{0});
    }
    if (tag.kind == LockKind::advisory) {
      row[7] = word(Oid(static_cast<uint32_t>(tag.a >> 32)));
      row[8] = word(Oid(static_cast<uint32_t>(tag.a)));
      row[9] = word(static_cast<int16_t>(tag.b));
    }
    row[11] = word(entry.process_id);
    row[12] = text(lock_mode_name(entry.mode));
    row[13] = word(entry.granted);
    row[14] = word(false);
    add_(row);
  }
  return {};
}

Status Session::Services::Gatherer::prepared_statements() {
  for (const auto& [name, prepared] : session_.prepared_) {
    if (name.empty()) continue;
    std::vector<NullableDatum> types;
    for (Oid type : prepared.statement->parameter_types) types.push_back(word(type));
    const Datum array = TRY(make_array(arena_, *find_builtin_type(type_oid::regtype), types));
    const NullableDatum row[] = {text(name),     text(prepared.statement->text), null(),
                                 {array, false}, word(prepared.from_sql),        null(),
                                 null()};
    add_(row);
  }
  return {};
}

Status Session::Services::Gatherer::cursors() {
  for (const auto& [name, portal] : session_.portals_) {
    if (name.empty()) continue;
    const NullableDatum row[] = {text(name),  text(portal->statement->text), word(portal->hold),
                                 word(false), word(portal->keeps_rows),      null()};
    add_(row);
  }
  return {};
}

Status Session::Services::system_rows(Fiber& fiber, SystemRows which, Arena& arena,
                                      FunctionRef<void(std::span<const NullableDatum>)> add) {
  Gatherer gatherer(session_, arena, add);
  switch (which) {
    case SystemRows::settings:            return gatherer.settings();
    case SystemRows::activity:            return gatherer.activity(fiber);
    case SystemRows::locks:               return gatherer.locks(fiber);
    case SystemRows::prepared_statements: return gatherer.prepared_statements();
    case SystemRows::cursors:             return gatherer.cursors();
  }
  UNREACHABLE();
}

}  // namespace orrery
