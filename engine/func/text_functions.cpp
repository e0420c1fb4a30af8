// text: concatenation, length, parts, search, LIKE, case, trimming, padding. Positions and lengths
// count characters.
#include "base/text.h"
#include "func/large_work.h"
#include "func/lift.h"
#include "func/like.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<signed char>(c) < 0) return false;
  }
  return true;
}

Status too_large() { return raise(sqlstate::program_limit_exceeded, "requested length too large"); }

// characters [start, start + length) with PostgreSQL's arithmetic: start is 1-based and may be
// below 1.
Result<std::string_view> substring(std::string_view text, int32_t start,
                                   std::optional<int32_t> length) {
  int64_t first = start;
  int64_t end = INT64_MAX;
  if (length) {
    if (*length < 0)
      return raise(sqlstate::substring_error, "negative substring length not allowed");
    end = first + *length;
    if (end < 1) return std::string_view();
  }
  first = std::max<int64_t>(first, 1);
  if (is_ascii(text)) {
    const auto size = static_cast<int64_t>(text.size());
    const int64_t from = std::min(first - 1, size);
    const int64_t to = std::max(from, std::min(end == INT64_MAX ? size : end - 1, size));
    return text.substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
  }
  const size_t from = utf8_offset(text, static_cast<size_t>(first - 1));
  const std::string_view rest = text.substr(from);
  return end == INT64_MAX
             ? rest
             : rest.substr(
                   0, utf8_offset(rest, static_cast<size_t>(std::max<int64_t>(end - first, 0))));
}

int32_t position(std::string_view text, std::string_view part) {
  const size_t at = text.find(part);
  return at == std::string_view::npos ? 0
                                      : static_cast<int32_t>(utf8_count(text.substr(0, at))) + 1;
}

// The C collation folds ASCII only; text under another collation goes through ICU.
std::string initcap(std::string_view text) {
  std::string out(text);
  bool in_word = false;
  for (char& c : out) {
    c = in_word ? lower_ascii(c) : upper_ascii(c);
    in_word = is_alnum(c);
  }
  return out;
}

// The characters of `set` as separate views.
bool contains_character(std::string_view set, std::string_view c) {
  for (size_t at = 0; at < set.size();) {
    const size_t step = utf8_step(set, at);
    if (set.substr(at, step) == c) return true;
    at += step;
  }
  return false;
}

std::string_view trim(std::string_view text, std::string_view set, bool left, bool right) {
  if (set.empty()) return text;
  while (left && !text.empty()) {
    const std::string_view first = text.substr(0, utf8_step(text, 0));
    if (!contains_character(set, first)) break;
    text.remove_prefix(first.size());
  }
  while (right && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    if (!contains_character(set, text.substr(at))) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}

// A value may be hundreds of megabytes: work on it is booked every so many bytes, or pieces.
constexpr uint64_t kBytesPerUnit = 64;
constexpr uint64_t kPiecesAtOnce = 4096;

Result<std::string> pad(Call& call, std::string_view text, int32_t length, std::string_view fill,
                        bool left) {
  const size_t wanted = static_cast<size_t>(std::max(length, 0));
  if (wanted > kMaxValueBytes / 4) return too_large();
  const size_t count = utf8_count(text);
  if (count >= wanted || fill.empty())
    return std::string(text.substr(0, utf8_offset(text, wanted)));
  std::string out;
  out.reserve((wanted - count) * (fill.size() / utf8_count(fill) + 1) + text.size());
  if (!left) out += text;
  size_t at = 0;
  for (size_t missing = wanted - count; missing > 0; --missing) {
    if (at == fill.size()) at = 0;
    const size_t step = utf8_step(fill, at);
    out += fill.substr(at, step);
    at += step;
    if (missing % kPiecesAtOnce == 0) TRY(spent(call.context, kPiecesAtOnce / 2));
  }
  if (left) out += text;
  return out;
}

// Counts first: a text too long is refused before any of it is made.
Result<std::string> replace(Call& call, std::string_view text, std::string_view from,
                            std::string_view to) {
  if (from.empty()) return std::string(text);
  uint64_t found = 0;
  for (size_t at = 0; (at = text.find(from, at)) != std::string_view::npos; at += from.size()) {
    if (++found % kPiecesAtOnce == 0) TRY(spent(call.context, kPiecesAtOnce / 2));
  }
  TRY(spent(call.context, text.size() / kBytesPerUnit));
  const uint64_t length = text.size() - found * from.size() + found * to.size();
  TRY(check_length(length));
  std::string out;
  out.reserve(length);
  size_t at = 0;
  for (; found > 0; --found) {
    const size_t next = text.find(from, at);
    out += text.substr(at, next - at);
    out += to;
    at = next + from.size();
    if (found % kPiecesAtOnce == 0) TRY(spent(call.context, kPiecesAtOnce / 2));
  }
  out += text.substr(at);
  TRY(spent(call.context, length / kBytesPerUnit));
  return out;
}

Result<std::string> translate(Call& call, std::string_view text, std::string_view from,
                              std::string_view to) {
  std::string out;
  uint64_t looked_at = 0;
  for (size_t at = 0; at < text.size();) {
    const std::string_view c = text.substr(at, utf8_step(text, at));
    at += c.size();
    if (++looked_at % kPiecesAtOnce == 0) TRY(spent(call.context, kPiecesAtOnce / 2));
    size_t f = 0;
    size_t t = 0;
    bool found = false;
    while (f < from.size()) {
      const size_t step = utf8_step(from, f);
      found = from.substr(f, step) == c;
      if (found) break;
      f += step;
      if (t < to.size()) t += utf8_step(to, t);
    }
    if (!found) {
      out += c;
    } else if (t < to.size()) {
      out += to.substr(t, utf8_step(to, t));
    }
  }
  return out;
}

Result<std::string> repeat(Call& call, std::string_view text, int32_t count) {
  const auto times = static_cast<size_t>(std::max(count, 0));
  if (!text.empty() && times > (kMaxValueBytes - kVarlenaHeaderBytes) / text.size())
    return too_large();
  std::string out;
  out.reserve(text.size() * times);
  const uint64_t units = text.size() * kPiecesAtOnce / kBytesPerUnit + kPiecesAtOnce / 8;
  for (size_t i = 0; i < times; ++i) {
    out += text;
    if ((i + 1) % kPiecesAtOnce == 0) TRY(spent(call.context, units));
  }
  return out;
}

std::string reverse(std::string_view text) {
  std::string out(text.size(), '\0');
  size_t to = text.size();
  for (size_t at = 0; at < text.size();) {
    const size_t step = utf8_step(text, at);
    to -= step;
    std::memcpy(out.data() + to, text.data() + at, step);
    at += step;
  }
  return out;
}

Result<std::string> overlay(std::string_view text, std::string_view with, int32_t start,
                            int32_t length) {
  if (start <= 0) return raise(sqlstate::substring_error, "negative substring length not allowed");
  int32_t end = 0;
  if (__builtin_add_overflow(start, length, &end)) return raise_out_of_range("integer");
  const std::string_view before = TRY(substring(text, 1, start - 1));
  const std::string_view after = TRY(substring(text, end, std::nullopt));
  return cat(before, with, after);
}

// Field number n, from the end if negative.
Result<std::string_view> split_part(std::string_view text, std::string_view separator, int32_t n) {
  if (n == 0) return raise(sqlstate::invalid_parameter_value, "field position must not be zero");
  if (text.empty()) return std::string_view();
  if (separator.empty()) return n == 1 || n == -1 ? text : std::string_view();
  if (n < 0) {
    int32_t fields = 1;
    for (size_t at = 0; (at = text.find(separator, at)) != std::string_view::npos;
         at += separator.size())
      ++fields;
    n += fields + 1;
    if (n < 1) return std::string_view();
  }
  size_t at = 0;
  while (--n > 0) {
    at = text.find(separator, at);
    if (at == std::string_view::npos) return std::string_view();
    at += separator.size();
  }
  return text.substr(at, text.find(separator, at) - at);
}

std::string_view left_part(std::string_view text, int32_t n) {
  if (n >= 0) return text.substr(0, utf8_offset(text, static_cast<size_t>(n)));
  const int64_t keep = static_cast<int64_t>(utf8_count(text)) + n;
  return text.substr(0, utf8_offset(text, static_cast<size_t>(std::max<int64_t>(keep, 0))));
}
std::string_view right_part(std::string_view text, int32_t n) {
  const auto count = static_cast<int64_t>(utf8_count(text));
  const int64_t drop = n >= 0 ? std::max<int64_t>(count - n, 0) : -int64_t{n};
  return text.substr(utf8_offset(text, static_cast<size_t>(drop)));
}

// A concatenation writes its result once, straight into the arena.
constexpr Kernel kConcatenate =
    lift([](Call& call, std::string_view a, std::string_view b) -> Result<Datum> {
      if (a.size() + b.size() > kMaxValueBytes - kVarlenaHeaderBytes) return too_large();
      char* to = nullptr;
      const Datum out = make_varlena_space(call.arena(), a.size() + b.size(), &to);
      if (!a.empty()) std::memcpy(to, a.data(), a.size());
      if (!b.empty()) std::memcpy(to + a.size(), b.data(), b.size());
      return out;
    });

template <bool kNegated, bool kFold>
constexpr Kernel kLike =
    lift([](Call& call, std::string_view text, std::string_view pattern) -> Result<bool> {
      const bool matches = TRY(like(text, pattern, kFold, call.settings().stop));
      return matches != kNegated;
    });
template <bool kNegated, bool kFold>
constexpr Kernel kNameLike = lift([](Name text, std::string_view pattern) -> Result<bool> {
  const bool matches = TRY(like(text.text, pattern, kFold));
  return matches != kNegated;
});

constexpr Kernel kLength =
    lift([](std::string_view v) { return static_cast<int32_t>(utf8_count(v)); });
constexpr Kernel kOctets = lift([](std::string_view v) { return static_cast<int32_t>(v.size()); });
constexpr Kernel kPosition =
    lift([](std::string_view text, std::string_view part) { return position(text, part); });
template <bool kLeft, bool kRight>
constexpr Kernel kTrim =
    lift([](std::string_view v, std::string_view set) { return trim(v, set, kLeft, kRight); });
template <bool kLeft, bool kRight>
constexpr Kernel kTrim1 = lift([](std::string_view v) { return trim(v, " ", kLeft, kRight); });

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("textcat", kConcatenate),
    body("byteacat", kConcatenate),
    body("textlen", kLength),
    body("bpcharlen",
         lift([](std::string_view v) { return static_cast<int32_t>(utf8_count(trim_blanks(v))); })),
    body("textoctetlen", kOctets),
    body("bpcharoctetlen", kOctets),
    body("text_substr", lift([](std::string_view v, int32_t start, int32_t length) {
           return substring(v, start, length);
         })),
    body("text_substr_no_len",
         lift([](std::string_view v, int32_t start) { return substring(v, start, std::nullopt); })),
    body("textpos", kPosition),
    body("textlike", kLike<false, false>),
    body("textnlike", kLike<true, false>),
    body("texticlike", kLike<false, true>),
    body("texticnlike", kLike<true, true>),
    body("bytealike", kLike<false, false>),
    body("byteanlike", kLike<true, false>),
    body("namelike", kNameLike<false, false>),
    body("namenlike", kNameLike<true, false>),
    body("nameiclike", kNameLike<false, true>),
    body("nameicnlike", kNameLike<true, true>),
    body("like_escape", lift([](std::string_view pattern, std::string_view escape) {
           return rewrite_escape(pattern, escape);
         })),
    body("like_escape_bytea", lift([](std::string_view pattern, std::string_view escape) {
           return rewrite_escape(pattern, escape);
         })),
    body("upper", lift([](std::string_view v) { return to_upper(v); })),
    body("lower", lift([](std::string_view v) { return to_lower(v); })),
    body("initcap", lift([](std::string_view v) { return initcap(v); })),
    body("btrim", kTrim<true, true>),
    body("ltrim", kTrim<true, false>),
    body("rtrim", kTrim<false, true>),
    body("btrim1", kTrim1<true, true>),
    body("ltrim1", kTrim1<true, false>),
    body("rtrim1", kTrim1<false, true>),
    body("lpad", lift([](Call& call, std::string_view v, int32_t n, std::string_view fill) {
           return pad(call, v, n, fill, true);
         })),
    body("rpad", lift([](Call& call, std::string_view v, int32_t n, std::string_view fill) {
           return pad(call, v, n, fill, false);
         })),
    body("replace_text", lift([](Call& call, std::string_view v, std::string_view from,
                                 std::string_view to) { return replace(call, v, from, to); })),
    body("translate", lift([](Call& call, std::string_view v, std::string_view from,
                              std::string_view to) { return translate(call, v, from, to); })),
    body("repeat",
         lift([](Call& call, std::string_view v, int32_t n) { return repeat(call, v, n); })),
    body("text_reverse", lift([](std::string_view v) { return reverse(v); })),
    body("text_left", lift([](std::string_view v, int32_t n) { return left_part(v, n); })),
    body("text_right", lift([](std::string_view v, int32_t n) { return right_part(v, n); })),
    body("split_part", lift([](std::string_view v, std::string_view separator, int32_t n) {
           return split_part(v, separator, n);
         })),
    body("textoverlay", lift([](std::string_view v, std::string_view with, int32_t start,
                                int32_t length) { return overlay(v, with, start, length); })),
    body("textoverlay_no_len", lift([](std::string_view v, std::string_view with, int32_t start) {
           return overlay(v, with, start, static_cast<int32_t>(utf8_count(with)));
         })),
    body("nameconcatoid", lift([](Call& call, Name v, uint32_t oid) {
           const std::string suffix = cat("_", oid);
           return make_name(
               call.arena(),
               cat(v.text.substr(0, utf8_clip(v.text, kNameBytes - 1 - suffix.size())), suffix));
         })),
}));

}  // namespace

std::span<const FunctionBody> text_functions() { return kTable; }

}  // namespace orrery
