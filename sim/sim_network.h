// The simulated network: streams of bytes between named machines, in order as TCP gives them, each
// direction with a bounded buffer and a delay. Loss shows as delay (it is sent again); a partition
// holds everything until it ends; a reset may come in the middle of a message. An address is a
// machine's name.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "host/host.h"
#include "sim/faults.h"

namespace orrery {

class World;
class NetworkFabric;

// One boot of one machine's door to the network.
class SimNetwork final : public Network {
 public:
  SimNetwork(NetworkFabric& fabric, uint16_t machine, uint32_t boot)
      : fabric_(fabric), machine_(machine), boot_(boot) {}
  bool submit(NetworkRequest& request) override;
  void withdraw(NetworkRequest& request) override;

 private:
  friend class NetworkFabric;
  enum class Kind : uint8_t { closed, listener, stream };
  struct Socket {
    Kind kind = Kind::closed;
    uint64_t end = 0;              // of a stream: which end in the fabric
    uint16_t port = 0;             // of a listener
    std::deque<uint64_t> backlog;  // of a listener: ends that wait for accept
    NetworkRequest* accepting = nullptr;
  };
  SocketId add(Socket socket);
  Socket* socket_of(SocketId id);

  NetworkFabric& fabric_;
  uint16_t machine_;
  uint32_t boot_;
  std::deque<Socket> sockets_;  // references last
};

class NetworkFabric {
 public:
  explicit NetworkFabric(World& world) : world_(world) {}

  void deliver(uint64_t end);         // an event: the next segment towards this end arrives
  void finish_connect(uint64_t key);  // an event: a connection attempt is decided
  // A machine died: its ends vanish, and the other sides learn it by a reset after a while.
  void on_crash(uint16_t machine);
  // Nothing passes between the two until then.
  void partition(uint16_t a, uint16_t b, Instant until);
  // Resets some stream of the machine, if it has one.
  void reset_one(uint16_t machine);
  void draw_profile();
  size_t open_streams() const;

 private:
  friend class SimNetwork;
  struct Segment {
    enum class Kind : uint8_t { bytes, end, reset, window } kind = Kind::bytes;
    Instant due;
    std::string bytes;
  };
  // One side of a stream. Side s of stream n is end 2n + s, its peer 2n + 1 - s.
  struct End {
    uint16_t machine = 0;
    uint32_t boot = 0;
    bool open = false;
    bool reset = false;  // it was told so
    bool ended = false;  // the peer closed, after what is in `received`
    std::string received;
    size_t consumed = 0;
    std::deque<Segment> incoming;
    uint64_t incoming_bytes = 0;
    Instant last_due;
    NetworkRequest* receiving = nullptr;
    NetworkRequest* sending = nullptr;
  };
  struct Attempt {
    NetworkRequest* request = nullptr;
    uint16_t machine = 0;
    uint32_t boot = 0;
    uint32_t generation = 0;
  };

  bool connect(SimNetwork& from, NetworkRequest& request);
  bool receive(uint64_t end, NetworkRequest& request);
  bool send(uint64_t end, NetworkRequest& request);
  void retry_send(uint64_t end);
  void close(uint64_t end);
  void withdraw(NetworkRequest& request, uint16_t machine);
  void push(uint64_t to, Segment segment);
  void complete(NetworkRequest*& held);
  void take_received(End& end, NetworkRequest& request);
  uint64_t room(const End& receiver) const;
  Instant delay_until(uint16_t a, uint16_t b);
  Instant partition_end(uint16_t a, uint16_t b) const;
  bool accept_into(SimNetwork& network, SimNetwork::Socket& listener, NetworkRequest& request);
  End& peer(uint64_t end) { return ends_[end ^ 1]; }
  bool is_alive(const End& end) const;

  World& world_;
  std::deque<End> ends_;  // references last
  std::vector<Attempt> attempts_;
  std::map<std::pair<uint16_t, uint16_t>, Instant> partitions_;
  int64_t base_delay_ns_ = 50'000;
  uint64_t buffer_bytes_ = 64 * 1024;
};

}  // namespace orrery
