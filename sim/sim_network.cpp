#include "sim/sim_network.h"

#include "base/hash.h"
#include "base/text.h"
#include "sim/world.h"

namespace orrery {
namespace {
Status connection_failed(std::string_view why) {
  return raise(sqlstate::connection_failure, std::string(why));
}
constexpr uint16_t kFirstEphemeralPort = 49152;
}  // namespace

SocketId SimNetwork::add(Socket socket) {
  sockets_.push_back(std::move(socket));
  return SocketId(static_cast<uint32_t>(sockets_.size()));
}

SimNetwork::Socket* SimNetwork::socket_of(SocketId id) {
  CHECK(id.v >= 1 && id.v <= sockets_.size());
  Socket& socket = sockets_[id.v - 1];
  return socket.kind == Kind::closed ? nullptr : &socket;
}

bool SimNetwork::submit(NetworkRequest& request) {
  request.status = Status();
  request.count = 0;
  World& world = fabric_.world_;
  if (!world.machine(machine_).is_running(boot_)) {
    request.status = raise_halted();
    return true;
  }
  if (request.op == NetworkOp::listen) {
    if (request.port == 0)
      request.port = static_cast<uint16_t>(kFirstEphemeralPort + sockets_.size());
    request.socket = add(Socket{.kind = Kind::listener, .port = request.port, .backlog = {}});
    world.note(machine_, "net listen", request.address, request.port, 0);
    return true;
  }
  if (request.op == NetworkOp::connect) return fabric_.connect(*this, request);
  Socket* socket = socket_of(request.socket);
  if (socket == nullptr) {
    if (request.op != NetworkOp::close) request.status = connection_failed("socket is closed");
    return true;
  }
  switch (request.op) {
    case NetworkOp::accept:  return fabric_.accept_into(*this, *socket, request);
    case NetworkOp::receive: return fabric_.receive(socket->end, request);
    case NetworkOp::send:    return fabric_.send(socket->end, request);
    case NetworkOp::close:   {
      if (socket->kind == Kind::stream) fabric_.close(socket->end);
      for (const uint64_t end : socket->backlog) fabric_.close(end);
      NetworkRequest* accepting = socket->accepting;
      *socket = Socket{};
      if (accepting != nullptr) {
        accepting->status = connection_failed("socket is closed");
        accepting->completion->complete();
      }
      return true;
    }
    case NetworkOp::listen:
    case NetworkOp::connect: break;
  }
  UNREACHABLE();
}

void SimNetwork::withdraw(NetworkRequest& request) {
  for (Socket& socket : sockets_) {
    if (socket.accepting == &request) socket.accepting = nullptr;
  }
  fabric_.withdraw(request, machine_);
}

void NetworkFabric::withdraw(NetworkRequest& request, uint16_t machine) {
  for (Attempt& attempt : attempts_) {
    if (attempt.request == &request) attempt.request = nullptr;
  }
  for (End& end : ends_) {
    if (end.machine != machine) continue;
    if (end.receiving == &request) end.receiving = nullptr;
    if (end.sending == &request) end.sending = nullptr;
  }
}

void NetworkFabric::draw_profile() {
  Tape& tape = world_.tape();
  base_delay_ns_ = tape.magnitude(Site::knob, 0, 10'000, 2'000'000);
  if (world_.faults().is_on(Fault::network_small_buffers)) {
    buffer_bytes_ = static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 16, 8192));
    world_.faults().note(Fault::network_small_buffers, true);
  }
}

bool NetworkFabric::is_alive(const End& end) const {
  return end.open && world_.machine(end.machine).is_running(end.boot);
}

void NetworkFabric::complete(NetworkRequest*& held) {
  NetworkRequest* request = held;
  held = nullptr;
  request->completion->complete();
}

Instant NetworkFabric::partition_end(uint16_t a, uint16_t b) const {
  const auto it = partitions_.find(std::minmax(a, b));
  return it == partitions_.end() ? Instant{} : it->second;
}

void NetworkFabric::partition(uint16_t a, uint16_t b, Instant until) {
  partitions_[std::minmax(a, b)] = until;
}

Instant NetworkFabric::delay_until(uint16_t a, uint16_t b) {
  Tape& tape = world_.tape();
  int64_t delay = base_delay_ns_ +
                  static_cast<int64_t>(tape.pick(Site::network_delay, a, 16)) * base_delay_ns_ / 8;
  if (world_.faults().strikes(Fault::network_delay, Site::network_fault, a)) {
    delay += tape.magnitude(Site::network_delay, a, 1'000'000, 2'000'000'000);
  }
  return std::max(world_.now(), partition_end(a, b)) + nanoseconds(delay);
}

bool NetworkFabric::connect(SimNetwork& from, NetworkRequest& request) {
  size_t index = 0;
  while (index < attempts_.size() && attempts_[index].request != nullptr) ++index;
  if (index == attempts_.size()) attempts_.emplace_back();
  Attempt& attempt = attempts_[index];
  const uint32_t generation = attempt.generation + 1;
  attempt = Attempt{&request, from.machine_, from.boot_, generation};
  const Machine* target = world_.find(request.address);
  const uint16_t to = target == nullptr ? from.machine_ : target->id();
  world_.note(from.machine_, "net connect", request.address, request.port, 0);
  world_.schedule(EventKind::network_request, from.machine_, from.boot_,
                  delay_until(from.machine_, to), static_cast<uint64_t>(generation) << 32 | index);
  return false;
}

void NetworkFabric::finish_connect(uint64_t key) {
  Attempt& attempt = attempts_[static_cast<uint32_t>(key)];
  if (attempt.request == nullptr || attempt.generation != key >> 32) return;
  NetworkRequest& request = *attempt.request;
  attempt.request = nullptr;
  Machine* target = world_.find(request.address);
  Machine& source = world_.machine(attempt.machine);
  SimNetwork* remote = target == nullptr ? nullptr : target->network();
  SimNetwork::Socket* listener = nullptr;
  if (remote != nullptr &&
      !world_.faults().strikes(Fault::network_refused, Site::network_fault, attempt.machine)) {
    for (SimNetwork::Socket& socket : remote->sockets_) {
      if (socket.kind == SimNetwork::Kind::listener && socket.port == request.port)
        listener = &socket;
    }
  }
  if (listener == nullptr) {
    request.status = connection_failed(cat("connection to \"", request.address, "\" refused"));
    request.completion->complete();
    return;
  }
  const uint64_t here = ends_.size();
  ends_.push_back(End{
      .machine = source.id(), .boot = attempt.boot, .open = true, .received = {}, .incoming = {}});
  ends_.push_back(End{.machine = target->id(),
                      .boot = target->boots(),
                      .open = true,
                      .received = {},
                      .incoming = {}});
  world_.note(source.id(), "net open", request.address, here, 0);
  request.socket =
      source.network()->add({.kind = SimNetwork::Kind::stream, .end = here, .backlog = {}});
  listener->backlog.push_back(here + 1);
  if (listener->accepting != nullptr) {
    NetworkRequest& accepting = *listener->accepting;
    listener->accepting = nullptr;
    CHECK(accept_into(*remote, *listener, accepting));
    accepting.completion->complete();
  }
  request.completion->complete();
}

bool NetworkFabric::accept_into(SimNetwork& network, SimNetwork::Socket& listener,
                                NetworkRequest& request) {
  CHECK(listener.kind == SimNetwork::Kind::listener);
  if (listener.backlog.empty()) {
    CHECK(listener.accepting == nullptr);
    listener.accepting = &request;
    return false;
  }
  const uint64_t end = listener.backlog.front();
  listener.backlog.pop_front();
  request.address = world_.machine(peer(end).machine).name();
  request.new_socket = network.add({.kind = SimNetwork::Kind::stream, .end = end, .backlog = {}});
  return true;
}

void NetworkFabric::take_received(End& end, NetworkRequest& request) {
  const size_t count = std::min(request.buffer.size(), end.received.size() - end.consumed);
  std::memcpy(request.buffer.data(), end.received.data() + end.consumed, count);
  request.count = count;
  end.consumed += count;
  if (end.consumed == end.received.size()) {
    end.received.clear();
    end.consumed = 0;
  }
}

bool NetworkFabric::receive(uint64_t index, NetworkRequest& request) {
  End& end = ends_[index];
  CHECK(end.receiving == nullptr);
  if (end.reset) {
    request.status = connection_failed("connection reset by peer");
    return true;
  }
  if (end.consumed == end.received.size() && !end.ended) {
    end.receiving = &request;
    return false;
  }
  if (end.consumed == end.received.size()) return true;
  take_received(end, request);
  End& sender = peer(index);
  if (sender.sending != nullptr &&
      is_alive(sender)) {  // it may go on: tell it, as a window update does
    push(index ^ 1, Segment{Segment::Kind::window, delay_until(end.machine, sender.machine), {}});
  }
  return true;
}

uint64_t NetworkFabric::room(const End& receiver) const {
  const uint64_t held = receiver.received.size() - receiver.consumed + receiver.incoming_bytes;
  return held >= buffer_bytes_ ? 0 : buffer_bytes_ - held;
}

bool NetworkFabric::send(uint64_t index, NetworkRequest& request) {
  End& end = ends_[index];
  End& other = peer(index);
  CHECK(!request.data.empty());
  if (end.reset) {
    request.status = connection_failed("connection reset by peer");
    return true;
  }
  if (!is_alive(other)) {  // into the void; the reset that answers is on its way, or comes now
    request.count = request.data.size();
    if (end.incoming.empty() || end.incoming.back().kind != Segment::Kind::reset) {
      push(index, Segment{Segment::Kind::reset, delay_until(end.machine, other.machine), {}});
    }
    return true;
  }
  const uint64_t space = room(other);
  if (space == 0) {
    CHECK(end.sending == nullptr);
    end.sending = &request;
    return false;
  }
  uint64_t count = std::min<uint64_t>(space, request.data.size());
  const bool resets =
      world_.faults().strikes(Fault::network_reset, Site::network_fault, end.machine);
  if (resets) count = 1 + world_.tape().pick(Site::network_size, end.machine, count);
  count = std::min<uint64_t>(count, request.data.size());
  request.count = count;
  const Bytes sent = request.data.first(count);
  world_.note(end.machine, "net send", world_.machine(other.machine).name(), index, count,
              hash_bytes(sent) | 1);
  const Instant due = delay_until(end.machine, other.machine);
  push(index ^ 1, Segment{Segment::Kind::bytes, due, std::string(as_text(sent))});
  if (resets) {
    push(index ^ 1, Segment{Segment::Kind::reset, due, {}});
    push(index, Segment{Segment::Kind::reset, due, {}});
  }
  return true;
}

void NetworkFabric::push(uint64_t to, Segment segment) {
  End& end = ends_[to];
  if (!is_alive(end)) return;
  segment.due = std::max(segment.due, end.last_due);
  end.last_due = segment.due;
  end.incoming_bytes += segment.bytes.size();
  world_.schedule(EventKind::network_deliver, end.machine, end.boot, segment.due, to);
  end.incoming.push_back(std::move(segment));
}

void NetworkFabric::deliver(uint64_t index) {
  End& end = ends_[index];
  if (end.incoming.empty() || !is_alive(end)) return;
  const Instant blocked_until = partition_end(end.machine, peer(index).machine);
  if (blocked_until > world_.now()) {
    world_.schedule(EventKind::network_deliver, end.machine, end.boot, blocked_until, index);
    return;
  }
  Segment segment = std::move(end.incoming.front());
  end.incoming.pop_front();
  end.incoming_bytes -= segment.bytes.size();
  switch (segment.kind) {
    case Segment::Kind::bytes:  end.received += segment.bytes; break;
    case Segment::Kind::end:    end.ended = true; break;
    case Segment::Kind::window: break;
    case Segment::Kind::reset:
      end.reset = true;
      end.received.clear();
      end.consumed = 0;
      if (end.sending != nullptr) {
        end.sending->status = connection_failed("connection reset by peer");
        complete(end.sending);
      }
      break;
  }
  if (end.receiving != nullptr && segment.kind != Segment::Kind::window) {
    NetworkRequest& request = *end.receiving;
    end.receiving = nullptr;
    CHECK(receive(index, request));
    request.completion->complete();
  }
  retry_send(index);
  retry_send(index ^ 1);
}

void NetworkFabric::retry_send(uint64_t index) {
  End& end = ends_[index];
  if (end.sending == nullptr || !is_alive(end)) return;
  NetworkRequest& request = *end.sending;
  end.sending = nullptr;
  if (send(index, request)) request.completion->complete();
}

void NetworkFabric::close(uint64_t index) {
  End& end = ends_[index];
  if (!end.open) return;
  end.open = false;
  NetworkRequest* pending[2] = {end.receiving, end.sending};
  end.receiving = end.sending = nullptr;
  end.received = std::string();
  end.incoming.clear();
  push(index ^ 1, Segment{Segment::Kind::end, delay_until(end.machine, peer(index).machine), {}});
  for (NetworkRequest* request : pending) {
    if (request == nullptr) continue;
    request->status = connection_failed("socket is closed");
    request->completion->complete();
  }
}

void NetworkFabric::on_crash(uint16_t machine) {
  for (Attempt& attempt : attempts_) {
    if (attempt.machine == machine) attempt.request = nullptr;
  }
  for (uint64_t i = 0; i < ends_.size(); ++i) {
    End& end = ends_[i];
    if (end.machine != machine || !end.open) continue;
    end.open = false;
    end.receiving = end.sending = nullptr;
    end.received = std::string();
    end.incoming.clear();
    push(i ^ 1, Segment{Segment::Kind::reset, delay_until(machine, peer(i).machine), {}});
  }
}

void NetworkFabric::reset_one(uint16_t machine) {
  std::vector<uint64_t> candidates;
  for (uint64_t i = 0; i < ends_.size(); ++i) {
    if (ends_[i].machine == machine && is_alive(ends_[i]) && is_alive(peer(i)))
      candidates.push_back(i);
  }
  world_.faults().note(Fault::network_reset, !candidates.empty());
  if (candidates.empty()) return;
  const uint64_t end =
      candidates[world_.tape().pick(Site::nemesis_detail, machine, candidates.size())];
  world_.note(machine, "net reset", world_.machine(peer(end).machine).name(), end, 0);
  push(end, Segment{Segment::Kind::reset, world_.now(), {}});
  push(end ^ 1, Segment{Segment::Kind::reset, world_.now(), {}});
}

size_t NetworkFabric::open_streams() const {
  size_t count = 0;
  for (const End& end : ends_) count += is_alive(end) ? 1 : 0;
  return count;
}

}  // namespace orrery
