// ~, ~*, SIMILAR TO and the regexp_ functions. A pattern that is one for the whole plan is compiled
// once and kept there; others are compiled again when they change from one row to the next.
#include "base/text.h"
#include "func/lift.h"
#include "types/array.h"
#include "types/regex.h"
#include "types/text_scan.h"
#include "types/type_oids.h"
#include "types/utf8.h"

namespace orrery {
namespace {

// What a call site keeps.
struct Kept {
  std::string_view pattern, flags;
  Regex* regex = nullptr;
};

// The compiled form of a pattern. `lasting`: the pattern is the plan's, and so may be what is made
// of it.
Result<Regex*> compiled(EvalContext& context, CallSite& site, std::string_view pattern,
                        std::string_view flags, const RegexOptions& options, bool lasting,
                        Kept& recent) {
  if (lasting && site.cache != nullptr) {
    const auto& kept = *static_cast<const Kept*>(site.cache);
    if (kept.pattern == pattern && kept.flags == flags) return kept.regex;
  }
  if (recent.regex != nullptr && recent.pattern == pattern && recent.flags == flags)
    return recent.regex;
  Arena& arena = lasting ? context.plan_arena : context.arena;
  Regex* const regex = TRY(Regex::compile(arena, pattern, options));
  regex->stop_by(context.session.types.stop);
  recent = {arena.copy(pattern), arena.copy(flags), regex};
  if (lasting) site.cache = context.plan_arena.make<Kept>(recent);
  return regex;
}

// Text against pattern, row by row.
template <class Text, bool kNegated, bool kFold>
constexpr Kernel kMatches = [](EvalContext& context, CallSite& site, std::span<const Vector> args,
                               Rows rows, Vector& out) -> Status {
  const RegexOptions options{.ignore_case = kFold};
  Kept recent;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (any_null(args, row)) {
      out.set_null(row);
      continue;
    }
    Regex* const regex = TRY(
        compiled(context, site, args[1].value(row).text(), "", options, args[1].constant, recent));
    std::string_view text;
    if constexpr (std::is_same_v<Text, Name>) {
      text = name_view(args[0].value(row).as<const char*>());
    } else {
      text = args[0].value(row).text();
    }
    const bool found = regex->matches(text);
    TRY(check_stop(context.session.types.stop));
    out.set(row, Datum::of(found != kNegated));
  }
  return {};
};

// The functions below run once per row through here: a call with its pattern compiled.
struct RegexCall {
  Call& call;
  std::span<const Vector> args;
  uint32_t row;
  Regex* regex;
  RegexOptions options;
  std::string_view text;
  bool has(size_t i) const { return i < args.size(); }
  int32_t number(size_t i, int32_t otherwise) const {
    return has(i) ? args[i].value(row).as<int32_t>() : otherwise;
  }
};
using RegexBody = Result<NullableDatum> (*)(RegexCall& call);
// Judges numbers among the arguments, before flags and pattern are looked at.
using RegexCheck = Status (*)(const RegexCall& call);
Status no_check(const RegexCall&) { return {}; }

// What SQL calls the function, for messages.
template <RegexBody F>
constexpr std::string_view kSqlName{};

template <RegexBody F>
constexpr bool kIsReplace = false;

// `flags_at`: which argument holds the flags, -1 none.
template <RegexBody F, int kFlagsAt, RegexCheck kCheck = no_check, bool kGlobalAllowed = false>
constexpr Kernel kRegex = [](EvalContext& context, CallSite& site, std::span<const Vector> args,
                             Rows rows, Vector& out) -> Status {
  Call call{context, site};
  Kept recent;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (any_null(args, row)) {
      out.set_null(row);
      continue;
    }
    TRY(kCheck({call, args, row, nullptr, {}, {}}));
    constexpr auto kAt = static_cast<size_t>(kFlagsAt < 0 ? 0 : kFlagsAt);
    const bool has_flags = kFlagsAt >= 0 && kAt < args.size();
    const std::string_view flags = has_flags ? args[kAt].value(row).text() : std::string_view();
    Result<RegexOptions> parsed = parse_regex_flags(flags);
    if (!parsed.ok()) {
      // Of two regexp_replace()s an unknown literal takes the one with flags.
      const bool number = !flags.empty() && is_digit(flags[0]);
      Status unknown = std::move(parsed).status();
      if (!kIsReplace<F> || !number) return unknown;
      return std::move(unknown).hint(
          "If you meant to use regexp_replace() with a start parameter, cast the fourth argument "
          "to integer explicitly.");
    }
    const RegexOptions options = *parsed;
    if (options.global && !kGlobalAllowed) {
      Status refused = raise(sqlstate::invalid_parameter_value,
                             cat(kSqlName<F>, "() does not support the \"global\" option"));
      if (kSqlName<F> == "regexp_match")
        refused = std::move(refused).hint("Use the regexp_matches function instead.");
      return refused;
    }
    const bool lasting = args[1].constant && (!has_flags || args[kAt].constant);
    Regex* const regex =
        TRY(compiled(context, site, args[1].value(row).text(), flags, options, lasting, recent));
    RegexCall inner{call, args, row, regex, options, args[0].value(row).text()};
    const NullableDatum result = TRY(F(inner));
    TRY(check_stop(context.session.types.stop));
    out.set(row, result);
  }
  return {};
};

std::string_view part(std::string_view text, RegexSpan span) {
  return text.substr(static_cast<size_t>(span.from), static_cast<size_t>(span.to - span.from));
}
NullableDatum text_of(Call& call, std::string_view text, RegexSpan span) {
  if (span.from < 0) return {};
  return {make_varlena(call.arena(), part(text, span)), false};
}
const TypeInfo& text_type() { return *find_builtin_type(type_oid::text); }

// Byte of character number `start`; past the end, where nothing matches, if there is none.
size_t offset_of(std::string_view text, int32_t start) {
  const auto index = static_cast<size_t>(start - 1);
  return index > utf8_count(text) ? text.size() + 1 : utf8_offset(text, index);
}

// Calls `each(spans)` for the matches from byte `from` on, until it returns false. A match of
// nothing moves on by a character.
template <class Each>
Status each_match(Regex& regex, std::string_view text, size_t from, std::vector<RegexSpan>& spans,
                  Each each) {
  bool found = from <= text.size() && regex.find(text, from, spans);
  while (found) {
    const bool more = each();
    if (!more) return {};
    from = static_cast<size_t>(spans[0].to);
    if (spans[0].to == spans[0].from) from += from < text.size() ? utf8_step(text, from) : 1;
    found = from <= text.size() && regex.find_again(from, spans);
  }
  return {};
}

// Group 1 if there are groups, else the whole.
Result<NullableDatum> substring_of(RegexCall& c) {
  std::vector<RegexSpan> spans(c.regex->groups() > 0 ? 2 : 1);
  if (!c.regex->find(c.text, 0, spans)) return NullableDatum{};
  return text_of(c.call, c.text, spans.back());
}

Result<NullableDatum> groups_array(Call& call, Regex& regex, std::string_view text,
                                   std::span<const RegexSpan> spans) {
  std::vector<NullableDatum> groups;
  for (size_t i = regex.groups() > 0 ? 1 : 0; i < spans.size(); ++i)
    groups.push_back(text_of(call, text, spans[i]));
  const Datum array = TRY(make_array(call.arena(), text_type(), groups));
  return NullableDatum{array, false};
}

Result<NullableDatum> match_of(RegexCall& c) {
  std::vector<RegexSpan> spans(static_cast<size_t>(c.regex->groups()) + 1);
  if (!c.regex->find(c.text, 0, spans)) return NullableDatum{};
  return groups_array(c.call, *c.regex, c.text, spans);
}

// \1..\9 and \& in a replacement stand for groups and the whole.
void append_replacement(std::string& out, std::string_view replacement, std::string_view text,
                        std::span<const RegexSpan> spans) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\' || i + 1 == replacement.size()) {
      out.push_back(replacement[i]);
      continue;
    }
    const char c = replacement[++i];
    const size_t group = c == '&'               ? 0
                         : c >= '1' && c <= '9' ? static_cast<size_t>(c - '0')
                                                : SIZE_MAX;
    if (group == SIZE_MAX) {
      if (c != '\\') out.push_back('\\');
      out.push_back(c);
    } else if (group < spans.size() && spans[group].from >= 0) {
      out += part(text, spans[group]);
    }
  }
}

// Replaces match number `nth`, or all from the first on if it is 0.
Result<NullableDatum> replace(RegexCall& c, std::string_view replacement, int32_t start,
                              int32_t nth) {
  std::vector<RegexSpan> spans(static_cast<size_t>(c.regex->groups()) + 1);
  std::string out;
  size_t copied = 0;
  int32_t number = 0;
  TRY(each_match(*c.regex, c.text, offset_of(c.text, start), spans, [&] {
    ++number;
    if (nth != 0 && number < nth) return true;
    out += c.text.substr(copied, static_cast<size_t>(spans[0].from) - copied);
    append_replacement(out, replacement, c.text, spans);
    copied = static_cast<size_t>(spans[0].to);
    return nth == 0;
  }));
  out += c.text.substr(copied);
  return NullableDatum{make_varlena(c.call.arena(), out), false};
}
Status bad_parameter(std::string_view name, int32_t value) {
  return raise(sqlstate::invalid_parameter_value,
               cat("invalid value for parameter \"", name, "\": ", value));
}
Result<NullableDatum> replace_of(RegexCall& c) {
  return replace(c, c.args[2].value(c.row).text(), 1, c.options.global ? 0 : 1);
}
Status check_replace(const RegexCall& c) {
  if (c.number(3, 1) <= 0) return bad_parameter("start", c.number(3, 1));
  if (c.number(4, 1) < 0) return bad_parameter("n", c.number(4, 1));
  return {};
}
// regexp_replace(text, pattern, replacement, start [, n [, flags]])
Result<NullableDatum> replace_extended(RegexCall& c) {
  const int32_t start = c.number(3, 1);
  const int32_t nth = c.number(4, 1);
  return replace(c, c.args[2].value(c.row).text(), start,
                 c.has(4)           ? nth
                 : c.options.global ? 0
                                    : 1);
}

// Fields between matches; a match of nothing at either end or right after another splits nothing.
std::vector<std::string_view> split(RegexCall& c) {
  std::vector<RegexSpan> spans(1);
  std::vector<std::string_view> fields;
  size_t from = 0;
  size_t at = 0;
  bool found = c.regex->find(c.text, 0, spans);
  for (; found; found = at <= c.text.size() && c.regex->find_again(at, spans)) {
    const auto begin = static_cast<size_t>(spans[0].from);
    const auto end = static_cast<size_t>(spans[0].to);
    if (begin == end && (begin == c.text.size() || begin == from)) {
      if (begin >= c.text.size()) break;
      at = begin + utf8_step(c.text, begin);
      continue;
    }
    fields.push_back(c.text.substr(from, begin - from));
    from = end;
    at = end;
    if (begin == end) at += utf8_step(c.text, end);
  }
  fields.push_back(c.text.substr(from));
  return fields;
}
Result<NullableDatum> split_of(RegexCall& c) {
  std::vector<NullableDatum> fields;
  for (const std::string_view field : split(c))
    fields.push_back({make_varlena(c.call.arena(), field), false});
  const Datum array = TRY(make_array(c.call.arena(), text_type(), fields));
  return NullableDatum{array, false};
}

Status check_start(const RegexCall& c) {
  if (c.number(2, 1) <= 0) return bad_parameter("start", c.number(2, 1));
  return {};
}
Result<NullableDatum> count_of(RegexCall& c) {
  const int32_t start = c.number(2, 1);
  std::vector<RegexSpan> spans(1);
  int32_t count = 0;
  TRY(each_match(*c.regex, c.text, offset_of(c.text, start), spans, [&] {
    ++count;
    return true;
  }));
  return NullableDatum{Datum::of(count), false};
}

// Match number `nth` from character `start` on; false if there are fewer.
Result<bool> nth_match(RegexCall& c, int32_t start, int32_t nth, std::vector<RegexSpan>& spans) {
  int32_t number = 0;
  bool found = false;
  TRY(each_match(*c.regex, c.text, offset_of(c.text, start), spans, [&] {
    found = ++number == nth;
    return !found;
  }));
  return found;
}
Status check_instr(const RegexCall& c) {
  TRY(check_start(c));
  if (c.number(3, 1) <= 0) return bad_parameter("n", c.number(3, 1));
  const int32_t end_option = c.number(4, 0);
  if (end_option != 0 && end_option != 1) return bad_parameter("endoption", end_option);
  if (c.number(6, 0) < 0) return bad_parameter("subexpr", c.number(6, 0));
  return {};
}
// A pattern without groups has one: all of it.
size_t group_asked(const RegexCall& c, int32_t group) {
  return group == 1 && c.regex->groups() == 0 ? 0 : static_cast<size_t>(group);
}
// regexp_instr(text, pattern, start, n, end option, flags, group)
Result<NullableDatum> instr_of(RegexCall& c) {
  const int32_t start = c.number(2, 1);
  const int32_t nth = c.number(3, 1);
  const int32_t end_option = c.number(4, 0);
  const size_t group = group_asked(c, c.number(6, 0));
  std::vector<RegexSpan> spans(static_cast<size_t>(c.regex->groups()) + 1);
  const bool found = TRY(nth_match(c, start, nth, spans));
  if (!found || group >= spans.size() || spans[group].from < 0)
    return NullableDatum{Datum::of(0), false};
  const RegexSpan span = spans[group];
  const auto byte = static_cast<size_t>(end_option == 1 ? span.to : span.from);
  return NullableDatum{Datum::of(static_cast<int32_t>(utf8_count(c.text.substr(0, byte))) + 1),
                       false};
}
Status check_substr(const RegexCall& c) {
  TRY(check_start(c));
  if (c.number(3, 1) <= 0) return bad_parameter("n", c.number(3, 1));
  if (c.number(5, 0) < 0) return bad_parameter("subexpr", c.number(5, 0));
  return {};
}
// regexp_substr(text, pattern, start, n, flags, group)
Result<NullableDatum> substr_of(RegexCall& c) {
  const int32_t start = c.number(2, 1);
  const int32_t nth = c.number(3, 1);
  const size_t group = group_asked(c, c.number(5, 0));
  std::vector<RegexSpan> spans(static_cast<size_t>(c.regex->groups()) + 1);
  const bool found = TRY(nth_match(c, start, nth, spans));
  if (!found || group >= spans.size()) return NullableDatum{};
  return text_of(c.call, c.text, spans[group]);
}
Result<NullableDatum> like_of(RegexCall& c) {
  return NullableDatum{Datum::of(c.regex->matches(c.text)), false};
}

// Sets: computed whole when the set begins.
struct Row {
  std::span<NullableDatum> values;
  size_t at;
};
template <bool kSplit>
Result<void*> begin_rows(EvalContext& context, CallSite& site,
                         std::span<const NullableDatum> args) {
  Row* const state = context.plan_arena.make<Row>();
  for (const NullableDatum& arg : args) {
    if (arg.is_null) return static_cast<void*>(state);
  }
  EvalContext inner_context{context.fiber, context.plan_arena, context.plan_arena, context.session};
  Call call{inner_context, site};
  const std::string_view flags = args.size() > 2 ? args[2].value.text() : std::string_view();
  const RegexOptions options = TRY(parse_regex_flags(flags));
  if (kSplit && options.global) {
    return raise(sqlstate::invalid_parameter_value,
                 "regexp_split_to_table() does not support the \"global\" option");
  }
  Regex* const regex = TRY(Regex::compile(context.plan_arena, args[1].value.text(), options));
  regex->stop_by(context.session.types.stop);
  const std::string_view text = context.plan_arena.copy(args[0].value.text());
  std::vector<NullableDatum> rows;
  if (kSplit) {
    RegexCall c{call, {}, 0, regex, options, text};
    for (const std::string_view field : split(c))
      rows.push_back({make_varlena(context.plan_arena, field), false});
  } else {
    std::vector<RegexSpan> spans(static_cast<size_t>(regex->groups()) + 1);
    Status status;
    TRY(each_match(*regex, text, 0, spans, [&] {
      Result<NullableDatum> row = groups_array(call, *regex, text, spans);
      if (!row.ok()) {
        status = std::move(row).take_error();
        return false;
      }
      rows.push_back(*row);
      return options.global;
    }));
    if (!status.ok()) return status;
  }
  TRY(check_stop(context.session.types.stop));
  regex->stop_by(nullptr);
  state->values = context.plan_arena.copy_array(rows);
  return static_cast<void*>(state);
}
Result<uint32_t> next_rows(EvalContext&, CallSite&, void* at, std::span<Vector> columns) {
  auto& state = *static_cast<Row*>(at);
  uint32_t count = 0;
  for (; count < kBatchRows && state.at < state.values.size(); ++count, ++state.at)
    columns[0].set(count, state.values[state.at]);
  return count;
}
constexpr SetKernel kMatchRows{begin_rows<false>, next_rows};
constexpr SetKernel kSplitRows{begin_rows<true>, next_rows};

constexpr Kernel kSimilarEscape =
    lift([](Call& call, NullableDatum pattern, NullableDatum escape) -> Result<NullableDatum> {
      if (pattern.is_null) return NullableDatum{};
      const std::string out = TRY(
          similar_to_regex(pattern.value.text(), escape.is_null ? std::optional<std::string_view>()
                                                                : escape.value.text()));
      return NullableDatum{make_varlena(call.arena(), out), false};
    });

constexpr FunctionBody set(std::string_view name, const SetKernel* kernel) {
  return {.name = name, .set = kernel};
}

template <>
constexpr bool kIsReplace<replace_of> = true;
template <>
constexpr std::string_view kSqlName<match_of> = "regexp_match";
template <>
constexpr std::string_view kSqlName<split_of> = "regexp_split_to_array";
template <>
constexpr std::string_view kSqlName<count_of> = "regexp_count";
template <>
constexpr std::string_view kSqlName<instr_of> = "regexp_instr";
template <>
constexpr std::string_view kSqlName<substr_of> = "regexp_substr";
template <>
constexpr std::string_view kSqlName<like_of> = "regexp_like";

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("textregexeq", kMatches<std::string_view, false, false>),
    body("textregexne", kMatches<std::string_view, true, false>),
    body("texticregexeq", kMatches<std::string_view, false, true>),
    body("texticregexne", kMatches<std::string_view, true, true>),
    body("nameregexeq", kMatches<Name, false, false>),
    body("nameregexne", kMatches<Name, true, false>),
    body("nameicregexeq", kMatches<Name, false, true>),
    body("nameicregexne", kMatches<Name, true, true>),
    body("textregexsubstr", kRegex<substring_of, -1>),
    body("textregexreplace_noopt", kRegex<replace_of, -1>),
    body("textregexreplace", kRegex<replace_of, 3, no_check, true>),
    body("textregexreplace_extended", kRegex<replace_extended, 5, check_replace, true>),
    body("textregexreplace_extended_no_flags", kRegex<replace_extended, -1, check_replace>),
    body("textregexreplace_extended_no_n", kRegex<replace_extended, -1, check_replace>),
    body("regexp_match", kRegex<match_of, 2>),
    body("regexp_match_no_flags", kRegex<match_of, -1>),
    body("regexp_split_to_array", kRegex<split_of, 2>),
    body("regexp_split_to_array_no_flags", kRegex<split_of, -1>),
    body("regexp_count", kRegex<count_of, 3, check_start>),
    body("regexp_count_no_flags", kRegex<count_of, -1, check_start>),
    body("regexp_count_no_start", kRegex<count_of, -1, check_start>),
    body("regexp_instr", kRegex<instr_of, 5, check_instr>),
    body("regexp_instr_no_subexpr", kRegex<instr_of, 5, check_instr>),
    body("regexp_instr_no_flags", kRegex<instr_of, -1, check_instr>),
    body("regexp_instr_no_endoption", kRegex<instr_of, -1, check_instr>),
    body("regexp_instr_no_n", kRegex<instr_of, -1, check_instr>),
    body("regexp_instr_no_start", kRegex<instr_of, -1, check_instr>),
    body("regexp_substr", kRegex<substr_of, 4, check_substr>),
    body("regexp_substr_no_subexpr", kRegex<substr_of, 4, check_substr>),
    body("regexp_substr_no_flags", kRegex<substr_of, -1, check_substr>),
    body("regexp_substr_no_n", kRegex<substr_of, -1, check_substr>),
    body("regexp_substr_no_start", kRegex<substr_of, -1, check_substr>),
    body("regexp_like", kRegex<like_of, 2>),
    body("regexp_like_no_flags", kRegex<like_of, -1>),
    set("regexp_matches", &kMatchRows),
    set("regexp_matches_no_flags", &kMatchRows),
    set("regexp_split_to_table", &kSplitRows),
    set("regexp_split_to_table_no_flags", &kSplitRows),
    body("similar_escape", kSimilarEscape),
    body("similar_to_escape_2", kSimilarEscape),
    body("similar_to_escape_1",
         lift([](std::string_view pattern) { return similar_to_regex(pattern, std::nullopt); })),
}));

}  // namespace

std::span<const FunctionBody> regex_functions() { return kTable; }

}  // namespace orrery
