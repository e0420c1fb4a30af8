#include "func/large_work.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fiber/io.h"
#include "func/session_view.h"
#include "types/numeric.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr uint64_t kSliceBytes = 64 * 1024;  // of arguments, between two bookings
constexpr uint64_t kBytesPerUnit = 4;        // of a function that looks at each byte
constexpr uint64_t kCopiedPerUnit = 32;

// Stable functions whose bodies ask for nothing but settings.
constexpr auto kOnlySettings = std::to_array<std::string_view>({
    "array_out",
    "array_to_json",
    "array_to_json_pretty",
    "array_to_text",
    "array_to_text_null",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "text_concat",
    "text_concat_ws",
    "text_format",
    "text_format_nv",
    "to_json",
    "to_jsonb",
});
static_assert(std::ranges::is_sorted(kOnlySettings));

// Digits of these results grow with the argument, not with its length.
constexpr auto kDear =
    std::to_array<std::string_view>({"array_fill", "array_fill_with_lower_bounds", "numeric_exp",
                                     "numeric_fac", "numeric_ln", "numeric_log", "numeric_power"});
static_assert(std::ranges::is_sorted(kDear));

// The catalog's objects, printed by their names, and rows, whose columns only it knows.
bool needs_catalog(Oid type) {
  using namespace type_oid;
  const TypeInfo* const info = find_builtin_type(type);
  const Oid plain = info != nullptr && info->element ? info->element : type;
  return plain == regproc || plain == regprocedure || plain == regoper || plain == regoperator ||
         plain == regclass || plain == regtype || plain == regrole || plain == regnamespace ||
         plain == regcollation || plain == regconfig || plain == regdictionary || plain == record;
}
bool stands_alone(Oid type) { return find_builtin_type(type) != nullptr && !needs_catalog(type); }

// Products of digits go with the square of their number.
uint64_t numeric_weight(uint64_t bytes) { return std::max(bytes, bytes * bytes / 64); }

uint64_t dear_weight(const CallSite& site, std::span<const Vector> args, uint32_t row) {
  if (site.argument_types[0] != type_oid::numeric && site.argument_types[0] != type_oid::int8)
    return kLeavingBytes;  // array_fill: its array tells little
  double size = 1;
  for (size_t i = 0; i < args.size(); ++i) {
    if (site.argument_types[i] != type_oid::numeric) {
      size *= std::fabs(static_cast<double>(args[i].value(row).as<int64_t>()));
    } else {
      size *= std::fabs(numeric_to_double(Numeric::from_datum(args[i].value(row))));
    }
  }
  return size > 1000 || std::isnan(size) ? kLeavingBytes : 1024;
}

uint64_t weight(const CallSite& site, const CallShape& shape, std::span<const Vector> args,
                uint32_t row) {
  uint64_t bytes = 0;
  uint64_t product = 1;
  for (size_t i = 0; i < args.size(); ++i) {
    const int16_t length = shape.lengths[i];
    if (args[i].is_null(row)) {
      if (shape.dear) return 0;
      continue;
    }
    if (length == -1) {
      uint64_t size = varlena_size(args[i].value(row).as<const char*>());
      if (site.argument_types[i] == type_oid::numeric) size = numeric_weight(size);
      bytes += size;
      product *= size;
    } else if (length == -2) {
      bytes += std::strlen(args[i].value(row).as<const char*>());
    }
  }
  // A pattern may be tried at each place of a text.
  bytes = std::max(bytes, product / 1024);
  if (shape.squared) bytes = std::max(bytes, bytes * bytes / 4096);
  return shape.dear ? std::max(bytes, dear_weight(site, args, row)) : bytes;
}

// What a worker may know: settings, and memory of its own (a budget belongs to the engine's
// thread).
struct Elsewhere {
  explicit Elsewhere(const SessionView& of) : session(of) {
    session.services = nullptr;
    session.clock = nullptr;
    session.random = nullptr;
    session.temp_space = nullptr;
    session.types = without_names(session.types, stop);
  }
  EvalContext context(Fiber& fiber, Arena& results) { return {fiber, results, results, session}; }
  static TypeSettings without_names(const TypeSettings& settings, const StopSign& stop) {
    TypeSettings alone = settings;
    alone.names = nullptr;
    alone.stop = &stop;
    return alone;
  }

  StopSign stop;
  Arena arena;
  SessionView session;
};

// A value of a worker's, into memory that is counted.
Result<Datum> bring_home(Fiber& fiber, Arena& arena, Datum value, int16_t length) {
  const char* const from = value.as<const char*>();
  const uint64_t bytes = length == -1   ? varlena_size(from)
                         : length == -2 ? std::strlen(from) + 1
                                        : static_cast<uint64_t>(length);
  void* const space = TRY(arena.try_allocate(bytes));
  char* const to = static_cast<char*>(space);
  for (uint64_t at = 0; at < bytes; at += kSliceBytes) {
    const uint64_t piece = std::min(kSliceBytes, bytes - at);
    std::memcpy(to + at, from + at, piece);
    TRY(fiber.charge(piece / kCopiedPerUnit));
  }
  return Datum::of(static_cast<const void*>(to));
}

Status call_elsewhere(EvalContext& context, CallSite& site, const CallShape& shape, Kernel kernel,
                      std::span<const Vector> args, uint32_t row, Vector& out) {
  Elsewhere there(context.session);
  CallSite alone = site;
  alone.cache = nullptr;  // what another call kept may be in use, or would have to outlive this
  std::vector<Vector> values;
  for (const Vector& arg : args) values.push_back(Vector::make_constant(there.arena, arg.at(row)));
  Vector made = Vector::make(there.arena, 1);
  EvalContext own = there.context(context.fiber, there.arena);
  TRY(run_on_worker(context.fiber, there.stop,
                    [&] { return kernel(own, alone, values, Rows{nullptr, 1}, made); }));
  NullableDatum result = made.at(0);
  if (!result.is_null && !shape.result_by_value) {
    result.value = TRY(bring_home(context.fiber, context.arena, result.value, shape.result_length));
  }
  out.set(row, result);
  return {};
}

}  // namespace

CallShape make_call_shape(Arena& arena, const FunctionInfo& function, const CallSite& site,
                          const TypeInfo* result) {
  CallShape shape;
  const std::string_view source = function.source;
  shape.may_leave = result != nullptr && (function.volatility == Volatility::immutable ||
                                          std::ranges::binary_search(kOnlySettings, source));
  if (result != nullptr) {
    shape.result_length = result->length;
    shape.result_by_value = result->by_value;
    shape.may_leave = shape.may_leave && !needs_catalog(result->oid);
  }
  const std::span<int16_t> lengths = arena.make_array<int16_t>(site.argument_types.size());
  for (size_t i = 0; i < lengths.size(); ++i) {
    const TypeInfo* const type = find_builtin_type(site.argument_types[i]);
    lengths[i] = type == nullptr ? int16_t{0} : type->by_value ? int16_t{0} : type->length;
    shape.any_large = shape.any_large || lengths[i] < 0;
    shape.may_leave = shape.may_leave && stands_alone(site.argument_types[i]);
  }
  shape.lengths = lengths;
  shape.squared = source.starts_with("textregex") || source.starts_with("texticregex") ||
                  source.starts_with("regexp_");
  shape.dear = shape.may_leave && std::ranges::binary_search(kDear, source);
  return shape;
}

Status call_kernel(EvalContext& context, CallSite& site, const CallShape& shape, Kernel kernel,
                   std::span<const Vector> args, Rows rows, Vector& out) {
  if (!shape.any_large && !shape.dear) return kernel(context, site, args, rows, out);
  std::array<uint16_t, kBatchRows> slice;
  uint32_t count = 0;
  uint64_t bytes = 0;
  const auto call = [&]() -> Status {
    if (count == rows.count) {
      TRY(kernel(context, site, args, rows, out));
    } else if (count > 0) {
      TRY(kernel(context, site, args, Rows{slice.data(), count}, out));
    }
    TRY(context.fiber.charge(bytes / kBytesPerUnit));
    count = 0;
    bytes = 0;
    return {};
  };
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    const uint64_t more = weight(site, shape, args, row);
    if (more >= kLeavingBytes && shape.may_leave) {
      TRY(call_elsewhere(context, site, shape, kernel, args, row, out));
      continue;
    }
    slice[count++] = static_cast<uint16_t>(row);
    bytes += more;
    if (bytes >= kSliceBytes) TRY(call());
  }
  return call();
}

Result<void*> begin_set(EvalContext& context, CallSite& site, const CallShape& shape,
                        const SetKernel& kernel, std::span<const NullableDatum> args,
                        Arena& apart) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    if (shape.lengths[i] == -1 && !args[i].is_null)
      bytes += varlena_size(args[i].value.as<const char*>());
  }
  if (bytes < kLeavingBytes || !shape.may_leave) return kernel.begin(context, site, args);
  Elsewhere there(context.session);
  EvalContext own = there.context(context.fiber, apart);
  void* state = nullptr;
  TRY(run_on_worker(context.fiber, there.stop, [&]() -> Status {
    state = TRY(kernel.begin(own, site, args));
    return {};
  }));
  return state;
}

Status finalize_aggregate(EvalContext& context, CallSite& site, const AggregateKernel& kernel,
                          const void* state, NullableDatum* out) {
  const TypeInfo* const result = find_builtin_type(site.result_type);
  const bool may_leave =
      kernel.weight != nullptr && result != nullptr && kernel.weight(state) >= kLeavingBytes &&
      std::ranges::all_of(site.argument_types, [](Oid type) { return stands_alone(type); });
  if (!may_leave) return kernel.finalize(context, site, state, out);
  Elsewhere there(context.session);
  EvalContext own = there.context(context.fiber, there.arena);
  TRY(run_on_worker(context.fiber, there.stop,
                    [&] { return kernel.finalize(own, site, state, out); }));
  if (!out->is_null && !result->by_value)
    out->value = TRY(bring_home(context.fiber, context.arena, out->value, result->length));
  return {};
}

Status copy_large(EvalContext& context, void* to, const void* from, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; at += kSliceBytes) {
    const uint64_t piece = std::min(kSliceBytes, bytes - at);
    std::memcpy(static_cast<char*>(to) + at, static_cast<const char*>(from) + at, piece);
    TRY(spent(context, piece / kCopiedPerUnit));
  }
  return {};
}

Status spent(EvalContext& context, uint64_t units) {
  if (context.session.types.stop != nullptr) return check_stop(context.session.types.stop);
  return context.fiber.charge(units);
}

Result<NullableDatum> make_elsewhere(Fiber& fiber, Arena& arena, const TypeInfo& type,
                                     FunctionRef<Result<NullableDatum>(Arena&, StopSign&)> work) {
  StopSign stop;
  Arena apart;
  NullableDatum made;
  TRY(run_on_worker(fiber, stop, [&]() -> Status {
    made = TRY(work(apart, stop));
    return {};
  }));
  if (!made.is_null && !type.by_value)
    made.value = TRY(bring_home(fiber, arena, made.value, type.length));
  return made;
}

namespace {

// `read` has a context whose settings and memory a worker may use.
Result<Datum> read_elsewhere(Fiber& fiber, IoContext& io, const TypeInfo& type,
                             FunctionRef<Result<Datum>(IoContext&)> read) {
  const NullableDatum made = TRY(make_elsewhere(
      fiber, io.arena, type, [&](Arena& arena, StopSign& stop) -> Result<NullableDatum> {
        const TypeSettings settings = Elsewhere::without_names(io.settings, stop);
        IoContext own{arena, settings, io.type, io.typmod};
        const Datum value = TRY(read(own));
        return NullableDatum{value, false};
      }));
  return made.value;
}

}  // namespace

Result<Datum> read_text(Fiber& fiber, IoContext& io, const TypeInfo& type, std::string_view text) {
  if (text.size() < kLeavingBytes || !stands_alone(type.oid)) return type.input(io, text);
  return read_elsewhere(fiber, io, type, [&](IoContext& own) { return type.input(own, text); });
}

Result<Datum> read_binary(Fiber& fiber, IoContext& io, const TypeInfo& type, Bytes bytes) {
  if (bytes.size() < kLeavingBytes || !stands_alone(type.oid)) return type.receive(io, bytes);
  return read_elsewhere(fiber, io, type, [&](IoContext& own) { return type.receive(own, bytes); });
}

Status write_value(Fiber& fiber, IoContext& io, const TypeInfo& type, OutputFunction write,
                   Datum value, std::string& out) {
  const bool large = type.length == -1 && varlena_size(value.as<const char*>()) >= kLeavingBytes;
  if (!large || !stands_alone(type.oid)) return write(io, value, out);
  StopSign stop;
  Arena arena;
  const TypeSettings settings = Elsewhere::without_names(io.settings, stop);
  IoContext own{arena, settings, io.type, io.typmod};
  return run_on_worker(fiber, stop, [&] { return write(own, value, out); });
}

}  // namespace orrery
