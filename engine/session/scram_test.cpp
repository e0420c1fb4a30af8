#include "session/scram.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/prng.h"
#include "base/text.h"

namespace orrery {
namespace {

// The example of RFC 7677 section 3.
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";

ScramServer rfc_server(std::string_view password = "pencil") {
  return ScramServer("user", make_scram_verifier(password, *base64_decode(kSalt)),
                     std::string(kServerNonce), "secret");
}
const std::string kClientFirst = cat("n,,n=user,r=", kClientNonce);
const std::string kClientFinal =
    cat("c=biws,r=", kClientNonce, kServerNonce, ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");

TEST(Scram, SpeaksTheExampleOfRfc7677) {
  ScramServer server = rfc_server();
  auto first = server.first(kClientFirst);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, cat("r=", kClientNonce, kServerNonce, ",s=", kSalt, ",i=4096"));
  auto final = server.final(kClientFinal);
  ASSERT_TRUE(final.ok());
  EXPECT_EQ(*final, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, RefusesAnotherPassword) {
  ScramServer server = rfc_server("pencils");
  ASSERT_TRUE(server.first(kClientFirst).ok());
  auto final = server.final(kClientFinal);
  EXPECT_TRUE(final.status().is(sqlstate::invalid_password));
  EXPECT_EQ(final.status().error().message, "password authentication failed for user \"user\"");
}

TEST(Scram, TalksToUnknownRolesAsToOthersAndRefusesThem) {
  auto challenge = [](std::string_view role) {
    ScramServer server(role, std::nullopt, "n0nce", "secret");
    auto first = server.first("n,,n=,r=abc");
    EXPECT_TRUE(first.ok());
    EXPECT_TRUE(server.final(cat("c=biws,r=abcn0nce,p=", base64_encode(std::string(32, 'x'))))
                    .status()
                    .is(sqlstate::invalid_password));
    return *first;
  };
  EXPECT_EQ(challenge("nobody"),
            challenge("nobody"));  // the same salt each time, as for a real role
  EXPECT_NE(challenge("nobody"), challenge("noone"));
}

TEST(Scram, RefusesMessagesThatAreNone) {
  for (const char* message :
       {"", "n", "n,", "n,,", "n,,n=", "n,,n=,x=1", "n,,n=,r=", "x,,n=,r=a", "n,,n=,r=a\x01z"}) {
    EXPECT_FALSE(rfc_server().first(message).ok()) << message;
  }
  EXPECT_TRUE(rfc_server().first("n,a=other,n=,r=a").status().is(sqlstate::feature_not_supported));
  for (const std::string& message :
       {std::string(), std::string("c=biws"), std::string("c=eSws,r=a,p="),
        cat("c=biws,r=x,p=", std::string(44, 'A')), cat("c=biws,r=", kClientNonce, kServerNonce),
        cat("c=biws,r=", kClientNonce, kServerNonce, ",p=AAAA"),
        cat("c=biws,r=", kClientNonce, kServerNonce, ",p=????")}) {
    ScramServer server = rfc_server();
    ASSERT_TRUE(server.first(kClientFirst).ok());
    EXPECT_TRUE(server.final(message).status().is(sqlstate::protocol_violation)) << message;
  }
}

TEST(Scram, VerifiersReadAsTheyAreWritten) {
  const ScramVerifier verifier = make_scram_verifier("pencil", "sixteen bytes...", 1000);
  const auto again = ScramVerifier::parse(verifier.text());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->text(), verifier.text());
  for (const char* bad : {"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$4096",
                          "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$x:AAAA$AAAA:AAAA"}) {
    EXPECT_FALSE(ScramVerifier::parse(bad).has_value()) << bad;
  }
}

TEST(Base64, DecodesWhatItEncodes) {
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  Prng prng(3);
  for (size_t length = 0; length < 100; ++length) {
    std::string bytes(length, '\0');
    for (char& c : bytes) c = static_cast<char>(prng.next());
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
  for (const char* bad : {"A", "AAA", "A===", "AA=A", "AAAA=AAA", "A*AA"})
    EXPECT_FALSE(base64_decode(bad)) << bad;
}

}  // namespace
}  // namespace orrery
