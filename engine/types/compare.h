// Orders and hashes of stored values, by type: what sorts, B-trees and hash joins use. Text is
// compared by its bytes, the C collation. Equal values hash equally, -0 as 0 and char(n) without
// its trailing blanks.
#pragma once

#include "types/tuple_desc.h"

namespace orrery {

int compare_int(Datum a, Datum b);       // all signed words, bool
int compare_unsigned(Datum a, Datum b);  // oid, xid8, pg_lsn
int compare_byte(Datum a, Datum b);      // "char": by unsigned byte
int compare_float4(Datum a, Datum b);
int compare_float8(Datum a, Datum b);
int compare_bytes(Datum a, Datum b);  // text, varchar, bytea
int compare_bpchar(Datum a, Datum b);
int compare_name(Datum a, Datum b);
int compare_name_text(Datum name, Datum text);
int compare_uuid(Datum a, Datum b);
int compare_tid(Datum a, Datum b);

uint64_t hash_word(Datum value);
uint64_t hash_float4(Datum value);
uint64_t hash_float8(Datum value);
uint64_t hash_bytes_of(Datum value);
uint64_t hash_bpchar(Datum value);
uint64_t hash_name(Datum value);
uint64_t hash_uuid(Datum value);
uint64_t hash_tid(Datum value);

// By bytes, then by length.
inline int compare_text(std::string_view a, std::string_view b) {
  const size_t common = a.size() < b.size() ? a.size() : b.size();
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return order != 0 ? order : (a.size() > b.size()) - (a.size() < b.size());
}

}  // namespace orrery
