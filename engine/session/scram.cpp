#include "session/scram.h"

#include <charconv>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/bytes.h"
#include "base/text.h"

namespace orrery {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kPrefix = "SCRAM-SHA-256$";

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view view(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

Sha256 hmac(std::string_view key, std::string_view text) {
  Sha256 out;
  unsigned length = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(text), text.size(),
             out.data(), &length) != nullptr);
  CHECK(length == out.size());
  return out;
}

Sha256 sha256(std::string_view text) {
  Sha256 out;
  SHA256(raw(text), text.size(), out.data());
  return out;
}

bool copy_key(std::string_view base64, Sha256& key) {
  const std::optional<std::string> bytes = base64_decode(base64);
  if (!bytes || bytes->size() != key.size()) return false;
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return true;
}

Status malformed(std::string_view detail) {
  return raise(sqlstate::protocol_violation, "malformed SCRAM message").detail(std::string(detail));
}

// The value of attribute `name` at the front of `rest`, up to a comma, which is taken too.
std::optional<std::string_view> take_attribute(std::string_view& rest, char name) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return std::nullopt;
  const size_t comma = rest.find(',');
  const std::string_view value =
      rest.substr(2, comma == std::string_view::npos ? comma : comma - 2);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  return value;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? raw(bytes)[i + j] : 0u);
    for (size_t j = 0; j < 4; ++j) {
      out.push_back(j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    size_t padding = 0;
    for (size_t j = 0; j < 4; ++j) {
      const char c = text[i + j];
      const size_t value = kAlphabet.find(c);
      if (c == '=' && i + 4 == text.size() && j >= 2) {
        ++padding;
      } else if (value == std::string_view::npos || padding > 0) {
        return std::nullopt;
      }
      group = group << 6 | (c == '=' ? 0u : static_cast<uint32_t>(value));
    }
    for (size_t j = 0; j < 3 - padding; ++j)
      out.push_back(static_cast<char>(group >> (16 - 8 * j) & 0xff));
  }
  return out;
}

std::string random_bytes(Random& random, size_t count) {
  std::string out;
  while (out.size() < count) {
    const uint64_t word = random.next();
    out.append(reinterpret_cast<const char*>(&word), std::min(sizeof word, count - out.size()));
  }
  return out;
}

std::string random_nonce(Random& random) { return base64_encode(random_bytes(random, 18)); }

std::optional<ScramVerifier> ScramVerifier::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const size_t dollar = text.find('$');
  if (dollar == std::string_view::npos) return std::nullopt;
  const std::string_view head = text.substr(0, dollar);
  const std::string_view keys = text.substr(dollar + 1);
  const size_t head_colon = head.find(':');
  const size_t keys_colon = keys.find(':');
  if (head_colon == std::string_view::npos || keys_colon == std::string_view::npos)
    return std::nullopt;
  ScramVerifier verifier;
  const char* end = head.data() + head_colon;
  const auto number = std::from_chars(head.data(), end, verifier.iterations);
  const std::optional<std::string> salt = base64_decode(head.substr(head_colon + 1));
  if (number.ec != std::errc() || number.ptr != end || verifier.iterations == 0 || !salt ||
      !copy_key(keys.substr(0, keys_colon), verifier.stored_key) ||
      !copy_key(keys.substr(keys_colon + 1), verifier.server_key)) {
    return std::nullopt;
  }
  verifier.salt = *salt;
  return verifier;
}

std::string ScramVerifier::text() const {
  return cat(kPrefix, iterations, ':', base64_encode(salt), '$', base64_encode(view(stored_key)),
             ':', base64_encode(view(server_key)));
}

ScramVerifier make_scram_verifier(std::string_view password, std::string_view salt,
                                  uint32_t iterations) {
  Sha256 salted;
  CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), raw(salt),
                          static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                          static_cast<int>(salted.size()), salted.data()) == 1);
  return {.iterations = iterations,
          .salt = std::string(salt),
          .stored_key = sha256(view(hmac(view(salted), "Client Key"))),
          .server_key = hmac(view(salted), "Server Key")};
}

ScramServer::ScramServer(std::string_view role, std::optional<ScramVerifier> verifier,
                         std::string nonce, std::string_view mock_secret)
    : role_(role), verifier_(std::move(verifier)), nonce_(std::move(nonce)) {
  if (verifier_) return;
  verifier_ = ScramVerifier{.iterations = kScramIterations,
                            .salt = std::string(view(hmac(mock_secret, role)).substr(0, 16))};
}

Result<std::string> ScramServer::first(std::string_view client_first) {
  if (client_first.empty()) return malformed("The message is empty.");
  if (client_first[0] == 'p') {
    return raise(sqlstate::protocol_violation,
                 "client selected SCRAM-SHA-256 with channel binding, which is not offered");
  }
  if (client_first[0] != 'n' && client_first[0] != 'y')
    return malformed("Unexpected channel-binding flag.");
  if (client_first.size() < 3 || client_first[1] != ',') return malformed("Comma expected.");
  if (client_first[2] != ',') {
    return raise(sqlstate::feature_not_supported,
                 "client uses authorization identity, but it is not supported");
  }
  gs2_header_ = client_first.substr(0, 3);
  client_first_bare_ = client_first.substr(3);
  std::string_view rest = client_first_bare_;
  if (rest.starts_with("m=")) {
    return raise(sqlstate::feature_not_supported, "client requires an unsupported SCRAM extension");
  }
  if (!take_attribute(rest, 'n'))
    return malformed("Expected attribute \"n\".");  // the name is the startup packet's
  const std::optional<std::string_view> client_nonce = take_attribute(rest, 'r');
  if (!client_nonce) return malformed("Expected attribute \"r\".");
  if (!is_nonce(*client_nonce))
    return raise(sqlstate::protocol_violation, "non-printable characters in SCRAM nonce");
  nonce_ = cat(*client_nonce, nonce_);
  server_first_ =
      cat("r=", nonce_, ",s=", base64_encode(verifier_->salt), ",i=", verifier_->iterations);
  return server_first_;
}

Result<std::string> ScramServer::final(std::string_view client_final) {
  std::string_view rest = client_final;
  const std::optional<std::string_view> binding = take_attribute(rest, 'c');
  if (!binding) return malformed("Expected attribute \"c\".");
  if (*binding != base64_encode(gs2_header_)) {
    return raise(sqlstate::protocol_violation,
                 "unexpected SCRAM channel-binding attribute in client-final-message");
  }
  const std::optional<std::string_view> nonce = take_attribute(rest, 'r');
  if (!nonce) return malformed("Expected attribute \"r\".");
  if (*nonce != nonce_) {
    return raise(sqlstate::protocol_violation, "invalid SCRAM response")
        .detail("Nonce does not match.");
  }
  const size_t proof_at = client_final.rfind(",p=");
  Sha256 proof;
  if (proof_at == std::string_view::npos || !copy_key(client_final.substr(proof_at + 3), proof)) {
    return malformed("Malformed proof in client-final-message.");
  }
  const std::string signed_text =
      cat(client_first_bare_, ',', server_first_, ',', client_final.substr(0, proof_at));
  const Sha256 signature = hmac(view(verifier_->stored_key), signed_text);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] ^= signature[i];  // now the client's key
  const Sha256 stored = sha256(view(proof));
  if (CRYPTO_memcmp(stored.data(), verifier_->stored_key.data(), stored.size()) != 0) {
    return raise(sqlstate::invalid_password,
                 cat("password authentication failed for user \"", role_, "\""));
  }
  return cat("v=", base64_encode(view(hmac(view(verifier_->server_key), signed_text))));
}

}  // namespace orrery
