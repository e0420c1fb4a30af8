// JSON made of SQL values: to_json, json_build_object, array_to_json, json_object, json_agg ... and
// their jsonb twins, which read what the json ones write.
#include <cmath>

#include "base/text.h"
#include "func/aggregate.h"
#include "func/json_internal.h"
#include "func/large_work.h"
#include "types/jsonb.h"
#include "types/type_oids.h"

namespace orrery {

Result<Datum> text_to_jsonb(Arena& arena, std::string_view text) {
  Json value = TRY(parse_json(text, true));
  TRY(normalise_jsonb(value));
  return make_jsonb(arena, value);
}

namespace {

enum class Form : uint8_t { number, boolean, moment, json, array, composite, other };

Form form_of(Oid type, const TypeInfo& info) {
  namespace t = type_oid;
  if (type == t::bool_) return Form::boolean;
  if (type == t::int2 || type == t::int4 || type == t::int8 || type == t::float4 ||
      type == t::float8 || type == t::numeric) {
    return Form::number;
  }
  if (type == t::date || type == t::timestamp || type == t::timestamptz) return Form::moment;
  if (type == t::json || type == t::jsonb) return Form::json;
  if (info.element) return Form::array;
  return Form::other;
}

// ISO 8601: T between date and time, a zone with its minutes.
std::string xml_moment(std::string text, Oid type) {
  const size_t space = text.find(' ');
  if (type == type_oid::date || space == std::string::npos) return text;
  text[space] = 'T';
  const size_t sign = text.find_first_of("+-", space);
  const size_t zone_end = sign == std::string::npos ? sign : text.find(' ', sign);
  const size_t end = zone_end == std::string::npos ? text.size() : zone_end;
  if (type == type_oid::timestamptz && sign != std::string::npos && end - sign == 3)
    text.insert(end, ":00");
  return text;
}

Status append_array(Call& call, Datum array, const TypeInfo& element, bool lines, std::string& out);

// A value with a known form.
Status append_value(Call& call, Oid type, const TypeInfo& info, Datum value, std::string& out) {
  std::string text;
  switch (form_of(type, info)) {
    case Form::boolean: out += value.as<bool>() ? "true" : "false"; return {};
    case Form::array:   {
      const TypeInfo* element = TRY(find_type(call.settings(), ArrayView::element_type(value)));
      return append_array(call, value, *element, false, out);
    }
    case Form::json: return output_value(call.arena(), call.settings(), type, value, out);
    case Form::number:
      TRY(output_value(call.arena(), call.settings(), type, value, text));
      // NaN and infinities are no JSON numbers.
      if (text.find_first_of("Nni") != std::string::npos) {
        append_json_string(out, text);
      } else {
        out += text;
      }
      return {};
    case Form::moment: {
      TypeSettings iso = call.settings();
      iso.date_style = DateStyle::iso;
      TRY(output_value(call.arena(), iso, type, value, text));
      append_json_string(out, xml_moment(std::move(text), type));
      return {};
    }
    case Form::composite:
    case Form::other:
      TRY(output_value(call.arena(), call.settings(), type, value, text));
      append_json_string(out, text);
      return {};
  }
  UNREACHABLE();
}

// One dimension of an array; those below it are in its items.
Status append_dimension(Call& call, ArrayView& view, const TypeInfo& element, int dimension,
                        bool lines, std::string& out) {
  out.push_back('[');
  const int32_t count = view.shape().sizes[static_cast<size_t>(dimension)];
  for (int32_t i = 0; i < count; ++i) {
    if (i > 0) out += lines ? ",\n " : ",";
    if (dimension + 1 < view.shape().dimensions()) {
      TRY(append_dimension(call, view, element, dimension + 1, false, out));
      continue;
    }
    const NullableDatum item = view.next();
    if (item.is_null) {
      out += "null";
    } else {
      TRY(append_value(call, element.oid, element, item.value, out));
    }
  }
  out.push_back(']');
  return {};
}
Status append_array(Call& call, Datum array, const TypeInfo& element, bool lines,
                    std::string& out) {
  ArrayView view(array, element);
  if (view.count() == 0) {
    out += "[]";
    return {};
  }
  return append_dimension(call, view, element, 0, lines, out);
}

Status append_key(Call& call, Oid type, Datum value, std::string& out) {
  const TypeInfo* info = TRY(find_type(call.settings(), type));
  const Form form = form_of(type, *info);
  if (form == Form::array || form == Form::json) {
    return raise(sqlstate::invalid_parameter_value,
                 "key value must be scalar, not array, composite, or json");
  }
  std::string text;
  TRY(append_value(call, type, *info, value, text));
  if (text.starts_with('"')) {
    out += text;
  } else {
    append_json_string(out, text);
  }
  return {};
}

}  // namespace

Status append_as_json(Call& call, Oid type, NullableDatum value, std::string& out) {
  if (value.is_null) {
    out += "null";
    return {};
  }
  if (type == type_oid::record) return unsupported("a row as JSON");
  const TypeInfo* info = TRY(find_type(call.settings(), type));
  return append_value(call, type, *info, value.value, out);
}

namespace {

struct Argument {
  Oid type;
  NullableDatum value;
};
// Those of one row; VARIADIC array spreads out. Nothing for a NULL array.
Result<std::optional<std::vector<Argument>>> arguments(Call& call, std::span<const Vector> args,
                                                       uint32_t row) {
  std::vector<Argument> out;
  if (call.site.variadic) {
    const NullableDatum array = args[0].at(row);
    if (array.is_null) return std::optional<std::vector<Argument>>();
    const Oid type = ArrayView::element_type(array.value);
    const TypeInfo* info = TRY(find_type(call.settings(), type));
    for (const NullableDatum& value : ArrayView(array.value, *info).all())
      out.push_back({type, value});
  } else {
    for (size_t i = 0; i < args.size(); ++i)
      out.push_back({call.argument_type(i), args[i].at(row)});
  }
  return std::optional(std::move(out));
}

Result<std::string> build_object(Call& call, std::span<const Argument> args, bool binary) {
  if (args.size() % 2 != 0) {
    return raise(sqlstate::invalid_parameter_value,
                 "argument list must have even number of elements")
        .hint(cat("The arguments of json", binary ? "b" : "",
                  "_build_object() must consist of alternating keys and values."));
  }
  std::string out = "{";
  for (size_t i = 0; i < args.size(); i += 2) {
    if (i > 0) out += ", ";
    if (args[i].value.is_null) {
      if (binary) {
        return raise(sqlstate::invalid_parameter_value,
                     cat("argument ", i + 1, ": key must not be null"));
      }
      return raise(sqlstate::invalid_parameter_value, cat("argument ", i + 1, " cannot be null"))
          .hint("Object keys should be text.");
    }
    TRY(append_key(call, args[i].type, args[i].value.value, out));
    out += " : ";
    TRY(append_as_json(call, args[i + 1].type, args[i + 1].value, out));
  }
  return out + "}";
}
Result<std::string> build_array(Call& call, std::span<const Argument> args, bool) {
  std::string out = "[";
  for (const Argument& argument : args) {
    if (out.size() > 1) out += ", ";
    TRY(append_as_json(call, argument.type, argument.value, out));
  }
  return out + "]";
}

Result<Datum> finish(Arena& arena, const std::string& text, bool binary) {
  if (binary) return text_to_jsonb(arena, text);
  return make_varlena(arena, text);
}

template <auto kBuild, bool kBinary>
constexpr Kernel kOfArguments = [](EvalContext& context, CallSite& site,
                                   std::span<const Vector> args, Rows rows, Vector& out) -> Status {
  Call call{context, site};
  for (uint32_t i = 0; i < rows.count; ++i) {
    const std::optional<std::vector<Argument>> given = TRY(arguments(call, args, rows[i]));
    if (!given) {
      out.set_null(rows[i]);
      continue;
    }
    const std::string text = TRY(kBuild(call, *given, kBinary));
    const Datum made = TRY(finish(context.arena, text, kBinary));
    out.set(rows[i], made);
  }
  return {};
};
template <bool kBinary>
constexpr Kernel kToJson = lift([](Call& call, Datum v) -> Result<Datum> {
  std::string text;
  TRY(append_as_json(call, call.argument_type(0), {v, false}, text));
  return finish(call.arena(), text, kBinary);
});

Result<Datum> array_to_json(Call& call, Datum array, bool lines) {
  const TypeInfo* element = TRY(find_type(call.settings(), ArrayView::element_type(array)));
  std::string text;
  TRY(append_array(call, array, *element, lines, text));
  return make_varlena(call.arena(), text);
}

// json_object('{a,1,b,2}'), json_object('{{a,1},{b,2}}')
Result<std::string> object_of_pairs(Call& call, Datum array) {
  const ArrayShape shape = ArrayView::shape_of(array);
  const auto wrong = [](std::string_view what) {
    return raise(sqlstate::array_subscript_error, std::string(what));
  };
  if (shape.dimensions() > 2) return wrong("wrong number of array subscripts");
  if (shape.dimensions() == 1 && shape.sizes[0] % 2 != 0)
    return wrong("array must have even number of elements");
  if (shape.dimensions() == 2 && shape.sizes[1] != 2) return wrong("array must have two columns");
  const TypeInfo* text = TRY(find_type(call.settings(), type_oid::text));
  const std::vector<NullableDatum> values = ArrayView(array, *text).all();
  std::string out = "{";
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    if (i > 0) out += ", ";
    if (values[i].is_null) {
      return raise(sqlstate::null_value_not_allowed, "null value not allowed for object key");
    }
    append_json_string(out, values[i].value.text());
    out += " : ";
    if (values[i + 1].is_null) {
      out += "null";
    } else {
      append_json_string(out, values[i + 1].value.text());
    }
  }
  return out + "}";
}
Result<std::string> object_of_two(Call& call, Datum keys, Datum values) {
  const int dimensions = ArrayView::shape_of(keys).dimensions();
  if (dimensions > 1 || dimensions != ArrayView::shape_of(values).dimensions())
    return raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
  const TypeInfo* text = TRY(find_type(call.settings(), type_oid::text));
  const std::vector<NullableDatum> names = ArrayView(keys, *text).all();
  const std::vector<NullableDatum> items = ArrayView(values, *text).all();
  if (names.size() != items.size())
    return raise(sqlstate::array_subscript_error, "mismatched array dimensions");
  std::string out = "{";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ", ";
    if (names[i].is_null)
      return raise(sqlstate::null_value_not_allowed, "null value not allowed for object key");
    append_json_string(out, names[i].value.text());
    out += " : ";
    if (items[i].is_null) {
      out += "null";
    } else {
      append_json_string(out, items[i].value.text());
    }
  }
  return out + "}";
}
template <bool kBinary>
constexpr Kernel kObjectOfPairs = lift([](Call& call, Datum array) -> Result<Datum> {
  const std::string text = TRY(object_of_pairs(call, array));
  return finish(call.arena(), text, kBinary);
});
template <bool kBinary>
constexpr Kernel kObjectOfTwo = lift([](Call& call, Datum keys, Datum values) -> Result<Datum> {
  const std::string text = TRY(object_of_two(call, keys, values));
  return finish(call.arena(), text, kBinary);
});

// ---- aggregates: the text so far, in the aggregate's arena

struct TextState {
  char* data;
  size_t size, room;
};
Status append_text(EvalContext& context, TextState& state, std::string_view text) {
  if (state.size + text.size() > state.room) {
    state.room = std::max<size_t>(64, 2 * (state.size + text.size()));
    char* const larger = static_cast<char*>(context.arena.allocate(state.room, 1));
    TRY(copy_large(context, larger, state.data, state.size));
    state.data = larger;
  }
  TRY(copy_large(context, state.data + state.size, text.data(), text.size()));
  state.size += text.size();
  return {};
}
uint64_t text_weight(const void* state) { return static_cast<const TextState*>(state)->size; }

Status agg_rows(EvalContext& context, CallSite& site, void* const* states,
                std::span<const Vector> args, Rows rows) {
  Call call{context, site};
  const TypeInfo* info = TRY(find_type(context.session.types, call.argument_type(0)));
  const bool structured = form_of(call.argument_type(0), *info) == Form::array;
  std::string text;
  for (uint32_t i = 0; i < rows.count; ++i) {
    auto& state = *static_cast<TextState*>(states[i]);
    text = state.size == 0 ? "[" : structured && !args[0].is_null(rows[i]) ? ", \n " : ", ";
    TRY(append_as_json(call, call.argument_type(0), args[0].at(rows[i]), text));
    TRY(append_text(context, state, text));
  }
  return {};
}
Status object_agg_rows(EvalContext& context, CallSite& site, void* const* states,
                       std::span<const Vector> args, Rows rows) {
  Call call{context, site};
  std::string text;
  for (uint32_t i = 0; i < rows.count; ++i) {
    auto& state = *static_cast<TextState*>(states[i]);
    const NullableDatum key = args[0].at(rows[i]);
    if (key.is_null) return raise(sqlstate::invalid_parameter_value, "field name must not be null");
    text = state.size == 0 ? "{ " : ", ";
    TRY(append_key(call, call.argument_type(0), key.value, text));
    text += " : ";
    TRY(append_as_json(call, call.argument_type(1), args[1].at(rows[i]), text));
    TRY(append_text(context, state, text));
  }
  return {};
}
template <bool kObject, bool kBinary>
Status agg_final(EvalContext& context, CallSite&, const void* at, NullableDatum* out) {
  const auto& state = *static_cast<const TextState*>(at);
  if (state.size == 0) return {};
  std::string text(state.data, state.size);
  text += kObject ? " }" : "]";
  const Datum made = TRY(finish(context.arena, text, kBinary));
  *out = {made, false};
  return {};
}

Datum empty_json(Call& call, std::string_view text) { return make_varlena(call.arena(), text); }

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("to_json", kToJson<false>),
    body("to_jsonb", kToJson<true>),
    body("array_to_json",
         lift([](Call& call, Datum array) { return array_to_json(call, array, false); })),
    body("array_to_json_pretty", lift([](Call& call, Datum array, bool lines) {
           return array_to_json(call, array, lines);
         })),
    body("json_build_object", kOfArguments<build_object, false>),
    body("jsonb_build_object", kOfArguments<build_object, true>),
    body("json_build_array", kOfArguments<build_array, false>),
    body("jsonb_build_array", kOfArguments<build_array, true>),
    body("json_build_object_noargs", lift([](Call& call) { return empty_json(call, "{}"); })),
    body("json_build_array_noargs", lift([](Call& call) { return empty_json(call, "[]"); })),
    body("jsonb_build_object_noargs",
         lift([](Call& call) { return text_to_jsonb(call.arena(), "{}"); })),
    body("jsonb_build_array_noargs",
         lift([](Call& call) { return text_to_jsonb(call.arena(), "[]"); })),
    body("json_object", kObjectOfPairs<false>),
    body("jsonb_object", kObjectOfPairs<true>),
    body("json_object_two_arg", kObjectOfTwo<false>),
    body("jsonb_object_two_arg", kObjectOfTwo<true>),
}));

}  // namespace

const AggregateKernel kJsonAgg{sizeof(TextState),       nullptr,    agg_rows, nullptr,
                               agg_final<false, false>, text_weight};
const AggregateKernel kJsonbAgg{sizeof(TextState),      nullptr,    agg_rows, nullptr,
                                agg_final<false, true>, text_weight};
const AggregateKernel kJsonObjectAgg{sizeof(TextState),      nullptr,    object_agg_rows, nullptr,
                                     agg_final<true, false>, text_weight};
const AggregateKernel kJsonbObjectAgg{sizeof(TextState),     nullptr,    object_agg_rows, nullptr,
                                      agg_final<true, true>, text_weight};

std::span<const FunctionBody> json_build_functions() { return kTable; }

}  // namespace orrery
