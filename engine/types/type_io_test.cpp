// Text and binary forms of all types against what PostgreSQL answered.
#include "types/type_io.h"

#include <gtest/gtest.h>

#include "types/bytea.h"
#include "types/facts.h"
#include "types/type_oids.h"
#include "types/utf8.h"

namespace orrery {
namespace {

Oid type_named(std::string_view name) {
  for (uint32_t oid = 16; oid < 10000; ++oid) {
    const TypeInfo* const info = find_builtin_type(Oid(oid));
    if (info != nullptr && info->name == name) return info->oid;
  }
  return {};
}

class TypeIo : public testing::Test {
 protected:
  Arena arena_;
  TypeSettings settings_;
  std::string round_trip(Oid type, const std::string& text, int32_t typmod) {
    Result<Datum> value = input_value(arena_, settings_, type, text, typmod);
    if (!value.ok()) return error_fact(value.status());
    std::string out;
    const Status status = output_value(arena_, settings_, type, *value, out);
    return status.ok() ? out : error_fact(status);
  }
};

TEST_F(TypeIo, ReadsAndPrintsAsPostgreSQL) {
  for (const Fact& fact : read_facts("testdata/io.facts")) {
    const Oid type = type_named(fact[0]);
    ASSERT_TRUE(type) << fact[0];
    EXPECT_EQ(round_trip(type, fact[2], std::stoi(fact[1])), fact.result())
        << "io.facts:" << fact.line << " " << fact[0] << " '" << fact[2] << "'";
  }
}

TEST_F(TypeIo, SendsAsPostgreSQLAndReceivesWhatItSent) {
  for (const Fact& fact : read_facts("testdata/binary.facts")) {
    const Oid type = type_named(fact[0]);
    Result<Datum> value = input_value(arena_, settings_, type, fact[1]);
    ASSERT_TRUE(value.ok()) << fact[0] << " " << fact[1];
    std::string sent;
    ASSERT_TRUE(send_value(arena_, settings_, type, *value, sent).ok());
    std::string hex;
    encode_hex(sent, hex);
    EXPECT_EQ(hex, fact.result()) << fact[0] << " " << fact[1];
    Result<Datum> back = receive_value(arena_, settings_, type, as_bytes(sent));
    ASSERT_TRUE(back.ok()) << fact[0] << " " << fact[1];
    std::string again;
    ASSERT_TRUE(send_value(arena_, settings_, type, *back, again).ok());
    EXPECT_EQ(again, sent);
  }
}

// A cut binary value is an error, never a read past its end.
TEST_F(TypeIo, RefusesCutBinaryValues) {
  for (const Fact& fact : read_facts("testdata/binary.facts")) {
    const Oid type = type_named(fact[0]);
    const TypeInfo* const info = find_builtin_type(type);
    const std::string bytes = decode_hex(fact.result()).value();
    if (info->length == -1 && type != type_oid::numeric) continue;
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      const std::string part = bytes.substr(0, cut);
      EXPECT_FALSE(receive_value(arena_, settings_, type, as_bytes(part)).ok())
          << fact[0] << " cut to " << cut;
    }
  }
}

TEST(Utf8, FindsEveryKindOfBadSequence) {
  for (const char* good : {"", "abcdefghijk", "h\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(utf8_find_invalid(good), std::string_view::npos) << good;
  }
  const std::string_view bad[] = {"\x80",
                                  "a\xc3",
                                  "\xc0\x80",
                                  "\xed\xa0\x80",
                                  "\xf4\x90\x80\x80",
                                  "\xff",
                                  std::string_view("a\0b", 3),
                                  "\xe0\x80\x80",
                                  "\xf0\x80\x80\x80",
                                  "12345678\xc3("};
  for (const std::string_view text : bad)
    EXPECT_NE(utf8_find_invalid(text), std::string_view::npos) << text;
  const Status status = check_utf8("\xe4\xb8");
  EXPECT_EQ(status.error().message, "invalid byte sequence for encoding \"UTF8\": 0xe4 0xb8");
}

TEST(Utf8, EncodingAndDecodingAreInverse) {
  for (uint32_t point = 1; point < 0x110000; point += 37) {
    if (point >= 0xd800 && point < 0xe000) continue;
    std::string text;
    utf8_append(text, point);
    size_t at = 0;
    ASSERT_EQ(utf8_decode(text, at), point);
    ASSERT_EQ(at, text.size());
    ASSERT_EQ(utf8_find_invalid(text), std::string_view::npos);
  }
}

}  // namespace
}  // namespace orrery
