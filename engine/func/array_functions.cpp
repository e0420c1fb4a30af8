// Arrays as values: size and shape, search, change, comparison, conversion to and from text.
#include "base/text.h"
#include "func/lift.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

Result<const TypeInfo*> element_info(Call& call, Datum array) {
  return find_type(call.settings(), ArrayView::element_type(array));
}

// The element type of the call's result or of argument `i`, for calls whose array may be NULL.
Result<const TypeInfo*> element_of_type(Call& call, Oid array_type) {
  const TypeInfo* const array = TRY(find_type(call.settings(), array_type));
  return find_type(call.settings(), array->element);
}

Status no_equality(const TypeInfo& type) {
  return raise(sqlstate::undefined_function,
               cat("could not identify an equality operator for type ", type.name));
}

struct Parts {
  const TypeInfo* type = nullptr;
  ArrayShape shape;
  std::vector<NullableDatum> values;
};
Result<Parts> take_apart(Call& call, Datum array) {
  Parts parts;
  parts.type = TRY(element_info(call, array));
  ArrayView view(array, *parts.type);
  parts.values = view.all();
  parts.shape = view.shape();
  return parts;
}

Status one_dimension(std::string_view message) {
  return raise(sqlstate::feature_not_supported, std::string(message));
}

// array || element and element || array.
Result<Datum> push(Call& call, NullableDatum array, NullableDatum element, bool front) {
  Parts parts;
  if (array.is_null) {
    parts.type = TRY(element_of_type(call, call.site.result_type));
  } else {
    parts = TRY(take_apart(call, array.value));
  }
  if (parts.shape.dimensions() > 1) {
    return raise(sqlstate::data_exception, "argument must be empty or one-dimensional array");
  }
  const int32_t low =
      parts.values.empty() ? 1 : parts.shape.lower[0];  // stays, also when pushing in front
  parts.values.insert(front ? parts.values.begin() : parts.values.end(), element);
  int32_t end = 0;
  if (__builtin_add_overflow(low, static_cast<int32_t>(parts.values.size()), &end))
    return raise_out_of_range("integer");
  return make_array(call.arena(), *parts.type, {{static_cast<int32_t>(parts.values.size())}, {low}},
                    parts.values);
}

Status incompatible(std::string_view detail) {
  return raise(sqlstate::array_subscript_error, "cannot concatenate incompatible arrays")
      .detail(std::string(detail));
}

// Arrays of one number of dimensions are joined along the first; one of a dimension less becomes a
// row of the other.
Result<Datum> concatenate(Call& call, Datum a, Datum b) {
  Parts x = TRY(take_apart(call, a));
  Parts y = TRY(take_apart(call, b));
  if (x.values.empty()) return b;
  if (y.values.empty()) return a;
  const int dx = x.shape.dimensions();
  const int dy = y.shape.dimensions();
  if (dx != dy && dx != dy - 1 && dx != dy + 1) {
    return incompatible(
        cat("Arrays of ", dx, " and ", dy, " dimensions are not compatible for concatenation."));
  }
  ArrayShape shape = dx >= dy ? x.shape : y.shape;
  const ArrayShape& smaller = dx >= dy ? y.shape : x.shape;
  const size_t skip = dx == dy ? 1 : 0;
  for (size_t d = skip; d < smaller.sizes.size(); ++d) {
    const size_t other = d + (dx == dy ? 0 : 1);
    if (smaller.sizes[d] != shape.sizes[other] || smaller.lower[d] != shape.lower[other]) {
      return incompatible(
          dx == dy
              ? "Arrays with differing element dimensions are not compatible for concatenation."
              : "Arrays with differing dimensions are not compatible for concatenation.");
    }
  }
  shape.sizes[0] += dx == dy ? y.shape.sizes[0] : 1;
  if (dx == dy) shape.lower[0] = x.shape.lower[0];
  x.values.insert(x.values.end(), y.values.begin(), y.values.end());
  TRY(check_array_size(shape));
  return make_array(call.arena(), *x.type, shape, x.values);
}

std::string dimensions_text(const ArrayShape& shape) {
  std::string out;
  for (size_t d = 0; d < shape.sizes.size(); ++d)
    out += cat("[", shape.lower[d], ":", shape.lower[d] + shape.sizes[d] - 1, "]");
  return out;
}

using MaybeInt = std::optional<int32_t>;
template <class F>
MaybeInt of_dimension(Datum array, int32_t dimension, F f) {
  const ArrayShape shape = ArrayView::shape_of(array);
  if (dimension < 1 || dimension > shape.dimensions()) return std::nullopt;
  return f(shape.lower[static_cast<size_t>(dimension - 1)],
           shape.sizes[static_cast<size_t>(dimension - 1)]);
}

bool same(const TypeInfo& type, NullableDatum a, NullableDatum b) {
  if (a.is_null || b.is_null) return a.is_null && b.is_null;
  return type.compare(a.value, b.value) == 0;
}

Result<NullableDatum> position(Call& call, NullableDatum array, NullableDatum element,
                               NullableDatum start) {
  if (array.is_null) return NullableDatum{};
  Parts parts = TRY(take_apart(call, array.value));
  if (parts.shape.dimensions() > 1)
    return one_dimension("searching for elements in multidimensional arrays is not supported");
  if (parts.values.empty()) return NullableDatum{};
  if (parts.type->compare == nullptr) return no_equality(*parts.type);
  if (start.is_null)
    return raise(sqlstate::null_value_not_allowed, "initial position must not be null");
  const int32_t low = parts.shape.lower[0];
  for (size_t i = 0; i < parts.values.size(); ++i) {
    const int32_t number = low + static_cast<int32_t>(i);
    if (number >= start.value.as<int32_t>() && same(*parts.type, parts.values[i], element)) {
      return NullableDatum{Datum::of(number), false};
    }
  }
  return NullableDatum{};
}

Result<NullableDatum> positions(Call& call, NullableDatum array, NullableDatum element) {
  if (array.is_null) return NullableDatum{};
  Parts parts = TRY(take_apart(call, array.value));
  if (parts.shape.dimensions() > 1)
    return one_dimension("searching for elements in multidimensional arrays is not supported");
  if (parts.type->compare == nullptr) return no_equality(*parts.type);
  std::vector<NullableDatum> found;
  for (size_t i = 0; i < parts.values.size(); ++i) {
    if (same(*parts.type, parts.values[i], element)) {
      found.push_back({Datum::of(parts.shape.lower[0] + static_cast<int32_t>(i)), false});
    }
  }
  const Datum out = TRY(make_array(call.arena(), *find_builtin_type(type_oid::int4), found));
  return NullableDatum{out, false};
}

// Elements equal to `from` are dropped, or replaced by `to`.
Result<NullableDatum> substitute(Call& call, NullableDatum array, NullableDatum from,
                                 const NullableDatum* to) {
  if (array.is_null) return NullableDatum{};
  Parts parts = TRY(take_apart(call, array.value));
  if (to == nullptr && parts.shape.dimensions() > 1) {
    return one_dimension("removing elements from multidimensional arrays is not supported");
  }
  if (parts.values.empty()) return array;
  if (parts.type->compare == nullptr) return no_equality(*parts.type);
  std::vector<NullableDatum> values;
  for (const NullableDatum& value : parts.values) {
    if (!same(*parts.type, value, from)) {
      values.push_back(value);
    } else if (to != nullptr) {
      values.push_back(*to);
    }
  }
  if (values.size() == parts.values.size() && to == nullptr) return array;
  if (values.empty()) {
    parts.shape = {};
  } else if (to == nullptr) {
    parts.shape.sizes[0] = static_cast<int32_t>(values.size());
  }
  const Datum out = TRY(make_array(call.arena(), *parts.type, parts.shape, values));
  return NullableDatum{out, false};
}

Result<Datum> trim_end(Call& call, Datum array, int32_t count) {
  Parts parts = TRY(take_apart(call, array));
  const int32_t size = parts.shape.sizes.empty() ? 0 : parts.shape.sizes[0];
  if (count < 0 || count > size) {
    return raise(sqlstate::array_element_error,
                 cat("number of elements to trim must be between 0 and ", size));
  }
  if (count == size) return make_array(call.arena(), *parts.type, {}, {});
  parts.values.resize(parts.values.size() / static_cast<size_t>(size) *
                      static_cast<size_t>(size - count));
  parts.shape.sizes[0] -= count;
  // A slice, which starts at 1 in every dimension.
  parts.shape.lower.assign(parts.shape.lower.size(), 1);
  return make_array(call.arena(), *parts.type, parts.shape, parts.values);
}

Result<NullableDatum> fill(Call& call, NullableDatum value, NullableDatum sizes,
                           const NullableDatum* lower) {
  if (sizes.is_null || (lower != nullptr && lower->is_null)) {
    return raise(sqlstate::null_value_not_allowed,
                 "dimension array or low bound array cannot be null");
  }
  const TypeInfo& int4 = *find_builtin_type(type_oid::int4);
  const auto numbers = [&](Datum array, std::vector<int32_t>& out) -> Status {
    ArrayView view(array, int4);
    if (view.shape().dimensions() > 1) {
      return raise(sqlstate::array_subscript_error, "wrong number of array subscripts")
          .detail("Dimension array must be one dimensional.");
    }
    for (int64_t i = 0; i < view.count(); ++i) {
      const NullableDatum n = view.next();
      if (n.is_null)
        return raise(sqlstate::null_value_not_allowed, "dimension values cannot be null");
      out.push_back(n.value.as<int32_t>());
    }
    return {};
  };
  ArrayShape shape;
  TRY(numbers(sizes.value, shape.sizes));
  if (shape.dimensions() > kMaxArrayDimensions) return too_many_dimensions(shape.dimensions());
  shape.lower.assign(shape.sizes.size(), 1);
  if (lower != nullptr) {
    shape.lower.clear();
    TRY(numbers(lower->value, shape.lower));
    if (shape.lower.size() != shape.sizes.size()) {
      return raise(sqlstate::array_subscript_error, "wrong number of array subscripts")
          .detail("Low bound array has different size than dimensions array.");
    }
  }
  for (const int32_t size : shape.sizes) {
    if (size < 0)
      return raise(sqlstate::array_subscript_error, "array size exceeds the maximum allowed");
  }
  TRY(check_array_size(shape));
  const TypeInfo* const type = TRY(element_of_type(call, call.site.result_type));
  const std::vector<NullableDatum> values(static_cast<size_t>(shape.count()), value);
  if (values.empty()) shape = {};
  const Datum out = TRY(make_array(call.arena(), *type, shape, values));
  return NullableDatum{out, false};
}

Result<std::string> to_text(Call& call, Datum array, std::string_view separator,
                            const std::string_view* null_text) {
  Parts parts = TRY(take_apart(call, array));
  std::string out;
  bool first = true;
  for (const NullableDatum& value : parts.values) {
    if (value.is_null && null_text == nullptr) continue;
    if (!first) out += separator;
    first = false;
    if (value.is_null) {
      out += *null_text;
    } else {
      TRY(output_value(call.arena(), call.settings(), parts.type->oid, value.value, out));
    }
  }
  return out;
}

// NULL separator: characters. NULL null_text: no field is NULL.
Result<NullableDatum> from_text(Call& call, NullableDatum text, NullableDatum separator,
                                NullableDatum null_text) {
  if (text.is_null) return NullableDatum{};
  const TypeInfo& type = *find_builtin_type(type_oid::text);
  std::vector<NullableDatum> values;
  const auto add_field = [&](std::string_view field) {
    if (!null_text.is_null && field == null_text.value.text()) {
      values.push_back({});
    } else {
      values.push_back({make_varlena(call.arena(), field), false});
    }
  };
  const std::string_view all = text.value.text();
  if (separator.is_null) {
    for (size_t at = 0; at < all.size();) {
      size_t end = at + 1;
      while (end < all.size() && (static_cast<unsigned char>(all[end]) & 0xc0) == 0x80) ++end;
      add_field(all.substr(at, end - at));
      at = end;
    }
  } else if (!all.empty()) {
    const std::string_view by = separator.value.text();
    size_t at = 0;
    for (size_t end; !by.empty() && (end = all.find(by, at)) != std::string_view::npos;
         at = end + by.size()) {
      add_field(all.substr(at, end - at));
    }
    add_field(all.substr(at));
  }
  const Datum out = TRY(make_array(call.arena(), type, values));
  return NullableDatum{out, false};
}

// Whether each element of `a` is among those of `b` (contained), or any is (overlap). NULLs match
// nothing.
Result<bool> each_in(Call& call, Datum a, Datum b, bool all) {
  Parts x = TRY(take_apart(call, a));
  Parts y = TRY(take_apart(call, b));
  if (x.type->compare == nullptr) return no_equality(*x.type);
  for (const NullableDatum& left : x.values) {
    bool found = false;
    if (left.is_null) {
      if (all) return false;
      continue;
    }
    for (const NullableDatum& right : y.values) {
      found |= !right.is_null && x.type->compare(left.value, right.value) == 0;
      if (found) break;
    }
    if (found != all) return found;
  }
  return all;
}

Result<int> order(Call& call, Datum a, Datum b) {
  const TypeInfo* const type = TRY(element_info(call, a));
  if (type->compare == nullptr || find_builtin_type(type->oid) == nullptr) {
    return raise(sqlstate::undefined_function,
                 cat("could not identify a comparison function for type ", type->name));
  }
  return compare_array(a, b);
}
template <char kOp>
constexpr Kernel kOrder = lift([](Call& call, Datum a, Datum b) -> Result<bool> {
  const int o = TRY(order(call, a, b));
  return kOp == '<'   ? o < 0
         : kOp == '[' ? o <= 0
         : kOp == '>' ? o > 0
         : kOp == ']' ? o >= 0
         : kOp == '=' ? o == 0
                      : o != 0;
});

// The bucket that holds the operand, by a sorted array of thresholds.
Result<int32_t> bucket_by_thresholds(Call& call, Datum operand, Datum thresholds) {
  Parts parts = TRY(take_apart(call, thresholds));
  if (parts.shape.dimensions() > 1)
    return raise(sqlstate::array_subscript_error, "thresholds must be one-dimensional array");
  for (const NullableDatum& value : parts.values) {
    if (value.is_null)
      return raise(sqlstate::null_value_not_allowed, "thresholds array must not contain NULLs");
  }
  if (parts.type->compare == nullptr) return no_equality(*parts.type);
  const auto above = std::upper_bound(parts.values.begin(), parts.values.end(), operand,
                                      [&](Datum key, const NullableDatum& value) {
                                        return parts.type->compare(key, value.value) < 0;
                                      });
  return static_cast<int32_t>(above - parts.values.begin());
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("array_append", lift([](Call& call, NullableDatum a, NullableDatum e) -> Result<Datum> {
           return push(call, a, e, false);
         })),
    body("array_prepend", lift([](Call& call, NullableDatum e, NullableDatum a) -> Result<Datum> {
           return push(call, a, e, true);
         })),
    body("array_cat",
         lift([](Call& call, NullableDatum a, NullableDatum b) -> Result<NullableDatum> {
           if (a.is_null || b.is_null) return a.is_null ? b : a;
           const Datum out = TRY(concatenate(call, a.value, b.value));
           return NullableDatum{out, false};
         })),
    body("array_ndims", lift([](Datum a) -> MaybeInt {
           const int dimensions = ArrayView::shape_of(a).dimensions();
           if (dimensions == 0) return std::nullopt;
           return dimensions;
         })),
    body("array_dims", lift([](Datum a) -> std::optional<std::string> {
           const ArrayShape shape = ArrayView::shape_of(a);
           if (shape.sizes.empty()) return std::nullopt;
           return dimensions_text(shape);
         })),
    body("array_lower", lift([](Datum a, int32_t d) {
           return of_dimension(a, d, [](int32_t low, int32_t) { return low; });
         })),
    body("array_upper", lift([](Datum a, int32_t d) {
           return of_dimension(a, d, [](int32_t low, int32_t size) { return low + size - 1; });
         })),
    body("array_length", lift([](Datum a, int32_t d) {
           return of_dimension(a, d, [](int32_t, int32_t size) { return size; });
         })),
    body("array_cardinality",
         lift([](Datum a) { return static_cast<int32_t>(ArrayView::shape_of(a).count()); })),
    body("array_position", lift([](Call& call, NullableDatum a, NullableDatum e) {
           return position(call, a, e, {Datum::of(INT32_MIN), false});
         })),
    body("array_position_start",
         lift([](Call& call, NullableDatum a, NullableDatum e, NullableDatum start) {
           return position(call, a, e, start);
         })),
    body("array_positions",
         lift([](Call& call, NullableDatum a, NullableDatum e) { return positions(call, a, e); })),
    body("array_remove", lift([](Call& call, NullableDatum a, NullableDatum e) {
           return substitute(call, a, e, nullptr);
         })),
    body("array_replace", lift([](Call& call, NullableDatum a, NullableDatum from,
                                  NullableDatum to) { return substitute(call, a, from, &to); })),
    body("trim_array", lift([](Call& call, Datum a, int32_t n) { return trim_end(call, a, n); })),
    body("array_fill", lift([](Call& call, NullableDatum v, NullableDatum sizes) {
           return fill(call, v, sizes, nullptr);
         })),
    body("array_fill_with_lower_bounds",
         lift([](Call& call, NullableDatum v, NullableDatum sizes, NullableDatum lower) {
           return fill(call, v, sizes, &lower);
         })),
    body("array_to_text", lift([](Call& call, Datum a, std::string_view by) {
           return to_text(call, a, by, nullptr);
         })),
    body("array_to_text_null",
         lift([](Call& call, NullableDatum a, NullableDatum by,
                 NullableDatum null_text) -> Result<std::optional<std::string>> {
           if (a.is_null || by.is_null) return std::optional<std::string>();
           const std::string_view shown =
               null_text.is_null ? std::string_view() : null_text.value.text();
           std::string out =
               TRY(to_text(call, a.value, by.value.text(), null_text.is_null ? nullptr : &shown));
           return std::optional<std::string>(std::move(out));
         })),
    body("text_to_array", lift([](Call& call, NullableDatum text, NullableDatum by) {
           return from_text(call, text, by, {});
         })),
    body("text_to_array_null",
         lift([](Call& call, NullableDatum text, NullableDatum by, NullableDatum null_text) {
           return from_text(call, text, by, null_text);
         })),
    body("array_eq", lift([](Call& call, Datum a, Datum b) -> Result<bool> {
           TRY(order(call, a, b));
           return arrays_equal(a, b);
         })),
    body("array_ne", lift([](Call& call, Datum a, Datum b) -> Result<bool> {
           TRY(order(call, a, b));
           return !arrays_equal(a, b);
         })),
    body("array_lt", kOrder<'<'>),
    body("array_le", kOrder<'['>),
    body("array_gt", kOrder<'>'>),
    body("array_ge", kOrder<']'>),
    body("oidvectoreq", kOrder<'='>),
    body("oidvectorne", kOrder<'!'>),
    body("oidvectorlt", kOrder<'<'>),
    body("oidvectorle", kOrder<'['>),
    body("oidvectorgt", kOrder<'>'>),
    body("oidvectorge", kOrder<']'>),
    body("btarraycmp", lift([](Call& call, Datum a, Datum b) -> Result<int32_t> {
           return TRY(order(call, a, b));
         })),
    body("btoidvectorcmp", lift([](Call& call, Datum a, Datum b) -> Result<int32_t> {
           return TRY(order(call, a, b));
         })),
    body("array_larger", lift([](Call& call, Datum a, Datum b) -> Result<Datum> {
           const int o = TRY(order(call, a, b));
           return o > 0 ? a : b;
         })),
    body("array_smaller", lift([](Call& call, Datum a, Datum b) -> Result<Datum> {
           const int o = TRY(order(call, a, b));
           return o < 0 ? a : b;
         })),
    body("arrayoverlap",
         lift([](Call& call, Datum a, Datum b) { return each_in(call, a, b, false); })),
    body("arraycontains",
         lift([](Call& call, Datum a, Datum b) { return each_in(call, b, a, true); })),
    body("arraycontained",
         lift([](Call& call, Datum a, Datum b) { return each_in(call, a, b, true); })),
    body("width_bucket_array", lift([](Call& call, Datum operand, Datum thresholds) {
           return bucket_by_thresholds(call, operand, thresholds);
         })),
}));

}  // namespace

std::span<const FunctionBody> array_functions() { return kTable; }

}  // namespace orrery
