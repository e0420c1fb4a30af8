#include "server/server.h"

#include <gtest/gtest.h>

#include "fiber/test_host.h"
#include "server/protocol.h"
#include "server/scripted_backend.h"
#include "session/scram.h"

namespace orrery {
namespace {

// A client that writes messages and reads answers as text: "T D D C Z:I", errors as
// "E:42601:message".
class Client {
 public:
  Client(Fiber& fiber, uint16_t port) : fiber_(fiber) {
    auto socket = connect(fiber, "127.0.0.1", port);
    CHECK(socket.ok());
    socket_ = *socket;
  }
  ~Client() { close_socket(fiber_.host(), socket_); }

  void startup(std::vector<std::string> words, uint32_t code = wire::kProtocol30) {
    std::string body;
    ByteWriter writer(body);
    writer.write_be(code);
    for (const std::string& word : words) writer.write_c_string(word);
    if (code == wire::kProtocol30) writer.write_c_string("");
    std::string packet;
    ByteWriter(packet).write_be(static_cast<uint32_t>(body.size() + 4));
    raw(packet + body);
  }
  // `body`: NULs are written as '|'.
  Client& add(char type, std::string body = "") {
    std::replace(body.begin(), body.end(), '|', '\0');
    wire::MessageWriter writer(pending_);
    writer.begin(type).write_text(body);
    writer.end();
    return *this;
  }
  void raw(std::string_view bytes) { ASSERT_TRUE(send_all(fiber_, socket_, as_bytes(bytes)).ok()); }
  void send() {
    raw(pending_);
    pending_.clear();
  }
  std::string ask(char type, std::string body = "") {
    add(type, std::move(body));
    send();
    return answer();
  }
  // Whether anything comes within `patience`.
  bool hears(Duration patience) {
    const auto count = receive(fiber_, socket_, reader_.space(), fiber_.now() + patience);
    if (count.ok()) reader_.filled(count.value());
    return count.ok();
  }
  // Messages up to ReadyForQuery, CopyIn, an authentication request, or the end of the stream
  // ("EOF").
  std::string answer() {
    std::string text;
    while (true) {
      auto message = reader_.next_message();
      CHECK(message.ok());
      if (!*message) {
        auto count = receive(fiber_, socket_, reader_.space());
        if (!count.ok() || *count == 0) return text + "EOF";
        reader_.filled(*count);
        continue;
      }
      text += describe(**message);
      const char type = (*message)->type;
      if (type == 'Z' || type == 'G') return text;
      if (type == 'R' && authentication_code_ != 0 && authentication_code_ != 12) return text;
      text += ' ';
    }
  }
  char read_byte() {
    char byte = 0;
    auto count = receive(fiber_, socket_, std::as_writable_bytes(std::span(&byte, 1)));
    CHECK(count.ok() && *count == 1);
    return byte;
  }
  std::string authentication_data;
  int32_t process_id = 0, secret = 0;

 private:
  std::string describe(const wire::Message& message) {
    std::string text(1, message.type);
    ByteReader reader(message.body);
    if (message.type == 'Z') text += cat(':', static_cast<char>(reader.read<uint8_t>()));
    if (message.type == 'C') text += cat(':', reader.read_c_string());
    if (message.type == 'S') text += cat(':', reader.read_c_string());
    if (message.type == 'd') text += cat(':', as_text(message.body));
    if (message.type == 'K') {
      process_id = reader.read_be<int32_t>();
      secret = reader.read_be<int32_t>();
    }
    if (message.type == 'R') {
      authentication_code_ = reader.read_be<uint32_t>();
      authentication_data = as_text(reader.take(reader.remaining()));
      text += cat(':', authentication_code_);
    }
    if (message.type == 'E' || message.type == 'N') {
      std::map<char, std::string> fields;
      while (const uint8_t code = reader.read<uint8_t>())
        fields[static_cast<char>(code)] = reader.read_c_string();
      text += cat(':', fields['S'], ':', fields['C'], ':', fields['M']);
    }
    if (message.type == 'D') {
      const auto columns = reader.read_be<uint16_t>();
      for (int i = 0; i < columns; ++i) {
        const auto length = reader.read_be<int32_t>();
        text += length < 0 ? std::string(",NULL")
                           : cat(',', as_text(reader.take(static_cast<size_t>(length))));
      }
    }
    return text;
  }

  Fiber& fiber_;
  SocketId socket_;
  std::string pending_;
  wire::MessageReader reader_;
  uint32_t authentication_code_ = 0;
};

// A server over the scripted backend, and a client in its own fiber.
struct Fixture {
  explicit Fixture(ServerOptions options = {.port = 0,
                                            .authentication = AuthenticationMethod::trust})
      : server(scheduler, factory, std::move(options)) {}

  template <class Body>
  void run(Body body) {
    scheduler.spawn("client", [&, body](Fiber& fiber) {
      ASSERT_TRUE(server.listen(fiber).ok());
      body(fiber);
      server.drain(Drain::gentle);
      ASSERT_TRUE(server.wait_until_empty(fiber).ok());
      finished = true;
    });
    host.run(scheduler);
    EXPECT_TRUE(finished);
    EXPECT_EQ(scheduler.live_fibers(), 0u);
  }
  Client connected(Fiber& fiber) {
    Client client(fiber, server.port());
    client.startup({"user", "alice"});
    EXPECT_EQ(client.answer(),
              "R:0 S:server_version S:client_encoding S:standard_conforming_strings K Z:I");
    return client;
  }

  TestHost host;
  Scheduler scheduler{host};
  ScriptedFactory factory;
  Server server;
  bool finished = false;
};

TEST(Server, AnswersSimpleQueries) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client(fiber, fixture.server.port());
    client.startup({"user", "alice", "application_name", "test", "options",
                    "-c work_mem=1MB --enable-sort=off"});
    EXPECT_EQ(client.answer(),
              "R:0 S:server_version S:client_encoding S:standard_conforming_strings K Z:I");
    const StartupRequest& request = fixture.factory.requests.at(0);
    EXPECT_EQ(request.user, "alice");
    EXPECT_EQ(request.database, "alice");
    EXPECT_EQ(request.settings,
              (std::vector<std::pair<std::string, std::string>>{
                  {"application_name", "test"}, {"work_mem", "1MB"}, {"enable_sort", "off"}}));
    EXPECT_EQ(client.ask('Q', "rows 3|"), "T D,1,word 1 D,2,word 2 D,3,NULL C:SELECT 3 Z:I");
    EXPECT_EQ(client.ask('Q', "|"), "I Z:I");
    EXPECT_EQ(client.ask('Q', "begin|"), "C:BEGIN Z:T");
    EXPECT_EQ(client.ask('Q', "fail|"), "E:ERROR:22012:division by zero Z:E");
    EXPECT_EQ(client.ask('Q', "commit|"), "C:COMMIT Z:I");
    EXPECT_EQ(client.ask('Q', "notice|"), "N:NOTICE:00000:hear, hear C:NOTICE Z:I");
    client.add('X').send();
    EXPECT_EQ(client.answer(), "EOF");
  });
}

TEST(Server, SendsLargeResultsPieceByPiece) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    const std::string answer = client.ask('Q', "rows 20000|");
    EXPECT_EQ(std::count(answer.begin(), answer.end(), 'D'), 20'000);
    EXPECT_TRUE(answer.ends_with("D,20000,word 20000 C:SELECT 20000 Z:I"));
  });
}

TEST(Server, SpeaksTheExtendedProtocol) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    client.add('P', std::string("s|rows 3|") + std::string(2, '\0'));
    client.add('D', "Ss|");
    client.add('B', std::string("p|s|") + std::string("\0\0\0\1\0\0\0\2"
                                                      "42"
                                                      "\0\1\0\1",
                                                      14));
    client.add('D', "Pp|").add('E', std::string("p|") + std::string("\0\0\0\2", 4)).add('C', "Pp|");
    EXPECT_EQ(client.ask('S'), std::string("1 t T 2 T D,") + std::string("\0\0\0\1", 4) +
                                   ",word 1 D," + std::string("\0\0\0\2", 4) + ",word 2 s 3 Z:I");
    EXPECT_EQ(fixture.factory.last->parameters, std::vector<std::string>{"42"});
    EXPECT_EQ(fixture.factory.last->syncs, 1);
  });
}

// A client may send all of a batch before it reads any of it: an answer that comes earlier can fill
// its socket, and neither would go on.
TEST(Server, AnswersABatchWhenItIsWholeOrTheClientAsks) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    client.add('P', std::string("s|rows 3|") + std::string(2, '\0')).add('D', "Ss|").send();
    EXPECT_FALSE(client.hears(seconds(100)));  // longer than idle memory is kept
    client.add('H').send();
    EXPECT_TRUE(client.hears(seconds(1)));
    EXPECT_EQ(client.ask('S'), "1 t T Z:I");
    client.add('P', std::string("|bad|") + std::string(2, '\0')).send();
    EXPECT_FALSE(client.hears(seconds(100)));
    client.add('D', "Ss|").add('H').send();
    EXPECT_TRUE(client.hears(seconds(1)));
    EXPECT_EQ(client.ask('S'), "E:ERROR:42601:syntax error at or near \"bad\" Z:I");
  });
}

TEST(Server, SkipsToSyncAfterAnError) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    client.add('P', std::string("|bad|") + std::string(2, '\0'));
    client.add('B', std::string(2 + 6, '\0')).add('E', std::string(5, '\0'));
    EXPECT_EQ(client.ask('S'), "E:ERROR:42601:syntax error at or near \"bad\" Z:I");
    EXPECT_EQ(client.ask('Q', "rows 1|"), "T D,1,word 1 C:SELECT 1 Z:I");
    client.add('B', "no end").add('Q', "rows 1|");
    EXPECT_EQ(client.ask('S'), "E:FATAL:08P01:invalid message format EOF");
  });
}

TEST(Server, CopiesInAndOut) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    EXPECT_EQ(client.ask('Q', "copy in|"), "G");
    client.add('d', "1\tone\n").add('H').add('d', "2\ttwo\n");
    EXPECT_EQ(client.ask('c'), "C:COPY IN Z:I");
    EXPECT_EQ(fixture.factory.last->copied, "1\tone\n2\ttwo\n");
    EXPECT_EQ(client.ask('Q', "copy in|"), "G");
    client.add('d', "3");
    EXPECT_EQ(client.ask('f', "no more|"), "E:ERROR:57014:COPY from stdin failed: no more Z:I");
    EXPECT_EQ(client.ask('Q', "copy in|"), "G");
    client.add('Q', "rows 1|").add('d', "late").send();
    EXPECT_EQ(client.answer(),
              "E:ERROR:08P01:unexpected message type 0x51 during COPY from stdin Z:I");
    EXPECT_EQ(client.ask('Q', "copy out|"), "H d:1\tone\n d:2\ttwo\n c C:COPY OUT Z:I");
  });
}

TEST(Server, CancelsARunningStatementForOneWhoKnowsTheKey) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    auto cancel = [&](Fiber& other, int32_t secret) {
      Client canceller(other, fixture.server.port());
      std::string packet;
      ByteWriter writer(packet);
      for (const uint32_t word : {16u, wire::kCancelCode, static_cast<uint32_t>(client.process_id),
                                  static_cast<uint32_t>(secret)}) {
        writer.write_be(word);
      }
      canceller.raw(packet);
      EXPECT_EQ(canceller.answer(), "EOF");
    };
    cancel(fiber, client.secret);  // idle: nothing to cancel
    fixture.scheduler.spawn("canceller", [&](Fiber& other) {
      ASSERT_TRUE(other.sleep(seconds(1)).ok());
      cancel(other, client.secret + 1);
      ASSERT_TRUE(other.sleep(seconds(1)).ok());
      cancel(other, client.secret);
    });
    const Instant start = fiber.now();
    EXPECT_EQ(client.ask('Q', "sleep|"),
              "E:ERROR:57014:canceling statement due to user request Z:I");
    EXPECT_EQ(fiber.now() - start, seconds(2).ns);
    EXPECT_EQ(client.ask('Q', "rows 1|"), "T D,1,word 1 C:SELECT 1 Z:I");
  });
}

TEST(Server, RefusesEncryptionOnceAndGoesOn) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client hasty(fiber, fixture.server.port());
    hasty.raw(cat(std::string("\0\0\0\10\x04\xd2\x16\x2f", 8), "smuggled bytes"));
    EXPECT_EQ(hasty.answer(),
              "E:FATAL:08P01:received unencrypted data after encryption request EOF");
    Client patient(fiber, fixture.server.port());
    patient.startup({}, wire::kGssCode);
    EXPECT_EQ(patient.read_byte(), 'N');
    patient.startup({}, wire::kSslCode);
    EXPECT_EQ(patient.read_byte(), 'N');
    patient.startup({"user", "a", "_pq_.unknown", "1"});
    EXPECT_EQ(patient.answer(),
              "v R:0 S:server_version S:client_encoding S:standard_conforming_strings K Z:I");
  });
}

TEST(Server, EndsConversationsThatMakeNoSense) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    {
      Client client = fixture.connected(fiber);
      EXPECT_EQ(client.ask('y', "what"), "E:FATAL:08P01:invalid frontend message type 121 EOF");
    }
    {
      Client client = fixture.connected(fiber);
      client.raw(std::string_view("Q\0\0\0\1", 5));
      EXPECT_EQ(client.answer(), "E:FATAL:08P01:invalid message length EOF");
    }
    {
      Client client(fiber, fixture.server.port());
      client.startup({}, 2 << 16);
      EXPECT_EQ(client.answer(),
                "E:FATAL:0A000:unsupported frontend protocol 2.0: server supports 3.0 to 3.0 EOF");
    }
    {
      Client client(fiber, fixture.server.port());
      client.startup({"user", "a", "database", "nowhere"});
      EXPECT_EQ(client.answer(), "E:FATAL:3D000:database \"nowhere\" does not exist EOF");
    }
    {
      Client client(fiber, fixture.server.port());
      client.startup({"database", "a"});
      EXPECT_EQ(client.answer(),
                "E:FATAL:28000:no PostgreSQL user name specified in startup packet EOF");
    }
    Client silent(fiber, fixture.server.port());
    const Instant start = fiber.now();
    EXPECT_EQ(silent.answer(), "EOF");
    EXPECT_EQ(fiber.now() - start, seconds(60).ns);
  });
}

TEST(Server, EndsASessionThatIdlesInATransaction) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    EXPECT_EQ(client.ask('Q', "begin|"), "C:BEGIN Z:T");
    EXPECT_EQ(client.answer(),
              "E:FATAL:25P03:terminating connection due to idle-in-transaction timeout EOF");
  });
}

TEST(Server, ChecksPasswords) {
  Fixture fixture({.port = 0, .authentication = AuthenticationMethod::scram_sha_256});
  fixture.factory.verifiers["alice"] = make_scram_verifier("pencil", "salt").text();
  fixture.run([&](Fiber& fiber) {
    Client client(fiber, fixture.server.port());
    client.startup({"user", "alice"});
    EXPECT_EQ(client.answer(), "R:10");
    EXPECT_EQ(client.authentication_data, std::string("SCRAM-SHA-256\0\0", 15));
    client.add('p', std::string("SCRAM-SHA-256|") + std::string("\0\0\0\15", 4) + "n,,n=,r=nonce")
        .send();
    EXPECT_EQ(client.answer(), "R:11");
    const std::string nonce =
        client.authentication_data.substr(2, client.authentication_data.find(',') - 2);
    EXPECT_TRUE(nonce.starts_with("nonce"));
    const std::string proof = base64_encode(std::string(32, 'x'));
    EXPECT_EQ(client.ask('p', cat("c=biws,r=", nonce, ",p=", proof)),
              "E:FATAL:28P01:password authentication failed for user \"alice\" EOF");
  });
}

TEST(Server, TurnsAwayTooManyClients) {
  Fixture fixture({.port = 0, .authentication = AuthenticationMethod::trust, .max_connections = 1});
  fixture.run([&](Fiber& fiber) {
    Client client = fixture.connected(fiber);
    Client second(fiber, fixture.server.port());
    second.startup({"user", "alice"});
    EXPECT_EQ(second.answer(), "E:FATAL:53300:sorry, too many clients already EOF");
  });
}

TEST(Drain, LetsATransactionFinishAndEndsIdleSessions) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client idle = fixture.connected(fiber);
    Client busy = fixture.connected(fiber);
    EXPECT_EQ(busy.ask('Q', "begin|"), "C:BEGIN Z:T");
    fixture.server.drain(Drain::gentle);
    EXPECT_EQ(idle.answer(),
              "E:FATAL:57P01:terminating connection due to administrator command EOF");
    EXPECT_EQ(busy.ask('Q', "rows 1|"), "T D,1,word 1 C:SELECT 1 Z:T");
    EXPECT_EQ(busy.ask('Q', "commit|"), "C:COMMIT Z:I");
    EXPECT_EQ(busy.answer(),
              "E:FATAL:57P01:terminating connection due to administrator command EOF");
  });
}

TEST(Drain, LosesPatience) {
  Fixture fixture;
  fixture.run([&](Fiber& fiber) {
    Client busy = fixture.connected(fiber);
    busy.add('Q', "sleep|").send();
    ASSERT_TRUE(fiber.sleep(seconds(1)).ok());
    const Instant start = fiber.now();
    fixture.server.drain(Drain::gentle);
    ASSERT_TRUE(fixture.server.wait_until_empty(fiber).ok());
    EXPECT_EQ(fiber.now() - start, seconds(10).ns);
    EXPECT_EQ(busy.answer(),
              "E:FATAL:57P01:terminating connection due to administrator command EOF");
  });
}

}  // namespace
}  // namespace orrery
