// PostgreSQL's wire protocol, version 3.0, as bytes in and bytes out: framing with limits, the
// client's messages parsed, the server's messages written. No I/O, no state of a conversation.
//
//   startup   int32 length, int32 code, ...         length counts itself
//   message   byte type, int32 length, body         length counts itself and the body
//
// Bytes that do not fit the format are 08P01 and the conversation cannot go on: where the next
// message would begin is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "session/backend.h"

namespace orrery::wire {

constexpr uint32_t kProtocol30 = 3 << 16;
constexpr uint32_t kCancelCode = 80877102;
constexpr uint32_t kSslCode = 80877103;
constexpr uint32_t kGssCode = 80877104;

constexpr uint32_t kLongestStartup = 10'000;
constexpr uint32_t kLongestShort = 10'000;            // messages that only carry a name
constexpr uint32_t kLongestMessage = (1u << 30) - 2;  // as PostgreSQL

struct Message {
  char type = 0;
  Bytes body;
};

// Cuts the incoming stream into messages. The reader owns the buffer; a message's body lies in it
// and is valid until space() or the next next_...() call. The buffer grows as bytes arrive, never
// by what a length field claims.
class MessageReader {
 public:
  // Where the next bytes may be put: not much after shrink(), more while a long message is under
  // way.
  MutableBytes space();
  void filled(size_t count);

  // Nothing yet: more bytes are needed. 08P01 for a length that cannot be.
  Result<std::optional<Message>> next_message();
  // The packet that opens a connection: its type is 0.
  Result<std::optional<Message>> next_startup();
  bool has_bytes() const { return begin_ < end_; }
  // Gives most of the buffer's memory back while the connection is idle.
  void shrink();
  size_t capacity() const { return buffer_.capacity(); }

 private:
  static constexpr size_t kLeastSpace = 256;
  static constexpr size_t kUsualSpace = 8192;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0, end_ = 0;  // bytes received and not yet handed out
  size_t wanted_ = 0;           // of the message under way, 0 when unknown
};

// ---- what clients send

struct Startup {
  uint32_t code = 0;
  int32_t process_id = 0;  // cancel request
  int32_t secret = 0;
  std::vector<std::pair<std::string, std::string>> parameters;
};
struct Parse {
  std::string_view name;
  std::string_view text;
  std::vector<Oid> parameter_types;
};
struct Bind {
  std::string_view portal, statement;
  std::vector<BindParameter> parameters;
  std::vector<WireFormat> result_formats;
};
struct Execute {
  std::string_view portal;
  uint64_t row_limit = 0;
};
struct Target {   // Describe, Close
  char kind = 0;  // 'S' or 'P'
  std::string_view name;
};
struct SaslInitial {
  std::string_view mechanism;
  std::optional<std::string_view> data;
};

Result<Startup> parse_startup(Bytes body);
Result<std::string_view> parse_query(Bytes body);  // also CopyFail
Result<Parse> parse_parse(Bytes body);
Result<Bind> parse_bind(Bytes body);
Result<Execute> parse_execute(Bytes body);
Result<Target> parse_target(Bytes body, char message_type);
Result<SaslInitial> parse_sasl_initial(Bytes body);

// ---- what the server sends

// Appends messages to a buffer.
class MessageWriter {
 public:
  explicit MessageWriter(std::string& out) : out_(out), bytes_(out) {}

  // begin(), then the body through bytes(), then end(): the length is filled in.
  ByteWriter& begin(char type) {
    out_.push_back(type);
    start_ = out_.size();
    out_.append(4, '\0');
    return bytes_;
  }
  void end() {
    store_be<uint32_t>(out_.data() + start_, static_cast<uint32_t>(out_.size() - start_));
  }
  void empty(char type) {
    begin(type);
    end();
  }

  void authentication(uint32_t code, std::string_view data = {});
  void backend_key(int32_t process_id, int32_t secret);
  void parameter_status(std::string_view name, std::string_view value);
  void ready_for_query(TransactionStatus status);
  void row_description(std::span<const ResultColumn> columns, std::span<const WireFormat> formats);
  void parameter_description(std::span<const Oid> types);
  void command_complete(std::string_view tag);
  void copy_response(char type, const CopyShape& shape);
  void copy_data(Bytes data);
  // `severity` as "ERROR", "FATAL", "NOTICE".
  void error(std::string_view severity, const Error& error);
  void notice(Severity severity, const Error& error);
  // Of a client that speaks a newer minor version, or options ("_pq_.") unknown here.
  void negotiate_version(std::span<const std::string> unknown_options);

 private:
  void fields(std::string_view severity, const Error& error);

  std::string& out_;
  ByteWriter bytes_;
  size_t start_ = 0;
};

inline WireFormat format_of(std::span<const WireFormat> formats, size_t column) {
  return formats.empty() ? WireFormat::text : formats.size() == 1 ? formats[0] : formats[column];
}

}  // namespace orrery::wire
