#include "os/linux_network.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "os/os_error.h"

namespace orrery {
namespace {

constexpr uint32_t kIndexBits = 18;
constexpr uint32_t kIndexMask = (1u << kIndexBits) - 1;
constexpr size_t kMostGatheredBytes = 16 * 1024;
constexpr uint16_t kGenerationMask = (1u << (32 - kIndexBits)) - 1;

// A name to bind or connect to.
struct Address {
  sockaddr_storage storage;
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Address> parse_address(const std::string& text, uint16_t port) {
  Address address;
  std::memset(&address.storage, 0, sizeof address.storage);
  if (text.starts_with('/')) {
    auto* unix_address = reinterpret_cast<sockaddr_un*>(&address.storage);
    if (text.size() >= sizeof unix_address->sun_path) {
      return raise(sqlstate::connection_failure,
                   cat("Unix-domain socket path \"", text, "\" is too long"));
    }
    unix_address->sun_family = AF_UNIX;
    std::memcpy(unix_address->sun_path, text.data(), text.size());
    address.length = sizeof(sockaddr_un);
    return address;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof *v4;
    return address;
  }
  std::memset(&address.storage, 0, sizeof address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof *v6;
    return address;
  }
  return raise(sqlstate::connection_failure, cat("invalid address \"", text, "\""));
}

std::string peer_text(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
  } else if (storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text,
              sizeof text);
  } else {
    return "[local]";
  }
  return text;
}

uint16_t port_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  if (storage.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  return 0;
}

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// Ends `request` with an error; true, for it is done.
bool fail(NetworkRequest& request, Status status) {
  request.status = std::move(status);
  return true;
}
bool fail(NetworkRequest& request, int error, std::string what) {
  Status status = os_error(error, std::move(what));
  // Whatever else a stream dies of is a lost connection to those above.
  if (status.is(sqlstate::io_error)) status.error().code = sqlstate::connection_failure;
  return fail(request, std::move(status));
}

Status closed_error() { return raise(sqlstate::connection_failure, "socket is closed"); }

void answer_quickly(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
             sizeof one);  // fails on Unix sockets, which never wait
}

}  // namespace

LinuxNetwork::LinuxNetwork(int epoll_fd, bool gathers) : epoll_fd_(epoll_fd) {
  if (gathers) ring_ = SendRing::open();
}

LinuxNetwork::~LinuxNetwork() {
  for (Socket& socket : sockets_) {
    if (socket.fd >= 0) ::close(socket.fd);
    if (!socket.unlink_path.empty()) unlink(socket.unlink_path.c_str());
  }
}

LinuxNetwork::Socket* LinuxNetwork::find(SocketId id) {
  const uint32_t index = (id.v & kIndexMask) - 1;
  if (id.v == 0 || index >= sockets_.size()) return nullptr;
  Socket& socket = sockets_[index];
  return socket.fd >= 0 && socket.generation == id.v >> kIndexBits ? &socket : nullptr;
}

SocketId LinuxNetwork::add(int fd, Status& status) {
  uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else if (sockets_.size() < kIndexMask - 1) {
    index = static_cast<uint32_t>(sockets_.size());
    sockets_.emplace_back();
  } else {
    ::close(fd);
    status = raise(sqlstate::insufficient_resources, "too many sockets");
    return {};
  }
  Socket& socket = sockets_[index];
  const uint16_t generation = (socket.generation + 1) & kGenerationMask;
  socket = Socket{.fd = fd, .generation = generation, .readable = true, .writable = true};
  const SocketId id((uint32_t{generation} << kIndexBits) | (index + 1));
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = id.v}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    status = os_error(errno, "could not watch socket");
    ::close(fd);
    socket.fd = -1;
    free_.push_back(index);
    return {};
  }
  ++open_;
  return id;
}

bool LinuxNetwork::submit(NetworkRequest& request) {
  request.status = {};
  if (request.op == NetworkOp::listen) return listen(request);
  if (request.op == NetworkOp::connect) return connect(request);
  if (request.op == NetworkOp::close) {
    close(request.socket);
    return true;
  }
  Socket* socket = find(request.socket);
  if (socket == nullptr) return fail(request, closed_error());
  const bool reads = request.op != NetworkOp::send;
  NetworkRequest*& waiting = reads ? socket->reader : socket->writer;
  CHECK(waiting == nullptr);
  const bool done = request.op == NetworkOp::accept    ? accept(*socket, request)
                    : request.op == NetworkOp::receive ? receive(*socket, request)
                                                       : send(*socket, request);
  // accept() may have moved the table
  if (!done) (reads ? find(request.socket)->reader : find(request.socket)->writer) = &request;
  return done;
}

bool LinuxNetwork::listen(NetworkRequest& request) {
  auto address = parse_address(request.address, request.port);
  if (!address.ok()) return fail(request, std::move(address).status());
  const int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(request, errno, "could not create socket");
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (request.address.starts_with('/')) unlink(request.address.c_str());
  sockaddr_storage bound;
  socklen_t length = sizeof bound;
  if (bind(fd, address->get(), address->length) != 0 || ::listen(fd, 1024) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    const int error = errno;
    ::close(fd);
    return fail(request, error,
                cat("could not bind address \"", request.address, "\" port ", request.port));
  }
  request.socket = add(fd, request.status);
  if (Socket* listener = find(request.socket)) {
    listener->listening = true;
    if (request.address.starts_with('/')) listener->unlink_path = request.address;
    request.port = port_of(bound);
  }
  return true;
}

bool LinuxNetwork::connect(NetworkRequest& request) {
  auto address = parse_address(request.address, request.port);
  if (!address.ok()) return fail(request, std::move(address).status());
  const int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(request, errno, "could not create socket");
  answer_quickly(fd);
  const bool connected = ::connect(fd, address->get(), address->length) == 0;
  if (!connected && errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    return fail(request, error,
                cat("could not connect to \"", request.address, "\" port ", request.port));
  }
  request.socket = add(fd, request.status);
  Socket* stream = find(request.socket);
  if (stream == nullptr || connected) return true;
  stream->connecting = true;
  stream->writer = &request;
  return false;
}

bool LinuxNetwork::finish_connect(Socket& socket, NetworkRequest& request) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &length);
  socket.connecting = false;
  if (error == 0) return true;
  close(request.socket);
  request.socket = {};
  return fail(request, error,
              cat("could not connect to \"", request.address, "\" port ", request.port));
}

bool LinuxNetwork::accept(Socket& socket, NetworkRequest& request) {
  if (!socket.readable) return false;
  while (true) {
    sockaddr_storage peer;
    socklen_t length = sizeof peer;
    const int fd = accept4(socket.fd, reinterpret_cast<sockaddr*>(&peer), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      answer_quickly(fd);
      request.address = peer_text(peer);
      request.port = port_of(peer);
      request.new_socket = add(fd, request.status);
      return true;
    }
    if (would_block(errno)) {
      socket.readable = false;
      return false;
    }
    if (errno != EINTR && errno != ECONNABORTED)
      return fail(request, errno, "could not accept new connection");
  }
}

bool LinuxNetwork::receive(Socket& socket, NetworkRequest& request) {
  if (!socket.readable) return false;
  while (true) {
    const ssize_t got = recv(socket.fd, request.buffer.data(), request.buffer.size(), 0);
    if (got >= 0) {
      request.count = static_cast<uint64_t>(got);
      if (request.count < request.buffer.size() && got > 0 && !socket.hung_up)
        socket.readable = false;
      return true;
    }
    if (would_block(errno)) {
      socket.readable = false;
      return false;
    }
    if (errno != EINTR) return fail(request, errno, "could not receive data from client");
  }
}

bool LinuxNetwork::send(Socket& socket, NetworkRequest& request) {
  CHECK(!request.data.empty());
  if (!socket.writable || gather(socket, request)) return false;
  while (true) {
    const ssize_t put = ::send(socket.fd, request.data.data(), request.data.size(), MSG_NOSIGNAL);
    if (put >= 0 || errno != EINTR) return end_send(socket, request, put >= 0 ? put : -errno);
  }
}

bool LinuxNetwork::end_send(Socket& socket, NetworkRequest& request, int64_t result) {
  if (result >= 0) {
    request.count = static_cast<uint64_t>(result);
    return true;
  }
  const int error = static_cast<int>(-result);
  if (!would_block(error)) return fail(request, error, "could not send data to client");
  socket.writable = false;
  return false;
}

bool LinuxNetwork::gather(Socket& socket, const NetworkRequest& request) {
  if (ring_ == nullptr || flushing_ || request.data.size() > kMostGatheredBytes) return false;
  if (!socket.gathered && gathered_.size() == SendRing::kMostSends) return false;
  if (!socket.gathered) gathered_.push_back(request.socket);
  socket.gathered = true;
  return true;
}

bool LinuxNetwork::flush() {
  if (gathered_.empty()) return false;
  const auto complete = [](Socket& socket) {
    std::exchange(socket.writer, nullptr)->completion->complete();
  };
  flushing_ = true;
  std::erase_if(gathered_, [this](SocketId id) {  // closed or withdrawn since
    Socket* const socket = find(id);
    if (socket != nullptr) socket->gathered = false;
    return socket == nullptr || socket->writer == nullptr;
  });
  if (gathered_.size() == 1) {
    Socket& socket = *find(gathered_.front());
    if (send(socket, *socket.writer)) complete(socket);
  } else {
    for (const SocketId id : gathered_) {
      const Socket& socket = *find(id);
      ring_->add(socket.fd, socket.writer->data, id.v);
    }
    ring_->submit([&](uint64_t tag, int result) {
      Socket& socket = *find(SocketId(static_cast<uint32_t>(tag)));
      const bool again = result == -EINTR;
      if (again ? send(socket, *socket.writer) : end_send(socket, *socket.writer, result))
        complete(socket);
    });
  }
  gathered_.clear();
  flushing_ = false;
  return true;
}

void LinuxNetwork::on_event(uint64_t tag, uint32_t events) {
  const SocketId id(static_cast<uint32_t>(tag));
  Socket* socket = find(id);
  if (socket == nullptr) return;  // closed since
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) socket->hung_up = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) socket->readable = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) socket->writable = true;
  if (NetworkRequest* reader = socket->reader; reader != nullptr && socket->readable) {
    const bool done =
        reader->op == NetworkOp::accept ? accept(*socket, *reader) : receive(*socket, *reader);
    socket = find(id);  // accept() may have moved the table
    if (done) {
      socket->reader = nullptr;
      reader->completion->complete();
    }
  }
  if (NetworkRequest* writer = socket->writer; writer != nullptr && socket->writable) {
    // Before finish_connect, which may close the socket: then it must not end the request a second
    // time.
    if (writer->op == NetworkOp::connect) {
      socket->writer = nullptr;
      finish_connect(*socket, *writer);
      writer->completion->complete();
    } else if (send(*socket, *writer)) {
      socket->writer = nullptr;
      writer->completion->complete();
    }
  }
}

void LinuxNetwork::withdraw(NetworkRequest& request) {
  if (std::erase(closed_, &request) != 0) return;
  Socket* socket = find(request.socket);
  CHECK(socket != nullptr);
  if (request.op == NetworkOp::connect) {
    socket->writer = nullptr;
    close(std::exchange(request.socket, {}));
    return;
  }
  NetworkRequest*& waiting = request.op == NetworkOp::send ? socket->writer : socket->reader;
  CHECK(waiting == &request);
  waiting = nullptr;
}

void LinuxNetwork::close(SocketId id) {
  Socket* socket = find(id);
  if (socket == nullptr) return;
  for (NetworkRequest* waiting : {socket->reader, socket->writer}) {
    if (waiting == nullptr) continue;
    waiting->status = closed_error();
    closed_.push_back(waiting);
  }
  ::close(socket->fd);
  if (!socket->unlink_path.empty()) unlink(socket->unlink_path.c_str());
  socket->fd = -1;
  socket->reader = socket->writer = nullptr;
  socket->unlink_path.clear();
  free_.push_back((id.v & kIndexMask) - 1);
  --open_;
}

void LinuxNetwork::complete_closed() {
  std::vector<NetworkRequest*> ended;
  ended.swap(closed_);
  for (NetworkRequest* request : ended) request->completion->complete();
}

void LinuxNetwork::forget_all() {
  closed_.clear();
  gathered_.clear();
  for (Socket& socket : sockets_) {
    socket.reader = socket.writer = nullptr;
    socket.gathered = false;
  }
}

}  // namespace orrery
