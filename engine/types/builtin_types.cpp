// The table of built-in types: layout facts as in pg_type, and their functions. Sorted by OID.
#include "base/text.h"
#include "types/array.h"
#include "types/bytea.h"
#include "types/character_types.h"
#include "types/compare.h"
#include "types/date_time.h"
#include "types/float_types.h"
#include "types/integer_types.h"
#include "types/numeric.h"
#include "types/reg_types.h"
#include "types/small_types.h"
#include "types/type_io.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

namespace t = type_oid;

constexpr TypeInfo kTypes[] = {
    {t::bool_, "bool", 1, true, 1, ',', {}, t::bool_array, bool_in, bool_out, bool_receive, word1_send, compare_int, hash_word},
    {t::bytea, "bytea", -1, false, 4, ',', {}, t::bytea_array, bytea_in, bytea_out, bytea_receive, bytea_send, compare_bytes, hash_bytes_of},
    {t::char_, "char", 1, true, 1, ',', {}, t::char_array, char_in, char_out, word1_receive, word1_send, compare_byte, hash_word},
    {t::name, "name", 64, false, 1, ',', {}, t::name_array, name_in, name_out, name_receive, name_out, compare_name, hash_name},
    {t::int8, "int8", 8, true, 8, ',', {}, t::int8_array, int8_in, int8_out, word8_receive, word8_send, compare_int, hash_word},
    {t::int2, "int2", 2, true, 2, ',', {}, t::int2_array, int2_in, int2_out, word2_receive, word2_send, compare_int, hash_word},
    {t::int2vector, "int2vector", -1, false, 4, ',', t::int2, t::int2vector_array, vector_in, vector_out, vector_receive, array_send, compare_array, hash_array},
    {t::int4, "int4", 4, true, 4, ',', {}, t::int4_array, int4_in, int4_out, word4_receive, word4_send, compare_int, hash_word},
    {t::regproc, "regproc", 4, true, 4, ',', {}, t::regproc_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::text, "text", -1, false, 4, ',', {}, t::text_array, text_in, text_out, text_receive, text_out, compare_bytes, hash_bytes_of},
    {t::oid, "oid", 4, true, 4, ',', {}, t::oid_array, oid_in, oid_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::tid, "tid", 6, false, 2, ',', {}, t::tid_array, tid_in, tid_out, tid_receive, tid_send, compare_tid, hash_tid},
    {t::xid, "xid", 4, true, 4, ',', {}, t::xid_array, xid_in, oid_out, unsigned4_receive, word4_send, nullptr, hash_word},
    {t::cid, "cid", 4, true, 4, ',', {}, t::cid_array, xid_in, oid_out, unsigned4_receive, word4_send, nullptr, hash_word},
    {t::oidvector, "oidvector", -1, false, 4, ',', t::oid, t::oidvector_array, vector_in, vector_out, vector_receive, array_send, compare_array, hash_array},
    {t::pg_node_tree, "pg_node_tree", -1, false, 4, ',', {}, {}, text_in, text_out, text_receive, text_out, nullptr, nullptr},
    {t::float4, "float4", 4, true, 4, ',', {}, t::float4_array, float4_in, float4_out, unsigned4_receive, word4_send, compare_float4, hash_float4},
    {t::float8, "float8", 8, true, 8, ',', {}, t::float8_array, float8_in, float8_out, word8_receive, word8_send, compare_float8, hash_float8},
    {t::unknown, "unknown", -2, false, 1, ',', {}, {}, cstring_in, cstring_out, cstring_receive, cstring_out, nullptr, nullptr},
    {t::bpchar, "bpchar", -1, false, 4, ',', {}, t::bpchar_array, bpchar_in, text_out, bpchar_receive, text_out, compare_bpchar, hash_bpchar},
    {t::varchar, "varchar", -1, false, 4, ',', {}, t::varchar_array, varchar_in, text_out, varchar_receive, text_out, compare_bytes, hash_bytes_of},
    {t::date, "date", 4, true, 4, ',', {}, t::date_array, date_in, date_out, date_receive, word4_send, compare_int, hash_word},
    {t::time, "time", 8, true, 8, ',', {}, t::time_array, time_in, time_out, time_receive, word8_send, compare_int, hash_word},
    {t::timestamp, "timestamp", 8, true, 8, ',', {}, t::timestamp_array, timestamp_in, timestamp_out, timestamp_receive, word8_send, compare_int, hash_word},
    {t::timestamptz, "timestamptz", 8, true, 8, ',', {}, t::timestamptz_array, timestamptz_in, timestamptz_out, timestamp_receive, word8_send, compare_int, hash_word},
    {t::interval, "interval", 16, false, 8, ',', {}, t::interval_array, interval_in, interval_out, interval_receive, interval_send, compare_interval, hash_interval},
    {t::timetz, "timetz", 12, false, 8, ',', {}, t::timetz_array, timetz_in, timetz_out, timetz_receive, timetz_send, compare_timetz, hash_timetz},
    {t::numeric, "numeric", -1, false, 4, ',', {}, t::numeric_array, numeric_in, numeric_out, numeric_receive, numeric_send, compare_numeric_datums, hash_numeric_datum},
    {t::refcursor, "refcursor", -1, false, 4, ',', {}, t::refcursor_array, text_in, text_out, text_receive, text_out, nullptr, nullptr},
    {t::regprocedure, "regprocedure", 4, true, 4, ',', {}, t::regprocedure_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regoper, "regoper", 4, true, 4, ',', {}, t::regoper_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regoperator, "regoperator", 4, true, 4, ',', {}, t::regoperator_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regclass, "regclass", 4, true, 4, ',', {}, t::regclass_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regtype, "regtype", 4, true, 4, ',', {}, t::regtype_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::cstring, "cstring", -2, false, 1, ',', {}, t::cstring_array, cstring_in, cstring_out, cstring_receive, cstring_out, nullptr, nullptr},
    {t::anyarray, "anyarray", -1, false, 8, ',', {}, {}, nullptr, array_out, nullptr, array_send, compare_array, hash_array},
    {t::void_, "void", 4, true, 4, ',', {}, {}, void_in, void_out, void_receive, void_out, nullptr, nullptr},
    {t::uuid, "uuid", 16, false, 1, ',', {}, t::uuid_array, uuid_in, uuid_out, uuid_receive, uuid_send, compare_uuid, hash_uuid},
    {t::pg_lsn, "pg_lsn", 8, true, 8, ',', {}, t::pg_lsn_array, pg_lsn_in, pg_lsn_out, word8_receive, word8_send, compare_unsigned, hash_word},
    {t::regconfig, "regconfig", 4, true, 4, ',', {}, t::regconfig_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regdictionary, "regdictionary", 4, true, 4, ',', {}, t::regdictionary_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regnamespace, "regnamespace", 4, true, 4, ',', {}, t::regnamespace_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regrole, "regrole", 4, true, 4, ',', {}, t::regrole_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::regcollation, "regcollation", 4, true, 4, ',', {}, t::regcollation_array, reg_in, reg_out, unsigned4_receive, word4_send, compare_unsigned, hash_word},
    {t::xid8, "xid8", 8, true, 8, ',', {}, t::xid8_array, xid8_in, xid8_out, word8_receive, word8_send, compare_unsigned, hash_word},
};
static_assert(std::is_sorted(std::begin(kTypes), std::end(kTypes),
                             [](const TypeInfo& a, const TypeInfo& b) { return a.oid < b.oid; }));

// The array types of the above: a name with an underscore in front, alignment 4 unless the elements' is 8.
constexpr size_t kArrayTypeCount =
    std::count_if(std::begin(kTypes), std::end(kTypes), [](const TypeInfo& type) { return bool(type.array); });
using NameBuffer = std::array<char, 24>;
constexpr auto kArrayNames = [] {
  std::array<NameBuffer, kArrayTypeCount> names{};
  size_t n = 0;
  for (const TypeInfo& element : kTypes) {
    if (!element.array) continue;
    names[n][0] = '_';
    std::copy(element.name.begin(), element.name.end(), names[n].begin() + 1);
    ++n;
  }
  return names;
}();
constexpr auto kArrayTypes = [] {
  std::array<TypeInfo, kArrayTypeCount> types{};
  size_t n = 0;
  for (const TypeInfo& element : kTypes) {
    if (!element.array) continue;
    types[n] = {element.array, {kArrayNames[n].data(), element.name.size() + 1}, -1, false,
                element.alignment == 8 ? uint8_t{8} : uint8_t{4}, ',', element.oid, {}, array_in, array_out, array_receive, array_send,
                element.compare != nullptr ? compare_array : nullptr, element.hash != nullptr ? hash_array : nullptr};
    ++n;
  }
  std::sort(types.begin(), types.end(), [](const TypeInfo& a, const TypeInfo& b) { return a.oid < b.oid; });
  return types;
}();

template <class Table>
const TypeInfo* find_in(const Table& table, Oid type) {
  const auto at = std::lower_bound(std::begin(table), std::end(table), type, [](const TypeInfo& info, Oid oid) { return info.oid < oid; });
  return at != std::end(table) && at->oid == type ? &*at : nullptr;
}

Status lacks(const TypeInfo& type, std::string_view what) {
  return unsupported(cat(what, " of values of type ", type.name));
}

}  // namespace

const TypeInfo* find_builtin_type(Oid type) {
  const TypeInfo* const base = find_in(kTypes, type);
  return base != nullptr ? base : find_in(kArrayTypes, type);
}

Result<const TypeInfo*> find_type(const TypeSettings& settings, Oid type) {
  const TypeInfo* info = find_builtin_type(type);
  if (info == nullptr && settings.names != nullptr) info = settings.names->find_type(type);
  if (info == nullptr) return raise(sqlstate::undefined_object, cat("cache lookup failed for type ", type));
  return info;
}

Status invalid_syntax(std::string_view type, std::string_view text, std::source_location where) {
  return raise(sqlstate::invalid_text_representation,
               cat("invalid input syntax for type ", type, ": \"", text, "\""), where);
}

Result<Datum> input_value(Arena& arena, const TypeSettings& settings, Oid type, std::string_view text, int32_t typmod) {
  const TypeInfo* const info = TRY(find_type(settings, type));
  if (info->input == nullptr) return lacks(*info, "text input");
  IoContext context{arena, settings, type, typmod};
  return info->input(context, text);
}

Status output_value(Arena& arena, const TypeSettings& settings, Oid type, Datum value, std::string& out) {
  const TypeInfo* const info = TRY(find_type(settings, type));
  if (info->output == nullptr) return lacks(*info, "text output");
  IoContext context{arena, settings, type};
  return info->output(context, value, out);
}

Result<Datum> receive_value(Arena& arena, const TypeSettings& settings, Oid type, Bytes bytes, int32_t typmod) {
  const TypeInfo* const info = TRY(find_type(settings, type));
  if (info->receive == nullptr) return lacks(*info, "binary input");
  IoContext context{arena, settings, type, typmod};
  return info->receive(context, bytes);
}

Status send_value(Arena& arena, const TypeSettings& settings, Oid type, Datum value, std::string& out) {
  const TypeInfo* const info = TRY(find_type(settings, type));
  if (info->send == nullptr) return lacks(*info, "binary output");
  IoContext context{arena, settings, type};
  return info->send(context, value, out);
}

}  // namespace orrery
