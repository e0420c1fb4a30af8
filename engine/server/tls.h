// TLS between a connection and its socket: bytes in, bytes out, no I/O. OpenSSL works on memory,
// the connection sends and receives.
//
//   TlsServer    the node's certificate and key
//   TlsStream    one client: what it sent goes into receive(), what it said comes out of read();
//                what is said to it goes into write(), what must be sent lies in output
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace orrery {

class TlsServer {
 public:
  // PEM texts: the certificate (with those that lead to its root), and its key. F0000 if either
  // cannot be used, or they do not belong together.
  static Result<std::unique_ptr<TlsServer>> make(std::string_view certificate,
                                                 std::string_view key);
  TlsServer(const TlsServer&) = delete;
  ~TlsServer();
  ssl_ctx_st* context() const { return context_; }

  // For make().
  explicit TlsServer(ssl_ctx_st* context) : context_(context) {}

 private:
  ssl_ctx_st* const context_;
};

class TlsStream {
 public:
  explicit TlsStream(const TlsServer& server);
  TlsStream(const TlsStream&) = delete;
  ~TlsStream();

  void receive(Bytes encrypted);
  // True once both sides agree; until then more must be received, and output sent. 08P01 when they
  // do not.
  Result<bool> handshake();
  // What has arrived, at most a buffer full; 0: receive more. `ended`: the client has closed.
  Result<size_t> read(MutableBytes buffer, bool* ended);
  void write(Bytes plain);

  std::string output;  // to be sent; the sender takes from its front

 private:
  void take_output();
  ssl_st* const ssl_;
};

}  // namespace orrery
