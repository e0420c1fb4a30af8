// jsonb: order, containment, changes, casts.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "func/json_internal.h"
#include "types/float_types.h"
#include "types/jsonb.h"
#include "types/numeric.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

Status wrong(std::string message, std::string hint = {}) {
  Status status = raise(sqlstate::invalid_parameter_value, std::move(message));
  return hint.empty() ? std::move(status) : std::move(status).hint(std::move(hint));
}

bool has_key(const Json& value, std::string_view key) {
  const auto is_key = [&](const Json& item) {
    return item.kind == JsonKind::string && item.text == key;
  };
  if (value.kind == JsonKind::object) return value.find(key) != nullptr;
  if (value.kind == JsonKind::array) return std::ranges::any_of(value.items, is_key);
  return is_key(value);
}
Result<bool> has_keys(Call& call, Datum v, Datum array, bool all) {
  const TypeInfo* const text = TRY(find_type(call.settings(), type_oid::text));
  const std::vector<NullableDatum> keys = ArrayView(array, *text).all();  // of any dimensions
  const Json value = load_jsonb(v);
  for (const NullableDatum& key : keys) {
    if (!key.is_null && has_key(value, key.value.text()) != all) return !all;
  }
  return all;
}

// ---- changes

void remove_at(Json& value, size_t i) {
  value.items.erase(value.items.begin() + static_cast<ptrdiff_t>(i));
  if (value.kind == JsonKind::object)
    value.keys.erase(value.keys.begin() + static_cast<ptrdiff_t>(i));
}
void remove_key(Json& value, std::string_view key) {
  for (size_t i = value.items.size(); i-- > 0;) {
    const bool gone = value.kind == JsonKind::object
                          ? value.keys[i] == key
                          : value.items[i].kind == JsonKind::string && value.items[i].text == key;
    if (gone) remove_at(value, i);
  }
}
Result<Datum> delete_index(Arena& arena, Datum v, int32_t index) {
  Json value = load_jsonb(v);
  if (value.is_scalar()) return wrong("cannot delete from scalar");
  if (value.kind == JsonKind::object) return wrong("cannot delete from object using integer index");
  const auto count = static_cast<int64_t>(value.items.size());
  const int64_t at = index < 0 ? index + count : index;
  if (at < 0 || at >= count) return v;
  remove_at(value, static_cast<size_t>(at));
  return make_jsonb(arena, value);
}

Result<Datum> concatenate(Arena& arena, Datum a, Datum b) {
  Json left = load_jsonb(a);
  Json right = load_jsonb(b);
  const bool both_objects = left.kind == JsonKind::object && right.kind == JsonKind::object;
  if (both_objects) {
    left.keys.insert(left.keys.end(), right.keys.begin(), right.keys.end());
    left.items.insert(left.items.end(), right.items.begin(), right.items.end());
    TRY(normalise_jsonb(left));
    return make_jsonb(arena, left);
  }
  Json out;
  out.kind = JsonKind::array;
  for (Json* side : {&left, &right}) {
    if (side->kind == JsonKind::array) {
      for (Json& item : side->items) out.items.push_back(std::move(item));
    } else {
      out.items.push_back(std::move(*side));
    }
  }
  return make_jsonb(arena, out);
}

enum class PathChange : uint8_t { create, replace, remove, insert_before, insert_after };

// Changes what a path leads to.
class PathSetter {
 public:
  PathSetter(std::span<const NullableDatum> path, const Json* fresh, PathChange change)
      : path_(path), fresh_(fresh), change_(change) {}

  Status apply(Json& value, size_t level) {
    if (path_[level].is_null) {
      return raise(sqlstate::null_value_not_allowed,
                   cat("path element at position ", level + 1, " is null"));
    }
    if (value.is_scalar()) return {};
    return value.kind == JsonKind::object ? apply_to_object(value, level)
                                          : apply_to_array(value, level);
  }

 private:
  bool is_last(size_t level) const { return level + 1 == path_.size(); }
  bool inserts() const {
    return change_ == PathChange::insert_before || change_ == PathChange::insert_after;
  }
  bool adds() const { return inserts() || change_ == PathChange::create; }

  Status apply_to_object(Json& value, size_t level) {
    const std::string_view key = path_[level].value.text();
    const auto found = std::ranges::find(value.keys, key);
    if (found == value.keys.end()) {
      if (!is_last(level) || !adds()) return {};
      value.keys.emplace_back(key);
      value.items.push_back(*fresh_);
      return normalise_jsonb(value);
    }
    const auto at = static_cast<size_t>(found - value.keys.begin());
    if (!is_last(level)) return apply(value.items[at], level + 1);
    if (inserts()) {
      return wrong("cannot replace existing key",
                   "Try using the function jsonb_set to replace key value.");
    }
    if (change_ == PathChange::remove) {
      remove_at(value, at);
    } else {
      value.items[at] = *fresh_;
    }
    return {};
  }

  Status apply_to_array(Json& value, size_t level) {
    const std::string_view step = path_[level].value.text();
    const auto given = path_index(step);
    if (!given) {
      return raise(
          sqlstate::invalid_text_representation,
          cat("path element at position ", level + 1, " is not an integer: \"", step, "\""));
    }
    const auto count = static_cast<int64_t>(value.items.size());
    int64_t index = *given;
    if (index < 0) index = -index > count ? -1 : index + count;
    index = std::min(index, count);
    if (is_last(level) && adds() && (index < 0 || count == 0)) {
      value.items.insert(value.items.begin(), *fresh_);
      return {};
    }
    if (index < 0) return {};
    const auto at = static_cast<size_t>(index);
    if (index == count) {
      if (is_last(level) && adds()) value.items.push_back(*fresh_);
      return {};
    }
    if (!is_last(level)) return apply(value.items[at], level + 1);
    switch (change_) {
      case PathChange::create:
      case PathChange::replace: value.items[at] = *fresh_; break;
      case PathChange::remove:  remove_at(value, at); break;
      case PathChange::insert_before:
      case PathChange::insert_after:
        value.items.insert(
            value.items.begin() + index + (change_ == PathChange::insert_after ? 1 : 0), *fresh_);
        break;
    }
    return {};
  }

  const std::span<const NullableDatum> path_;
  const Json* const fresh_;
  const PathChange change_;
};

Result<Datum> change_path(Call& call, Datum v, Datum path, const Json* fresh, PathChange change) {
  const std::vector<NullableDatum> steps = TRY(text_elements(call, path));
  Json value = load_jsonb(v);
  if (value.is_scalar()) {
    return wrong(change == PathChange::remove ? "cannot delete path in scalar"
                                              : "cannot set path in scalar");
  }
  const bool empty_stays =
      value.items.empty() && (change == PathChange::remove || change == PathChange::replace);
  if (steps.empty() || empty_stays) return v;
  TRY(PathSetter(steps, fresh, change).apply(value, 0));
  return make_jsonb(call.arena(), value);
}

// jsonb_set_lax(target, path, new value, create, what a NULL does); NULL without its other
// arguments.
Result<NullableDatum> set_lax(Call& call, NullableDatum v, NullableDatum path, NullableDatum fresh,
                              NullableDatum create, NullableDatum treatment) {
  if (v.is_null || path.is_null || create.is_null) return NullableDatum{};
  const auto given = [](Result<Datum> value) -> Result<NullableDatum> {
    const Datum made = TRY(std::move(value));
    return NullableDatum{made, false};
  };
  const PathChange change = create.value.as<bool>() ? PathChange::create : PathChange::replace;
  constexpr std::string_view kChoices =
      "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
      "\"raise_exception\"";
  if (treatment.is_null) return wrong(std::string(kChoices));
  if (!fresh.is_null) {
    const Json value = load_jsonb(fresh.value);
    return given(change_path(call, v.value, path.value, &value, change));
  }
  const std::string_view how = treatment.value.text();
  if (how == "raise_exception") {
    return raise(sqlstate::null_value_not_allowed, "JSON value must not be null")
        .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
        .hint(
            "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL "
            "is not passed.");
  }
  if (how == "use_json_null") {
    const Json value;
    return given(change_path(call, v.value, path.value, &value, change));
  }
  if (how == "delete_key")
    return given(change_path(call, v.value, path.value, nullptr, PathChange::remove));
  if (how == "return_target") return v;
  return wrong(std::string(kChoices));
}

// ---- casts

Result<Json> scalar_of(Datum v, JsonKind wanted, std::string_view type) {
  Json value = load_jsonb(v);
  if (value.kind == wanted) return value;
  const std::string_view found =
      value.kind == JsonKind::number ? std::string_view("numeric") : json_kind_name(value.kind);
  return wrong(cat("cannot cast jsonb ", found, " to type ", type));
}
template <class T>
Result<T> integer_of(Datum v, std::string_view type) {
  const Json value = TRY(scalar_of(v, JsonKind::number, type));
  const Numeric number = TRY(parse_numeric(value.text));
  const std::optional<int64_t> whole = numeric_to_int64(number);
  if (!whole || *whole < std::numeric_limits<T>::min() || *whole > std::numeric_limits<T>::max())
    return raise(sqlstate::numeric_value_out_of_range, cat(type, " out of range"));
  return static_cast<T>(*whole);
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("jsonb_eq", ordered<compare_jsonb>([](int o) { return o == 0; })),
    body("jsonb_ne", ordered<compare_jsonb>([](int o) { return o != 0; })),
    body("jsonb_lt", ordered<compare_jsonb>([](int o) { return o < 0; })),
    body("jsonb_le", ordered<compare_jsonb>([](int o) { return o <= 0; })),
    body("jsonb_gt", ordered<compare_jsonb>([](int o) { return o > 0; })),
    body("jsonb_ge", ordered<compare_jsonb>([](int o) { return o >= 0; })),
    body("jsonb_cmp", ordered<compare_jsonb>([](int o) { return int32_t{o}; })),
    body("jsonb_contains",
         lift([](Datum a, Datum b) { return jsonb_contains(load_jsonb(a), load_jsonb(b)); })),
    body("jsonb_contained",
         lift([](Datum a, Datum b) { return jsonb_contains(load_jsonb(b), load_jsonb(a)); })),
    body("jsonb_exists",
         lift([](Datum v, std::string_view key) { return has_key(load_jsonb(v), key); })),
    body("jsonb_exists_any",
         lift([](Call& call, Datum v, Datum keys) { return has_keys(call, v, keys, false); })),
    body("jsonb_exists_all",
         lift([](Call& call, Datum v, Datum keys) { return has_keys(call, v, keys, true); })),
    body("jsonb_concat",
         lift([](Call& call, Datum a, Datum b) { return concatenate(call.arena(), a, b); })),
    body("jsonb_delete", lift([](Call& call, Datum v, std::string_view key) -> Result<Datum> {
           Json value = load_jsonb(v);
           if (value.is_scalar()) return wrong("cannot delete from scalar");
           remove_key(value, key);
           return make_jsonb(call.arena(), value);
         })),
    body("jsonb_delete_array", lift([](Call& call, Datum v, Datum keys) -> Result<Datum> {
           const std::vector<NullableDatum> names = TRY(text_elements(call, keys));
           Json value = load_jsonb(v);
           if (value.is_scalar()) return wrong("cannot delete from scalar");
           for (const NullableDatum& name : names) {
             if (!name.is_null) remove_key(value, name.value.text());
           }
           return make_jsonb(call.arena(), value);
         })),
    body("jsonb_delete_idx", lift([](Call& call, Datum v, int32_t index) {
           return delete_index(call.arena(), v, index);
         })),
    body("jsonb_delete_path", lift([](Call& call, Datum v, Datum path) {
           return change_path(call, v, path, nullptr, PathChange::remove);
         })),
    body("jsonb_set", lift([](Call& call, Datum v, Datum path, Datum fresh, bool create) {
           const Json value = load_jsonb(fresh);
           return change_path(call, v, path, &value,
                              create ? PathChange::create : PathChange::replace);
         })),
    body("jsonb_set_lax", lift([](Call& call, NullableDatum v, NullableDatum path,
                                  NullableDatum fresh, NullableDatum create, NullableDatum how) {
           return set_lax(call, v, path, fresh, create, how);
         })),
    body("jsonb_insert", lift([](Call& call, Datum v, Datum path, Datum fresh, bool after) {
           const Json value = load_jsonb(fresh);
           return change_path(call, v, path, &value,
                              after ? PathChange::insert_after : PathChange::insert_before);
         })),
    body("jsonb_pretty", lift([](Datum v) {
           std::string out;
           append_jsonb_pretty(out, load_jsonb(v), 0);
           return out;
         })),
}));

constexpr auto kCasts = sorted_by_name(std::to_array<FunctionBody>({
    body("jsonb_bool", lift([](Datum v) -> Result<bool> {
           const Json value = TRY(scalar_of(v, JsonKind::boolean, "boolean"));
           return value.truth;
         })),
    body("jsonb_numeric", lift([](Datum v) -> Result<Numeric> {
           const Json value = TRY(scalar_of(v, JsonKind::number, "numeric"));
           return parse_numeric(value.text);
         })),
    body("jsonb_int2", lift([](Datum v) { return integer_of<int16_t>(v, "smallint"); })),
    body("jsonb_int4", lift([](Datum v) { return integer_of<int32_t>(v, "integer"); })),
    body("jsonb_int8", lift([](Datum v) { return integer_of<int64_t>(v, "bigint"); })),
    body("jsonb_float4", lift([](Call& call, Datum v) -> Result<Datum> {
           const Json value = TRY(scalar_of(v, JsonKind::number, "real"));
           return input_value(call.arena(), call.settings(), type_oid::float4, value.text);
         })),
    body("jsonb_float8", lift([](Call& call, Datum v) -> Result<Datum> {
           const Json value = TRY(scalar_of(v, JsonKind::number, "double precision"));
           return input_value(call.arena(), call.settings(), type_oid::float8, value.text);
         })),
}));

}  // namespace

std::span<const FunctionBody> jsonb_functions() { return kTable; }
std::span<const FunctionBody> jsonb_casts() { return kCasts; }

}  // namespace orrery
