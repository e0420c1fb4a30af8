// json and jsonb taken apart: fields, items, paths, and rows of them. One body serves both types:
// a json gives back its text as it was written, a jsonb a jsonb.
#include <charconv>

#include "base/text.h"
#include "func/json_internal.h"
#include "types/jsonb.h"
#include "types/type_oids.h"

namespace orrery {

std::optional<int32_t> path_index(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int32_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

const Json* json_item(const Json& value, int64_t index) {
  if (value.kind != JsonKind::array) return nullptr;
  const auto count = static_cast<int64_t>(value.items.size());
  if (index < 0) index += count;
  return index < 0 || index >= count ? nullptr : &value.items[static_cast<size_t>(index)];
}

Result<std::vector<NullableDatum>> text_elements(Call& call, Datum array) {
  if (ArrayView::shape_of(array).dimensions() > 1)
    return raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
  const TypeInfo* text = TRY(find_type(call.settings(), type_oid::text));
  return ArrayView(array, *text).all();
}

Result<const Json*> json_follow(Call& call, const Json& value, Datum path) {
  const std::vector<NullableDatum> steps = TRY(text_elements(call, path));
  const Json* at = &value;
  for (const NullableDatum& step : steps) {
    if (step.is_null) return static_cast<const Json*>(nullptr);
    const std::string_view name = step.value.text();
    if (at->kind == JsonKind::object) {
      at = at->find(name);
    } else {
      const auto index = path_index(name);
      at = index ? json_item(*at, *index) : nullptr;
    }
    if (at == nullptr) return at;
  }
  return at;
}

namespace {

// How each of the two types is read and given back.
struct Text {
  static constexpr std::string_view kName = "json";
  static Result<Json> read(Datum v) { return parse_json(v.text(), true); }
  static Result<Datum> write(Arena& arena, const Json& v) { return make_varlena(arena, v.raw); }
};
struct Tree {
  static constexpr std::string_view kName = "jsonb";
  static Result<Json> read(Datum v) { return load_jsonb(v); }
  static Result<Datum> write(Arena& arena, const Json& v) { return make_jsonb(arena, v); }
};

// As ->> gives it: a string bare, null as NULL.
template <class Form>
std::optional<std::string> as_plain(const Json& value) {
  if (value.kind == JsonKind::null) return std::nullopt;
  if (value.kind == JsonKind::string) return value.text;
  if constexpr (std::is_same_v<Form, Text>) return std::string(value.raw);
  std::string out;
  append_jsonb(out, value);
  return out;
}

template <class Form, bool kPlain>
Result<NullableDatum> give(Arena& arena, const Json* found) {
  if (found == nullptr) return NullableDatum{};
  if constexpr (kPlain) {
    const std::optional<std::string> text = as_plain<Form>(*found);
    if (!text) return NullableDatum{};
    return NullableDatum{make_varlena(arena, *text), false};
  } else {
    const Datum made = TRY(Form::write(arena, *found));
    return NullableDatum{made, false};
  }
}

// Strict functions that may find nothing.
Result<std::optional<Datum>> found(Result<NullableDatum> value) {
  const NullableDatum given = TRY(std::move(value));
  return given.is_null ? std::optional<Datum>() : std::optional<Datum>(given.value);
}

template <class Form, bool kPlain>
constexpr Kernel kField =
    lift([](Call& call, Datum v, std::string_view key) -> Result<std::optional<Datum>> {
      const Json value = TRY(Form::read(v));
      return found(give<Form, kPlain>(call.arena(), value.find(key)));
    });
template <class Form, bool kPlain>
constexpr Kernel kItem =
    lift([](Call& call, Datum v, int32_t index) -> Result<std::optional<Datum>> {
      const Json value = TRY(Form::read(v));
      // A lone scalar in a jsonb is an array of one.
      const bool lone = std::is_same_v<Form, Tree> && value.is_scalar();
      const Json* item =
          lone ? (index == 0 || index == -1 ? &value : nullptr) : json_item(value, index);
      return found(give<Form, kPlain>(call.arena(), item));
    });
template <class Form, bool kPlain>
constexpr Kernel kPath = lift([](Call& call, Datum v, Datum path) -> Result<std::optional<Datum>> {
  const Json value = TRY(Form::read(v));
  const Json* at = TRY(json_follow(call, value, path));
  return found(give<Form, kPlain>(call.arena(), at));
});
template <class Form>
constexpr Kernel kTypeof = lift([](Datum v) -> Result<std::string_view> {
  const Json value = TRY(Form::read(v));
  return json_kind_name(value.kind);
});
template <class Form>
constexpr Kernel kLength = lift([](Datum v) -> Result<int32_t> {
  const Json value = TRY(Form::read(v));
  if (value.kind == JsonKind::array) return static_cast<int32_t>(value.items.size());
  return raise(sqlstate::invalid_parameter_value, value.is_scalar()
                                                      ? "cannot get array length of a scalar"
                                                      : "cannot get array length of a non-array");
});

// ---- rows

struct JsonRows {
  std::span<NullableDatum> values;  // row after row
  size_t at;
};

Result<uint32_t> next_rows(EvalContext&, CallSite&, void* at, std::span<Vector> columns) {
  auto& state = *static_cast<JsonRows*>(at);
  uint32_t count = 0;
  for (; count < kBatchRows && state.at < state.values.size(); ++count) {
    for (Vector& column : columns) column.set(count, state.values[state.at++]);
  }
  return count;
}

using Rows2 = std::vector<NullableDatum>;
template <auto kMake>
Result<void*> begin_rows(EvalContext& context, CallSite&, std::span<const NullableDatum> args) {
  auto* const state = context.plan_arena.make<JsonRows>();
  if (args[0].is_null) return static_cast<void*>(state);
  Rows2 values;
  TRY(kMake(context.plan_arena, args[0].value, values));
  state->values = context.plan_arena.copy_array(values);
  return static_cast<void*>(state);
}

Status wrong(std::string message) {
  return raise(sqlstate::invalid_parameter_value, std::move(message));
}

template <class Form, bool kPlain>
Status make_items(Arena& arena, Datum v, Rows2& out) {
  const Json value = TRY(Form::read(v));
  const std::string function = cat(Form::kName, "_array_elements", kPlain ? "_text" : "");
  if (value.kind != JsonKind::array) {
    if (std::is_same_v<Form, Tree>) {
      return wrong(value.is_scalar() ? "cannot extract elements from a scalar"
                                     : "cannot extract elements from an object");
    }
    return wrong(
        cat("cannot call ", function, value.is_scalar() ? " on a scalar" : " on a non-array"));
  }
  for (const Json& item : value.items) {
    const NullableDatum given = TRY((give<Form, kPlain>(arena, &item)));
    out.push_back(given);
  }
  return {};
}
template <class Form, bool kPlain>
Status make_pairs(Arena& arena, Datum v, Rows2& out) {
  const Json value = TRY(Form::read(v));
  if (value.kind != JsonKind::object) {
    if (std::is_same_v<Form, Tree>)
      return wrong(cat("cannot call jsonb_each", kPlain ? "_text" : "", " on a non-object"));
    return wrong(value.is_scalar() ? "cannot deconstruct a scalar"
                                   : "cannot deconstruct an array as an object");
  }
  for (size_t i = 0; i < value.items.size(); ++i) {
    out.push_back({make_varlena(arena, value.keys[i]), false});
    const NullableDatum given = TRY((give<Form, kPlain>(arena, &value.items[i])));
    out.push_back(given);
  }
  return {};
}
template <class Form>
Status make_keys(Arena& arena, Datum v, Rows2& out) {
  const Json value = TRY(Form::read(v));
  if (value.kind != JsonKind::object) {
    return wrong(cat("cannot call ", Form::kName, "_object_keys on ",
                     value.is_scalar() ? "a scalar" : "an array"));
  }
  for (const std::string& key : value.keys) out.push_back({make_varlena(arena, key), false});
  return {};
}
template <auto kMake>
constexpr SetKernel kRowsOf{begin_rows<kMake>, next_rows};

constexpr FunctionBody set(std::string_view name, const SetKernel* kernel) {
  return {.name = name, .set = kernel};
}

// ---- without nulls

void strip_nulls(Json& value) {
  std::vector<std::string> keys;
  std::vector<Json> items;
  for (size_t i = 0; i < value.items.size(); ++i) {
    Json& item = value.items[i];
    if (value.kind == JsonKind::object && item.kind == JsonKind::null) continue;
    strip_nulls(item);
    if (value.kind == JsonKind::object) keys.push_back(std::move(value.keys[i]));
    items.push_back(std::move(item));
  }
  value.keys = std::move(keys);
  value.items = std::move(items);
}
void append_compact(std::string& out, const Json& value) {
  if (value.is_scalar()) {
    append_jsonb(out, value);
    return;
  }
  const bool object = value.kind == JsonKind::object;
  out.push_back(object ? '{' : '[');
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) out.push_back(',');
    if (object) {
      append_json_string(out, value.keys[i]);
      out.push_back(':');
    }
    append_compact(out, value.items[i]);
  }
  out.push_back(object ? '}' : ']');
}

#define FORMS(prefix, Form)                                                                        \
  body(prefix "_object_field", kField<Form, false>),                                               \
      body(prefix "_object_field_text", kField<Form, true>),                                       \
      body(prefix "_array_element", kItem<Form, false>),                                           \
      body(prefix "_array_element_text", kItem<Form, true>),                                       \
      body(prefix "_extract_path", kPath<Form, false>),                                            \
      body(prefix "_extract_path_text", kPath<Form, true>), body(prefix "_typeof", kTypeof<Form>), \
      body(prefix "_array_length", kLength<Form>),                                                 \
      set(prefix "_array_elements", &kRowsOf<make_items<Form, false>>),                            \
      set(prefix "_array_elements_text", &kRowsOf<make_items<Form, true>>),                        \
      set(prefix "_each", &kRowsOf<make_pairs<Form, false>>),                                      \
      set(prefix "_each_text", &kRowsOf<make_pairs<Form, true>>),                                  \
      set(prefix "_object_keys", &kRowsOf<make_keys<Form>>)

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    FORMS("json", Text),
    FORMS("jsonb", Tree),
    body("json_strip_nulls", lift([](std::string_view v) -> Result<std::string> {
           Json value = TRY(parse_json(v, true));
           strip_nulls(value);
           std::string out;
           append_compact(out, value);
           return out;
         })),
    body("jsonb_strip_nulls", lift([](Call& call, Datum v) -> Result<Datum> {
           Json value = load_jsonb(v);
           strip_nulls(value);
           return make_jsonb(call.arena(), value);
         })),
}));

}  // namespace

std::span<const FunctionBody> json_functions() { return kTable; }

}  // namespace orrery
