// The values of settings: of a node (defaults, then its configuration), and of a session on top of
// them. A session holds only what differs from its node, so that idle sessions are small.
//
// SET lasts for the session, SET LOCAL for the transaction; both are undone when the transaction or
// the savepoint they were made in rolls back. Undo is a stack of changes, one a setting a level:
//
//   change kind   at commit of the transaction      after RELEASE of a savepoint
//   set           the value stays                   becomes a set of the level below
//   local         the value before comes back       stays local, one level below
//   set_local     the SET before the SET LOCAL      the same
//                 comes back
//
// Names with a dot that mean nothing here are placeholders of applications, kept as text.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/function.h"
#include "session/setting.h"

namespace orrery {

class Settings {
 public:
  // `below`: the node's; null for the node's own.
  explicit Settings(const Settings* below = nullptr) : below_(below) {}
  Settings(const Settings&) = delete;

  bool get_bool(SettingId id) const { return value(id).number != 0; }
  int32_t get_int(SettingId id) const { return static_cast<int32_t>(value(id).number); }
  double get_real(SettingId id) const { return value(id).number; }
  int get_choice(SettingId id) const { return static_cast<int>(value(id).number); }
  const std::string& get_text(SettingId id) const { return value(id).text; }
  std::string show(SettingId id) const { return show_setting(id, value(id)); }
  // Grows with every change: what was derived from settings is derived again.
  uint64_t generation() const {
    return generation_ + (below_ == nullptr ? 0 : below_->generation());
  }

  enum class Scope : uint8_t { session, local };
  // What RESET goes back to: without a transaction, for configuration files and startup packets.
  void set_default(SettingId id, SettingValue new_value);
  // `level`: nesting of transaction and savepoints, 1 for the transaction itself.
  void set(SettingId id, SettingValue new_value, Scope scope, uint32_t level);
  void reset(SettingId id, Scope scope, uint32_t level);
  SettingValue default_value(SettingId id) const;

  // Placeholders. Null: never set.
  const std::string* custom(std::string_view name) const;
  void set_custom(std::string_view name, std::string text, Scope scope, uint32_t level);
  void set_custom_default(std::string_view name, std::string text);
  void reset_custom(std::string_view name, Scope scope, uint32_t level);
  void each_custom(FunctionRef<void(const std::string& name, const std::string& text)> use) const;

  // Undoes or keeps what was changed at `level`.
  void end_level(uint32_t level, bool committed);
  bool has_changes() const { return !changes_.empty(); }

 private:
  struct Held {
    SettingValue current, initial;
    bool has_initial = false;  // a default of this session's own
  };
  using Key = std::string;  // of a placeholder; of others see `id`
  enum class ChangeKind : uint8_t { set, local, set_local };
  struct Change {
    uint32_t level;
    ChangeKind kind;
    SettingId id;  // SettingId::count: the placeholder `name`
    std::string name;
    SettingValue before;  // when this level first changed it
    SettingValue masked;  // set_local: what SET made of it
    bool existed = true;  // placeholders: false if it was not there before
  };

  const SettingValue& value(SettingId id) const;
  const SettingValue& find_value(SettingId id) const;
  void remember(SettingId id, std::string_view name, SettingValue before, bool existed, Scope scope,
                uint32_t level);
  void restore(const Change& change, const SettingValue& to);
  void release(Change change);

  const Settings* below_;
  uint64_t generation_ = 1;
  std::map<SettingId, Held> held_;
  std::map<std::string, std::string, std::less<>> custom_, custom_initial_;
  std::vector<Change> changes_;  // in order of level
  // Where the values are, as of a generation: every statement reads a dozen of them.
  mutable std::array<const SettingValue*, kSettingCount> found_{};
  mutable uint64_t found_generation_ = 0;
};

}  // namespace orrery
