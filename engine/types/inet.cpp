#include "types/inet.h"

#include <optional>

#include "base/hash.h"
#include "base/text.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

// Decimal digits up to `most`; nothing if there are none or it is more.
std::optional<int> read_number(std::string_view text, size_t& at, int most) {
  if (at >= text.size() || !is_digit(text[at])) return std::nullopt;
  int value = 0;
  while (at < text.size() && is_digit(text[at])) {
    value = value * 10 + (text[at++] - '0');
    if (value > most) return std::nullopt;
  }
  return value;
}

// How wide a network is by its class, when nobody says it [RFC 791 §3.2].
int class_bits(uint8_t first, size_t octets) {
  int bits = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  bits = std::max(bits, static_cast<int>(octets * 8));
  return bits == 8 && first == 224 ? 4 : bits;
}

// "10.1/16": an inet says all octets its mask reaches, a cidr may stop early.
std::optional<Inet> parse_ipv4(std::string_view text, bool is_cidr) {
  Inet out;
  size_t at = 0;
  size_t octets = 0;
  while (true) {
    const auto octet = read_number(text, at, 255);
    if (!octet || octets == 4) return std::nullopt;
    out.address[octets++] = static_cast<uint8_t>(*octet);
    if (at == text.size() || text[at] == '/') break;
    if (text[at++] != '.') return std::nullopt;
  }
  if (at < text.size()) {
    const auto bits = read_number(text, ++at, 32);
    if (!bits || at != text.size()) return std::nullopt;
    if (!is_cidr && *bits / 8 > static_cast<int>(octets)) return std::nullopt;
    out.bits = static_cast<uint8_t>(*bits);
  } else if (is_cidr) {
    out.bits = static_cast<uint8_t>(class_bits(out.address[0], octets));
  } else if (octets != 4) {
    return std::nullopt;
  }
  return out;
}

std::optional<Inet> parse_ipv6(std::string_view text) {
  Inet out;
  out.family = Inet::kIpv6;
  out.bits = 128;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    size_t at = slash + 1;
    const auto bits = read_number(text, at, 128);
    if (!bits || at != text.size()) return std::nullopt;
    out.bits = static_cast<uint8_t>(*bits);
    text = text.substr(0, slash);
  }
  std::vector<uint8_t> bytes;
  std::optional<size_t> gap;  // where "::" stood
  size_t at = 0;
  if (text.starts_with(":") && !text.starts_with("::")) return std::nullopt;
  if (text.starts_with("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.size()) {
    const size_t start = at;
    uint32_t group = 0;
    while (at < text.size() && hex_value(text[at]) >= 0 && at - start < 5)
      group = group << 4 | static_cast<uint32_t>(hex_value(text[at++]));
    if (at < text.size() && text[at] == '.') {
      const auto tail = parse_ipv4(text.substr(start), false);
      if (!tail || text.substr(start).find('/') != std::string_view::npos) return std::nullopt;
      bytes.insert(bytes.end(), tail->address.begin(), tail->address.begin() + 4);
      at = text.size();
      break;
    }
    if (at == start || at - start > 4) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(group >> 8));
    bytes.push_back(static_cast<uint8_t>(group));
    if (at == text.size()) break;
    if (text[at++] != ':' || at == text.size()) return std::nullopt;
    if (text[at] == ':') {
      if (gap) return std::nullopt;
      gap = bytes.size();
      ++at;
    }
  }
  if (bytes.size() > 16 || (gap ? bytes.size() == 16 : bytes.size() != 16)) return std::nullopt;
  if (gap) {
    bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(*gap), 16 - bytes.size(), uint8_t{0});
  }
  std::copy(bytes.begin(), bytes.end(), out.address.begin());
  return out;
}

bool has_host_bits(const Inet& inet) {
  Inet network = inet;
  network.fill_host(inet.bits, false);
  return network.address != inet.address;
}

Result<Inet> parse_network(std::string_view text, bool is_cidr) {
  const bool v6 = text.find(':') != std::string_view::npos;
  const auto parsed = v6 ? parse_ipv6(text) : parse_ipv4(text, is_cidr);
  if (!parsed) return invalid_syntax(is_cidr ? "cidr" : "inet", text);
  if (is_cidr && has_host_bits(*parsed)) {
    return raise(sqlstate::invalid_text_representation, cat("invalid cidr value: \"", text, "\""))
        .detail("Value has bits set to right of mask.");
  }
  return *parsed;
}

void append_group(std::string& out, uint32_t word) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const uint32_t digit = word >> shift & 15;
    started |= digit != 0 || shift == 0;
    if (started) out.push_back(kDigits[digit]);
  }
}

std::string ipv4_text(std::span<const uint8_t> octets) {
  std::string out;
  for (const uint8_t octet : octets) out += cat(out.empty() ? "" : ".", int{octet});
  return out;
}

// The longest run of zero words, two at least, is "::" [RFC 5952 §4.2].
std::string ipv6_text(const Inet& inet) {
  uint32_t words[8];
  for (size_t i = 0; i < 8; ++i)
    words[i] = static_cast<uint32_t>(inet.address[2 * i]) << 8 | inet.address[2 * i + 1];
  size_t best = 0, best_length = 0;
  for (size_t i = 0; i < 8; ++i) {
    size_t length = 0;
    while (i + length < 8 && words[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  if (best_length < 2) best_length = 0;
  std::string out;
  for (size_t i = 0; i < 8; ++i) {
    if (best_length > 0 && i >= best && i < best + best_length) {
      if (i == best) out.push_back(':');
      continue;
    }
    if (i > 0) out.push_back(':');
    const bool mapped = best == 0 && (best_length == 6 || (best_length == 5 && words[5] == 0xffff));
    if (i == 6 && mapped) return out + ipv4_text(std::span(inet.address).subspan(12));
    append_group(out, words[i]);
  }
  if (best_length > 0 && best + best_length == 8) out.push_back(':');
  return out;
}

// Only the words the mask reaches, two at least.
std::string ipv6_abbreviation(const Inet& cidr) {
  if (cidr.bits == 0) return "::";
  Inet network = cidr;
  network.fill_host(cidr.bits, false);
  const size_t words = std::max<size_t>(2, (size_t{cidr.bits} + 15) / 16);
  size_t zero_at = 0, zero_count = 0;
  for (size_t i = 0; i < words; ++i) {
    size_t length = 0;
    while (i + length < words && network.address[2 * (i + length)] == 0 &&
           network.address[2 * (i + length) + 1] == 0)
      ++length;
    if (length > zero_count) {
      zero_at = i;
      zero_count = length;
    }
  }
  const auto& a = network.address;
  const bool mapped = zero_count != words && zero_at == 0 &&
                      (zero_count == 6 || (zero_count == 5 && a[10] == 0xff && a[11] == 0xff) ||
                       (zero_count == 7 && a[14] != 0 && a[15] != 1));
  std::string out;
  for (size_t i = 0; i < words; ++i) {
    if (zero_count != 0 && i >= zero_at && i < zero_at + zero_count) {
      if (i == zero_at) out.push_back(':');
      if (i == words - 1) out.push_back(':');
    } else if (mapped && i > 5) {
      out += cat(i == 6 ? ":" : ".", int{a[2 * i]});
      if (i != 7 || cidr.bits > 120) out += cat(".", int{a[2 * i + 1]});
    } else {
      if (!out.empty()) out.push_back(':');
      append_group(out, static_cast<uint32_t>(a[2 * i]) << 8 | a[2 * i + 1]);
    }
  }
  return out;
}

Result<Inet> receive_network(Bytes bytes, bool is_cidr) {
  const std::string_view type = is_cidr ? "cidr" : "inet";
  const auto bad = [&](std::string_view what) {
    return raise(sqlstate::invalid_binary_representation,
                 cat("invalid ", what, " in external \"", type, "\" value"));
  };
  if (bytes.size() < 4) return bad("length");
  Inet out;
  out.family = static_cast<uint8_t>(bytes[0]);
  out.bits = static_cast<uint8_t>(bytes[1]);
  if (out.family != Inet::kIpv4 && out.family != Inet::kIpv6) return bad("address family");
  if (out.bits > out.max_bits()) return bad("bits");
  if (static_cast<size_t>(bytes[3]) != out.size() || bytes.size() != 4 + out.size())
    return bad("length");
  for (size_t i = 0; i < out.size(); ++i) out.address[i] = static_cast<uint8_t>(bytes[4 + i]);
  if (is_cidr && has_host_bits(out)) {
    return raise(sqlstate::invalid_binary_representation, "invalid external \"cidr\" value")
        .detail("Value has bits set to right of mask.");
  }
  return out;
}

void send_network(const Inet& inet, bool is_cidr, std::string& out) {
  out.push_back(static_cast<char>(inet.family));
  out.push_back(static_cast<char>(inet.bits));
  out.push_back(is_cidr ? '\1' : '\0');
  out.push_back(static_cast<char>(inet.size()));
  for (size_t i = 0; i < inet.size(); ++i) out.push_back(static_cast<char>(inet.address[i]));
}

}  // namespace

void Inet::fill_host(int from_bit, bool ones) {
  for (int i = from_bit; i < max_bits(); ++i) {
    const auto bit = static_cast<uint8_t>(0x80 >> i % 8);
    uint8_t& byte = address[static_cast<size_t>(i / 8)];
    byte = static_cast<uint8_t>(ones ? byte | bit : byte & ~bit);
  }
}

Inet load_inet(Datum value) {
  const std::string_view content = value.text();
  Inet out;
  out.family = static_cast<uint8_t>(content[0]);
  out.bits = static_cast<uint8_t>(content[1]);
  std::memcpy(out.address.data(), content.data() + 2, out.size());
  return out;
}
Datum make_inet(Arena& arena, const Inet& inet) {
  char* content = nullptr;
  const Datum made = make_varlena_space(arena, 2 + inet.size(), &content);
  content[0] = static_cast<char>(inet.family);
  content[1] = static_cast<char>(inet.bits);
  std::memcpy(content + 2, inet.address.data(), inet.size());
  return made;
}

int common_bits(const Inet& a, const Inet& b, int bits) {
  for (int i = 0; i < bits; ++i) {
    const auto byte = static_cast<size_t>(i / 8);
    if (((a.address[byte] ^ b.address[byte]) >> (7 - i % 8) & 1) != 0) return i;
  }
  return bits;
}

// By network, then by its width, then by the whole address.
int order_inet(const Inet& a, const Inet& b) {
  if (a.family != b.family) return a.family < b.family ? -1 : 1;
  const int shared = std::min(a.bits, b.bits);
  Inet x = a, y = b;
  x.fill_host(shared, false);
  y.fill_host(shared, false);
  if (const int order = std::memcmp(x.address.data(), y.address.data(), 16); order != 0)
    return order < 0 ? -1 : 1;
  if (a.bits != b.bits) return a.bits < b.bits ? -1 : 1;
  const int order = std::memcmp(a.address.data(), b.address.data(), 16);
  return (order > 0) - (order < 0);
}
int compare_inet(Datum a, Datum b) { return order_inet(load_inet(a), load_inet(b)); }
uint64_t hash_inet(Datum value) { return hash_text(value.text()); }

std::string inet_address_text(const Inet& inet) {
  return inet.family == Inet::kIpv4 ? ipv4_text(std::span(inet.address).first(4)) : ipv6_text(inet);
}
std::string inet_text(const Inet& inet, bool always_bits) {
  std::string out = inet_address_text(inet);
  if (always_bits || inet.bits != inet.max_bits()) out += cat("/", int{inet.bits});
  return out;
}
std::string cidr_abbreviation(const Inet& cidr) {
  if (cidr.family == Inet::kIpv6) return cat(ipv6_abbreviation(cidr), "/", int{cidr.bits});
  Inet network = cidr;
  network.fill_host(cidr.bits, false);
  const auto octets = static_cast<size_t>((cidr.bits + 7) / 8);
  const std::string text = ipv4_text(std::span(network.address).first(octets));
  return cat(text.empty() ? "0" : text, "/", int{cidr.bits});
}

Result<Datum> inet_in(IoContext& context, std::string_view text) {
  const Inet inet = TRY(parse_network(text, false));
  return make_inet(context.arena, inet);
}
Result<Datum> cidr_in(IoContext& context, std::string_view text) {
  const Inet cidr = TRY(parse_network(text, true));
  return make_inet(context.arena, cidr);
}
Status inet_out(IoContext&, Datum value, std::string& out) {
  out += inet_text(load_inet(value), false);
  return {};
}
Status cidr_out(IoContext&, Datum value, std::string& out) {
  out += inet_text(load_inet(value), true);
  return {};
}
Result<Datum> inet_receive(IoContext& context, Bytes bytes) {
  const Inet inet = TRY(receive_network(bytes, false));
  return make_inet(context.arena, inet);
}
Result<Datum> cidr_receive(IoContext& context, Bytes bytes) {
  const Inet cidr = TRY(receive_network(bytes, true));
  return make_inet(context.arena, cidr);
}
Status inet_send(IoContext&, Datum value, std::string& out) {
  send_network(load_inet(value), false, out);
  return {};
}
Status cidr_send(IoContext&, Datum value, std::string& out) {
  send_network(load_inet(value), true, out);
  return {};
}

}  // namespace orrery
