#include "server/connection.h"

#include "base/text.h"

namespace orrery {
namespace {

constexpr std::string_view kMessageTypes = "QPBDECSHFXdcf";
constexpr std::string_view kBatchTypes = "PBDEC";  // a Sync ends what they begin

// After these the session cannot go on; the client is told with FATAL.
bool ends_session(const Status& status) {
  const SqlState& code = status.error().code;
  return code == sqlstate::admin_shutdown || code == sqlstate::crash_shutdown ||
         code == sqlstate::cannot_connect_now || code == sqlstate::idle_session_timeout ||
         code == sqlstate::idle_in_transaction_session_timeout ||
         code == sqlstate::connection_failure || code == sqlstate::halted;
}

Status shutting_down() {
  return raise(sqlstate::admin_shutdown, "terminating connection due to administrator command");
}

}  // namespace

Connection::Connection(Server& server, SocketId socket, std::string peer, int32_t process_id)
    : server_(server),
      socket_(socket),
      peer_(std::move(peer)),
      process_id_(process_id),
      secret_(static_cast<int32_t>(server.scheduler_.host().random().next())) {}

void Connection::serve(Fiber& fiber) {
  fiber_ = &fiber;
  Status reason;
  auto started = start(fiber);
  if (!started.ok()) {
    reason = std::move(started).status();
  } else if (*started) {
    reason = converse(fiber);
  }
  if (session_ != nullptr) session_->end(fiber);
  if (!reason.ok()) say_goodbye(fiber, reason);
  session_.reset();
}

void Connection::say_goodbye(Fiber& fiber, const Status& reason) {
  if (reason.is_halted() || client_gone_) return;
  if (reason.is(sqlstate::connection_failure)) {
    fiber.host().log(LogLevel::info, reason.error().message);
    return;
  }
  fiber.host().log(LogLevel::fatal, reason.error().message);
  writer_.error("FATAL", reason.error());
  // A client that does not read must not keep us.
  fiber.drop_statement_cancel();
  fiber.hold_cancel();
  if (tls_ != nullptr) {
    tls_->write(as_bytes(out_));
    out_ = std::move(tls_->output);
    sent_ = tls_sent_;
  }
  const Bytes rest = as_bytes(std::string_view(out_).substr(sent_));
  if (rest.size() < kFlushBytes) (void)send_some(fiber, socket_, rest);
  fiber.release_cancel();
}

void Connection::cancel_statement(int32_t secret) {
  if (secret != secret_ || !working_) return;
  fiber_->cancel(raise(sqlstate::query_canceled, "canceling statement due to user request"));
}

void Connection::drain(Drain how) {
  must_leave_ = true;
  const bool idle = !working_ && (session_ == nullptr ||
                                  session_->transaction_status() == TransactionStatus::idle);
  if (how == Drain::at_once || idle) fiber_->cancel(shutting_down());
}

// ---- bytes

Status Connection::send(Fiber& fiber, std::string& bytes, size_t& sent) {
  while (sent < bytes.size()) {
    const Bytes rest = as_bytes(std::string_view(bytes).substr(sent));
    auto count = send_some(fiber, socket_, rest);
    if (!count.ok() && count.status().is(sqlstate::connection_failure)) client_gone_ = true;
    sent += TRY(std::move(count));
  }
  bytes.clear();
  sent = 0;
  return {};
}

Status Connection::flush(Fiber& fiber) {
  if (tls_ == nullptr) return send(fiber, out_, sent_);
  tls_->write(as_bytes(out_));
  out_.clear();
  return send(fiber, tls_->output, tls_sent_);
}

Result<uint64_t> Connection::receive_some(Fiber& fiber, MutableBytes space, Instant deadline) {
  if (tls_ == nullptr) return receive(fiber, socket_, space, deadline);
  std::byte buffer[4096];
  while (true) {
    bool ended = false;
    const size_t count = TRY(tls_->read(space, &ended));
    if (count > 0 || ended) return uint64_t{count};
    TRY(send(fiber, tls_->output, tls_sent_));
    const uint64_t received = TRY(receive(fiber, socket_, buffer, deadline));
    if (received == 0) return uint64_t{0};
    tls_->receive(Bytes(buffer, received));
  }
}

Status Connection::begin_tls(Fiber& fiber, Instant deadline) {
  tls_ = std::make_unique<TlsStream>(*server_.options_.tls);
  std::byte buffer[4096];
  while (true) {
    const bool agreed = TRY(tls_->handshake());
    TRY(send(fiber, tls_->output, tls_sent_));
    if (agreed) return {};
    const uint64_t received = TRY(receive(fiber, socket_, buffer, deadline));
    if (received == 0) {
      client_gone_ = true;
      return raise(sqlstate::connection_failure, "the client left during the SSL handshake");
    }
    tls_->receive(Bytes(buffer, received));
  }
}

Result<bool> Connection::fill(Fiber& fiber, Instant deadline) {
  auto count = receive_some(fiber, reader_.space(), deadline);
  if (!count.ok() && count.status().is(sqlstate::connection_failure)) client_gone_ = true;
  const uint64_t received = TRY(std::move(count));
  reader_.filled(received);
  if (received == 0) client_gone_ = true;
  return received > 0;
}

Result<std::optional<wire::Message>> Connection::read(Fiber& fiber, Instant deadline) {
  while (true) {
    std::optional<wire::Message> message = TRY(reader_.next_message());
    if (message) return message;
    // Within a batch the client may be sending yet, and not read before it is through: answers
    // wait for its Sync, its Flush, or a full buffer.
    if (!owes_sync_) TRY(flush(fiber));
    const bool more = TRY(fill(fiber, deadline));
    if (!more) return std::optional<wire::Message>();
  }
}

void Connection::trim(Fiber& fiber) {
  reader_.shrink();
  if (out_.empty()) std::string().swap(out_);
  fiber.trim_stack();
  session_->trim();
}

// Between statements: memory goes back if nothing comes for a while, and the session may be idle
// only so long.
Result<std::optional<wire::Message>> Connection::read_idle(Fiber& fiber) {
  const Instant start = fiber.now();
  std::optional<SessionBackend::IdleLimit> limit = session_->idle_limit();
  const Instant end = limit ? start + limit->duration : kNever;
  const Instant trim_at = std::min(start + kTrimAfter, end);
  auto message = read(fiber, trim_at);
  const bool trimmed =
      !message.ok() && message.status().is(sqlstate::query_canceled) && fiber.timed_out();
  if (!trimmed) return message;
  trim(fiber);
  message = read(fiber, end);
  if (!message.ok() && message.status().is(sqlstate::query_canceled) && fiber.timed_out()) {
    return std::move(limit->reason);
  }
  return message;
}

// ---- messages

void Connection::get_ready() {
  session_->report_settings([this](std::string_view name, std::string_view value) {
    writer_.parameter_status(name, value);
  });
  writer_.ready_for_query(session_->transaction_status());
}

Status Connection::converse(Fiber& fiber) {
  get_ready();
  while (true) {
    const bool idle = session_->transaction_status() == TransactionStatus::idle;
    if (must_leave_ && idle && !reader_.has_bytes()) {
      TRY(flush(fiber));
      return shutting_down();
    }
    const std::optional<wire::Message> message = TRY(read_idle(fiber));
    if (!message) {
      if (idle) return {};
      return raise(sqlstate::connection_failure,
                   "unexpected EOF on client connection with an open transaction");
    }
    if (message->type == 'X') return {};
    if (kMessageTypes.find(message->type) == std::string_view::npos) {
      return raise(sqlstate::protocol_violation,
                   cat("invalid frontend message type ", static_cast<int>(message->type)));
    }
    if (skipping_ && message->type != 'S') {
      if (message->type == 'H') TRY(flush(fiber));
      continue;
    }
    owes_sync_ = kBatchTypes.find(message->type) != std::string_view::npos;
    working_ = true;
    simple_ = message->type == 'Q';
    Status outcome = handle(fiber, *message);
    working_ = false;
    TRY(finish(fiber, std::move(outcome)));
    if (message->type == 'Q' || message->type == 'S' || message->type == 'F') get_ready();
  }
}

Status Connection::finish(Fiber& fiber, Status outcome) {
  fiber.drop_statement_cancel();
  if (outcome.ok()) return outcome;
  if (malformed_ || ends_session(outcome)) return outcome;
  writer_.error("ERROR", outcome.error());
  skipping_ = !simple_;
  return {};
}

Status Connection::refuse(Status reason) {
  malformed_ = true;
  return reason;
}

Status Connection::handle(Fiber& fiber, const wire::Message& message) {
  switch (message.type) {
    case 'Q': return handle_query(fiber, message.body);
    case 'P': return handle_parse(fiber, message.body);
    case 'B': return handle_bind(fiber, message.body);
    case 'D': return handle_describe(fiber, message.body);
    case 'E': return handle_execute(fiber, message.body);
    case 'C': return handle_close(fiber, message.body);
    case 'S': return handle_sync(fiber);
    case 'H': return flush(fiber);
    case 'F':
      simple_ = true;
      session_->fail_transaction(fiber);
      return unsupported("the function call protocol");
    default: return {};  // d, c, f: the rest of a COPY that has failed
  }
}

Status Connection::handle_query(Fiber& fiber, Bytes body) {
  auto text = wire::parse_query(body);
  if (!text.ok()) return refuse(std::move(text).status());
  const std::string query(*text);  // COPY reads on, over the message
  return session_->simple_query(fiber, query, *this);
}

Status Connection::handle_parse(Fiber& fiber, Bytes body) {
  auto parse = wire::parse_parse(body);
  if (!parse.ok()) return refuse(std::move(parse).status());
  TRY(session_->parse(fiber, parse->name, parse->text, parse->parameter_types));
  writer_.empty('1');
  return {};
}

Status Connection::handle_bind(Fiber& fiber, Bytes body) {
  auto bind = wire::parse_bind(body);
  if (!bind.ok()) return refuse(std::move(bind).status());
  const BindRequest request{.portal = bind->portal,
                            .statement = bind->statement,
                            .parameters = bind->parameters,
                            .result_formats = bind->result_formats};
  TRY(session_->bind(fiber, request, *this));
  writer_.empty('2');
  return {};
}

Status Connection::handle_describe(Fiber& fiber, Bytes body) {
  auto target = wire::parse_target(body, 'D');
  if (!target.ok()) return refuse(std::move(target).status());
  const bool statement = target->kind == 'S';
  const StatementDescription description =
      TRY(statement ? session_->describe_statement(fiber, target->name)
                    : session_->describe_portal(fiber, target->name));
  if (statement) writer_.parameter_description(description.parameter_types);
  if (description.has_rows) {
    writer_.row_description(description.columns, description.formats);
  } else {
    writer_.empty('n');
  }
  return {};
}

Status Connection::handle_execute(Fiber& fiber, Bytes body) {
  auto execute = wire::parse_execute(body);
  if (!execute.ok()) return refuse(std::move(execute).status());
  const std::string portal(execute->portal);
  return session_->execute(fiber, portal, execute->row_limit, *this);
}

Status Connection::handle_close(Fiber& fiber, Bytes body) {
  auto target = wire::parse_target(body, 'C');
  if (!target.ok()) return refuse(std::move(target).status());
  TRY(target->kind == 'S' ? session_->close_statement(fiber, target->name)
                          : session_->close_portal(fiber, target->name));
  writer_.empty('3');
  return {};
}

Status Connection::handle_sync(Fiber& fiber) {
  simple_ = true;  // an error here is not skipped over: the client has synced
  skipping_ = false;
  return session_->sync(fiber, *this);
}

// ---- results

Status Connection::begin_rows(Fiber& fiber, std::span<const ResultColumn> columns,
                              std::span<const WireFormat> formats, const TypeSettings& settings) {
  TRY(encoder_.prepare(columns, formats, settings));
  if (simple_) writer_.row_description(columns, formats);
  return flush_if_full(fiber);
}

Status Connection::add_rows(Fiber& fiber, const Batch& batch) {
  for (uint32_t i = 0; i < batch.rows.count; ++i) {
    TRY(encoder_.append(fiber, batch, i, out_));
    TRY(flush_if_full(fiber));
  }
  encoder_.end_batch();
  return {};
}

void Connection::end(std::string_view command_tag) { writer_.command_complete(command_tag); }
void Connection::end_suspended() { writer_.empty('s'); }
void Connection::end_empty() { writer_.empty('I'); }
void Connection::notice(Severity severity, const Error& error) { writer_.notice(severity, error); }

Status Connection::begin_copy_in(Fiber& fiber, const CopyShape& shape) {
  writer_.copy_response('G', shape);
  owes_sync_ = false;  // it sends until it is told what went wrong
  return flush(fiber);
}

Result<std::optional<Bytes>> Connection::copy_in(Fiber& fiber) {
  while (true) {
    const std::optional<wire::Message> message = TRY(read(fiber, kNever));
    if (!message) {
      return raise(sqlstate::connection_failure,
                   "unexpected EOF on client connection with an open transaction");
    }
    switch (message->type) {
      case 'd': return std::optional(message->body);
      case 'c': return std::optional<Bytes>();
      case 'f': {
        const std::string_view why = TRY(wire::parse_query(message->body));
        return raise(sqlstate::query_canceled, cat("COPY from stdin failed: ", why));
      }
      case 'H':
      case 'S': continue;  // sent ahead of time by clients that pipeline
      default:  {
        std::string code;
        append_hex(code, static_cast<unsigned char>(message->type), 2);
        return raise(sqlstate::protocol_violation,
                     cat("unexpected message type 0x", to_upper(code), " during COPY from stdin"));
      }
    }
  }
}

Status Connection::begin_copy_out(Fiber& fiber, const CopyShape& shape) {
  writer_.copy_response('H', shape);
  return flush_if_full(fiber);
}

Status Connection::copy_out(Fiber& fiber, Bytes data) {
  writer_.copy_data(data);
  return flush_if_full(fiber);
}

void Connection::end_copy_out() { writer_.empty('c'); }

}  // namespace orrery
