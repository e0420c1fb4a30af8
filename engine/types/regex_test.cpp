#include "types/regex.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "types/array.h"
#include "types/facts.h"
#include "types/type_oids.h"
#include "types/utf8.h"

namespace orrery {
namespace {

// "first character, character after, groups", as the table has it.
std::string describe(Arena& arena, const std::string& pattern, const std::string& flags,
                     const std::string& text) {
  const Result<RegexOptions> options = parse_regex_flags(flags);
  if (!options.ok()) return error_fact(options.status());
  Result<Regex*> regex = Regex::compile(arena, pattern, options.value());
  if (!regex.ok()) return error_fact(regex.status());
  std::vector<RegexSpan> spans(static_cast<size_t>((*regex)->groups()) + 1);
  const bool found = (*regex)->find(text, 0, spans);
  EXPECT_EQ((*regex)->matches(text), found) << pattern << " on " << text;
  if (!found) return "0,0,none";
  const auto number = [&](int32_t at) {
    return utf8_count(std::string_view(text).substr(0, static_cast<size_t>(at))) + 1;
  };
  std::vector<NullableDatum> groups;
  for (size_t i = spans.size() > 1 ? 1 : 0; i < spans.size(); ++i) {
    if (spans[i].from < 0) {
      groups.push_back({});
    } else {
      groups.push_back({make_varlena(arena, std::string_view(text).substr(
                                                static_cast<size_t>(spans[i].from),
                                                static_cast<size_t>(spans[i].to - spans[i].from))),
                        false});
    }
  }
  std::string out = cat(number(spans[0].from), ",", number(spans[0].to), ",");
  const Datum array = make_array(arena, *find_builtin_type(type_oid::text), groups).value();
  EXPECT_TRUE(output_value(arena, {}, type_oid::text_array, array, out).ok());
  return out;
}

TEST(Regex, MatchesAndDividesAsPostgreSQL) {
  int checked = 0;
  for (const Fact& fact : read_facts("testdata/regex.facts")) {
    Arena arena;
    EXPECT_EQ(describe(arena, fact[0], fact[1], fact[2]), fact.result())
        << "regex.facts:" << fact.line << " '" << fact[0] << "' " << fact[1] << " on '" << fact[2]
        << "'";
    ++checked;
  }
  EXPECT_GT(checked, 2000);
}

// What backtracking engines choke on takes a pass over the text here.
TEST(Regex, TakesTimeInProportionToTheText) {
  Arena arena;
  Regex* const regex = Regex::compile(arena, "(a+)+$", {}).value();
  std::string most_a(5000, 'a');
  most_a += 'b';
  EXPECT_FALSE(regex->matches(most_a));
  Regex* const nested = Regex::compile(arena, "((a?){30}){10}b", {}).value();
  EXPECT_FALSE(nested->matches(std::string(500, 'a')));
}

// Literals find what string search finds.
RC_GTEST_PROP(RegexProperty, LiteralsAreFoundWhereStringSearchFindsThem, ()) {
  const auto letters = rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c', '.'));
  const std::string text = *letters;
  const std::string part = *letters;
  Arena arena;
  RegexOptions options;
  options.literal = true;
  Regex* const regex = Regex::compile(arena, part, options).value();
  RegexSpan span[1];
  const bool found = regex->find(text, 0, span);
  RC_ASSERT(found == (text.find(part) != std::string::npos));
  if (found) RC_ASSERT(static_cast<size_t>(span[0].from) == text.find(part));
}

}  // namespace
}  // namespace orrery
