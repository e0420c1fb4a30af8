#include "types/reg_types.h"

#include "types/integer_types.h"
#include "types/text_scan.h"

namespace orrery {

Result<Datum> reg_in(IoContext& context, std::string_view text) {
  if (text == "-") return Datum::of(kInvalidOid);
  bool number = !text.empty();
  for (const char c : text) number &= is_digit(c);
  if (number) return Datum::of(TRY(parse_oid(text)));
  if (context.settings.names == nullptr)
    return unsupported("names of catalog objects in this context");
  return Datum::of(TRY(context.settings.names->resolve(context.type, text)));
}

Status reg_out(IoContext& context, Datum value, std::string& out) {
  const Oid object = value.as<Oid>();
  if (object == kInvalidOid) {
    out.push_back('-');
    return {};
  }
  if (context.settings.names == nullptr) return oid_out(context, value, out);
  return context.settings.names->append_name(context.type, object, out);
}

}  // namespace orrery
