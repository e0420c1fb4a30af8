// One client's conversation: startup, authentication, then messages until one side leaves. It turns
// messages into calls of its SessionBackend, and is the ResultSink that the session answers
// through.
//
// Output gathers in one buffer, which is sent when the conversation must wait for the client, and
// when it grows past kFlushBytes. After an error in the extended protocol messages are skipped up
// to Sync.
//
// A cancel reaches the session only while it works for a message; one that comes too late is
// dropped.
#pragma once

#include <string>

#include "server/protocol.h"
#include "server/row_encoder.h"
#include "server/server.h"

namespace orrery {

class Connection final : public ResultSink {
 public:
  Connection(Server& server, SocketId socket, std::string peer, int32_t process_id);
  Connection(const Connection&) = delete;

  // Until the conversation is over.
  void serve(Fiber& fiber);
  // From other fibers:
  void cancel_statement(int32_t secret);
  void drain(Drain how);

  Status begin_rows(Fiber& fiber, std::span<const ResultColumn> columns,
                    std::span<const WireFormat> formats, const TypeSettings& settings) override;
  Status add_rows(Fiber& fiber, const Batch& batch) override;
  void end(std::string_view command_tag) override;
  void end_suspended() override;
  void end_empty() override;
  void notice(Severity severity, const Error& error) override;
  Status begin_copy_in(Fiber& fiber, const CopyShape& shape) override;
  Result<std::optional<Bytes>> copy_in(Fiber& fiber) override;
  Status begin_copy_out(Fiber& fiber, const CopyShape& shape) override;
  Status copy_out(Fiber& fiber, Bytes data) override;
  void end_copy_out() override;

 private:
  static constexpr size_t kFlushBytes = 64 * 1024;
  static constexpr Duration kTrimAfter = seconds(1);

  // startup.cpp
  // False: the client wanted no session (a cancel request), or left.
  Result<bool> start(Fiber& fiber);
  Result<std::optional<wire::Startup>> read_startup(Fiber& fiber);
  Result<StartupRequest> check_startup(const wire::Startup& startup);
  Status authenticate(Fiber& fiber, const StartupRequest& request);
  Status authenticate_scram(Fiber& fiber, const StartupRequest& request);
  Result<wire::Message> read_password(Fiber& fiber);

  // connection.cpp
  Status converse(Fiber& fiber);
  Status handle(Fiber& fiber, const wire::Message& message);
  Status handle_query(Fiber& fiber, Bytes body);
  Status handle_parse(Fiber& fiber, Bytes body);
  Status handle_bind(Fiber& fiber, Bytes body);
  Status handle_describe(Fiber& fiber, Bytes body);
  Status handle_execute(Fiber& fiber, Bytes body);
  Status handle_close(Fiber& fiber, Bytes body);
  Status handle_sync(Fiber& fiber);
  // The message is malformed: the conversation ends with this.
  Status refuse(Status reason);
  // What a message led to: an error is sent, unless it ends the session: then it is returned.
  Status finish(Fiber& fiber, Status outcome);
  void get_ready();

  // The next message, after sending what is buffered if it must be waited for. Nothing: the client
  // left.
  Result<std::optional<wire::Message>> read(Fiber& fiber, Instant deadline);
  Result<std::optional<wire::Message>> read_idle(Fiber& fiber);
  Result<bool> fill(Fiber& fiber, Instant deadline);
  Status flush(Fiber& fiber);
  Status send(Fiber& fiber, std::string& bytes, size_t& sent);
  Result<uint64_t> receive_some(Fiber& fiber, MutableBytes space, Instant deadline);
  Status begin_tls(Fiber& fiber, Instant deadline);
  Status flush_if_full(Fiber& fiber) { return out_.size() < kFlushBytes ? Status() : flush(fiber); }
  void trim(Fiber& fiber);
  void say_goodbye(Fiber& fiber, const Status& reason);

  Server& server_;
  const SocketId socket_;
  const std::string peer_;
  const int32_t process_id_;
  const int32_t secret_;

  Fiber* fiber_ = nullptr;
  wire::MessageReader reader_;
  std::string out_;
  size_t sent_ = 0;  // of out_
  wire::MessageWriter writer_{out_};
  RowEncoder encoder_;
  std::unique_ptr<TlsStream> tls_;  // null: in the clear
  size_t tls_sent_ = 0;             // of tls_->output
  std::unique_ptr<SessionBackend> session_;

  bool working_ = false;     // for a message: cancels are meant for it
  bool simple_ = false;      // the message is Query: results describe themselves
  bool skipping_ = false;    // until Sync
  bool owes_sync_ = false;   // the client: it is in the midst of a batch
  bool must_leave_ = false;  // drained: at the next idle moment
  bool malformed_ = false;   // what was sent cannot be trusted to be a conversation
  bool client_gone_ = false;
};

}  // namespace orrery
