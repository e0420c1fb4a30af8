// The front door for pgwire clients: listeners, a connection (a fiber) a client, cancel requests,
// and the way out.
//
//   Server server(scheduler, factory, options);
//   TRY(server.listen(fiber));        // binds; from now clients are served
//   server.drain(Drain::gentle);      // later: no new clients; sessions end when idle
//   TRY(server.wait_until_empty(fiber));
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fiber/io.h"
#include "fiber/scheduler.h"
#include "fiber/sync.h"
#include "server/tls.h"
#include "session/backend.h"

namespace orrery {

class Connection;

enum class AuthenticationMethod : uint8_t { trust, scram_sha_256 };

struct ServerOptions {
  std::vector<std::string> addresses = {"127.0.0.1"};
  uint16_t port = 5432;          // 0: any
  std::string socket_directory;  // "": no Unix socket; else <directory>/.s.PGSQL.<port>
  AuthenticationMethod authentication = AuthenticationMethod::scram_sha_256;
  uint32_t max_connections = 100;
  Duration authentication_timeout = seconds(60);
  std::unique_ptr<TlsServer> tls;        // null: encryption is refused
  Duration drain_timeout = seconds(10);  // after which a gentle drain stops being gentle
};

enum class Drain : uint8_t {
  gentle,  // sessions end as soon as they are idle outside a transaction
  at_once  // running statements are cancelled, sessions end
};

class Server {
 public:
  Server(Scheduler& scheduler, SessionFactory& factory, ServerOptions options);
  Server(const Server&) = delete;
  ~Server();  // REQUIRES: no connection is left

  // 08006 and the like when an address cannot be bound; then none stays bound.
  Status listen(Fiber& fiber);
  uint16_t port() const { return port_; }

  void drain(Drain how);
  Status wait_until_empty(Fiber& fiber);
  bool is_draining() const { return draining_; }
  size_t connections() const { return connections_.size(); }

 private:
  friend class Connection;
  void accept_loop(Fiber& fiber, SocketId listener);
  void serve(Fiber& fiber, Accepted client);
  // A client that knows the key asks to cancel what that session runs.
  void cancel(int32_t process_id, int32_t secret);

  Scheduler& scheduler_;
  SessionFactory& factory_;
  const ServerOptions options_;
  uint16_t port_ = 0;
  std::vector<SocketId> listeners_;
  bool draining_ = false;
  int32_t last_process_id_ = 0;
  std::map<int32_t, Connection*> connections_;
  size_t acceptors_ = 0;     // fibers that wait for clients
  std::string mock_secret_;  // for clients whose role has no password (scram.h)
  WaitQueue emptied_;
};

}  // namespace orrery
