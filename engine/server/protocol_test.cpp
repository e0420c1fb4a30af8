#include "server/protocol.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "base/text.h"

namespace orrery::wire {
namespace {

std::string message(char type, std::string_view body) {
  std::string out;
  MessageWriter writer(out);
  writer.begin(type).write_text(body);
  writer.end();
  return out;
}

void feed(MessageReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const MutableBytes space = reader.space();
    const size_t count = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), count);
    reader.filled(count);
    bytes.remove_prefix(count);
  }
}

TEST(MessageReader, CutsAStreamHoweverItArrives) {
  Prng prng(11);
  for (int round = 0; round < 100; ++round) {
    std::string stream;
    std::vector<std::pair<char, std::string>> expected;
    for (int i = 0; i < 20; ++i) {
      const std::string body(prng.below(prng.chance(1, 10) ? 50'000 : 60),
                             static_cast<char>('a' + i));
      expected.emplace_back('Q', body);
      stream += message('Q', body);
    }
    MessageReader reader;
    std::vector<std::pair<char, std::string>> seen;
    std::string_view rest = stream;
    while (!rest.empty()) {
      const size_t count = std::min<size_t>(rest.size(), 1 + prng.below(3000));
      feed(reader, rest.substr(0, count));
      rest.remove_prefix(count);
      while (true) {
        auto next = reader.next_message();
        ASSERT_TRUE(next.ok());
        if (!*next) break;
        seen.emplace_back((*next)->type, as_text((*next)->body));
      }
      if (prng.chance(1, 4)) reader.shrink();
    }
    EXPECT_EQ(seen, expected);
    EXPECT_FALSE(reader.has_bytes());
  }
}

TEST(MessageReader, RefusesLengthsThatCannotBe) {
  for (const std::string_view bytes :
       {std::string_view("Q\0\0\0\3", 5), std::string_view("Q\x7f\0\0\0", 5),
        std::string_view("Q\xff\xff\xff\xff", 5), std::string_view("S\0\1\0\0", 5)}) {
    MessageReader reader;
    feed(reader, bytes);
    EXPECT_TRUE(reader.next_message().status().is(sqlstate::protocol_violation));
  }
  MessageReader reader;
  feed(reader, std::string_view("\0\1\0\0", 4));
  EXPECT_TRUE(reader.next_startup().status().is(sqlstate::protocol_violation));
}

TEST(MessageReader, TakesNoMemoryOnAClaimAlone) {
  MessageReader reader;
  feed(reader, std::string_view("d\x3f\0\0\0", 5));
  ASSERT_TRUE(reader.next_message().ok());
  (void)reader.space();
  EXPECT_LT(reader.capacity(), 100'000u);
}

TEST(Messages, AreParsed) {
  auto parse = parse_parse(as_bytes(std::string_view("name\0select\0\0\1\0\0\0\x17", 18)));
  ASSERT_TRUE(parse.ok());
  EXPECT_EQ(parse->name, "name");
  EXPECT_EQ(parse->text, "select");
  EXPECT_EQ(parse->parameter_types, std::vector<Oid>{Oid(23)});

  auto bind = parse_bind(
      as_bytes(std::string_view("p\0s\0\0\1\0\1\0\2\0\0\0\2ab\xff\xff\xff\xff\0\0", 22)));
  ASSERT_TRUE(bind.ok());
  EXPECT_EQ(bind->portal, "p");
  EXPECT_EQ(bind->statement, "s");
  ASSERT_EQ(bind->parameters.size(), 2u);
  EXPECT_EQ(bind->parameters[0].format, WireFormat::binary);
  EXPECT_EQ(as_text(bind->parameters[0].value), "ab");
  EXPECT_TRUE(bind->parameters[1].is_null);
  EXPECT_TRUE(bind->result_formats.empty());
}

TEST(Messages, ThatAreMalformedAreRefused) {
  EXPECT_FALSE(parse_query(as_bytes("no end")).ok());
  EXPECT_FALSE(parse_query(as_bytes(std::string_view("a\0b", 3))).ok());
  EXPECT_FALSE(parse_parse(as_bytes(std::string_view("a\0b\0\x7f\xff", 6))).ok());
  EXPECT_FALSE(parse_bind(as_bytes(std::string_view("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0", 12))).ok());
  EXPECT_EQ(parse_bind(as_bytes(std::string_view("\0\0\0\2\0\0\0\0\0\1\xff\xff\xff\xff\0\0", 16)))
                .status()
                .error()
                .message,
            "bind message has 2 parameter formats but 1 parameters");
  EXPECT_EQ(parse_target(as_bytes(std::string_view("X\0", 2)), 'D').status().error().message,
            "invalid DESCRIBE message subtype 88");
}

// Whatever the bytes, parsing neither crashes nor reads outside them (the sanitizer build watches).
TEST(Messages, OfRandomBytesDoNoHarm) {
  Prng prng(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string body(prng.below(40), '\0');
    for (char& c : body)
      c = prng.chance(1, 2) ? static_cast<char>(prng.below(4)) : static_cast<char>(prng.next());
    const std::vector<std::byte> exact(as_bytes(body).begin(), as_bytes(body).end());
    (void)parse_startup(exact);
    (void)parse_query(exact);
    (void)parse_parse(exact);
    (void)parse_bind(exact);
    (void)parse_execute(exact);
    (void)parse_target(exact, 'C');
    (void)parse_sasl_initial(exact);
  }
}

Status raise_nameless() { return raise(sqlstate::internal_error, "x"); }
Status raise_in_lambda() {
  return [] { return raise(sqlstate::internal_error, "x"); }();
}

// Whoever compiled it: the simulator's trace has these bytes.
TEST(Errors, NameTheFunctionThatRaisedThem) {
  const auto routine = [](const Status& status) {
    std::string out;
    MessageWriter(out).error("ERROR", status.error());
    const size_t at = out.find(std::string("\0R", 2));
    return at == std::string::npos ? "none" : std::string(out.data() + at + 2);
  };
  EXPECT_EQ(routine(raise_nameless()), "raise_nameless");
  EXPECT_EQ(routine(raise_in_lambda()), "raise_in_lambda");
}

TEST(Errors, CarryEveryField) {
  std::string out;
  MessageWriter writer(out);
  Status status = raise(sqlstate::unique_violation, "duplicate key")
                      .detail("D")
                      .hint("H")
                      .at(7)
                      .context("W")
                      .constraint("s", "t", "n");
  writer.error("ERROR", status.error());
  const std::string fields = out.substr(5);
  for (const std::string& field :
       {std::string("SERROR"), std::string("VERROR"), std::string("C23505"),
        std::string("Mduplicate key"), std::string("DD"), std::string("HH"), std::string("P7"),
        std::string("WW"), std::string("ss"), std::string("tt"), std::string("nn"),
        std::string("Fprotocol_test.cpp")}) {
    EXPECT_NE(fields.find(field + '\0'), std::string::npos) << field;
  }
  EXPECT_EQ(load_be<uint32_t>(out.data() + 1), out.size() - 1);
  EXPECT_EQ(fields.substr(fields.size() - 2), std::string(2, '\0'));
}

}  // namespace
}  // namespace orrery::wire
