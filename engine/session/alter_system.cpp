// ALTER SYSTEM: settings into orrery.auto.conf, for the next start or reload.

#include "base/text.h"
#include "session/config_file.h"
#include "session/session.h"
#include "session/setting_checks.h"

namespace orrery {

Result<std::string> Session::alter_system_statement(Fiber& fiber,
                                                    const AlterSystemStmt& statement) {
  const VariableSetStmt& set = *statement.setstmt;
  const bool all = set.kind == VariableSetKind::reset_all;
  if (settings_.get_text(SettingId::is_superuser) != "on") {
    return raise(sqlstate::insufficient_privilege,
                 all ? std::string("permission denied to perform ALTER SYSTEM RESET ALL")
                     : cat("permission denied to set parameter \"", set.name, "\""));
  }
  TRY(block_.check_alone("ALTER SYSTEM"));
  if (all) {
    TRY(node_.configuration.lock(fiber));
    const UnlockGuard unlock(node_.configuration);
    TRY(alter_system_reset_all(fiber));
    return std::string("ALTER SYSTEM");
  }
  const std::optional<SettingId> id = find_setting(set.name);
  if (!id) {
    return raise(sqlstate::undefined_object,
                 cat("unrecognized configuration parameter \"", set.name, "\""));
  }
  const SettingDef& def = setting_def(*id);
  if (def.context == SettingContext::internal || *id == SettingId::data_directory ||
      is_state(*id)) {
    return raise(sqlstate::cant_change_runtime_param,
                 cat("parameter \"", def.name, "\" cannot be changed"));
  }
  std::optional<std::string> text;
  if (set.kind == VariableSetKind::set_value) {
    text = TRY(set_text(set));
    if (text->find_first_of("\n\r") != std::string::npos) {
      return raise(sqlstate::invalid_parameter_value,
                   "parameter value for ALTER SYSTEM must not contain a newline");
    }
    SettingValue value = TRY(parse_setting(*id, *text));
    TRY(check_setting(*id, value, {.text = settings_.get_text(*id)}));
  }
  TRY(node_.configuration.lock(fiber));
  const UnlockGuard unlock(node_.configuration);
  TRY(alter_system(fiber, def.name, std::move(text)));
  return std::string("ALTER SYSTEM");
}

}  // namespace orrery
