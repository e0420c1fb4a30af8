// Whole numbers: smallint, integer, bigint, oid, xid, cid, xid8. Text is decimal with optional
// blanks around it.
#pragma once

#include "types/type_io.h"

namespace orrery {

// Parse all of `text`; 22P02 for what is no number, 22003 for one that does not fit.
Result<int16_t> parse_int2(std::string_view text);
Result<int32_t> parse_int4(std::string_view text);
Result<int64_t> parse_int8(std::string_view text);
// strtoul's habits, as PostgreSQL has them: a minus sign wraps around.
Result<uint32_t> parse_oid(std::string_view text);

Result<Datum> int2_in(IoContext& context, std::string_view text);
Result<Datum> int4_in(IoContext& context, std::string_view text);
Result<Datum> int8_in(IoContext& context, std::string_view text);
Result<Datum> oid_in(IoContext& context, std::string_view text);
Result<Datum> xid_in(IoContext& context, std::string_view text);
Result<Datum> xid8_in(IoContext& context, std::string_view text);

Status int2_out(IoContext& context, Datum value, std::string& out);
Status int4_out(IoContext& context, Datum value, std::string& out);
Status int8_out(IoContext& context, Datum value, std::string& out);
Status oid_out(IoContext& context, Datum value, std::string& out);
Status xid8_out(IoContext& context, Datum value, std::string& out);

// Binary forms of all by-value types are their big-endian words.
Result<Datum> word1_receive(IoContext& context, Bytes bytes);
Result<Datum> word2_receive(IoContext& context, Bytes bytes);
Result<Datum> word4_receive(IoContext& context, Bytes bytes);  // sign-extended
Result<Datum> unsigned4_receive(IoContext& context, Bytes bytes);
Result<Datum> word8_receive(IoContext& context, Bytes bytes);
Status word1_send(IoContext& context, Datum value, std::string& out);
Status word2_send(IoContext& context, Datum value, std::string& out);
Status word4_send(IoContext& context, Datum value, std::string& out);
Status word8_send(IoContext& context, Datum value, std::string& out);

// A binary value of the wrong length: 22P03, or 08P01 when it ends early, as PostgreSQL reports
// them.
Status bad_binary_length(Bytes bytes, size_t expected);

}  // namespace orrery
