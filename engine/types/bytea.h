// bytea: hex (\x0a1b) and escape (\000, \\) text forms; both are read, bytea_output says which is
// written.
#pragma once

#include "types/type_io.h"

namespace orrery {

// The bytes that hex digits mean; blanks between pairs are skipped. 22023 for anything else.
Result<std::string> decode_hex(std::string_view digits);
void encode_hex(std::string_view bytes, std::string& out);
// 22P02 'invalid input syntax for type bytea'.
Result<std::string> decode_escape(std::string_view text);
void encode_escape(std::string_view bytes, std::string& out);

Result<Datum> bytea_in(IoContext& context, std::string_view text);
Status bytea_out(IoContext& context, Datum value, std::string& out);
Result<Datum> bytea_receive(IoContext& context, Bytes bytes);
Status bytea_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
