// Small fixed types: uuid, tid, pg_lsn, void.
#pragma once

#include "types/type_io.h"

namespace orrery {

Datum make_tid(Arena& arena, Tid tid);
Tid load_tid(Datum value);

Result<Datum> uuid_in(IoContext& context, std::string_view text);
Status uuid_out(IoContext& context, Datum value, std::string& out);
Result<Datum> uuid_receive(IoContext& context, Bytes bytes);
Status uuid_send(IoContext& context, Datum value, std::string& out);

Result<Datum> tid_in(IoContext& context, std::string_view text);
Status tid_out(IoContext& context, Datum value, std::string& out);
Result<Datum> tid_receive(IoContext& context, Bytes bytes);
Status tid_send(IoContext& context, Datum value, std::string& out);

Result<Datum> pg_lsn_in(IoContext& context, std::string_view text);
Status pg_lsn_out(IoContext& context, Datum value, std::string& out);

Result<Datum> void_in(IoContext& context, std::string_view text);
Status void_out(IoContext& context, Datum value, std::string& out);
Result<Datum> void_receive(IoContext& context, Bytes bytes);

}  // namespace orrery
