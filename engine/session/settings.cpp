#include "session/settings.h"

#include <array>

#include "base/check.h"

namespace orrery {
namespace {

// The defaults as values, so that reads return references everywhere.
const SettingValue& shared_default(SettingId id) {
  static const auto kDefaults = [] {
    std::array<SettingValue, kSettingCount> values;
    for (size_t i = 0; i < kSettingCount; ++i)
      values[i] = setting_default(static_cast<SettingId>(i));
    return values;
  }();
  return kDefaults[static_cast<size_t>(id)];
}

}  // namespace

const SettingValue& Settings::value(SettingId id) const {
  if (const uint64_t now = generation(); found_generation_ != now) {
    found_.fill(nullptr);
    found_generation_ = now;
  }
  const SettingValue*& found = found_[static_cast<size_t>(id)];
  if (found == nullptr) found = &find_value(id);
  return *found;
}

const SettingValue& Settings::find_value(SettingId id) const {
  if (auto found = held_.find(id); found != held_.end()) return found->second.current;
  return below_ == nullptr ? shared_default(id) : below_->value(id);
}

SettingValue Settings::default_value(SettingId id) const {
  if (auto found = held_.find(id); found != held_.end() && found->second.has_initial)
    return found->second.initial;
  return below_ == nullptr ? shared_default(id) : below_->value(id);
}

void Settings::set_default(SettingId id, SettingValue new_value) {
  CHECK(changes_.empty());
  ++generation_;
  held_[id] = {.current = new_value, .initial = new_value, .has_initial = true};
}

void Settings::remember(SettingId id, std::string_view name, SettingValue before, bool existed,
                        Scope scope, uint32_t level) {
  CHECK(changes_.empty() || changes_.back().level <= level);
  const bool local = scope == Scope::local;
  for (auto change = changes_.rbegin(); change != changes_.rend() && change->level == level;
       ++change) {
    if (change->id != id || change->name != name) continue;
    if (!local) {
      change->kind = ChangeKind::set;
    } else if (change->kind == ChangeKind::set) {
      change->kind = ChangeKind::set_local;
      change->masked = std::move(before);
    }
    return;
  }
  changes_.push_back({.level = level,
                      .kind = local ? ChangeKind::local : ChangeKind::set,
                      .id = id,
                      .name = std::string(name),
                      .before = std::move(before),
                      .existed = existed});
}

void Settings::set(SettingId id, SettingValue new_value, Scope scope, uint32_t level) {
  remember(id, "", value(id), true, scope, level);
  ++generation_;
  held_[id].current = std::move(new_value);
}

void Settings::reset(SettingId id, Scope scope, uint32_t level) {
  set(id, default_value(id), scope, level);
}

const std::string* Settings::custom(std::string_view name) const {
  if (auto found = custom_.find(name); found != custom_.end()) return &found->second;
  return below_ == nullptr ? nullptr : below_->custom(name);
}

void Settings::set_custom(std::string_view name, std::string text, Scope scope, uint32_t level) {
  auto found = custom_.find(name);
  const bool existed = found != custom_.end();
  remember(SettingId::count, name, {.text = existed ? found->second : std::string()}, existed,
           scope, level);
  ++generation_;
  custom_[std::string(name)] = std::move(text);
}

void Settings::set_custom_default(std::string_view name, std::string text) {
  CHECK(changes_.empty());
  ++generation_;
  custom_[std::string(name)] = text;
  custom_initial_[std::string(name)] = std::move(text);
}

void Settings::reset_custom(std::string_view name, Scope scope, uint32_t level) {
  auto initial = custom_initial_.find(name);
  set_custom(name, initial == custom_initial_.end() ? std::string() : initial->second, scope,
             level);
}

void Settings::each_custom(FunctionRef<void(const std::string&, const std::string&)> use) const {
  for (const auto& [name, text] : custom_) use(name, text);
}

void Settings::restore(const Change& change, const SettingValue& to) {
  ++generation_;
  if (change.id != SettingId::count) {
    held_[change.id].current = to;
  } else if (change.existed || &to == &change.masked) {
    custom_[change.name] = to.text;
  } else {
    custom_[change.name].clear();  // a placeholder that was set stays known, as empty
  }
}

// The level of `change` has been released into the one below.
void Settings::release(Change change) {
  --change.level;
  for (auto below = changes_.rbegin(); below != changes_.rend() && below->level >= change.level;
       ++below) {
    if (below->level != change.level || below->id != change.id || below->name != change.name)
      continue;
    if (change.kind == ChangeKind::set) {
      below->kind = ChangeKind::set;
    } else if (change.kind == ChangeKind::set_local) {
      below->kind = ChangeKind::set_local;
      below->masked = std::move(change.masked);
    } else if (below->kind == ChangeKind::set) {
      below->kind = ChangeKind::set_local;
      below->masked = std::move(change.before);
    }
    return;
  }
  // Inserted where its new level ends.
  auto at = changes_.end();
  while (at != changes_.begin() && std::prev(at)->level > change.level) --at;
  changes_.insert(at, std::move(change));
}

void Settings::end_level(uint32_t level, bool committed) {
  CHECK(level >= 1);
  std::vector<Change> ended;
  while (!changes_.empty() && changes_.back().level >= level) {
    ended.push_back(std::move(changes_.back()));
    changes_.pop_back();
  }
  for (auto change = ended.begin(); change != ended.end(); ++change) {  // newest first
    if (!committed) {
      restore(*change, change->before);
    } else if (level == 1) {
      if (change->kind == ChangeKind::local) restore(*change, change->before);
      if (change->kind == ChangeKind::set_local) restore(*change, change->masked);
    }
  }
  if (!committed || level == 1) return;
  for (auto change = ended.rbegin(); change != ended.rend(); ++change) release(std::move(*change));
}

}  // namespace orrery
