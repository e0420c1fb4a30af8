#include "types/small_types.h"

#include <charconv>

#include "base/text.h"
#include "types/integer_types.h"
#include "types/text_scan.h"

namespace orrery {
namespace {
constexpr size_t kUuidBytes = 16;

Datum copy_fixed(Arena& arena, const void* from, size_t bytes) {
  void* to = arena.allocate(bytes, 1);
  std::memcpy(to, from, bytes);
  return Datum::of(static_cast<const void*>(to));
}
}  // namespace

// 32 hex digits; a hyphen may follow each group of four, braces may stand around all.
Result<Datum> uuid_in(IoContext& context, std::string_view text) {
  std::string_view body = text;
  if (body.starts_with('{')) {
    if (!body.ends_with('}')) return invalid_syntax("uuid", text);
    body = body.substr(1, body.size() - 2);
  }
  char bytes[kUuidBytes];
  for (size_t i = 0; i < kUuidBytes; ++i) {
    if (body.size() < 2) return invalid_syntax("uuid", text);
    const int high = hex_value(body[0]);
    const int low = hex_value(body[1]);
    if (high < 0 || low < 0) return invalid_syntax("uuid", text);
    bytes[i] = static_cast<char>(high << 4 | low);
    body.remove_prefix(2);
    if (i % 2 == 1 && i < kUuidBytes - 1 && body.starts_with('-')) body.remove_prefix(1);
  }
  if (!body.empty()) return invalid_syntax("uuid", text);
  return copy_fixed(context.arena, bytes, kUuidBytes);
}

Status uuid_out(IoContext&, Datum value, std::string& out) {
  const char* bytes = value.as<const char*>();
  for (size_t i = 0; i < kUuidBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    append_hex(out, static_cast<unsigned char>(bytes[i]), 2);
  }
  return {};
}

Result<Datum> uuid_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != kUuidBytes) return bad_binary_length(bytes, kUuidBytes);
  return copy_fixed(context.arena, bytes.data(), kUuidBytes);
}
Status uuid_send(IoContext&, Datum value, std::string& out) {
  out.append(value.as<const char*>(), kUuidBytes);
  return {};
}

// As PostgreSQL lays an ItemPointer out: block high, block low, slot, 16 bits each.
Datum make_tid(Arena& arena, Tid tid) {
  char bytes[6];
  store(bytes, static_cast<uint16_t>(tid.block.v >> 16));
  store(bytes + 2, static_cast<uint16_t>(tid.block.v));
  store(bytes + 4, tid.slot);
  return copy_fixed(arena, bytes, sizeof bytes);
}
Tid load_tid(Datum value) {
  const char* bytes = value.as<const char*>();
  const uint32_t high = load<uint16_t>(bytes);
  return {BlockNo(high << 16 | load<uint16_t>(bytes + 2)), load<uint16_t>(bytes + 4)};
}

Result<Datum> tid_in(IoContext& context, std::string_view text) {
  const char* const end = text.data() + text.size();
  uint64_t block = 0;
  uint64_t slot = 0;
  std::string_view body = trim_spaces(text);
  if (!body.starts_with('(')) return invalid_syntax("tid", text);
  auto [comma, error] = std::from_chars(body.data() + 1, end, block);
  if (error != std::errc() || comma == end || *comma != ',' || block > UINT32_MAX)
    return invalid_syntax("tid", text);
  auto [close, slot_error] = std::from_chars(comma + 1, end, slot);
  if (slot_error != std::errc() || close == end || *close != ')' || slot > UINT16_MAX)
    return invalid_syntax("tid", text);
  return make_tid(context.arena,
                  {BlockNo(static_cast<uint32_t>(block)), static_cast<uint16_t>(slot)});
}

Status tid_out(IoContext&, Datum value, std::string& out) {
  const Tid tid = load_tid(value);
  out += cat("(", tid.block, ",", tid.slot, ")");
  return {};
}
Result<Datum> tid_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != 6) return bad_binary_length(bytes, 6);
  return make_tid(context.arena,
                  {BlockNo(load_be<uint32_t>(bytes.data())), load_be<uint16_t>(bytes.data() + 4)});
}
Status tid_send(IoContext&, Datum value, std::string& out) {
  const Tid tid = load_tid(value);
  ByteWriter writer(out);
  writer.write_be(tid.block.v);
  writer.write_be(tid.slot);
  return {};
}

Result<Datum> pg_lsn_in(IoContext&, std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash < 1 || slash > 8)
    return invalid_syntax("pg_lsn", text);
  const std::string_view halves[] = {text.substr(0, slash), text.substr(slash + 1)};
  uint64_t value = 0;
  for (const std::string_view half : halves) {
    if (half.empty() || half.size() > 8) return invalid_syntax("pg_lsn", text);
    value <<= 32;
    uint64_t word = 0;
    for (const char c : half) {
      if (hex_value(c) < 0) return invalid_syntax("pg_lsn", text);
      word = word << 4 | static_cast<uint64_t>(hex_value(c));
    }
    value |= word;
  }
  return Datum::of(value);
}
Status pg_lsn_out(IoContext&, Datum value, std::string& out) {
  std::string hex;
  append_hex(hex, value.raw >> 32);
  hex.push_back('/');
  append_hex(hex, value.raw & UINT32_MAX);
  out += to_upper(hex);
  return {};
}

Result<Datum> void_in(IoContext&, std::string_view) { return Datum(); }
Status void_out(IoContext&, Datum, std::string&) { return {}; }
Result<Datum> void_receive(IoContext&, Bytes) { return Datum(); }

}  // namespace orrery
