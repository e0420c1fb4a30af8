// SET, RESET, SHOW, and what they may not do.

#include <charconv>

#include "base/text.h"
#include "session/session.h"
#include "session/setting_checks.h"
#include "session/text_rows.h"
#include "types/type_io.h"

namespace orrery {
namespace {

constexpr std::string_view kIsolationNames[] = {"read uncommitted", "read committed",
                                                "repeatable read", "serializable"};

bool is_list(SettingId id) {
  return id == SettingId::search_path || id == SettingId::temp_tablespaces;
}
bool takes_several(SettingId id) { return is_list(id) || id == SettingId::date_style; }

// One argument of SET as the text that the setting reads.
Result<std::string> argument_text(const Node& argument) {
  if (const auto* cast = as_if<TypeCast>(&argument)) return argument_text(*cast->arg);
  const auto* constant = as_if<A_Const>(&argument);
  if (constant == nullptr) return unsupported("this value of SET");
  switch (constant->kind) {
    case ConstKind::integer:   return cat(constant->ival);
    case ConstKind::boolean:   return std::string(constant->boolval ? "true" : "false");
    case ConstKind::null:
    case ConstKind::float_:
    case ConstKind::string:
    case ConstKind::bitstring: return std::string(constant->text);
  }
  UNREACHABLE();
}

// "a.b" for placeholders: simple identifiers with dots between.
Status check_custom_name(std::string_view name) {
  bool start = true;
  bool good = true;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                        static_cast<unsigned char>(c) >= 128;
    const bool inside = letter || (c >= '0' && c <= '9') || c == '$';
    good = good && (c == '.' ? !start : start ? letter : inside);
    start = c == '.';
  }
  if (good && !start) return {};
  return raise(sqlstate::invalid_name, cat("invalid configuration parameter name \"", name, "\""))
      .detail("Custom parameter names must be two or more simple identifiers separated by dots.");
}

Status unrecognized(std::string_view name) {
  return raise(sqlstate::undefined_object,
               cat("unrecognized configuration parameter \"", name, "\""));
}

bool is_custom(std::string_view name) { return name.find('.') != std::string_view::npos; }

}  // namespace

Status Session::may_set(SettingId id) const {
  const std::string_view name = setting_def(id).name;
  auto refuse = [&](std::string_view how) {
    return raise(sqlstate::cant_change_runtime_param, cat("parameter \"", name, "\" ", how));
  };
  switch (setting_def(id).context) {
    case SettingContext::internal: return refuse("cannot be changed");
    case SettingContext::postmaster:
      return refuse("cannot be changed without restarting the server");
    case SettingContext::sighup:            return refuse("cannot be changed now");
    case SettingContext::superuser_backend: return refuse("cannot be set after connection start");
    case SettingContext::superuser:
      if (settings_.get_text(SettingId::is_superuser) == "on") return {};
      return raise(sqlstate::insufficient_privilege,
                   cat("permission denied to set parameter \"", name, "\""));
    case SettingContext::user: return {};
  }
  UNREACHABLE();
}

Status Session::set_by_name(Fiber& fiber, std::string_view name, const std::string& text,
                            Settings::Scope scope) {
  const uint32_t level = block_.transaction().depth();
  const std::optional<SettingId> id = find_setting(name);
  if (!id) {
    if (!is_custom(name)) return unrecognized(name);
    TRY(check_custom_name(name));
    settings_.set_custom(name, text, scope, level);
    return {};
  }
  TRY(may_set(*id));
  SettingValue value = TRY(parse_setting(*id, text));
  if (*id == SettingId::transaction_isolation)
    return block_.set_isolation(
        static_cast<Isolation>(std::find(std::begin(kIsolationNames), std::end(kIsolationNames),
                                         show_setting(*id, value)) -
                               kIsolationNames));
  if (*id == SettingId::transaction_read_only) return block_.set_read_only(value.number != 0);
  if (*id == SettingId::transaction_deferrable) {
    block_.set_deferrable(value.number != 0);
    return {};
  }
  if (*id == SettingId::role || *id == SettingId::session_authorization)
    return set_role(fiber, *id, text, scope);
  if (*id == SettingId::seed) random_ = Prng(std::bit_cast<uint64_t>(value.number));
  TRY(check_setting(*id, value, {.text = settings_.get_text(*id)}));
  settings_.set(*id, std::move(value), scope, level);
  return {};
}

// The value carries the role's OID, so that undoing the setting undoes the change of role.
Status Session::set_role(Fiber& fiber, SettingId id, const std::string& name,
                         Settings::Scope scope) {
  const uint32_t level = block_.transaction().depth();
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  const Oid session_user(
      static_cast<uint32_t>(settings_.get_real(SettingId::session_authorization)));
  const RoleInfo* session_role = TRY(catalog->role(fiber, session_user));
  const bool session_superuser = session_role != nullptr && session_role->superuser;
  if (id == SettingId::role && name == "none") {
    settings_.set(id, {.text = "none"}, scope, level);
    settings_.set(SettingId::is_superuser, {.text = session_superuser ? "on" : "off"}, scope,
                  level);
    return {};
  }
  const Oid oid = TRY(catalog->role_oid(fiber, name));
  if (!oid)
    return raise(sqlstate::invalid_parameter_value, cat("role \"", name, "\" does not exist"));
  const RoleInfo* role = TRY(catalog->role(fiber, oid));
  if (id == SettingId::session_authorization && oid != identity_.user && !identity_.superuser) {
    return raise(sqlstate::insufficient_privilege,
                 cat("permission denied to set session authorization \"", name, "\""));
  }
  if (id == SettingId::role) {
    const bool member = TRY(catalog->is_member(fiber, session_user, oid));
    if (!member && !session_superuser) {
      return raise(sqlstate::insufficient_privilege,
                   cat("permission denied to set role \"", name, "\""));
    }
  } else {
    settings_.set(SettingId::role, {.text = "none"}, scope, level);
  }
  settings_.set(id, {.number = static_cast<double>(oid.v), .text = name}, scope, level);
  settings_.set(SettingId::is_superuser, {.text = role->superuser ? "on" : "off"}, scope, level);
  return {};
}

Status Session::reset_by_name(Fiber& fiber, std::string_view name, Settings::Scope scope) {
  const std::optional<SettingId> id = find_setting(name);
  if (!id) {
    if (!is_custom(name)) return unrecognized(name);
    settings_.reset_custom(name, scope, block_.transaction().depth());
    return {};
  }
  TRY(may_set(*id));
  const SettingValue value = settings_.default_value(*id);
  return set_by_name(fiber, setting_def(*id).name, show_setting(*id, value), scope);
}

Status Session::reset_all() {
  for (size_t i = 0; i < kSettingCount; ++i) {
    const auto id = static_cast<SettingId>(i);
    if (is_state(id) || !may_set(id).ok()) continue;
    if (settings_.show(id) == show_setting(id, settings_.default_value(id))) continue;
    settings_.reset(id, Settings::Scope::session, block_.transaction().depth());
  }
  std::vector<std::string> custom;
  settings_.each_custom(
      [&](const std::string& name, const std::string&) { custom.push_back(name); });
  for (const std::string& name : custom)
    settings_.reset_custom(name, Settings::Scope::session, block_.transaction().depth());
  return {};
}

Result<std::string> Session::set_transaction(const VariableSetStmt& statement) {
  const bool session = statement.name == "SESSION CHARACTERISTICS";
  if (statement.name == "TRANSACTION SNAPSHOT") return unsupported("SET TRANSACTION SNAPSHOT");
  if (!session && !block_.is_in_block()) {
    warning(raise(sqlstate::no_active_sql_transaction,
                  "SET TRANSACTION can only be used in transaction blocks")
                .error());
  }
  for (const Node* argument : statement.args) {
    const auto& option = as<DefElem>(*argument);
    const std::string value = TRY(argument_text(*option.arg));
    const std::string name =
        session ? cat("default_", option.defname) : std::string(option.defname);
    const SettingId id = *find_setting(name);
    SettingValue parsed = TRY(parse_setting(id, value));
    if (session) {
      TRY(check_setting(id, parsed, {}));
      settings_.set(id, std::move(parsed), Settings::Scope::session, block_.transaction().depth());
    } else if (id == SettingId::transaction_isolation) {
      const auto* found = std::find(std::begin(kIsolationNames), std::end(kIsolationNames), value);
      TRY(block_.set_isolation(static_cast<Isolation>(found - kIsolationNames)));
    } else if (id == SettingId::transaction_read_only) {
      TRY(block_.set_read_only(parsed.number != 0));
    } else {
      block_.set_deferrable(parsed.number != 0);
    }
  }
  return std::string("SET");
}

Result<std::string> Session::set_variable(Fiber& fiber, const VariableSetStmt& statement) {
  const auto scope = statement.is_local ? Settings::Scope::local : Settings::Scope::session;
  if (statement.is_local && !block_.is_in_block()) {
    warning(raise(sqlstate::no_active_sql_transaction,
                  "SET LOCAL can only be used in transaction blocks")
                .error());
  }
  switch (statement.kind) {
    case VariableSetKind::set_multi:   return set_transaction(statement);
    case VariableSetKind::set_current: return std::string("SET");
    case VariableSetKind::set_default: {
      TRY(reset_by_name(fiber, statement.name, scope));
      return std::string("SET");
    }
    case VariableSetKind::reset: {
      TRY(reset_by_name(fiber, statement.name, scope));
      return std::string("RESET");
    }
    case VariableSetKind::reset_all: {
      TRY(reset_all());
      return std::string("RESET");
    }
    case VariableSetKind::set_value: break;
  }
  const std::string text = TRY(set_text(statement));
  TRY(set_by_name(fiber, statement.name, text, scope));
  return std::string("SET");
}

Result<std::string> Session::set_text(const VariableSetStmt& statement) {
  const std::optional<SettingId> id = find_setting(statement.name);
  if (statement.args.size() > 1 && !(id && takes_several(*id))) {
    return raise(sqlstate::invalid_parameter_value,
                 cat("SET ", statement.name, " takes only one argument"));
  }
  std::string text;
  for (const Node* argument : statement.args) {
    const std::string one = TRY(argument_text(*argument));
    if (!text.empty()) text += ", ";
    text += id && is_list(*id) ? quote_identifier_if_needed(one) : one;
  }
  if (id == SettingId::time_zone) text = TRY(time_zone_argument(*statement.args[0], text));
  return text;
}

// SET TIME ZONE takes hours as a number, an interval, a name, LOCAL.
Result<std::string> Session::time_zone_argument(const Node& argument, const std::string& text) {
  std::optional<double> east;
  if (argument.tag == NodeTag::TypeCast) {
    Arena arena;
    const Datum interval = TRY(input_value(arena, view_.types, type_oid::interval, text));
    east = static_cast<double>(load<int64_t>(interval.as<const char*>())) / 1e6;
  } else {
    double hours = 0;  // also within quotes
    const char* const end = text.data() + text.size();
    const size_t sign = text.starts_with('+') ? 1 : 0;
    const auto [at, error] = std::from_chars(text.data() + sign, end, hours);
    if (error == std::errc() && at == end) east = hours * 3600;
  }
  if (!east) return text;
  return std::string(TimeZone::fixed(static_cast<int32_t>(*east)).name());
}

Result<std::string> Session::show_by_name(std::string_view name) const {
  const std::optional<SettingId> id = find_setting(name);
  if (!id) {
    const std::string* custom = settings_.custom(name);
    if (custom == nullptr) return unrecognized(name);
    return *custom;
  }
  const TransactionOptions& options = block_.options();
  if (*id == SettingId::transaction_isolation)
    return std::string(kIsolationNames[static_cast<int>(options.isolation)]);
  if (*id == SettingId::transaction_read_only) return std::string(options.read_only ? "on" : "off");
  if (*id == SettingId::transaction_deferrable)
    return std::string(options.deferrable ? "on" : "off");
  if (*id == SettingId::seed) return std::string("unavailable");
  return settings_.show(*id);
}

Result<std::string> Session::show_variable(Fiber& fiber, const VariableShowStmt& statement,
                                           std::span<const WireFormat> formats, ResultSink& sink) {
  if (statement.name == "all") {
    constexpr std::string_view kNames[] = {"name", "setting", "description"};
    TextRows rows(kNames);
    for (size_t i = 0; i < kSettingCount; ++i) {
      const std::string_view name = setting_def(static_cast<SettingId>(i)).name;
      const std::string value = TRY(show_by_name(name));
      rows.add({std::string(name), value, ""});
    }
    TRY(rows.send(fiber, formats, view_.types, sink));
    return std::string("SHOW");
  }
  const std::string value = TRY(show_by_name(statement.name));
  const std::optional<SettingId> id = find_setting(statement.name);
  const std::string_view names[] = {id ? setting_def(*id).name : std::string_view(statement.name)};
  TextRows rows(names);
  rows.add({value});
  TRY(rows.send(fiber, formats, view_.types, sink));
  return std::string("SHOW");
}

Status Session::set_initial(std::string_view name, const std::string& text) {
  const std::optional<SettingId> id = find_setting(name);
  if (!id) {
    if (!is_custom(name)) return unrecognized(name);
    TRY(check_custom_name(name));
    settings_.set_custom_default(name, text);
    return {};
  }
  if (is_state(*id)) return unsupported(cat("setting ", name, " at connection start"));
  if (setting_def(*id).context != SettingContext::superuser_backend) TRY(may_set(*id));
  SettingValue value = TRY(parse_setting(*id, text));
  TRY(check_setting(*id, value, {.text = settings_.get_text(*id)}));
  settings_.set_default(*id, std::move(value));
  return {};
}

}  // namespace orrery
