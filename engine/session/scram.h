// SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it: the server's half of the exchange as
// a state machine without I/O, and the verifiers it checks against.
//
//   client-first   n,,n=,r=<client nonce>
//   server-first   r=<both nonces>,s=<salt>,i=<iterations>
//   client-final   c=biws,r=<both nonces>,p=<proof>
//   server-final   v=<signature>
//
// A verifier, as pg_authid.rolpassword holds it:
//   SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>          (base64)
//
// The server never needs the password, and never PBKDF2, which takes milliseconds: only
// make_verifier() does, as a worker task. A role that does not exist gets the same conversation,
// from a salt made of its name, so that nobody learns which roles there are.
//
// Differs from PostgreSQL: no channel binding (SCRAM-SHA-256-PLUS), no SASLprep: a password is its
// UTF-8 bytes.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "host/host.h"

namespace orrery {

using Sha256 = std::array<unsigned char, 32>;

struct ScramVerifier {
  uint32_t iterations = 0;
  std::string salt;
  Sha256 stored_key{};
  Sha256 server_key{};

  static std::optional<ScramVerifier> parse(std::string_view text);
  std::string text() const;
};

constexpr uint32_t kScramIterations = 4096;

// Takes milliseconds: for a worker, or where there is no hurry.
ScramVerifier make_scram_verifier(std::string_view password, std::string_view salt,
                                  uint32_t iterations = kScramIterations);

class MakeVerifierTask final : public WorkerTask {
 public:
  MakeVerifierTask(std::string password, std::string salt)
      : password_(std::move(password)), salt_(std::move(salt)) {}
  void run() override { result = make_scram_verifier(password_, salt_); }
  ScramVerifier result;

 private:
  std::string password_, salt_;
};

class ScramServer {
 public:
  // `verifier`: nothing for a role without one; the exchange then goes on and fails at its end.
  // `nonce`: printable, of the server's randomness. `mock_secret` is the node's own.
  ScramServer(std::string_view role, std::optional<ScramVerifier> verifier, std::string nonce,
              std::string_view mock_secret);

  // Each takes the client's message and gives the server's. 08P01 for what is no such message,
  // 28P01 for a wrong password.
  Result<std::string> first(std::string_view client_first);
  Result<std::string> final(std::string_view client_final);

 private:
  std::string role_;
  std::optional<ScramVerifier> verifier_;
  std::string nonce_;  // both, after first()
  std::string gs2_header_;
  std::string client_first_bare_, server_first_;
};

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// Printable random text, for nonces; and random bytes, for salts.
std::string random_nonce(Random& random);
std::string random_bytes(Random& random, size_t count);

}  // namespace orrery
