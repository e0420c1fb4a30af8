// The words of dates and intervals. Tables are sorted; words are compared by their first ten
// letters, as PostgreSQL's are.
#include <algorithm>

#include "types/date_time_decode.h"

namespace orrery {
namespace {

constexpr size_t kTokenLength = 10;

struct Word {
  std::string_view text;
  Token token;
  int32_t value;
};
constexpr int32_t of(Unit unit) { return static_cast<int32_t>(unit); }
constexpr int32_t of(Reserved word) { return static_cast<int32_t>(word); }

constexpr Word kDateWords[] = {
    {"ad", Token::era, 0},
    {"allballs", Token::reserved, of(Reserved::zulu)},
    {"am", Token::am_pm, 0},
    {"apr", Token::month, 4},
    {"april", Token::month, 4},
    {"at", Token::ignore, 0},
    {"aug", Token::month, 8},
    {"august", Token::month, 8},
    {"bc", Token::era, 1},
    {"d", Token::unit, of(Unit::day)},
    {"dec", Token::month, 12},
    {"december", Token::month, 12},
    {"dow", Token::unit, of(Unit::day_of_week)},
    {"doy", Token::unit, of(Unit::day_of_year)},
    {"dst", Token::dst_modifier, 3600},
    {"epoch", Token::reserved, of(Reserved::epoch)},
    {"feb", Token::month, 2},
    {"february", Token::month, 2},
    {"fri", Token::day_of_week, 5},
    {"friday", Token::day_of_week, 5},
    {"h", Token::unit, of(Unit::hour)},
    {"infinity", Token::reserved, of(Reserved::late)},
    {"isodow", Token::unit, of(Unit::iso_day_of_week)},
    {"isoyear", Token::unit, of(Unit::iso_year)},
    {"j", Token::unit, of(Unit::julian)},
    {"jan", Token::month, 1},
    {"january", Token::month, 1},
    {"jd", Token::unit, of(Unit::julian)},
    {"jul", Token::month, 7},
    {"julian", Token::unit, of(Unit::julian)},
    {"july", Token::month, 7},
    {"jun", Token::month, 6},
    {"june", Token::month, 6},
    {"m", Token::unit, of(Unit::month)},
    {"mar", Token::month, 3},
    {"march", Token::month, 3},
    {"may", Token::month, 5},
    {"mm", Token::unit, of(Unit::minute)},
    {"mon", Token::day_of_week, 1},
    {"monday", Token::day_of_week, 1},
    {"nov", Token::month, 11},
    {"november", Token::month, 11},
    {"now", Token::reserved, of(Reserved::now)},
    {"oct", Token::month, 10},
    {"october", Token::month, 10},
    {"on", Token::ignore, 0},
    {"pm", Token::am_pm, 1},
    {"s", Token::unit, of(Unit::second)},
    {"sat", Token::day_of_week, 6},
    {"saturday", Token::day_of_week, 6},
    {"sep", Token::month, 9},
    {"sept", Token::month, 9},
    {"september", Token::month, 9},
    {"sun", Token::day_of_week, 0},
    {"sunday", Token::day_of_week, 0},
    {"t", Token::iso_time, of(Unit::time)},
    {"thu", Token::day_of_week, 4},
    {"thur", Token::day_of_week, 4},
    {"thurs", Token::day_of_week, 4},
    {"thursday", Token::day_of_week, 4},
    {"today", Token::reserved, of(Reserved::today)},
    {"tomorrow", Token::reserved, of(Reserved::tomorrow)},
    {"tue", Token::day_of_week, 2},
    {"tues", Token::day_of_week, 2},
    {"tuesday", Token::day_of_week, 2},
    {"wed", Token::day_of_week, 3},
    {"wednesday", Token::day_of_week, 3},
    {"weds", Token::day_of_week, 3},
    {"y", Token::unit, of(Unit::year)},
    {"yesterday", Token::reserved, of(Reserved::yesterday)},
};

constexpr Word kIntervalWords[] = {
    {"@", Token::ignore, 0},
    {"ago", Token::ago, 0},
    {"c", Token::unit, of(Unit::century)},
    {"cent", Token::unit, of(Unit::century)},
    {"centuries", Token::unit, of(Unit::century)},
    {"century", Token::unit, of(Unit::century)},
    {"d", Token::unit, of(Unit::day)},
    {"day", Token::unit, of(Unit::day)},
    {"days", Token::unit, of(Unit::day)},
    {"dec", Token::unit, of(Unit::decade)},
    {"decade", Token::unit, of(Unit::decade)},
    {"decades", Token::unit, of(Unit::decade)},
    {"decs", Token::unit, of(Unit::decade)},
    {"h", Token::unit, of(Unit::hour)},
    {"hour", Token::unit, of(Unit::hour)},
    {"hours", Token::unit, of(Unit::hour)},
    {"hr", Token::unit, of(Unit::hour)},
    {"hrs", Token::unit, of(Unit::hour)},
    {"m", Token::unit, of(Unit::minute)},
    {"microsecon", Token::unit, of(Unit::microsecond)},
    {"mil", Token::unit, of(Unit::millennium)},
    {"millennia", Token::unit, of(Unit::millennium)},
    {"millennium", Token::unit, of(Unit::millennium)},
    {"millisecon", Token::unit, of(Unit::millisecond)},
    {"mils", Token::unit, of(Unit::millennium)},
    {"min", Token::unit, of(Unit::minute)},
    {"mins", Token::unit, of(Unit::minute)},
    {"minute", Token::unit, of(Unit::minute)},
    {"minutes", Token::unit, of(Unit::minute)},
    {"mon", Token::unit, of(Unit::month)},
    {"mons", Token::unit, of(Unit::month)},
    {"month", Token::unit, of(Unit::month)},
    {"months", Token::unit, of(Unit::month)},
    {"ms", Token::unit, of(Unit::millisecond)},
    {"msec", Token::unit, of(Unit::millisecond)},
    {"msecond", Token::unit, of(Unit::millisecond)},
    {"mseconds", Token::unit, of(Unit::millisecond)},
    {"msecs", Token::unit, of(Unit::millisecond)},
    {"qtr", Token::unit, of(Unit::quarter)},
    {"quarter", Token::unit, of(Unit::quarter)},
    {"s", Token::unit, of(Unit::second)},
    {"sec", Token::unit, of(Unit::second)},
    {"second", Token::unit, of(Unit::second)},
    {"seconds", Token::unit, of(Unit::second)},
    {"secs", Token::unit, of(Unit::second)},
    {"timezone", Token::unit, of(Unit::zone)},
    {"timezone_h", Token::unit, of(Unit::zone_hour)},
    {"timezone_m", Token::unit, of(Unit::zone_minute)},
    {"us", Token::unit, of(Unit::microsecond)},
    {"usec", Token::unit, of(Unit::microsecond)},
    {"usecond", Token::unit, of(Unit::microsecond)},
    {"useconds", Token::unit, of(Unit::microsecond)},
    {"usecs", Token::unit, of(Unit::microsecond)},
    {"w", Token::unit, of(Unit::week)},
    {"week", Token::unit, of(Unit::week)},
    {"weeks", Token::unit, of(Unit::week)},
    {"y", Token::unit, of(Unit::year)},
    {"year", Token::unit, of(Unit::year)},
    {"years", Token::unit, of(Unit::year)},
    {"yr", Token::unit, of(Unit::year)},
    {"yrs", Token::unit, of(Unit::year)},
};
constexpr bool by_text(const Word& a, const Word& b) { return a.text < b.text; }
static_assert(std::is_sorted(std::begin(kDateWords), std::end(kDateWords), by_text));
static_assert(std::is_sorted(std::begin(kIntervalWords), std::end(kIntervalWords), by_text));

template <size_t N>
Meaning find(const Word (&words)[N], std::string_view text) {
  text = text.substr(0, kTokenLength);
  const Word* const at =
      std::lower_bound(words, words + N, text,
                       [](const Word& word, std::string_view key) { return word.text < key; });
  if (at == words + N || at->text != text) return {};
  return {at->token, at->value};
}

}  // namespace

Meaning date_word(std::string_view text) {
  if (text == "-infinity") return {Token::reserved, of(Reserved::early)};
  return find(kDateWords, text);
}
Meaning interval_word(std::string_view text) { return find(kIntervalWords, text); }

}  // namespace orrery
