// The real psql against the wire protocol on the real host. The session behind it is scripted: this
// is about bytes, not about SQL.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "os/linux_host.h"
#include "server/scripted_backend.h"
#include "server/server.h"
#include "session/scram.h"

extern char** environ;

namespace orrery {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;  // both streams
};

std::string read_file(int fd) {
  std::string text;
  char buffer[4096];
  lseek(fd, 0, SEEK_SET);
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count <= 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

// Runs a program while the server goes on serving.
Outcome run_program(Fiber& fiber, std::vector<std::string> words) {
  char path[] = "/tmp/orrery_psql_test_XXXXXX";
  const int fd = mkstemp(path);
  CHECK(fd >= 0);
  unlink(path);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, fd, 1);
  posix_spawn_file_actions_adddup2(&actions, fd, 2);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  CHECK(posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) CHECK(fiber.sleep(milliseconds(5)).ok());
  Outcome outcome{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                  .output = read_file(fd)};
  close(fd);
  return outcome;
}

class Psql : public testing::Test {
 protected:
  void run(ServerOptions options, UniqueFunction<void(Fiber&, Server&)> body) {
    LinuxHost host({});
    host.server_log().set_least(LogLevel::fatal);
    ASSERT_TRUE(host.open().ok());
    Scheduler scheduler(host);
    options.port = 0;
    Server server(scheduler, factory, std::move(options));
    scheduler.spawn("test", [&](Fiber& fiber) {
      ASSERT_TRUE(server.listen(fiber).ok());
      body(fiber, server);
      server.drain(Drain::gentle);
      ASSERT_TRUE(server.wait_until_empty(fiber).ok());
    });
    host.run(scheduler, [&] { return scheduler.live_fibers() == 0; });
  }
  static std::vector<std::string> psql(const Server& server, std::vector<std::string> more) {
    std::vector<std::string> words = {
        "psql", "-X", "-w", "-h", "127.0.0.1", "-p", cat(server.port()), "-U", "alice"};
    for (std::string& word : more) words.push_back(std::move(word));
    return words;
  }
  ScriptedFactory factory;
};

TEST_F(Psql, ShowsRowsErrorsAndNotices) {
  run({.authentication = AuthenticationMethod::trust}, [](Fiber& fiber, Server& server) {
    const Outcome rows = run_program(fiber, psql(server, {"-c", "rows 3"}));
    EXPECT_EQ(rows.output,
              " number |  word  \n--------+--------\n      1 | word 1\n      2 | word 2\n      3 | "
              "\n(3 rows)\n\n");
    EXPECT_EQ(rows.exit_code, 0);
    const Outcome error =
        run_program(fiber, psql(server, {"-v", "VERBOSITY=default", "-c", "fail here"}));
    EXPECT_EQ(error.output,
              "ERROR:  division by zero\nLINE 1: fail here\n            ^\nDETAIL:  a "
              "detail\nHINT:  a hint\n"
              "CONTEXT:  a context\n");
    EXPECT_EQ(error.exit_code, 1);
    const Outcome notice = run_program(fiber, psql(server, {"-c", "notice"}));
    EXPECT_EQ(notice.output, "NOTICE:  hear, hear\nNOTICE\n");
    const Outcome copy = run_program(fiber, psql(server, {"-c", "copy out"}));
    EXPECT_EQ(copy.output, "1\tone\n2\ttwo\n");
  });
}

// A certificate for a test, signed by itself.
struct Identity {
  std::string certificate, key;
};
std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(length));
  BIO_free(bio);
  return text;
}
Identity make_identity() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  BIO* certificate_text = BIO_new(BIO_s_mem());
  BIO* key_text = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_X509(certificate_text, certificate) == 1);
  CHECK(PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {text_of(certificate_text), text_of(key_text)};
}

TEST_F(Psql, SpeaksTlsWhenThereIsACertificate) {
  const Identity identity = make_identity();
  auto tls = TlsServer::make(identity.certificate, identity.key);
  ASSERT_TRUE(tls.ok());
  ServerOptions options{.authentication = AuthenticationMethod::trust};
  options.tls = std::move(*tls);
  run(std::move(options), [](Fiber& fiber, Server& server) {
    auto ask = [&](std::string mode, std::string query) {
      const std::string target =
          cat("host=127.0.0.1 port=", server.port(), " user=alice dbname=alice sslmode=", mode);
      return run_program(fiber, {"psql", "-X", "-w", "-At", "-d", target, "-c", query});
    };
    EXPECT_EQ(ask("require", "rows 2").output, "1|word 1\n2|word 2\n");
    EXPECT_EQ(ask("disable", "rows 1").output, "1|word 1\n");
    EXPECT_EQ(ask("require", "copy out").output, "1\tone\n2\ttwo\n");
    // More than one record, and more than the socket takes at once.
    const Outcome many = ask("require", "rows 200000");
    EXPECT_EQ(std::count(many.output.begin(), many.output.end(), '\n'), 200000);
    EXPECT_EQ(ask("require", "fail here").exit_code, 1);
  });
}

TEST_F(Psql, IsRefusedTlsWithoutACertificate) {
  EXPECT_FALSE(TlsServer::make("no certificate", "no key").ok());
  run({.authentication = AuthenticationMethod::trust}, [](Fiber& fiber, Server& server) {
    const std::string target =
        cat("host=127.0.0.1 port=", server.port(), " user=alice dbname=alice sslmode=require");
    const Outcome refused = run_program(fiber, {"psql", "-X", "-w", "-d", target, "-c", "rows 1"});
    EXPECT_NE(refused.output.find("server does not support SSL"), std::string::npos);
    EXPECT_EQ(refused.exit_code, 2);
  });
}

TEST_F(Psql, IsCancelledAndToldOfShutdown) {
  run({.authentication = AuthenticationMethod::trust}, [this](Fiber& fiber, Server& server) {
    fiber.scheduler().spawn("drainer", [&](Fiber& other) {
      // Once the statement runs, however long psql took to get there.
      while (factory.last == nullptr || factory.last->texts.empty()) {
        ASSERT_TRUE(other.sleep(milliseconds(5)).ok());
      }
      server.drain(Drain::at_once);
    });
    const Outcome outcome = run_program(fiber, psql(server, {"-c", "sleep"}));
    EXPECT_TRUE(
        outcome.output.starts_with("FATAL:  terminating connection due to administrator command\n"))
        << outcome.output;
    EXPECT_EQ(outcome.exit_code, 2);
  });
}

TEST_F(Psql, ProvesItsPassword) {
  factory.verifiers["alice"] = make_scram_verifier("pencil", "0123456789abcdef").text();
  run({.authentication = AuthenticationMethod::scram_sha_256}, [](Fiber& fiber, Server& server) {
    std::vector<std::string> right = psql(server, {"-c", "rows 1"});
    right.insert(right.begin(), {"env", "PGPASSWORD=pencil"});
    EXPECT_EQ(run_program(fiber, right).exit_code, 0);
    std::vector<std::string> wrong = psql(server, {"-c", "rows 1"});
    wrong.insert(wrong.begin(), {"env", "PGPASSWORD=ink"});
    const Outcome refused = run_program(fiber, wrong);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.output.find("FATAL:  password authentication failed for user \"alice\""),
              std::string::npos)
        << refused.output;
  });
}

TEST_F(Psql, FindsTheUnixSocket) {
  char directory[] = "/tmp/orrery_socket_XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  run({.socket_directory = directory, .authentication = AuthenticationMethod::trust},
      [&](Fiber& fiber, Server& server) {
        const Outcome outcome =
            run_program(fiber, {"psql", "-X", "-w", "-At", "-h", directory, "-p",
                                cat(server.port()), "-U", "alice", "-c", "rows 1"});
        EXPECT_EQ(outcome.output, "1|word 1\n");
      });
  EXPECT_EQ(rmdir(directory), 0);
}

}  // namespace
}  // namespace orrery
