#include "main/server_program.h"

#include <cstdio>
#include <signal.h>

#include "base/text.h"
#include "fiber/io.h"
#include "os/linux_host.h"
#include "server/server.h"
#include "session/config_file.h"
#include "session/database_node.h"

namespace orrery {
namespace {

constexpr char kSuperuser[] = "postgres";

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

std::string numeric(const std::string& address) {
  if (address == "localhost") return "127.0.0.1";
  if (address == "*") return "0.0.0.0";
  return address;
}

class ServerProgram {
 public:
  ServerProgram(const ServerCommand& command, LinuxHost& host)
      : command_(command),
        host_(host),
        scheduler_(host),
        node_(host, gate_, {.settings = split_settings(command.settings)}) {}

  int run() {
    host_.catch_signals([this](int signal) { on_signal(signal); });
    scheduler_.spawn("main", [this](Fiber& fiber) {
      outcome_ = live(fiber);
      finished_ = true;
    });
    host_.run(scheduler_, [this] { return finished_; });
    host_.halt(scheduler_);
    if (outcome_.ok()) return kExitOk;
    host_.log(LogLevel::fatal, outcome_.error().message);
    if (!outcome_.error().detail.empty()) host_.log(LogLevel::info, outcome_.error().detail);
    return kExitFailure;
  }

 private:
  Status live(Fiber& fiber) {
    TRY(node_.open(fiber));
    Status served = serve(fiber);
    Status closed = node_.close(fiber);
    return served.ok() ? std::move(closed) : std::move(served);
  }

  Status serve(Fiber& fiber) {
    ServerOptions options{
        .addresses = {}, .port = command_.port, .socket_directory = command_.socket_directory};
    bool loopback_only = true;
    for (const std::string& address : command_.listen) {
      options.addresses.push_back(numeric(address));
      loopback_only = loopback_only && is_loopback(options.addresses.back());
    }
    options.authentication =
        loopback_only ? AuthenticationMethod::trust : AuthenticationMethod::scram_sha_256;
    options.max_connections =
        static_cast<uint32_t>(node_.settings().get_int(SettingId::max_connections));
    options.authentication_timeout =
        seconds(node_.settings().get_int(SettingId::authentication_timeout));
    if (!loopback_only) {
      const std::optional<std::string> verifier = TRY(node_.password_verifier(fiber, kSuperuser));
      if (!verifier) {
        return raise(sqlstate::config_file_error,
                     "refusing to listen beyond loopback: no password is set")
            .hint("Start on loopback, run ALTER ROLE postgres PASSWORD '...', then start again.");
      }
    }
    if (node_.settings().get_bool(SettingId::ssl)) options.tls = TRY(load_tls(fiber));
    Server server(scheduler_, node_, std::move(options));
    TRY(server.listen(fiber));
    server_ = &server;
    // tidy: allow(call) a program talks to its terminal, a test reads its table
    std::printf("orrery is ready on port %u\n", static_cast<unsigned>(server.port()));
    std::fflush(stdout);
    Status status;
    while (!stopping_ && status.ok()) status = stop_.wait(fiber).status().clone();
    server.drain(at_once_ ? Drain::at_once : Drain::gentle);
    Status emptied = server.wait_until_empty(fiber);
    server_ = nullptr;
    return status.ok() ? std::move(emptied) : std::move(status);
  }

  Result<std::string> read_text(Fiber& fiber, const std::string& name) {
    auto opened = open_file(fiber, name, false);
    if (!opened.ok()) {
      return raise(sqlstate::config_file_error, cat("could not load server file \"", name,
                                                    "\": ", opened.status().error().message));
    }
    const uint64_t size = TRY(file_size(fiber, *opened));
    std::string text(size, '\0');
    const uint64_t count = TRY(read_file(
        fiber, *opened, 0, MutableBytes(reinterpret_cast<std::byte*>(text.data()), text.size())));
    text.resize(count);
    TRY(close_file(fiber, *opened));
    return text;
  }

  Result<std::unique_ptr<TlsServer>> load_tls(Fiber& fiber) {
    const std::string certificate =
        TRY(read_text(fiber, node_.settings().get_text(SettingId::ssl_cert_file)));
    const std::string key =
        TRY(read_text(fiber, node_.settings().get_text(SettingId::ssl_key_file)));
    return TlsServer::make(certificate, key);
  }

  // SIGTERM drains, SIGINT ends at once; SIGHUP reads the configuration again.
  void on_signal(int signal) {
    if (signal == SIGHUP) {
      scheduler_.spawn("reload", [this](Fiber& fiber) {
        const Status loaded = load_config(fiber, node_.settings());
        host_.log(loaded.ok() ? LogLevel::info : LogLevel::warning,
                  loaded.ok() ? "configuration files read again" : loaded.error().message);
      });
      return;
    }
    host_.log(LogLevel::info, signal == SIGINT ? "fast shutdown requested"
                                               : "shutdown requested, draining sessions");
    at_once_ = at_once_ || signal == SIGINT || stopping_;
    stopping_ = true;
    stop_.notify_all();
    if (server_ != nullptr && at_once_) server_->drain(Drain::at_once);
  }

  const ServerCommand& command_;
  LinuxHost& host_;
  Scheduler scheduler_;
  GroupOfOne gate_;
  DatabaseNode node_;
  Server* server_ = nullptr;
  WaitQueue stop_;
  bool stopping_ = false;
  bool at_once_ = false;
  bool finished_ = false;
  Status outcome_;
};

}  // namespace

int run_server(const ServerCommand& command) {
  LinuxHost host({.data_directory = command.data_directory});
  if (!command.log_file.empty()) {
    const Status opened = host.server_log().open(command.log_file);
    if (!opened.ok()) {
      std::fprintf(stderr, "orrery: %s\n", opened.error().message.c_str());
      return kExitFailure;
    }
  }
  const Status opened = host.open();
  if (!opened.ok()) {
    std::fprintf(stderr, "orrery: %s\n", opened.error().message.c_str());
    return kExitFailure;
  }
  ServerProgram program(command, host);
  return program.run();
}

}  // namespace orrery
