#include "func/jsonb_subscript.h"

#include "base/text.h"
#include "func/json_internal.h"
#include "types/jsonb.h"

namespace orrery {
namespace {

Status at_scalar() {
  return raise(sqlstate::invalid_parameter_value, "cannot replace existing key")
      .detail("The path assumes key is a composite object, but it is a scalar value.");
}

// Puts `fresh` where a path leads.
class Assignment {
 public:
  Assignment(std::span<const std::string_view> path, const Json& fresh)
      : path_(path), fresh_(fresh) {}

  Status apply(Json& value, size_t level) {
    if (level == path_.size()) {
      value = fresh_;
      return {};
    }
    if (value.is_scalar()) return at_scalar();
    return value.kind == JsonKind::object ? to_object(value, level) : to_array(value, level);
  }

 private:
  // What the steps from `level` on make of nothing.
  Json missing(size_t level) const {
    if (level == path_.size()) return fresh_;
    Json made;
    const std::optional<int32_t> index = path_index(path_[level]);
    made.kind = index ? JsonKind::array : JsonKind::object;
    if (index) {
      if (*index > 0) made.items.resize(static_cast<size_t>(*index));
    } else {
      made.keys.emplace_back(path_[level]);
    }
    made.items.push_back(missing(level + 1));
    return made;
  }

  Status to_object(Json& value, size_t level) {
    const auto found = std::ranges::find(value.keys, path_[level]);
    if (found != value.keys.end())
      return apply(value.items[static_cast<size_t>(found - value.keys.begin())], level + 1);
    value.keys.emplace_back(path_[level]);
    value.items.push_back(missing(level + 1));
    return {};
  }

  Status to_array(Json& value, size_t level) {
    const std::optional<int32_t> given = path_index(path_[level]);
    if (!given) {
      return raise(sqlstate::invalid_text_representation,
                   cat("path element at position ", level + 1, " is not an integer: \"",
                       path_[level], "\""));
    }
    const auto count = static_cast<int64_t>(value.items.size());
    const int64_t index = *given < 0 ? *given + count : *given;
    if (index < 0) {
      return raise(sqlstate::invalid_parameter_value,
                   cat("path element at position ", level + 1, " is out of range: ", *given));
    }
    if (index < count) return apply(value.items[static_cast<size_t>(index)], level + 1);
    value.items.resize(static_cast<size_t>(index));
    value.items.push_back(missing(level + 1));
    return {};
  }

  const std::span<const std::string_view> path_;
  const Json& fresh_;
};

}  // namespace

Result<NullableDatum> jsonb_element(Arena& arena, Datum value,
                                    std::span<const std::string_view> path) {
  const Json whole = load_jsonb(value);
  const Json* at = &whole;
  for (const std::string_view step : path) {
    if (at->kind == JsonKind::object) {
      at = at->find(step);
    } else {
      const std::optional<int32_t> index = path_index(step);
      at = index ? json_item(*at, *index) : nullptr;
    }
    if (at == nullptr) return NullableDatum{};
  }
  const Datum made = TRY(make_jsonb(arena, *at));
  return NullableDatum{made, false};
}

Result<Datum> assign_jsonb_element(Arena& arena, NullableDatum value,
                                   std::span<const std::string_view> path, bool indexed,
                                   NullableDatum fresh) {
  Json whole;
  whole.kind = indexed ? JsonKind::array : JsonKind::object;
  if (!value.is_null) whole = load_jsonb(value.value);
  const Json put = fresh.is_null ? Json() : load_jsonb(fresh.value);
  TRY(Assignment(path, put).apply(whole, 0));
  TRY(normalise_jsonb(whole));
  return make_jsonb(arena, whole);
}

}  // namespace orrery
