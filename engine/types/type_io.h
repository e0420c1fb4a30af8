// How the values of a type are read and written: text (what people type and psql prints) and binary
// (COPY BINARY, pgwire binary parameters, big-endian). One table for the built-in types, found by
// OID; types made by users (enums, domains, composites) are wrapped by the catalog in a TypeInfo of
// their own.
//
// Bad input is a Status with PostgreSQL's message (22P02, 22003, 22007, 22008, 22P03...): soft, so
// that callers who only ask whether a text is valid need nothing special. Output appends to the
// caller's string: no value is built twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/datum.h"
#include "types/settings.h"
#include "types/tuple_desc.h"

namespace orrery {

// One call: where results go, and what the call is about.
struct IoContext {
  Arena& arena;
  const TypeSettings& settings;
  Oid type;             // the type being read or written (user types share functions)
  int32_t typmod = -1;  // applied by input and receive, as in PostgreSQL
};

using InputFunction = Result<Datum> (*)(IoContext& context, std::string_view text);
using OutputFunction = Status (*)(IoContext& context, Datum value, std::string& out);
using ReceiveFunction = Result<Datum> (*)(IoContext& context, Bytes bytes);
using SendFunction = Status (*)(IoContext& context, Datum value, std::string& out);

struct TypeInfo {
  Oid oid;
  std::string_view name;  // pg_type.typname
  int16_t length = 0;     // as ColumnDesc
  bool by_value = false;
  uint8_t alignment = 1;
  char delimiter = ',';
  Oid element;                    // of a true array type (typelem where typlen is -1), else 0
  Oid array;                      // its array type, else 0
  InputFunction input = nullptr;  // null: no such function (pseudo-types, types not there yet)
  OutputFunction output = nullptr;
  ReceiveFunction receive = nullptr;
  SendFunction send = nullptr;
  Comparator compare = nullptr;  // null: the type has no ordering
  Hasher hash = nullptr;
};

// The built-in type, or null.
const TypeInfo* find_builtin_type(Oid type);
// Built in or the resolver's. 42704 for neither.
Result<const TypeInfo*> find_type(const TypeSettings& settings, Oid type);

// Whole-value conveniences. 0A000 naming the type when it lacks the function.
Result<Datum> input_value(Arena& arena, const TypeSettings& settings, Oid type,
                          std::string_view text, int32_t typmod = -1);
Status output_value(Arena& arena, const TypeSettings& settings, Oid type, Datum value,
                    std::string& out);
Result<Datum> receive_value(Arena& arena, const TypeSettings& settings, Oid type, Bytes bytes,
                            int32_t typmod = -1);
Status send_value(Arena& arena, const TypeSettings& settings, Oid type, Datum value,
                  std::string& out);

// "invalid input syntax for type <type>: "<text>"", 22P02.
Status invalid_syntax(std::string_view type, std::string_view text,
                      std::source_location where = std::source_location::current());

}  // namespace orrery
