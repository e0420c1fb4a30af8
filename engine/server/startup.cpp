// The beginning of a conversation: what the client wants, who it is, and its session.

#include "base/text.h"
#include "server/connection.h"
#include "session/scram.h"

namespace orrery {
namespace {

constexpr uint32_t kAuthenticationOk = 0;
constexpr uint32_t kAuthenticationSasl = 10;
constexpr uint32_t kAuthenticationSaslContinue = 11;
constexpr uint32_t kAuthenticationSaslFinal = 12;
constexpr std::string_view kMechanism = "SCRAM-SHA-256";

// Words of the `options` parameter: separated by spaces, a backslash keeps the next character.
std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size();
    if (!escaped && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    words.back() += escaped ? text[++i] : text[i];
  }
  return words;
}

// -c name=value and --name=value.
Status parse_options(std::string_view text,
                     std::vector<std::pair<std::string, std::string>>& settings) {
  const std::vector<std::string> words = split_options(text);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string setting;
    if (words[i] == "-c" && i + 1 < words.size()) {
      setting = words[++i];
    } else if (words[i].starts_with("-c") && words[i].size() > 2) {
      setting = words[i].substr(2);
    } else if (words[i].starts_with("--")) {
      setting = words[i].substr(2);
    }
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return raise(sqlstate::syntax_error,
                   cat("invalid command-line argument for server process: ", words[i]));
    }
    std::string name = setting.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');
    settings.emplace_back(std::move(name), setting.substr(equals + 1));
  }
  return {};
}

}  // namespace

Result<bool> Connection::start(Fiber& fiber) {
  const std::optional<wire::Startup> startup = TRY(read_startup(fiber));
  if (!startup) return false;
  if (startup->code == wire::kCancelCode) {
    server_.cancel(startup->process_id, startup->secret);
    return false;
  }
  const StartupRequest request = TRY(check_startup(*startup));
  TRY(authenticate(fiber, request));
  if (server_.connections_.size() > server_.options_.max_connections) {
    return raise(sqlstate::too_many_connections, "sorry, too many clients already");
  }
  session_ = TRY(server_.factory_.open(fiber, request));
  writer_.authentication(kAuthenticationOk);
  session_->report_settings([this](std::string_view name, std::string_view value) {
    writer_.parameter_status(name, value);
  });
  writer_.backend_key(process_id_, secret_);
  return true;
}

// A request for encryption is granted if there is a certificate, else refused with 'N': then the
// client asks again in the clear. Each may be made once.
Result<std::optional<wire::Startup>> Connection::read_startup(Fiber& fiber) {
  const Instant deadline = fiber.now() + server_.options_.authentication_timeout;
  bool refused_ssl = false;
  bool refused_gss = false;
  while (true) {
    std::optional<wire::Message> packet = TRY(reader_.next_startup());
    if (!packet) {
      auto more = fill(fiber, deadline);
      if (!more.ok() && fiber.timed_out()) {
        client_gone_ = true;  // it never spoke: nobody to tell
        return std::optional<wire::Startup>();
      }
      const bool received = TRY(std::move(more));
      if (!received) return std::optional<wire::Startup>();
      continue;
    }
    wire::Startup startup = TRY(wire::parse_startup(packet->body));
    bool* refused = startup.code == wire::kSslCode   ? &refused_ssl
                    : startup.code == wire::kGssCode ? &refused_gss
                                                     : nullptr;
    if (refused == nullptr) return std::optional(std::move(startup));
    if (std::exchange(*refused, true) || reader_.has_bytes()) {
      return raise(sqlstate::protocol_violation,
                   "received unencrypted data after encryption request")
          .detail(
              "This could be either a client-software bug or evidence of an attempted "
              "man-in-the-middle attack.");
    }
    const bool encrypts =
        startup.code == wire::kSslCode && server_.options_.tls != nullptr && tls_ == nullptr;
    out_ += encrypts ? 'S' : 'N';
    TRY(flush(fiber));
    if (encrypts) TRY(begin_tls(fiber, deadline));
  }
}

Result<StartupRequest> Connection::check_startup(const wire::Startup& startup) {
  if (startup.code >> 16 != 3) {
    return raise(sqlstate::feature_not_supported,
                 cat("unsupported frontend protocol ", startup.code >> 16, '.',
                     startup.code & 0xffff, ": server supports 3.0 to 3.0"));
  }
  StartupRequest request{.client_address = peer_, .process_id = process_id_};
  std::vector<std::string> unknown_options;
  for (const auto& [name, value] : startup.parameters) {
    if (name == "user") {
      request.user = value;
    } else if (name == "database") {
      request.database = value;
    } else if (name == "options") {
      TRY(parse_options(value, request.settings));
    } else if (name == "replication") {
      if (value != "false" && value != "off" && value != "no" && value != "0") {
        return unsupported("replication over this protocol");
      }
    } else if (name.starts_with("_pq_.")) {
      unknown_options.push_back(name);
    } else {
      request.settings.emplace_back(name, value);
    }
  }
  if (startup.code != wire::kProtocol30 || !unknown_options.empty())
    writer_.negotiate_version(unknown_options);
  if (request.user.empty()) {
    return raise(sqlstate::invalid_authorization_specification,
                 "no PostgreSQL user name specified in startup packet");
  }
  if (request.database.empty()) request.database = request.user;
  return request;
}

Status Connection::authenticate(Fiber& fiber, const StartupRequest& request) {
  switch (server_.options_.authentication) {
    case AuthenticationMethod::trust:         return {};
    case AuthenticationMethod::scram_sha_256: return authenticate_scram(fiber, request);
  }
  UNREACHABLE();
}

Result<wire::Message> Connection::read_password(Fiber& fiber) {
  auto read_message = read(fiber, fiber.now() + server_.options_.authentication_timeout);
  if (!read_message.ok() && fiber.timed_out()) {
    return raise(sqlstate::query_canceled, "canceling authentication due to timeout");
  }
  const std::optional<wire::Message> message = TRY(std::move(read_message));
  if (!message)
    return raise(sqlstate::connection_failure, "unexpected EOF within message length word");
  if (message->type != 'p') {
    return raise(sqlstate::protocol_violation,
                 cat("expected SASL response, got message type ", static_cast<int>(message->type)));
  }
  return *message;
}

Status Connection::authenticate_scram(Fiber& fiber, const StartupRequest& request) {
  std::optional<ScramVerifier> verifier;
  const std::optional<std::string> stored =
      TRY(server_.factory_.password_verifier(fiber, request.user));
  if (stored) verifier = ScramVerifier::parse(*stored);
  ScramServer scram(request.user, std::move(verifier), random_nonce(fiber.host().random()),
                    server_.mock_secret_);

  writer_.authentication(kAuthenticationSasl, cat(kMechanism, '\0', '\0'));
  const wire::Message chosen = TRY(read_password(fiber));
  const wire::SaslInitial initial = TRY(wire::parse_sasl_initial(chosen.body));
  if (initial.mechanism != kMechanism) {
    return raise(sqlstate::protocol_violation,
                 "client selected an invalid SASL authentication mechanism");
  }
  std::string client_first(initial.data.value_or(""));
  if (!initial.data) {  // it waits for an empty challenge
    writer_.authentication(kAuthenticationSaslContinue);
    const wire::Message first = TRY(read_password(fiber));
    client_first = as_text(first.body);
  }
  const std::string server_first = TRY(scram.first(client_first));
  writer_.authentication(kAuthenticationSaslContinue, server_first);
  const wire::Message response = TRY(read_password(fiber));
  const std::string server_final = TRY(scram.final(as_text(response.body)));
  writer_.authentication(kAuthenticationSaslFinal, server_final);
  return {};
}

}  // namespace orrery
