#include "session/copy_text.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "base/text.h"

namespace orrery {
namespace {

CopyOptions csv() {
  CopyOptions options;
  options.format = CopyOptions::Format::csv;
  options.delimiter = ',';
  options.null_text = "";
  return options;
}

// "a|b|NULL / c" for two lines, or the error.
std::string read(const CopyOptions& options, std::string_view input, size_t piece = 1000) {
  CopyLineReader reader(options);
  std::string out;
  bool fed_all = false;
  while (!reader.is_done()) {
    auto got = reader.next_line();
    if (!got.ok()) return cat(out, "! ", got.status().error().message);
    if (*got) {
      if (!out.empty()) out += " / ";
      std::vector<std::string> fields;
      for (const CopyField& field : reader.fields())
        fields.push_back(field.is_null ? "NULL" : std::string(field.text));
      out += join(fields, "|");
      continue;
    }
    if (fed_all) break;
    reader.feed(as_bytes(input.substr(0, piece)));
    input.remove_prefix(std::min(piece, input.size()));
    fed_all = input.empty();
    if (fed_all) reader.finish();
  }
  return out;
}

TEST(CopyText, IsReadAsPostgresqlReadsIt) {
  const CopyOptions text;
  EXPECT_EQ(read(text, "1\tx\n2\t\\N\n"), "1|x / 2|NULL");
  EXPECT_EQ(read(text, "1\tx"), "1|x");
  EXPECT_EQ(read(text, "\\x41\\101\\t\\\\\n"), "AA\t\\");
  EXPECT_EQ(read(text, "a\\\nb\tc\n"), "a\nb|c");
  EXPECT_EQ(read(text, "1\r\n2\r\n\\.\r\nignored"), "1 / 2");
  EXPECT_EQ(read(text, "1\r2\r"), "1 / 2");
  EXPECT_EQ(read(text, "1\n2\r\n"), "1! literal carriage return found in data");
  EXPECT_EQ(read(text, "a\n\nb\n"), "a /  / b");
  EXPECT_EQ(read(text, ""), "");
}

TEST(CopyCsv, IsReadAsPostgresqlReadsIt) {
  EXPECT_EQ(read(csv(), "1,\"a,\"\"b\",\n"), "1|a,\"b|NULL");
  EXPECT_EQ(read(csv(), "\"\",\n"), "|NULL");
  EXPECT_EQ(read(csv(), "\"two\nlines\",x\r\n"), "two\nlines|x");
  EXPECT_EQ(read(csv(), "ab\"c\"d\n"), "abcd");
  EXPECT_EQ(read(csv(), "1,\"abc\n"), "! unterminated CSV quoted field");
  EXPECT_EQ(read(csv(), "1\n2\r\n"), "1! unquoted carriage return found in data");
  CopyOptions escaped = csv();
  escaped.escape = '\\';
  EXPECT_EQ(read(escaped, "\"a\\\"b\",\"c\\\\\"\n"), "a\"b|c\\");
}

TEST(Copy, DoesNotDependOnHowTheInputIsCut) {
  const std::string text = "1\ta\\\nb\\tc\r\n2\t\\N\r\n3\t\\\\\r\n";
  const std::string quoted = "1,\"a\r\n\"\"b\",c\r\n,\"\",x\r\n";
  for (size_t piece = 1; piece < text.size(); ++piece) {
    EXPECT_EQ(read({}, text, piece), read({}, text)) << piece;
    EXPECT_EQ(read(csv(), quoted, piece), read(csv(), quoted)) << piece;
  }
}

TEST(Copy, ReadsWhatItWrites) {
  Prng prng(9);
  for (int round = 0; round < 2000; ++round) {
    CopyOptions options = prng.chance(1, 2) ? csv() : CopyOptions();
    if (prng.chance(1, 3)) options.delimiter = ';';
    if (options.format == CopyOptions::Format::csv && prng.chance(1, 3)) options.escape = '\\';
    std::string line;
    std::vector<std::string> expected;
    const int columns = static_cast<int>(prng.between(2, 5));
    for (int c = 0; c < columns; ++c) {
      std::string value;
      constexpr std::string_view kBytes = "ab\\\"\t\n\r,;N.'x1";
      for (uint64_t n = prng.below(6); n > 0; --n) value += kBytes[prng.below(kBytes.size())];
      if (c > 0) line += options.delimiter;
      if (options.format == CopyOptions::Format::csv)
        append_copy_csv(options, value, false, false, line);
      else
        append_copy_text(options, value, line);
      expected.push_back(value);
    }
    EXPECT_EQ(read(options, line + "\n"), join(expected, "|")) << line;
  }
}

}  // namespace
}  // namespace orrery
