// The line between the front doors and the session behind them. A front door (pgwire, later HTTP,
// the command line) calls SessionBackend with what a client asked for; the session answers through
// a ResultSink, which the front door implements: pgwire encodes rows straight into its send buffer.
//
// The calls mirror the extended protocol, because it is the richer one; simple_query() is a whole
// string of statements. Every call may fail; the session has then already put its transaction into
// the failed state, and the front door sends the error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function.h"
#include "fiber/fiber.h"
#include "types/settings.h"
#include "types/vector.h"

namespace orrery {

enum class WireFormat : uint8_t { text, binary };

struct ResultColumn {
  std::string_view name;
  Oid table;  // the table and column it stands for, 0 for expressions
  int16_t attribute = 0;
  Oid type;
  int16_t type_length = -1;
  int32_t typmod = -1;
};

enum class Severity : uint8_t { debug, log, info, notice, warning };

struct CopyShape {
  WireFormat format = WireFormat::text;
  uint16_t columns = 0;
};

// What a statement tells its client, in order: for each statement begin_rows() and add_rows() if it
// has rows, or a copy, then one end(). What is said may stay in a buffer until the front door
// flushes. Calls with a fiber may suspend, when the buffer is full: they fail with 08006 when the
// client is gone.
class ResultSink {
 public:
  // `formats`: empty for text throughout, one for all columns, or one a column. `columns` and
  // `settings` stay valid until end().
  virtual Status begin_rows(Fiber& fiber, std::span<const ResultColumn> columns,
                            std::span<const WireFormat> formats, const TypeSettings& settings) = 0;
  // Values are plain: nothing compressed, no TOAST pointers.
  virtual Status add_rows(Fiber& fiber, const Batch& batch) = 0;
  virtual void end(std::string_view command_tag) = 0;
  virtual void end_suspended() = 0;  // the row limit was reached, the portal can go on
  virtual void end_empty() = 0;      // the statement text was empty

  virtual void notice(Severity severity, const Error& error) = 0;

  // COPY FROM STDIN: begin, then chunks of bytes, cut anywhere, until nothing comes. A client that
  // gives up makes copy_in() fail with 57014.
  virtual Status begin_copy_in(Fiber& fiber, const CopyShape& shape) = 0;
  virtual Result<std::optional<Bytes>> copy_in(Fiber& fiber) = 0;
  // COPY TO STDOUT: begin, then one call a row (or larger unit), then end.
  virtual Status begin_copy_out(Fiber& fiber, const CopyShape& shape) = 0;
  virtual Status copy_out(Fiber& fiber, Bytes data) = 0;
  virtual void end_copy_out() = 0;

 protected:
  ~ResultSink() = default;
};

struct BindParameter {
  bool is_null = false;
  WireFormat format = WireFormat::text;
  Bytes value;
};

struct BindRequest {
  std::string_view portal;  // "" is the unnamed one, also for statements
  std::string_view statement;
  std::span<const BindParameter> parameters;
  std::span<const WireFormat> result_formats;
};

struct StatementDescription {
  std::span<const Oid> parameter_types;
  bool has_rows = false;
  std::span<const ResultColumn> columns;
  std::span<const WireFormat> formats;  // of a portal; empty for a statement
};

enum class TransactionStatus : uint8_t { idle, active, failed };

class SessionBackend {
 public:
  virtual ~SessionBackend() = default;

  // Runs the statements of `text`, each with its results. Several statements are one transaction
  // unless they say otherwise, as in PostgreSQL.
  virtual Status simple_query(Fiber& fiber, std::string_view text, ResultSink& sink) = 0;

  virtual Status parse(Fiber& fiber, std::string_view name, std::string_view text,
                       std::span<const Oid> parameter_types) = 0;
  virtual Status bind(Fiber& fiber, const BindRequest& request, ResultSink& sink) = 0;
  // What the spans point to is valid until the next call.
  virtual Result<StatementDescription> describe_statement(Fiber& fiber, std::string_view name) = 0;
  virtual Result<StatementDescription> describe_portal(Fiber& fiber, std::string_view name) = 0;
  // At most `row_limit` rows; 0 is no limit.
  virtual Status execute(Fiber& fiber, std::string_view portal, uint64_t row_limit,
                         ResultSink& sink) = 0;
  // Closing what does not exist is no error.
  virtual Status close_statement(Fiber& fiber, std::string_view name) = 0;
  virtual Status close_portal(Fiber& fiber, std::string_view name) = 0;
  // Ends the implicit transaction of the messages since the last sync.
  virtual Status sync(Fiber& fiber, ResultSink& sink) = 0;
  // The client's message could not be carried out before it reached this session (it was
  // malformed): as if a statement had failed.
  virtual void fail_transaction(Fiber& fiber) = 0;

  virtual TransactionStatus transaction_status() const = 0;
  // Settings that clients follow and that have changed since the last call; all of them the first
  // time.
  virtual void report_settings(
      FunctionRef<void(std::string_view name, std::string_view value)>) = 0;
  // How long the front door may wait for the next message before it ends the session with the error
  // given (idle_session_timeout, idle_in_transaction_session_timeout); nothing: for ever.
  struct IdleLimit {
    Duration duration;
    Status reason;
  };
  virtual std::optional<IdleLimit> idle_limit() const = 0;
  // Nothing has come for a while: memory that only makes the next statement faster goes back.
  virtual void trim() {}
  // The client is gone, or is told to go: rolls back and frees all. Called once, last.
  virtual void end(Fiber& fiber) = 0;
};

struct StartupRequest {
  std::string user;
  std::string database;
  // Settings from the startup packet and from its `options`, in order.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string client_address;
  int32_t process_id = 0;
};

class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  // 28000 no such role, 3D000 no such database, 22023 bad setting...
  virtual Result<std::unique_ptr<SessionBackend>> open(Fiber& fiber,
                                                       const StartupRequest& request) = 0;
  // What proves the role's password (pg_authid.rolpassword); nothing for no role, or no password.
  virtual Result<std::optional<std::string>> password_verifier(Fiber& fiber,
                                                               std::string_view role) = 0;
};

}  // namespace orrery
