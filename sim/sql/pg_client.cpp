#include "sim/sql/pg_client.h"

#include <charconv>

#include "base/text.h"
#include "fiber/scheduler.h"
#include "server/protocol.h"

namespace orrery {
namespace {

constexpr uint32_t kLongestAnswer = 64 << 20;

void append_message(std::string& out, char type, std::string_view body) {
  wire::MessageWriter writer(out);
  writer.begin(type);
  out.append(body);
  writer.end();
}

std::string zero_ended(std::string_view text) { return std::string(text) + '\0'; }

SqlResult broken(std::string why) {
  SqlResult result;
  result.end = SqlResult::End::broken;
  result.message = std::move(why);
  return result;
}

// Code and message of an ErrorResponse.
bool read_error(std::string_view body, SqlResult& result, bool& is_fatal) {
  while (!body.empty() && body[0] != '\0') {
    const size_t end = body.find('\0');
    if (end == std::string_view::npos) return false;
    const std::string_view value = body.substr(1, end - 1);
    if (body[0] == 'C') result.code = value;
    if (body[0] == 'M') result.message = value;
    if (body[0] == 'D') result.message += cat(" (", value, ")");
    if (body[0] == 'V') is_fatal = value == "FATAL" || value == "PANIC";
    body.remove_prefix(end + 1);
  }
  return result.code.size() == 5;
}

// False when the connection is lost, and why is in the result, unless the server has told.
bool note_loss(const Status& status, SqlResult& result) {
  if (!status.ok() && result.code.empty()) result.message = status.error().message;
  return status.ok();
}

bool read_row(std::string_view body, SqlRow& row) {
  ByteReader reader(as_bytes(body));
  const auto columns = reader.read_be<int16_t>();
  for (int i = 0; i < columns && reader.ok(); ++i) {
    const auto length = reader.read_be<int32_t>();
    if (length < 0) {
      row.emplace_back();
      continue;
    }
    if (static_cast<size_t>(length) > reader.remaining()) return false;
    row.emplace_back(std::string(as_text(reader.take(static_cast<size_t>(length)))));
  }
  return reader.ok() && reader.remaining() == 0;
}

}  // namespace

std::optional<int64_t> sql_number(const SqlValue& value) {
  if (!value) return std::nullopt;
  int64_t out = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), out);
  if (error != std::errc() || end != value->data() + value->size()) return std::nullopt;
  return out;
}

SqlResult PgClient::open(Fiber& fiber) {
  CHECK(!is_open());
  in_.clear();
  at_ = 0;
  process_id_ = secret_ = 0;  // those of the session before are nobody's, or another's
  Result<SocketId> socket = connect(fiber, server_, port_);
  SqlResult refused;
  if (!note_loss(socket.status(), refused)) return refused;
  socket_ = *socket;
  std::string body(4, '\0');
  store_be<uint32_t>(body.data(), wire::kProtocol30);
  for (const char* word : {"user", "postgres", "database", "postgres", ""}) {
    body += zero_ended(word);
  }
  std::string out(4, '\0');
  store_be<uint32_t>(out.data(), static_cast<uint32_t>(body.size() + 4));
  return talk(fiber, out + body, true);
}

void PgClient::close(Fiber& fiber, bool politely) {
  if (!is_open()) return;
  if (politely) {
    std::string out;
    append_message(out, 'X', "");
    static_cast<void>(send_all(fiber, socket_, as_bytes(out)));
  }
  drop(fiber);
}

void PgClient::drop(Fiber& fiber) {
  if (is_open() && !fiber.scheduler().halted()) close_socket(fiber.host(), socket_);
  socket_ = SocketId();
}

void PgClient::cancel(Fiber& fiber) {
  std::string out(16, '\0');
  store_be<uint32_t>(out.data(), 16);
  store_be<uint32_t>(out.data() + 4, wire::kCancelCode);
  store_be<int32_t>(out.data() + 8, process_id_);
  store_be<int32_t>(out.data() + 12, secret_);
  Result<SocketId> socket = connect(fiber, server_, port_);
  if (!socket.ok()) return;
  static_cast<void>(send_all(fiber, *socket, as_bytes(out)));
  if (!fiber.scheduler().halted()) close_socket(fiber.host(), *socket);
}

SqlResult PgClient::query(Fiber& fiber, std::string_view text) {
  std::string out;
  append_message(out, 'Q', zero_ended(text));
  return talk(fiber, out, false);
}

SqlResult PgClient::execute(Fiber& fiber, std::string_view text,
                            std::span<const SqlValue> parameters) {
  std::string out;
  append_message(out, 'P', cat('\0', text, '\0', std::string_view("\0\0", 2)));
  std::string bind(4, '\0');  // portal, statement, no parameter formats
  ByteWriter writer(bind);
  writer.write_be(static_cast<int16_t>(parameters.size()));
  for (const SqlValue& value : parameters) {
    writer.write_be(value ? static_cast<int32_t>(value->size()) : int32_t{-1});
    if (value) bind += *value;
  }
  writer.write_be(int16_t{0});
  append_message(out, 'B', bind);
  append_message(out, 'D', std::string_view("P\0", 2));
  append_message(out, 'E', std::string_view("\0\0\0\0\0", 5));
  append_message(out, 'S', "");
  return talk(fiber, out, false);
}

SqlResult PgClient::talk(Fiber& fiber, const std::string& out, bool starts) {
  CHECK(is_open());
  SqlResult result;
  meter_.begin(fiber.now());
  const Instant deadline = patience_.ns == 0 ? kNever : fiber.now() + patience_;
  bool goes_on = note_loss(send_all(fiber, socket_, as_bytes(out)), result);
  bool at_rest = false;
  while (goes_on && !at_rest) {
    Message message;
    goes_on = read_message(fiber, message, deadline, result);
    if (goes_on) at_rest = take(message, result);
    goes_on = goes_on && result.end != SqlResult::End::broken;
  }
  if (at_rest && result.end == SqlResult::End::lost) {
    result.end = result.code.empty() ? SqlResult::End::done : SqlResult::End::failed;
  }
  if (starts && result.end == SqlResult::End::failed) {
    result.end = SqlResult::End::lost;
    at_rest = false;
  }
  if (!at_rest) drop(fiber);
  meter_.end(fiber.now());
  return result;
}

bool PgClient::read_message(Fiber& fiber, Message& message, Instant deadline, SqlResult& result) {
  constexpr size_t kHeader = 5;
  while (true) {
    if (in_.size() - at_ >= kHeader) {
      const auto length = load_be<uint32_t>(in_.data() + at_ + 1);
      if (length < 4 || length > kLongestAnswer) {
        result = broken(cat("a message of type ", in_[at_], " has length ", length));
        return false;
      }
      if (in_.size() - at_ >= length + 1) {
        message = {in_[at_], std::string_view(in_).substr(at_ + kHeader, length - 4)};
        at_ += length + 1;
        return true;
      }
    }
    in_.erase(0, at_);
    at_ = 0;
    if (!fill(fiber, deadline, result)) return false;
  }
}

// A server that gives up a session says why as far as the network takes it without waiting.
void PgClient::read_cut_error(SqlResult& result) {
  result.message = "end of stream";
  constexpr size_t kHeader = 5;
  const std::string_view rest = std::string_view(in_).substr(at_);
  result.is_cut = !rest.empty() && rest[0] == 'E';
  bool is_fatal = false;
  if (!result.is_cut || rest.size() < kHeader) return;
  if (!read_error(rest.substr(kHeader), result, is_fatal)) result.code.clear();
}

bool PgClient::fill(Fiber& fiber, Instant deadline, SqlResult& result) {
  char buffer[8192];
  Result<uint64_t> count =
      receive(fiber, socket_, std::as_writable_bytes(std::span(buffer)), deadline);
  if (!note_loss(count.status(), result)) return false;
  if (*count == 0) {
    result.has_ended = true;
    if (result.code.empty()) read_cut_error(result);
    return false;
  }
  in_.append(buffer, *count);
  return true;
}

bool PgClient::take(const Message& message, SqlResult& result) {
  switch (message.type) {
    case 'D': {
      SqlRow row;
      if (!read_row(message.body, row)) result = broken("a row that is cut short");
      result.rows.push_back(std::move(row));
      return false;
    }
    case 'C':
      result.tags.emplace_back(message.body.substr(0, message.body.find('\0')));
      return false;
    case 'E': {
      bool is_fatal = false;
      if (!read_error(message.body, result, is_fatal)) {
        result = broken("an error without a code");
      }
      return false;  // ReadyForQuery follows, or the end of the connection
    }
    case 'Z':
      if (message.body.size() != 1) result = broken("ReadyForQuery of a wrong size");
      transaction_status_ = message.body.empty() ? 'I' : message.body[0];
      return true;
    case 'K':
      if (message.body.size() != 8)
        result = broken("BackendKeyData of a wrong size");
      else {
        process_id_ = load_be<int32_t>(message.body.data());
        secret_ = load_be<int32_t>(message.body.data() + 4);
      }
      return false;
    case 'R':
      if (message.body.size() < 4 || load_be<uint32_t>(message.body.data()) != 0) {
        result = broken("asked for a password");
      }
      return false;
    case '1':
    case '2':
    case '3':
    case 'n':
    case 's':
    case 't':
    case 'T':
    case 'S':
    case 'N':
    case 'I': return false;
    default:
      result = broken(cat("a message of type ", message.type, " that nobody asked for"));
      return false;
  }
}

}  // namespace orrery
