#include "types/mac_address.h"

#include <optional>
#include <span>

#include "base/hash.h"
#include "base/text.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

// A written form: which character stands between which octets, and whether each octet has exactly
// two digits.
struct Form {
  std::string_view between;  // five of them, ' ' for none
  bool two_digits;
};
constexpr Form kForms[] = {{":::::", false}, {"-----", false}, {"  :  ", true}, {"  -  ", true},
                           {" . . ", true},  {" - - ", true},  {"     ", true}};

// Nothing if the text is not of that form; octets may still be too large.
std::optional<std::array<uint64_t, 6>> read_form(std::string_view text, const Form& form) {
  std::array<uint64_t, 6> octets{};
  size_t at = 0;
  for (size_t i = 0; i < 6; ++i) {
    if (i > 0 && form.between[i - 1] != ' ') {
      if (at >= text.size() || text[at] != form.between[i - 1]) return std::nullopt;
      ++at;
    }
    at = skip_spaces(text, at);
    const size_t most = form.two_digits ? 2 : 8;
    size_t digits = 0;
    while (at < text.size() && digits < most && hex_value(text[at]) >= 0) {
      octets[i] = octets[i] << 4 | static_cast<uint64_t>(hex_value(text[at++]));
      ++digits;
    }
    if (digits == 0) return std::nullopt;
  }
  if (skip_spaces(text, at) != text.size()) return std::nullopt;
  return octets;
}

void append_octets(std::string& out, std::span<const uint8_t> octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (size_t i = 0; i < octets.size(); ++i) {
    if (i > 0) out.push_back(':');
    out.push_back(kDigits[octets[i] >> 4]);
    out.push_back(kDigits[octets[i] & 15]);
  }
}

Status bad_length() {
  return raise(sqlstate::invalid_binary_representation, "insufficient data left in message");
}

}  // namespace

Result<MacAddress> narrow_mac(const MacAddress8& a) {
  if (a[3] == 0xff && a[4] == 0xfe) return MacAddress{a[0], a[1], a[2], a[5], a[6], a[7]};
  return raise(sqlstate::numeric_value_out_of_range,
               "macaddr8 data out of range to convert to macaddr")
      .hint(
          "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, "
          "for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to "
          "macaddr.");
}

uint64_t hash_mac(Datum value) { return hash_text({value.as<const char*>(), 6}); }
uint64_t hash_mac8(Datum value) { return hash_text({value.as<const char*>(), 8}); }

Result<Datum> macaddr_in(IoContext& context, std::string_view text) {
  for (const Form& form : kForms) {
    const auto octets = read_form(text, form);
    if (!octets) continue;
    MacAddress made;
    for (size_t i = 0; i < 6; ++i) {
      if ((*octets)[i] > 255) {
        return raise(sqlstate::numeric_value_out_of_range,
                     cat("invalid octet value in \"macaddr\" value: \"", text, "\""));
      }
      made[i] = static_cast<uint8_t>((*octets)[i]);
    }
    return make_mac(context.arena, made);
  }
  return invalid_syntax("macaddr", text);
}

// Pairs of digits with at most one separator between two, always the same.
Result<Datum> macaddr8_in(IoContext& context, std::string_view text) {
  MacAddress8 made{};
  size_t count = 0;
  char separator = '\0';
  size_t at = skip_spaces(text, 0);
  while (at + 1 < text.size()) {
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (count == 8 || high < 0 || low < 0) return invalid_syntax("macaddr8", text);
    made[count++] = static_cast<uint8_t>(high << 4 | low);
    at += 2;
    if (at < text.size() && (text[at] == ':' || text[at] == '-' || text[at] == '.')) {
      if (separator != '\0' && separator != text[at]) return invalid_syntax("macaddr8", text);
      separator = text[at++];
    }
    if ((count == 6 || count == 8) && at < text.size() && is_space(text[at])) {
      at = skip_spaces(text, at);
      if (at < text.size()) return invalid_syntax("macaddr8", text);
    }
  }
  if (at < text.size() || (count != 6 && count != 8)) return invalid_syntax("macaddr8", text);
  if (count == 6) made = widen_mac({made[0], made[1], made[2], made[3], made[4], made[5]});
  return make_mac(context.arena, made);
}

Status macaddr_out(IoContext&, Datum value, std::string& out) {
  append_octets(out, load_mac<6>(value));
  return {};
}
Status macaddr8_out(IoContext&, Datum value, std::string& out) {
  append_octets(out, load_mac<8>(value));
  return {};
}
Result<Datum> macaddr_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != 6) return bad_length();
  return make_mac(context.arena, load_mac<6>(Datum::of(static_cast<const void*>(bytes.data()))));
}
Result<Datum> macaddr8_receive(IoContext& context, Bytes bytes) {
  const Datum from = Datum::of(static_cast<const void*>(bytes.data()));
  if (bytes.size() == 6) return make_mac(context.arena, widen_mac(load_mac<6>(from)));
  if (bytes.size() != 8) return bad_length();
  return make_mac(context.arena, load_mac<8>(from));
}
Status macaddr_send(IoContext&, Datum value, std::string& out) {
  out.append(value.as<const char*>(), 6);
  return {};
}
Status macaddr8_send(IoContext&, Datum value, std::string& out) {
  out.append(value.as<const char*>(), 8);
  return {};
}

}  // namespace orrery
