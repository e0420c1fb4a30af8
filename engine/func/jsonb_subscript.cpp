#include "func/jsonb_subscript.h"

#include "base/text.h"
#include "func/json_internal.h"
#include "func/large_work.h"
#include "types/jsonb.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

Status at_scalar() {
  return raise(sqlstate::invalid_parameter_value, "cannot replace existing key")
      .detail("The path assumes key is a composite object, but it is a scalar value.");
}

// Puts `fresh` where a path leads. Makes no more than `allowed` nulls on the way: nulls() then says
// how many it takes, and nothing else of it is of use.
class Assignment {
 public:
  Assignment(std::span<const std::string_view> path, const Json& fresh, uint64_t allowed)
      : path_(path), fresh_(fresh), allowed_(allowed) {}

  uint64_t nulls() const { return nulls_; }

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
  Result<Json> missing(size_t level) {
    if (level == path_.size()) return fresh_;
    Json made;
    const std::optional<int32_t> index = path_index(path_[level]);
    made.kind = index ? JsonKind::array : JsonKind::object;
    if (!index) {
      made.keys.emplace_back(path_[level]);
    } else if (*index > 0) {
      TRY(pad(made, *index));
    }
    Json next = TRY(missing(level + 1));
    made.items.push_back(std::move(next));
    return made;
  }

  Status pad(Json& array, int64_t size) {
    if (size >= static_cast<int64_t>(kMaxJsonbItems)) {
      return raise(
          sqlstate::program_limit_exceeded,
          cat("number of jsonb array elements exceeds the maximum allowed (", kMaxJsonbItems, ")"));
    }
    nulls_ += static_cast<uint64_t>(size) - array.items.size();
    if (nulls_ <= allowed_) array.items.resize(static_cast<size_t>(size));
    return {};
  }

  Status to_object(Json& value, size_t level) {
    const auto found = std::ranges::find(value.keys, path_[level]);
    if (found != value.keys.end())
      return apply(value.items[static_cast<size_t>(found - value.keys.begin())], level + 1);
    value.keys.emplace_back(path_[level]);
    Json next = TRY(missing(level + 1));
    value.items.push_back(std::move(next));
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
    TRY(pad(value, index));
    Json next = TRY(missing(level + 1));
    value.items.push_back(std::move(next));
    return {};
  }

  const std::span<const std::string_view> path_;
  const Json& fresh_;
  const uint64_t allowed_;
  uint64_t nulls_ = 0;
};

Result<NullableDatum> find_element(Arena& arena, Datum value,
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

uint64_t bytes_of(NullableDatum value) {
  return value.is_null ? 0 : varlena_size(value.value.as<const char*>());
}

// Memory that is counted while this lives, for what lies outside an arena.
class Booked {
 public:
  static Status check(const MemoryBudget* budget, uint64_t bytes) {
    return budget == nullptr ? Status() : budget->check(bytes);
  }
  Booked(MemoryBudget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {
    if (budget_ != nullptr) budget_->add(bytes_);
  }
  Booked(const Booked&) = delete;
  ~Booked() {
    if (budget_ != nullptr) budget_->release(bytes_);
  }

 private:
  MemoryBudget* budget_;
  uint64_t bytes_;
};

Result<NullableDatum> compute(Fiber& fiber, Arena& arena, uint64_t bytes,
                              FunctionRef<Result<NullableDatum>(Arena&)> work) {
  if (bytes < kLeavingBytes) return work(arena);
  return make_elsewhere(fiber, arena, *find_builtin_type(type_oid::jsonb),
                        [&](Arena& apart, StopSign&) { return work(apart); });
}

}  // namespace

Result<NullableDatum> jsonb_element(Fiber& fiber, Arena& arena, Datum value,
                                    std::span<const std::string_view> path) {
  return compute(fiber, arena, bytes_of({value, false}),
                 [&](Arena& into) { return find_element(into, value, path); });
}

Result<Datum> assign_jsonb_element(Fiber& fiber, Arena& arena, NullableDatum value,
                                   std::span<const std::string_view> path, bool indexed,
                                   NullableDatum fresh) {
  uint64_t nulls = 1000;  // in an array's gap; more are counted first and come into the books
  const auto assign = [&](Arena& into) -> Result<NullableDatum> {
    Json whole;
    whole.kind = indexed ? JsonKind::array : JsonKind::object;
    if (!value.is_null) whole = load_jsonb(value.value);
    const Json put = fresh.is_null ? Json() : load_jsonb(fresh.value);
    Assignment assignment(path, put, nulls);
    TRY(assignment.apply(whole, 0));
    if (assignment.nulls() > nulls) {
      nulls = assignment.nulls();
      return NullableDatum{};
    }
    TRY(normalise_jsonb(whole));
    const Datum made = TRY(make_jsonb(into, whole));
    return NullableDatum{made, false};
  };
  const uint64_t bytes = bytes_of(value) + bytes_of(fresh);
  NullableDatum made = TRY(compute(fiber, arena, bytes, assign));
  if (made.is_null) {
    const uint64_t gap = nulls * sizeof(Json);
    TRY(Booked::check(arena.budget(), gap));
    const Booked booked(arena.budget(), gap);
    made = TRY(compute(fiber, arena, bytes + gap, assign));
  }
  return made.value;
}

}  // namespace orrery
