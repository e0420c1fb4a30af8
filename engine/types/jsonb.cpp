#include "types/jsonb.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "base/text.h"
#include "types/compare.h"
#include "types/numeric.h"

namespace orrery {
namespace {

constexpr uint32_t kCountMask = 0x0fffffff;
constexpr uint32_t kScalar = 0x10000000, kObject = 0x20000000, kArray = 0x40000000;
constexpr uint32_t kHasOffset = 0x80000000, kKindMask = 0x70000000;
constexpr uint32_t kStringEntry = 0, kNumberEntry = 0x10000000, kFalseEntry = 0x20000000,
                   kTrueEntry = 0x30000000, kNullEntry = 0x40000000, kContainerEntry = 0x50000000;
constexpr uint32_t kStride = 32;

// By length, then by bytes: PostgreSQL's order of keys.
bool key_less(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

class Encoder {
 public:
  explicit Encoder(Arena& arena) : arena_(arena) {}
  // Offsets count from the varlena's header.
  std::string out = std::string(kVarlenaHeaderBytes, '\0');

  Status root(const Json& value) {
    if (!value.is_scalar()) {
      TRY(container(value));
      return {};
    }
    append_word(1 | kArray | kScalar);
    const size_t entry = out.size();
    append_word(0);
    const uint32_t made = TRY(item(value));
    put_word(entry, made | kHasOffset);
    return {};
  }

 private:
  void append_word(uint32_t word) {
    out.resize(out.size() + 4);
    put_word(out.size() - 4, word);
  }
  void put_word(size_t at, uint32_t word) { store<uint32_t>(out.data() + at, word); }
  void pad() { out.resize((out.size() + 3) / 4 * 4); }

  // Appends the item and returns its entry, with its length.
  Result<uint32_t> item(const Json& value) {
    const size_t start = out.size();
    uint32_t kind = kContainerEntry;
    switch (value.kind) {
      case JsonKind::null:    return kNullEntry;
      case JsonKind::boolean: return value.truth ? kTrueEntry : kFalseEntry;
      case JsonKind::string:
        kind = kStringEntry;
        out += value.text;
        break;
      case JsonKind::number: {
        kind = kNumberEntry;
        pad();
        const Numeric number = TRY(parse_numeric(value.text));
        const Datum stored = TRY(make_numeric(arena_, number));
        const char* const bytes = stored.as<const char*>();
        out.append(bytes, varlena_size(bytes));
        break;
      }
      case JsonKind::array:
      case JsonKind::object:
        pad();
        TRY(container(value));
        break;
    }
    const size_t length = out.size() - start;
    if (length > kCountMask) return too_large("element");
    return kind | static_cast<uint32_t>(length);
  }

  Status container(const Json& value) {
    const bool object = value.kind == JsonKind::object;
    const size_t count = value.items.size();
    if (count > kMaxJsonbItems) {
      return raise(sqlstate::program_limit_exceeded,
                   cat("number of jsonb ", object ? "object pairs" : "array elements",
                       " exceeds the maximum allowed (", kMaxJsonbItems, ")"));
    }
    append_word(static_cast<uint32_t>(count) | (object ? kObject : kArray));
    const size_t entries = out.size();
    out.resize(entries + 4 * count * (object ? 2 : 1));
    uint64_t total = 0;
    size_t index = 0;
    const auto note = [&](uint32_t entry) -> Status {
      total += entry & kCountMask;
      if (total > kCountMask) return too_large(object ? "object elements" : "array elements");
      if (index % kStride == 0)
        entry = (entry & kKindMask) | static_cast<uint32_t>(total) | kHasOffset;
      put_word(entries + 4 * index++, entry);
      return {};
    };
    for (const std::string& key : value.keys) {
      out += key;
      TRY(note(static_cast<uint32_t>(key.size())));
    }
    for (const Json& child : value.items) {
      const uint32_t entry = TRY(item(child));
      TRY(note(entry));
    }
    return {};
  }
  Status too_large(std::string_view what) const {
    return raise(
        sqlstate::program_limit_exceeded,
        cat("total size of jsonb ", what, " exceeds the maximum of ", kCountMask, " bytes"));
  }

  Arena& arena_;
};

// REQUIRES: bytes that an Encoder made.
Json decode_container(const char* container);

Json decode_item(uint32_t kind, const char* base, uint32_t start, uint32_t end) {
  Json out;
  const uint32_t aligned = (start + 3) / 4 * 4;
  if (kind == kContainerEntry) return decode_container(base + aligned);
  if (kind == kStringEntry) {
    out.kind = JsonKind::string;
    out.text.assign(base + start, end - start);
  } else if (kind == kNumberEntry) {
    out.kind = JsonKind::number;
    const Datum number = Datum::of(static_cast<const void*>(base + aligned));
    append_numeric(out.text, Numeric::from_datum(number));
  } else if (kind == kTrueEntry || kind == kFalseEntry) {
    out.kind = JsonKind::boolean;
    out.truth = kind == kTrueEntry;
  }
  return out;
}

Json decode_container(const char* container) {
  const auto header = load<uint32_t>(container);
  const uint32_t count = header & kCountMask;
  const bool object = (header & kObject) != 0;
  const uint32_t entries = object ? 2 * count : count;
  const char* const base = container + 4 + 4 * size_t{entries};
  Json out;
  out.kind = object ? JsonKind::object : JsonKind::array;
  uint32_t start = 0;
  for (uint32_t i = 0; i < entries; ++i) {
    const auto entry = load<uint32_t>(container + 4 + 4 * size_t{i});
    const uint32_t length = entry & kCountMask;
    const uint32_t end = (entry & kHasOffset) != 0 ? length : start + length;
    if (object && i < count) {
      out.keys.emplace_back(base + start, end - start);
    } else {
      out.items.push_back(decode_item(entry & kKindMask, base, start, end));
    }
    start = end;
  }
  if ((header & kScalar) == 0) return out;
  Json scalar = std::move(out.items[0]);
  return scalar;
}

int sign(int order) { return (order > 0) - (order < 0); }

bool contains(const Json& whole, const Json& part) {
  if (whole.kind != part.kind) return false;
  if (part.kind == JsonKind::object) {
    return std::ranges::all_of(part.keys, [&](const std::string& key) {
      const Json* const own = whole.find(key);
      return own != nullptr && contains(*own, *part.find(key));
    });
  }
  if (part.kind == JsonKind::array) {
    return std::ranges::all_of(part.items, [&](const Json& wanted) {
      return std::ranges::any_of(whole.items,
                                 [&](const Json& own) { return contains(own, wanted); });
    });
  }
  return order_jsonb(whole, part, false) == 0;
}

}  // namespace

Status normalise_jsonb(Json& value) {
  if (value.kind == JsonKind::number) {
    const Numeric number = TRY(parse_numeric(value.text));
    value.text.clear();
    append_numeric(value.text, number);
  }
  for (Json& item : value.items) TRY(normalise_jsonb(item));
  if (value.kind != JsonKind::object) return {};
  std::vector<size_t> order(value.keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) {
    return value.keys[a] == value.keys[b] ? a < b : key_less(value.keys[a], value.keys[b]);
  });
  std::vector<std::string> keys;
  std::vector<Json> items;
  for (size_t i = 0; i < order.size(); ++i) {
    const bool replaced = i + 1 < order.size() && value.keys[order[i]] == value.keys[order[i + 1]];
    if (replaced) continue;
    keys.push_back(std::move(value.keys[order[i]]));
    items.push_back(std::move(value.items[order[i]]));
  }
  value.keys = std::move(keys);
  value.items = std::move(items);
  return {};
}

Result<Datum> make_jsonb(Arena& arena, const Json& value) {
  Encoder encoder(arena);
  TRY(encoder.root(value));
  if (encoder.out.size() > kMaxValueBytes)
    return raise(sqlstate::program_limit_exceeded, "jsonb value is too large");
  return make_varlena(arena, std::string_view(encoder.out).substr(kVarlenaHeaderBytes));
}

Json load_jsonb(Datum value) { return decode_container(value.text().data()); }

void append_jsonb(std::string& out, const Json& value) {
  switch (value.kind) {
    case JsonKind::null:    out += "null"; return;
    case JsonKind::boolean: out += value.truth ? "true" : "false"; return;
    case JsonKind::number:  out += value.text; return;
    case JsonKind::string:  append_json_string(out, value.text); return;
    case JsonKind::array:
    case JsonKind::object:  break;
  }
  const bool object = value.kind == JsonKind::object;
  out.push_back(object ? '{' : '[');
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) out += ", ";
    if (object) {
      append_json_string(out, value.keys[i]);
      out += ": ";
    }
    append_jsonb(out, value.items[i]);
  }
  out.push_back(object ? '}' : ']');
}

void append_jsonb_pretty(std::string& out, const Json& value, int level) {
  if (value.is_scalar()) {
    append_jsonb(out, value);
    return;
  }
  const bool object = value.kind == JsonKind::object;
  const std::string indent(static_cast<size_t>(level) * 4, ' ');
  out.push_back(object ? '{' : '[');
  for (size_t i = 0; i < value.items.size(); ++i) {
    out += cat(i > 0 ? ",\n" : "\n", indent, "    ");
    if (object) {
      append_json_string(out, value.keys[i]);
      out += ": ";
    }
    append_jsonb_pretty(out, value.items[i], level + 1);
  }
  out += cat("\n", indent, object ? "}" : "]");
}

int order_jsonb(const Json& a, const Json& b, bool top) {
  if (top && a.is_scalar() != b.is_scalar()) {
    const Json& container = a.is_scalar() ? b : a;
    const bool below = container.kind == JsonKind::array && container.items.empty();
    return a.is_scalar() == below ? 1 : -1;
  }
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  switch (a.kind) {
    case JsonKind::null:    return 0;
    case JsonKind::boolean: return int{a.truth} - int{b.truth};
    case JsonKind::string:  return sign(compare_text(a.text, b.text));
    case JsonKind::number:  {
      Result<Numeric> x = parse_numeric(a.text);
      Result<Numeric> y = parse_numeric(b.text);
      CHECK(x.ok() && y.ok());  // they came out of numerics
      return sign(compare_numeric(*x, *y));
    }
    case JsonKind::array:
    case JsonKind::object: break;
  }
  if (a.items.size() != b.items.size()) return a.items.size() < b.items.size() ? -1 : 1;
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (a.kind == JsonKind::object) {
      if (const int order = compare_text(a.keys[i], b.keys[i]); order != 0) return sign(order);
    }
    if (const int order = order_jsonb(a.items[i], b.items[i], false); order != 0) return order;
  }
  return 0;
}

// An array holds a scalar that is one of its items, but no scalar holds an array.
bool jsonb_contains(const Json& whole, const Json& part) {
  if (whole.kind == JsonKind::array && part.is_scalar()) {
    return std::ranges::any_of(whole.items, [&](const Json& own) { return contains(own, part); });
  }
  return contains(whole, part);
}

int compare_jsonb(Datum a, Datum b) { return order_jsonb(load_jsonb(a), load_jsonb(b), true); }

namespace {

uint64_t hash_tree(const Json& value) {
  uint64_t hash = hash_u64(static_cast<uint64_t>(value.kind));
  switch (value.kind) {
    case JsonKind::null:    return hash;
    case JsonKind::boolean: return hash_combine(hash, value.truth ? 1 : 0);
    case JsonKind::string:  return hash_combine(hash, hash_text(value.text));
    case JsonKind::number:  {
      // 1.0 is 1: the digits decide, not how many are shown.
      Result<Numeric> number = parse_numeric(value.text);
      CHECK(number.ok());
      Arena arena;
      Result<Datum> stored = make_numeric(arena, *number);
      CHECK(stored.ok());
      return hash_combine(hash, hash_numeric_datum(*stored));
    }
    case JsonKind::array:
    case JsonKind::object: break;
  }
  for (const std::string& key : value.keys) hash = hash_combine(hash, hash_text(key));
  for (const Json& item : value.items) hash = hash_combine(hash, hash_tree(item));
  return hash;
}

}  // namespace

uint64_t hash_jsonb(Datum value) { return hash_tree(load_jsonb(value)); }

Result<Datum> jsonb_in(IoContext& context, std::string_view text) {
  Json value = TRY(parse_json(text, true, context.settings.stop));
  TRY(normalise_jsonb(value));
  return make_jsonb(context.arena, value);
}
Status jsonb_out(IoContext&, Datum value, std::string& out) {
  append_jsonb(out, load_jsonb(value));
  return {};
}
Result<Datum> jsonb_receive(IoContext& context, Bytes bytes) {
  if (bytes.empty() || static_cast<int>(bytes[0]) != 1) {
    return raise(sqlstate::internal_error, cat("unsupported jsonb version number ",
                                               bytes.empty() ? 0 : static_cast<int>(bytes[0])));
  }
  return jsonb_in(context, as_text(bytes.subspan(1)));
}
Status jsonb_send(IoContext&, Datum value, std::string& out) {
  out.push_back('\1');
  append_jsonb(out, load_jsonb(value));
  return {};
}

}  // namespace orrery
