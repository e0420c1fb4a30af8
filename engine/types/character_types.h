// boolean, "char", text, varchar, bpchar, name, cstring: I/O and the length rules of varchar(n) and
// char(n).
#pragma once

#include "types/type_io.h"

namespace orrery {

constexpr size_t kNameBytes = 64;  // with at least one NUL

// As the input function reads it; nullopt if it is none. Prefixes of true, false, yes, no, on, off,
// 1, 0.
std::optional<bool> parse_bool(std::string_view text);

// The content of a name: up to its NUL.
inline std::string_view name_view(const void* name) {
  const char* at = static_cast<const char*>(name);
  return {at, strnlen(at, kNameBytes)};
}
// Cut to 63 bytes between characters, as PostgreSQL truncates identifiers.
Datum make_name(Arena& arena, std::string_view text);
// A text without its trailing blanks: what char(n) compares and measures by.
std::string_view trim_blanks(std::string_view text);

// Fits `text` to varchar(n)/char(n); typmod as stored (n + 4). A cast that is explicit truncates;
// else 22001 unless what is cut off is blanks. The view may point into `text` or into the arena.
Result<std::string_view> fit_varchar(std::string_view text, int32_t typmod, bool explicit_cast);
Result<Datum> fit_bpchar(Arena& arena, std::string_view text, int32_t typmod, bool explicit_cast);

Result<Datum> bool_in(IoContext& context, std::string_view text);
Result<Datum> char_in(IoContext& context, std::string_view text);
Result<Datum> text_in(IoContext& context, std::string_view text);
Result<Datum> varchar_in(IoContext& context, std::string_view text);
Result<Datum> bpchar_in(IoContext& context, std::string_view text);
Result<Datum> name_in(IoContext& context, std::string_view text);
Result<Datum> cstring_in(IoContext& context, std::string_view text);

Status bool_out(IoContext& context, Datum value, std::string& out);
Status char_out(IoContext& context, Datum value, std::string& out);
Status text_out(IoContext& context, Datum value, std::string& out);  // varchar, bpchar too
Status name_out(IoContext& context, Datum value, std::string& out);
Status cstring_out(IoContext& context, Datum value, std::string& out);

// Binary forms of text types are their bytes, checked to be UTF-8.
Result<Datum> bool_receive(IoContext& context, Bytes bytes);
Result<Datum> text_receive(IoContext& context, Bytes bytes);
Result<Datum> varchar_receive(IoContext& context, Bytes bytes);
Result<Datum> bpchar_receive(IoContext& context, Bytes bytes);
Result<Datum> name_receive(IoContext& context, Bytes bytes);
Result<Datum> cstring_receive(IoContext& context, Bytes bytes);

}  // namespace orrery
