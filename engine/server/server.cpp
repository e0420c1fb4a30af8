#include "server/server.h"

#include "base/text.h"
#include "server/connection.h"
#include "session/scram.h"

namespace orrery {

Server::Server(Scheduler& scheduler, SessionFactory& factory, ServerOptions options)
    : scheduler_(scheduler),
      factory_(factory),
      options_(std::move(options)),
      mock_secret_(random_bytes(scheduler.host().random(), 32)) {}

Server::~Server() { CHECK(connections_.empty()); }

Status Server::listen(Fiber& fiber) {
  auto bind = [&](const std::string& address, uint16_t port) -> Status {
    const Listener listener = TRY(orrery::listen(fiber, address, port));
    listeners_.push_back(listener.socket);
    if (port_ == 0) port_ = listener.port;
    return {};
  };
  Status status;
  for (const std::string& address : options_.addresses) {
    if (status.ok()) status = bind(address, port_ != 0 ? port_ : options_.port);
  }
  if (status.ok() && !options_.socket_directory.empty()) {
    status = bind(cat(options_.socket_directory, "/.s.PGSQL.", port_), port_);
  }
  if (!status.ok()) {
    for (const SocketId socket : listeners_) close_socket(fiber.host(), socket);
    listeners_.clear();
    return status;
  }
  for (const SocketId socket : listeners_) {
    ++acceptors_;
    scheduler_.spawn("listener", [this, socket](Fiber& acceptor) {
      accept_loop(acceptor, socket);
      --acceptors_;
      emptied_.notify_all();
    });
  }
  return {};
}

void Server::accept_loop(Fiber& fiber, SocketId listener) {
  while (true) {
    auto client = accept(fiber, listener);
    if (client.ok()) {
      scheduler_.spawn("session",
                       [this, c = std::move(*client)](Fiber& session) { serve(session, c); });
      continue;
    }
    if (draining_ || client.status().is_halted()) return;
    fiber.host().log(LogLevel::warning, client.status().error().message);
    // Out of descriptors, most likely: clients that leave make room.
    if (!fiber.sleep(milliseconds(100)).ok()) return;
  }
}

void Server::serve(Fiber& fiber, Accepted client) {
  const int32_t process_id = ++last_process_id_;
  Connection connection(*this, client.socket, std::move(client.peer), process_id);
  connections_[process_id] = &connection;
  connection.serve(fiber);
  connections_.erase(process_id);
  close_socket(fiber.host(), client.socket);
  if (connections_.empty()) emptied_.notify_all();
}

void Server::cancel(int32_t process_id, int32_t secret) {
  auto found = connections_.find(process_id);
  if (found != connections_.end()) found->second->cancel_statement(secret);
}

void Server::drain(Drain how) {
  draining_ = true;
  for (const SocketId socket : listeners_) close_socket(scheduler_.host(), socket);
  listeners_.clear();
  for (auto& [process_id, connection] : connections_) connection->drain(how);
}

Status Server::wait_until_empty(Fiber& fiber) {
  const Instant patience = fiber.now() + options_.drain_timeout;
  while (!connections_.empty()) {
    const bool emptied = TRY(emptied_.wait(fiber, patience));
    if (emptied || connections_.empty()) continue;
    drain(Drain::at_once);
    while (!connections_.empty()) TRY(emptied_.wait(fiber));
  }
  // They would find us gone.
  while (draining_ && acceptors_ > 0) TRY(emptied_.wait(fiber));
  return {};
}

}  // namespace orrery
