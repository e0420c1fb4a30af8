#include <array>

#include "base/check.h"
#include "sql/token.h"

namespace orrery {
namespace {

struct Keyword {
  std::string_view word;
  KeywordClass keyword_class;
  bool bare_label;
};

constexpr Keyword kKeywords[] = {
#define KEYWORD(word, keyword_class, bare_label) {#word, KeywordClass::keyword_class, bare_label},
#include "sql/keywords.def"
#undef KEYWORD
};
constexpr size_t kKeywordCount = std::size(kKeywords);
static_assert(kKeywordCount == tok_count - tok_first_keyword);

constexpr size_t kSlots = 2048;  // sparse, so that a word that is no keyword ends in one probe

constexpr uint32_t slot_of(uint32_t hash) { return (hash ^ (hash >> 15)) % kSlots; }

constexpr std::array<int16_t, kSlots> make_table() {
  std::array<int16_t, kSlots> table{};
  for (int16_t& slot : table) slot = -1;
  for (size_t i = 0; i < kKeywordCount; ++i) {
    uint32_t hash = kKeywordHashSeed;
    for (const char c : kKeywords[i].word) hash = keyword_hash_step(hash, c);
    uint32_t slot = slot_of(hash);
    while (table[slot] >= 0) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<int16_t>(i);
  }
  return table;
}
constexpr std::array<int16_t, kSlots> kTable = make_table();

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equals_lowered(std::string_view word, std::string_view keyword) {
  if (word.size() != keyword.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower(word[i]) != keyword[i]) return false;
  }
  return true;
}

const Keyword& keyword(TokenKind kind) {
  CHECK(is_keyword(kind));
  return kKeywords[kind - tok_first_keyword];
}

}  // namespace

KeywordClass keyword_class(TokenKind kind) { return keyword(kind).keyword_class; }
bool is_bare_label(TokenKind kind) { return keyword(kind).bare_label; }
std::string_view keyword_text(TokenKind kind) { return keyword(kind).word; }

TokenKind find_keyword(std::string_view word, uint32_t hash) {
  for (uint32_t slot = slot_of(hash); kTable[slot] >= 0; slot = (slot + 1) % kSlots) {
    if (equals_lowered(word, kKeywords[kTable[slot]].word)) {
      return static_cast<TokenKind>(tok_first_keyword + kTable[slot]);
    }
  }
  return tok_ident;
}

TokenKind find_keyword(std::string_view word) {
  uint32_t hash = kKeywordHashSeed;
  for (const char c : word) hash = keyword_hash_step(hash, lower(c));
  return find_keyword(word, hash);
}

}  // namespace orrery
