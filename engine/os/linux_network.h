// Sockets on the engine thread: each call tries at once and waits only when the kernel says it
// would block. A descriptor is registered with epoll once, edge-triggered, so that a request and
// its answer cost one receive, one send and one wait.
//
// Short sends, answers to statements, are gathered until no fiber is ready, and leave together
// (send_ring.h): on a busy machine each send would otherwise let the client it wakes push the
// engine off its processor.
//
// An edge tells that something changed; `readable` and `writable` remember it until the kernel says
// EAGAIN, or until a receive comes back short, which for a stream means the same unless the peer
// has hung up.
//
// Addresses: numeric IPv4 or IPv6, or the path of a Unix socket ("/run/x/.s.PGSQL.5432").
#pragma once

#include <string>
#include <vector>

#include "host/host.h"
#include "os/send_ring.h"

namespace orrery {

class LinuxNetwork final : public Network {
 public:
  // `gathers`: if the kernel allows it.
  LinuxNetwork(int epoll_fd, bool gathers);
  LinuxNetwork(const LinuxNetwork&) = delete;
  ~LinuxNetwork() override;

  bool submit(NetworkRequest& request) override;
  void withdraw(NetworkRequest& request) override;

  // Sends what was gathered; completes requests. False if there was nothing.
  bool flush();
  // What epoll reported for a descriptor registered with this tag. Completes requests.
  void on_event(uint64_t tag, uint32_t events);
  // Completes requests that a close has ended.
  void complete_closed();
  bool has_closed() const { return !closed_.empty(); }
  void forget_all();
  size_t open_sockets() const { return open_; }

  // Tags below this are sockets.
  static constexpr uint64_t kTagEnd = uint64_t{1} << 32;

 private:
  struct Socket {
    int fd = -1;
    uint16_t generation = 0;  // bits of the id above the index: a stale id names nothing
    bool listening = false;
    bool connecting = false;
    bool readable = false;
    bool writable = false;
    bool hung_up = false;              // a short receive does not mean drained
    bool gathered = false;             // named in gathered_
    NetworkRequest* reader = nullptr;  // receive or accept
    NetworkRequest* writer = nullptr;  // send or connect
    std::string unlink_path;
  };

  Socket* find(SocketId id);
  SocketId add(int fd, Status& status);
  bool listen(NetworkRequest& request);
  bool connect(NetworkRequest& request);
  bool accept(Socket& socket, NetworkRequest& request);
  bool receive(Socket& socket, NetworkRequest& request);
  bool send(Socket& socket, NetworkRequest& request);
  bool gather(Socket& socket, const NetworkRequest& request);
  // What the kernel said to a send: bytes, or an errno, negative. True if that ends the request.
  bool end_send(Socket& socket, NetworkRequest& request, int64_t result);
  bool finish_connect(Socket& socket, NetworkRequest& request);
  void close(SocketId id);

  const int epoll_fd_;
  size_t open_ = 0;
  std::vector<Socket> sockets_;
  std::vector<uint32_t> free_;
  std::vector<NetworkRequest*> closed_;
  std::unique_ptr<SendRing> ring_;  // null: not allowed here
  std::vector<SocketId> gathered_;  // whose writers wait for flush()
  bool flushing_ = false;
};

}  // namespace orrery
