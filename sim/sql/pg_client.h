// A client of the simulated world: speaks pgwire 3.0 over the simulated network to a machine, in
// the simple and the extended protocol. It believes nothing: an answer that no server may give is a
// `broken` conversation, which the workload reports as a failure of the engine.
//
// What a lost connection means is for the caller: of a COMMIT that was sent and not answered,
// nobody knows whether it happened.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "fiber/io.h"

namespace orrery {

using SqlValue = std::optional<std::string>;  // as text; nothing is NULL
using SqlRow = std::vector<SqlValue>;
std::optional<int64_t> sql_number(const SqlValue& value);  // nothing if it is none

struct SqlResult {
  enum class End : uint8_t {
    done,
    failed,  // the server said so, and goes on
    lost,    // the connection is gone, or the client's patience
    broken   // what came is no pgwire; `message` says what
  };
  End end = End::lost;
  std::string code;          // SQLSTATE, when failed, or lost after a fatal error
  std::string message;       // or why the connection was lost
  bool is_cut = false;       // lost in the middle of an error
  bool has_ended = false;    // lost since the server closed it; no reset does that
  std::vector<SqlRow> rows;  // of all statements of the text
  std::vector<std::string> tags;

  bool ok() const { return end == End::done; }
  bool is_lost() const { return end == End::lost || end == End::broken; }
  bool is(std::string_view sql_state) const { return end == End::failed && code == sql_state; }
};

// Simulated time with a request outstanding, of all clients together.
class LoadMeter {
 public:
  void begin(Instant now) {
    if (outstanding_++ == 0) since_ = now;
  }
  void end(Instant now) {
    if (--outstanding_ == 0) loaded_ns_ += now - since_;
  }
  int64_t loaded_ns() const { return loaded_ns_; }

 private:
  uint64_t outstanding_ = 0;
  Instant since_;
  int64_t loaded_ns_ = 0;
};

class PgClient {
 public:
  PgClient(std::string server, uint16_t port, LoadMeter& meter)
      : server_(std::move(server)), port_(port), meter_(meter) {}
  PgClient(const PgClient&) = delete;

  bool is_open() const { return socket_.v != 0; }
  // Starts a session. On failure the connection is closed again.
  SqlResult open(Fiber& fiber);
  // Says goodbye, politely or by just going away.
  void close(Fiber& fiber, bool politely);
  // How long to wait for an answer before giving up the connection; zero: for ever.
  void set_patience(Duration patience) { patience_ = patience; }
  bool has_patience_limit() const { return patience_.ns != 0; }

  // REQUIRES: is_open(). When the connection is lost it is closed.
  SqlResult query(Fiber& fiber, std::string_view text);
  // Parse, Bind, Describe, Execute and Sync in one go.
  SqlResult execute(Fiber& fiber, std::string_view text, std::span<const SqlValue> parameters);
  // Sends a cancel request for this session over a connection of its own.
  void cancel(Fiber& fiber);

  int32_t process_id() const { return process_id_; }
  char transaction_status() const { return transaction_status_; }

 private:
  struct Message {
    char type = 0;
    std::string_view body;
  };
  SqlResult talk(Fiber& fiber, const std::string& out, bool starts);
  // False: lost; `result` says why.
  bool read_message(Fiber& fiber, Message& message, Instant deadline, SqlResult& result);
  // True when the conversation has come to rest.
  bool take(const Message& message, SqlResult& result);
  bool fill(Fiber& fiber, Instant deadline, SqlResult& result);
  void read_cut_error(SqlResult& result);
  void drop(Fiber& fiber);

  const std::string server_;
  const uint16_t port_;
  LoadMeter& meter_;
  Duration patience_{};
  SocketId socket_;
  std::string in_;
  size_t at_ = 0;  // of in_, handed out
  int32_t process_id_ = 0, secret_ = 0;
  char transaction_status_ = 'I';
};

}  // namespace orrery
