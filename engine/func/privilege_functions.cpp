// has_*_privilege, pg_has_role, and access lists as values: aclexplode, acldefault, makeaclitem.
#include <algorithm>

#include "base/text.h"
#include "catalog/acl.h"
#include "catalog/columns.h"
#include "func/catalog_call_internal.h"
#include "types/array.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

using Answer = Result<std::optional<bool>>;

enum class Target : uint8_t {
  table,
  any_column,
  sequence,
  database,
  function,
  language,
  schema,
  tablespace,
  type
};

// Where a kind of object keeps its owner and its access list.
struct Place {
  AclKind kind;
  Oid catalog, index;
  int16_t owner, acl, name;
};
Place place_of(Target target) {
  switch (target) {
    case Target::table:
    case Target::any_column:
      return {AclKind::table,     pg_class::kRelation, kPgClassOidIndex,
              pg_class::relowner, pg_class::relacl,    pg_class::relname};
    case Target::sequence:
      return {AclKind::sequence,  pg_class::kRelation, kPgClassOidIndex,
              pg_class::relowner, pg_class::relacl,    pg_class::relname};
    case Target::database:
      return {AclKind::database,   pg_database::kRelation, kPgDatabaseOidIndex,
              pg_database::datdba, pg_database::datacl,    pg_database::datname};
    case Target::function:
      return {AclKind::function, pg_proc::kRelation, kPgProcOidIndex,
              pg_proc::proowner, pg_proc::proacl,    pg_proc::proname};
    case Target::language:
      return {AclKind::language,     pg_language::kRelation, kPgLanguageOidIndex,
              pg_language::lanowner, pg_language::lanacl,    pg_language::lanname};
    case Target::schema:
      return {AclKind::schema,        pg_namespace::kRelation, kPgNamespaceOidIndex,
              pg_namespace::nspowner, pg_namespace::nspacl,    pg_namespace::nspname};
    case Target::tablespace:
      return {AclKind::tablespace,     pg_tablespace::kRelation, kPgTablespaceOidIndex,
              pg_tablespace::spcowner, pg_tablespace::spcacl,    pg_tablespace::spcname};
    case Target::type:
      return {AclKind::type,     pg_type::kRelation, kPgTypeOidIndex,
              pg_type::typowner, pg_type::typacl,    pg_type::typname};
  }
  UNREACHABLE();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "select, update with grant option": any of them will do.
Result<std::vector<AclMode>> wanted_rights(std::string_view text, AclMode allowed) {
  constexpr std::string_view kOption = " with grant option";
  std::vector<AclMode> out;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view whole = trimmed(text.substr(0, comma));
    std::string_view name = whole;
    const bool option = name.size() > kOption.size() &&
                        equals_ignoring_case(name.substr(name.size() - kOption.size()), kOption);
    if (option) name.remove_suffix(kOption.size());
    const AclMode right = right_of_name(trimmed(name));
    if ((right & allowed) == 0) {
      return raise(sqlstate::invalid_parameter_value,
                   cat("unrecognized privilege type: \"", whole, "\""));
    }
    out.push_back(option ? grant_options(right) : right);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

Result<Oid> role_named(CatalogReader& catalog, Fiber& fiber, std::string_view name,
                       bool allow_public) {
  if (allow_public && name == "public") return kInvalidOid;
  const Oid oid = TRY(catalog.role_oid(fiber, name));
  if (oid) return oid;
  return raise(sqlstate::undefined_object, cat("role \"", name, "\" does not exist"));
}

class Check {
 public:
  Check(Call& call, SessionServices& services)
      : call_(call),
        services_(services),
        fiber_(call.context.fiber),
        catalog(services.builtin(), services.rows()) {}

  Result<Oid> object_named(Target target, std::string_view name);
  Answer has(Oid role, Target target, Oid object, std::string_view privileges);
  Answer has_on_column(Oid role, Oid table, std::optional<int16_t> column,
                       std::string_view privileges);

 private:
  struct Row {
    bool found = false;
    Oid owner;
    std::string acl, name;
    char relkind = 'r';
  };
  Result<Row> read(const Place& place, Oid object);
  Result<bool> any_of(Oid role, AclKind kind, const std::string& acl, Oid owner,
                      std::span<const AclMode> wanted);
  Result<bool> any_column(Oid role, Oid table, Oid owner, std::span<const AclMode> wanted);

  Call& call_;
  SessionServices& services_;
  Fiber& fiber_;

 public:
  CatalogReader catalog;
};

Result<Oid> Check::object_named(Target target, std::string_view name) {
  const NameResolver* const names = call_.settings().names;
  if (names == nullptr) return unsupported("names of catalog objects in this context");
  switch (target) {
    case Target::table:
    case Target::any_column:
    case Target::sequence:   return names->resolve(type_oid::regclass, name);
    case Target::function:   return names->resolve(type_oid::regprocedure, name);
    case Target::type:       return names->resolve(type_oid::regtype, name);
    case Target::schema:     {
      const Oid oid = TRY(catalog.nsp_oid(fiber_, name));
      if (oid) return oid;
      return raise(sqlstate::invalid_schema_name, cat("schema \"", name, "\" does not exist"));
    }
    case Target::database: {
      const Oid oid = TRY(catalog.database_oid(fiber_, name));
      if (oid) return oid;
      return raise(sqlstate::undefined_database, cat("database \"", name, "\" does not exist"));
    }
    case Target::language:
    case Target::tablespace: break;
  }
  const Place place = place_of(target);
  Oid found;
  TRY(services_.rows().scan(fiber_, place.catalog, kInvalidOid, {},
                            [&](const CatalogRow& row, Tid) -> Status {
                              if (row.name(place.name) == name) found = row.get<Oid>(1);
                              return {};
                            }));
  if (found) return found;
  return raise(sqlstate::undefined_object,
               cat(target == Target::language ? "language" : "tablespace", " \"", name,
                   "\" does not exist"));
}

Result<Check::Row> Check::read(const Place& place, Oid object) {
  Row out;
  const Datum keys[] = {Datum::of(object)};
  TRY(services_.rows().scan(fiber_, place.catalog, place.index, keys,
                            [&](const CatalogRow& row, Tid) -> Status {
                              out.found = true;
                              out.owner = row.get<Oid>(place.owner);
                              out.acl = row.text(place.acl);
                              out.name = row.name(place.name);
                              if (place.catalog == pg_class::kRelation)
                                out.relkind = row.get<char>(pg_class::relkind);
                              return {};
                            }));
  return out;
}

Result<bool> Check::any_of(Oid role, AclKind kind, const std::string& acl, Oid owner,
                           std::span<const AclMode> wanted) {
  for (AclMode right : wanted) {
    const AclMode has = TRY(rights_of(fiber_, catalog, kind, acl, owner, role, right));
    if (has == right) return true;
  }
  return false;
}

Result<bool> Check::any_column(Oid role, Oid table, Oid owner, std::span<const AclMode> wanted) {
  std::vector<std::string> lists;
  const Datum keys[] = {Datum::of(table)};
  TRY(services_.rows().scan(fiber_, pg_attribute::kRelation, kPgAttributeRelidAttnumIndex, keys,
                            [&](const CatalogRow& row, Tid) -> Status {
                              using namespace pg_attribute;
                              if (!row.is_null(attacl) && !row.get<bool>(attisdropped))
                                lists.emplace_back(row.text(attacl));
                              return {};
                            }));
  for (const std::string& acl : lists) {
    const bool has = TRY(any_of(role, AclKind::column, acl, owner, wanted));
    if (has) return true;
  }
  return false;
}

Answer Check::has(Oid role, Target target, Oid object, std::string_view privileges) {
  Place place = place_of(target);
  AclMode allowed = all_rights(place.kind);
  if (target == Target::any_column) allowed = all_rights(AclKind::column);
  const std::vector<AclMode> wanted = TRY(wanted_rights(privileges, allowed));
  const Row row = TRY(read(place, object));
  if (!row.found) return std::optional<bool>();
  if (target == Target::sequence && row.relkind != 'S') {
    return raise(sqlstate::wrong_object_type, cat("\"", row.name, "\" is not a sequence"));
  }
  if (row.relkind == 'S') place.kind = AclKind::sequence;
  bool has = TRY(any_of(role, place.kind, row.acl, row.owner, wanted));
  if (!has && target == Target::any_column) {
    has = TRY(any_column(role, object, row.owner, wanted));
  }
  return std::optional<bool>(has);
}

// A right on the table is one on each of its columns.
Answer Check::has_on_column(Oid role, Oid table, std::optional<int16_t> column,
                            std::string_view privileges) {
  const std::vector<AclMode> wanted = TRY(wanted_rights(privileges, all_rights(AclKind::column)));
  const Row row = TRY(read(place_of(Target::table), table));
  if (!row.found || !column) return std::optional<bool>();
  bool exists = false;
  std::string acl;
  const Datum keys[] = {Datum::of(table), Datum::of(*column)};
  TRY(services_.rows().scan(fiber_, pg_attribute::kRelation, kPgAttributeRelidAttnumIndex, keys,
                            [&](const CatalogRow& found, Tid) -> Status {
                              exists = !found.get<bool>(pg_attribute::attisdropped);
                              acl = found.text(pg_attribute::attacl);
                              return {};
                            }));
  if (!exists) return std::optional<bool>();
  bool has = TRY(any_of(role, AclKind::table, row.acl, row.owner, wanted));
  if (!has && !acl.empty()) has = TRY(any_of(role, AclKind::column, acl, row.owner, wanted));
  return std::optional<bool>(has);
}

// How the arguments name the role and the object.
enum class By : uint8_t { none, name, id };

Result<Oid> role_by(Check& check, Call& call, By how, Datum value, bool allow_public = true) {
  if (how == By::none) return call.context.session.current_user_oid;
  if (how == By::id) return value.as<Oid>();
  return role_named(check.catalog, call.context.fiber, name_view(value.as<const char*>()),
                    allow_public);
}
Result<Oid> object_by(Check& check, Target target, By how, Datum value) {
  if (how == By::id) return value.as<Oid>();
  // Databases, schemas and the like come as text too.
  return check.object_named(target, value.text());
}

Answer answer(Call& call, Target target, By role_how, Datum role, By object_how, Datum object,
              std::string_view privileges) {
  SessionServices* const services = TRY(services_of(call));
  Check check(call, *services);
  const Oid who = TRY(role_by(check, call, role_how, role));
  const Oid what = TRY(object_by(check, target, object_how, object));
  return check.has(who, target, what, privileges);
}

template <Target kTarget, By kRole, By kObject>
constexpr Kernel kHas = lift([](Call& call, Datum role, Datum object, std::string_view privileges) {
  return answer(call, kTarget, kRole, role, kObject, object, privileges);
});
template <Target kTarget, By kObject>
constexpr Kernel kIHave = lift([](Call& call, Datum object, std::string_view privileges) {
  return answer(call, kTarget, By::none, {}, kObject, object, privileges);
});

Answer column_answer(Call& call, By role_how, Datum role, By table_how, Datum table, By column_how,
                     Datum column, std::string_view privileges) {
  SessionServices* const services = TRY(services_of(call));
  Check check(call, *services);
  const Oid who = TRY(role_by(check, call, role_how, role));
  const Oid what = TRY(object_by(check, Target::table, table_how, table));
  std::optional<int16_t> number;
  if (column_how == By::id) number = column.as<int16_t>();
  const RelationInfo* const info = TRY(check.catalog.relation(call.context.fiber, what));
  if (column_how == By::name && info != nullptr) {
    number = info->column_number(column.text());
    if (*number == 0) {
      return raise(sqlstate::undefined_column, cat("column \"", column.text(), "\" of relation \"",
                                                   info->name, "\" does not exist"));
    }
  }
  return check.has_on_column(who, what, number, privileges);
}
template <By kRole, By kTable, By kColumn>
constexpr Kernel kHasColumn =
    lift([](Call& call, Datum role, Datum table, Datum column, std::string_view privileges) {
      return column_answer(call, kRole, role, kTable, table, kColumn, column, privileges);
    });
template <By kTable, By kColumn>
constexpr Kernel kIHaveColumn =
    lift([](Call& call, Datum table, Datum column, std::string_view privileges) {
      return column_answer(call, By::none, {}, kTable, table, kColumn, column, privileges);
    });

// Roles whose rights `role` has without SET ROLE: through those that inherit.
Result<bool> inherits(CatalogReader& catalog, Fiber& fiber, Oid role, Oid group) {
  std::vector<Oid> reached = {role};
  for (size_t i = 0; i < reached.size(); ++i) {
    if (reached[i] == group) return true;
    const RoleInfo* const info = TRY(catalog.role(fiber, reached[i]));
    if (info == nullptr) continue;
    if (i == 0 && info->superuser) return true;
    if (!info->inherit) continue;
    for (Oid next : info->member_of) {
      if (std::ranges::find(reached, next) == reached.end()) reached.push_back(next);
    }
  }
  return false;
}

Answer role_answer(Call& call, By role_how, Datum role, By group_how, Datum group,
                   std::string_view privileges) {
  SessionServices* const services = TRY(services_of(call));
  Check check(call, *services);
  Fiber& fiber = call.context.fiber;
  const Oid who = TRY(role_by(check, call, role_how, role, false));
  const Oid what = TRY(role_by(check, call, group_how, group, false));
  while (true) {
    const size_t comma = privileges.find(',');
    const std::string_view word = trimmed(privileges.substr(0, comma));
    bool has = false;
    if (equals_ignoring_case(word, "usage")) {
      has = TRY(inherits(check.catalog, fiber, who, what));
    } else if (equals_ignoring_case(word, "member")) {
      has = TRY(check.catalog.is_member(fiber, who, what));
    } else {
      constexpr std::string_view kAdmin[] = {"usage with grant option", "usage with admin option",
                                             "member with grant option",
                                             "member with admin option"};
      if (std::ranges::none_of(
              kAdmin, [&](std::string_view known) { return equals_ignoring_case(known, word); })) {
        return raise(sqlstate::invalid_parameter_value,
                     cat("unrecognized privilege type: \"", word, "\""));
      }
      const RoleInfo* const info = TRY(check.catalog.role(fiber, who));
      has = info != nullptr && info->superuser;
      TRY(services->rows().scan(fiber, pg_auth_members::kRelation, kInvalidOid, {},
                                [&](const CatalogRow& row, Tid) -> Status {
                                  using namespace pg_auth_members;
                                  has |= row.get<Oid>(roleid) == what &&
                                         row.get<Oid>(member) == who && row.get<bool>(admin_option);
                                  return {};
                                }));
    }
    if (has || comma == std::string_view::npos) return std::optional<bool>(has);
    privileges.remove_prefix(comma + 1);
  }
}
template <By kRole, By kGroup>
constexpr Kernel kHasRole =
    lift([](Call& call, Datum role, Datum group, std::string_view privileges) {
      return role_answer(call, kRole, role, kGroup, group, privileges);
    });
template <By kGroup>
constexpr Kernel kIHaveRole = lift([](Call& call, Datum group, std::string_view privileges) {
  return role_answer(call, By::none, {}, kGroup, group, privileges);
});

// ---- access lists as values

AclItem load_item(Datum value) {
  const char* const at = value.as<const char*>();
  return {load<Oid>(at), load<Oid>(at + 4), load<uint32_t>(at + 8)};
}
Datum make_item(Arena& arena, const AclItem& item) {
  char* const at = static_cast<char*>(arena.allocate(12, 4));
  store(at, item.grantee);
  store(at + 4, item.grantor);
  store(at + 8, item.mode);
  return Datum::of(static_cast<const void*>(at));
}

Result<std::optional<Datum>> default_list(Call& call, char letter, Oid owner) {
  constexpr std::pair<char, AclKind> kKinds[] = {
      {'c', AclKind::column},   {'r', AclKind::table},      {'s', AclKind::sequence},
      {'d', AclKind::database}, {'f', AclKind::function},   {'l', AclKind::language},
      {'n', AclKind::schema},   {'t', AclKind::tablespace}, {'T', AclKind::type}};
  for (const auto& [known, kind] : kKinds) {
    if (known != letter) continue;
    return std::optional<Datum>(make_varlena(call.arena(), encode_acl(default_acl(kind, owner))));
  }
  return raise(sqlstate::invalid_parameter_value,
               cat("unrecognized object type abbreviation: ", std::string(1, letter)));
}

// aclexplode: a row for each right of each item.
struct Explosion {
  std::span<AclItem> items;
  size_t item = 0;
  int bit = 0;
};
Result<void*> begin_explosion(EvalContext& context, CallSite&,
                              std::span<const NullableDatum> args) {
  Explosion empty;
  auto* const state = context.plan_arena.make<Explosion>(empty);
  if (args[0].is_null) return static_cast<void*>(state);
  const Acl acl = decode_acl(args[0].value.text());
  state->items = context.plan_arena.copy_array(std::span<const AclItem>(acl));
  return static_cast<void*>(state);
}
Result<uint32_t> next_explosion(EvalContext& context, CallSite&, void* at,
                                std::span<Vector> columns) {
  auto& state = *static_cast<Explosion*>(at);
  uint32_t count = 0;
  constexpr int kBits = 14;
  while (state.item < state.items.size() && count < kBatchRows) {
    const AclItem& item = state.items[state.item];
    const AclMode right = AclMode{1} << state.bit;
    if ((item.mode & right) != 0) {
      columns[0].set(count, Datum::of(item.grantor));
      columns[1].set(count, Datum::of(item.grantee));
      columns[2].set(count, make_varlena(context.arena, right_name(right)));
      columns[3].set(count, Datum::of((item.mode & grant_options(right)) != 0));
      ++count;
    }
    if (++state.bit == kBits) {
      state.bit = 0;
      ++state.item;
    }
  }
  return count;
}
constexpr SetKernel kExplode{begin_explosion, next_explosion};

// tidy: allow(function-length) a table, one row a line
constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("has_table_privilege_name_name", kHas<Target::table, By::name, By::name>),
    body("has_table_privilege_name_id", kHas<Target::table, By::name, By::id>),
    body("has_table_privilege_id_name", kHas<Target::table, By::id, By::name>),
    body("has_table_privilege_id_id", kHas<Target::table, By::id, By::id>),
    body("has_table_privilege_name", kIHave<Target::table, By::name>),
    body("has_table_privilege_id", kIHave<Target::table, By::id>),
    body("has_any_column_privilege_name_name", kHas<Target::any_column, By::name, By::name>),
    body("has_any_column_privilege_name_id", kHas<Target::any_column, By::name, By::id>),
    body("has_any_column_privilege_id_name", kHas<Target::any_column, By::id, By::name>),
    body("has_any_column_privilege_id_id", kHas<Target::any_column, By::id, By::id>),
    body("has_any_column_privilege_name", kIHave<Target::any_column, By::name>),
    body("has_any_column_privilege_id", kIHave<Target::any_column, By::id>),
    body("has_sequence_privilege_name_name", kHas<Target::sequence, By::name, By::name>),
    body("has_sequence_privilege_name_id", kHas<Target::sequence, By::name, By::id>),
    body("has_sequence_privilege_id_name", kHas<Target::sequence, By::id, By::name>),
    body("has_sequence_privilege_id_id", kHas<Target::sequence, By::id, By::id>),
    body("has_sequence_privilege_name", kIHave<Target::sequence, By::name>),
    body("has_sequence_privilege_id", kIHave<Target::sequence, By::id>),
    body("has_database_privilege_name_name", kHas<Target::database, By::name, By::name>),
    body("has_database_privilege_name_id", kHas<Target::database, By::name, By::id>),
    body("has_database_privilege_id_name", kHas<Target::database, By::id, By::name>),
    body("has_database_privilege_id_id", kHas<Target::database, By::id, By::id>),
    body("has_database_privilege_name", kIHave<Target::database, By::name>),
    body("has_database_privilege_id", kIHave<Target::database, By::id>),
    body("has_function_privilege_name_name", kHas<Target::function, By::name, By::name>),
    body("has_function_privilege_name_id", kHas<Target::function, By::name, By::id>),
    body("has_function_privilege_id_name", kHas<Target::function, By::id, By::name>),
    body("has_function_privilege_id_id", kHas<Target::function, By::id, By::id>),
    body("has_function_privilege_name", kIHave<Target::function, By::name>),
    body("has_function_privilege_id", kIHave<Target::function, By::id>),
    body("has_language_privilege_name_name", kHas<Target::language, By::name, By::name>),
    body("has_language_privilege_name_id", kHas<Target::language, By::name, By::id>),
    body("has_language_privilege_id_name", kHas<Target::language, By::id, By::name>),
    body("has_language_privilege_id_id", kHas<Target::language, By::id, By::id>),
    body("has_language_privilege_name", kIHave<Target::language, By::name>),
    body("has_language_privilege_id", kIHave<Target::language, By::id>),
    body("has_schema_privilege_name_name", kHas<Target::schema, By::name, By::name>),
    body("has_schema_privilege_name_id", kHas<Target::schema, By::name, By::id>),
    body("has_schema_privilege_id_name", kHas<Target::schema, By::id, By::name>),
    body("has_schema_privilege_id_id", kHas<Target::schema, By::id, By::id>),
    body("has_schema_privilege_name", kIHave<Target::schema, By::name>),
    body("has_schema_privilege_id", kIHave<Target::schema, By::id>),
    body("has_tablespace_privilege_name_name", kHas<Target::tablespace, By::name, By::name>),
    body("has_tablespace_privilege_name_id", kHas<Target::tablespace, By::name, By::id>),
    body("has_tablespace_privilege_id_name", kHas<Target::tablespace, By::id, By::name>),
    body("has_tablespace_privilege_id_id", kHas<Target::tablespace, By::id, By::id>),
    body("has_tablespace_privilege_name", kIHave<Target::tablespace, By::name>),
    body("has_tablespace_privilege_id", kIHave<Target::tablespace, By::id>),
    body("has_type_privilege_name_name", kHas<Target::type, By::name, By::name>),
    body("has_type_privilege_name_id", kHas<Target::type, By::name, By::id>),
    body("has_type_privilege_id_name", kHas<Target::type, By::id, By::name>),
    body("has_type_privilege_id_id", kHas<Target::type, By::id, By::id>),
    body("has_type_privilege_name", kIHave<Target::type, By::name>),
    body("has_type_privilege_id", kIHave<Target::type, By::id>),
    body("has_column_privilege_name_name_name", kHasColumn<By::name, By::name, By::name>),
    body("has_column_privilege_name_name_attnum", kHasColumn<By::name, By::name, By::id>),
    body("has_column_privilege_name_id_name", kHasColumn<By::name, By::id, By::name>),
    body("has_column_privilege_name_id_attnum", kHasColumn<By::name, By::id, By::id>),
    body("has_column_privilege_id_name_name", kHasColumn<By::id, By::name, By::name>),
    body("has_column_privilege_id_name_attnum", kHasColumn<By::id, By::name, By::id>),
    body("has_column_privilege_id_id_name", kHasColumn<By::id, By::id, By::name>),
    body("has_column_privilege_id_id_attnum", kHasColumn<By::id, By::id, By::id>),
    body("has_column_privilege_name_name", kIHaveColumn<By::name, By::name>),
    body("has_column_privilege_name_attnum", kIHaveColumn<By::name, By::id>),
    body("has_column_privilege_id_name", kIHaveColumn<By::id, By::name>),
    body("has_column_privilege_id_attnum", kIHaveColumn<By::id, By::id>),
    body("pg_has_role_name_name", kHasRole<By::name, By::name>),
    body("pg_has_role_name_id", kHasRole<By::name, By::id>),
    body("pg_has_role_id_name", kHasRole<By::id, By::name>),
    body("pg_has_role_id_id", kHasRole<By::id, By::id>),
    body("pg_has_role_name", kIHaveRole<By::name>),
    body("pg_has_role_id", kIHaveRole<By::id>),
    body("acldefault_sql",
         lift([](Call& call, char kind, Oid owner) { return default_list(call, kind, owner); })),
    body("makeaclitem", lift([](Call& call, Oid grantee, Oid grantor, std::string_view rights,
                                bool with_option) -> Result<Datum> {
           const std::vector<AclMode> wanted = TRY(wanted_rights(rights, ~AclMode{0}));
           AclItem item{grantee, grantor, 0};
           for (AclMode right : wanted) {
             item.mode |= right | (with_option ? grant_options(right) : 0);
           }
           return make_item(call.arena(), item);
         })),
    body("aclitem_eq", lift([](Datum a, Datum b) {
           return std::memcmp(a.as<const char*>(), b.as<const char*>(), 12) == 0;
         })),
    body("aclcontains", lift([](Datum list, Datum wanted) {
           const AclItem item = load_item(wanted);
           return std::ranges::any_of(decode_acl(list.text()), [&](const AclItem& own) {
             return own.grantee == item.grantee && own.grantor == item.grantor &&
                    (own.mode & item.mode) == item.mode;
           });
         })),
    FunctionBody{.name = "aclexplode", .set = &kExplode},
}));

}  // namespace

std::span<const FunctionBody> privilege_functions() { return kTable; }

}  // namespace orrery
