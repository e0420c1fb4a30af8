#include "server/protocol.h"

#include <algorithm>

#include "base/text.h"

namespace orrery::wire {
namespace {

Status malformed() { return raise(sqlstate::protocol_violation, "invalid message format"); }

// Read to its last byte, and no further.
Status complete(const ByteReader& reader) {
  return reader.ok() && reader.remaining() == 0 ? Status() : malformed();
}

uint32_t longest(char type) {
  switch (type) {
    case 'C':
    case 'D':
    case 'E':
    case 'H':
    case 'S':
    case 'X':
    case 'c':
    case 'f': return kLongestShort;
    default:  return kLongestMessage;
  }
}

// Format codes as Bind has them: a count, then that many; each 0 or 1.
Status read_formats(ByteReader& reader, std::vector<WireFormat>& formats) {
  const auto count = reader.read_be<int16_t>();
  if (count < 0 || static_cast<size_t>(count) * 2 > reader.remaining()) return malformed();
  for (int i = 0; i < count; ++i) {
    const auto code = reader.read_be<int16_t>();
    if (code != 0 && code != 1) {
      return raise(sqlstate::invalid_parameter_value, cat("unsupported format code: ", code));
    }
    formats.push_back(code == 0 ? WireFormat::text : WireFormat::binary);
  }
  return {};
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::debug:   return "DEBUG";
    case Severity::log:     return "LOG";
    case Severity::info:    return "INFO";
    case Severity::notice:  return "NOTICE";
    case Severity::warning: return "WARNING";
  }
  UNREACHABLE();
}

// "Status orrery::f(int)" is "f", as PostgreSQL reports a C function's name; so is a lambda within
// it. Compilers write namespaces without a name and lambdas differently: what they agree on is
// sent.
std::string_view routine_of(std::string_view signature) {
  size_t end = signature.find('(');
  while (end != std::string_view::npos &&
         signature.substr(end).starts_with("(anonymous namespace)"))
    end = signature.find('(', end + 1);
  signature = signature.substr(0, end);
  const size_t start = signature.find_last_of(" :*&");
  if (start != std::string_view::npos) signature.remove_prefix(start + 1);
  return signature.starts_with('<') ? std::string_view() : signature;
}

}  // namespace

MutableBytes MessageReader::space() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0) {
    std::copy(buffer_.begin() + begin_, buffer_.begin() + end_, buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kLeastSpace) {
    // A long message doubles the buffer with each fill, up to what it needs.
    const size_t missing = wanted_ > end_ ? wanted_ - end_ : 0;
    buffer_.resize(end_ + std::max(kUsualSpace, std::min(missing, end_)));
  }
  return MutableBytes(buffer_).subspan(end_);
}

void MessageReader::filled(size_t count) {
  CHECK(count <= buffer_.size() - end_);
  end_ += count;
}

void MessageReader::shrink() {
  if (begin_ < end_) return;
  begin_ = end_ = wanted_ = 0;
  std::vector<std::byte>(kLeastSpace).swap(buffer_);
}

Result<std::optional<Message>> MessageReader::next_startup() {
  const Bytes seen = Bytes(buffer_).subspan(begin_, end_ - begin_);
  if (seen.size() < 4) return std::optional<Message>();
  const auto length = load_be<uint32_t>(seen.data());
  if (length < 8 || length > kLongestStartup) {
    return raise(sqlstate::protocol_violation, "invalid length of startup packet");
  }
  wanted_ = length;
  if (seen.size() < length) return std::optional<Message>();
  begin_ += length;
  wanted_ = 0;
  return std::optional(Message{.type = 0, .body = seen.subspan(4, length - 4)});
}

Result<std::optional<Message>> MessageReader::next_message() {
  const Bytes seen = Bytes(buffer_).subspan(begin_, end_ - begin_);
  if (seen.size() < 5) return std::optional<Message>();
  const auto type = static_cast<char>(seen[0]);
  const auto length = load_be<uint32_t>(seen.data() + 1);
  if (length < 4 || length - 4 > longest(type)) {
    return raise(sqlstate::protocol_violation, "invalid message length");
  }
  wanted_ = size_t{length} + 1;
  if (seen.size() < wanted_) return std::optional<Message>();
  begin_ += wanted_;
  wanted_ = 0;
  return std::optional(Message{.type = type, .body = seen.subspan(5, length - 4)});
}

Result<Startup> parse_startup(Bytes body) {
  ByteReader reader(body);
  Startup startup;
  startup.code = reader.read_be<uint32_t>();
  if (startup.code == kCancelCode) {
    startup.process_id = reader.read_be<int32_t>();
    startup.secret = reader.read_be<int32_t>();
    TRY(complete(reader));
    return startup;
  }
  if (startup.code >> 16 != 3) return startup;  // requests for encryption, and versions to refuse
  while (reader.ok()) {
    const std::string_view name = reader.read_c_string();
    if (name.empty()) break;
    const std::string_view value = reader.read_c_string();
    startup.parameters.emplace_back(name, value);
  }
  if (!reader.ok() || reader.remaining() != 0) {
    return raise(sqlstate::protocol_violation,
                 "invalid startup packet layout: expected terminator as last byte");
  }
  return startup;
}

Result<std::string_view> parse_query(Bytes body) {
  ByteReader reader(body);
  const std::string_view text = reader.read_c_string();
  TRY(complete(reader));
  return text;
}

Result<Parse> parse_parse(Bytes body) {
  ByteReader reader(body);
  Parse parse;
  parse.name = reader.read_c_string();
  parse.text = reader.read_c_string();
  const auto count = reader.read_be<int16_t>();
  if (count < 0 || static_cast<size_t>(count) * 4 > reader.remaining()) return malformed();
  for (int i = 0; i < count; ++i) parse.parameter_types.emplace_back(reader.read_be<uint32_t>());
  TRY(complete(reader));
  return parse;
}

Result<Bind> parse_bind(Bytes body) {
  ByteReader reader(body);
  Bind bind;
  bind.portal = reader.read_c_string();
  bind.statement = reader.read_c_string();
  std::vector<WireFormat> formats;
  TRY(read_formats(reader, formats));
  const auto count = reader.read_be<int16_t>();
  if (count < 0 || static_cast<size_t>(count) * 4 > reader.remaining()) return malformed();
  if (formats.size() > 1 && formats.size() != static_cast<size_t>(count)) {
    return raise(
        sqlstate::protocol_violation,
        cat("bind message has ", formats.size(), " parameter formats but ", count, " parameters"));
  }
  for (int i = 0; i < count; ++i) {
    BindParameter parameter{.format = format_of(formats, static_cast<size_t>(i))};
    const auto length = reader.read_be<int32_t>();
    if (length < -1) return malformed();
    parameter.is_null = length == -1;
    if (length > 0) parameter.value = reader.take(static_cast<size_t>(length));
    bind.parameters.push_back(parameter);
  }
  TRY(read_formats(reader, bind.result_formats));
  TRY(complete(reader));
  return bind;
}

Result<Execute> parse_execute(Bytes body) {
  ByteReader reader(body);
  Execute execute;
  execute.portal = reader.read_c_string();
  const auto limit = reader.read_be<int32_t>();
  execute.row_limit = limit > 0 ? static_cast<uint64_t>(limit) : 0;
  TRY(complete(reader));
  return execute;
}

Result<Target> parse_target(Bytes body, char message_type) {
  ByteReader reader(body);
  Target target;
  target.kind = static_cast<char>(reader.read<uint8_t>());
  target.name = reader.read_c_string();
  TRY(complete(reader));
  if (target.kind != 'S' && target.kind != 'P') {
    return raise(sqlstate::protocol_violation,
                 cat("invalid ", message_type == 'D' ? "DESCRIBE" : "CLOSE", " message subtype ",
                     static_cast<int>(target.kind)));
  }
  return target;
}

Result<SaslInitial> parse_sasl_initial(Bytes body) {
  ByteReader reader(body);
  SaslInitial initial;
  initial.mechanism = reader.read_c_string();
  const auto length = reader.read_be<int32_t>();
  if (length < -1) return malformed();
  if (length >= 0) initial.data = as_text(reader.take(static_cast<size_t>(length)));
  TRY(complete(reader));
  return initial;
}

void MessageWriter::authentication(uint32_t code, std::string_view data) {
  begin('R').write_be(code);
  bytes_.write_text(data);
  end();
}

void MessageWriter::backend_key(int32_t process_id, int32_t secret) {
  begin('K').write_be(process_id);
  bytes_.write_be(secret);
  end();
}

void MessageWriter::parameter_status(std::string_view name, std::string_view value) {
  begin('S').write_c_string(name);
  bytes_.write_c_string(value);
  end();
}

void MessageWriter::ready_for_query(TransactionStatus status) {
  constexpr char kCodes[] = {'I', 'T', 'E'};
  begin('Z').write(kCodes[static_cast<int>(status)]);
  end();
}

void MessageWriter::row_description(std::span<const ResultColumn> columns,
                                    std::span<const WireFormat> formats) {
  begin('T').write_be(static_cast<int16_t>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const ResultColumn& column = columns[i];
    bytes_.write_c_string(column.name);
    bytes_.write_be(column.table.v);
    bytes_.write_be(column.attribute);
    bytes_.write_be(column.type.v);
    bytes_.write_be(column.type_length);
    bytes_.write_be(column.typmod);
    bytes_.write_be(static_cast<int16_t>(format_of(formats, i)));
  }
  end();
}

void MessageWriter::parameter_description(std::span<const Oid> types) {
  begin('t').write_be(static_cast<int16_t>(types.size()));
  for (const Oid type : types) bytes_.write_be(type.v);
  end();
}

void MessageWriter::command_complete(std::string_view tag) {
  begin('C').write_c_string(tag);
  end();
}

void MessageWriter::copy_response(char type, const CopyShape& shape) {
  begin(type).write(static_cast<uint8_t>(shape.format));
  bytes_.write_be(shape.columns);
  for (int i = 0; i < shape.columns; ++i) bytes_.write_be(static_cast<int16_t>(shape.format));
  end();
}

void MessageWriter::copy_data(Bytes data) {
  begin('d').write_bytes(data);
  end();
}

void MessageWriter::fields(std::string_view severity, const Error& error) {
  auto field = [this](char code, std::string_view text) {
    if (text.empty()) return;
    out_.push_back(code);
    bytes_.write_c_string(text);
  };
  auto number = [&field](char code, int value) {
    if (value > 0) field(code, cat(value));
  };
  field('S', severity);
  field('V', severity);
  field('C', error.code.text());
  out_.push_back('M');  // never left out
  bytes_.write_c_string(error.message);
  field('D', error.detail);
  field('H', error.hint);
  number('P', error.position);
  number('p', error.internal_position);
  field('q', error.internal_query);
  field('W', error.context);
  field('s', error.schema);
  field('t', error.table);
  field('c', error.column);
  field('d', error.data_type);
  field('n', error.constraint);
  const std::string_view file = error.raised_at.file_name();
  field('F', file.substr(file.find_last_of('/') + 1));
  field('L', cat(error.raised_at.line()));
  field('R', routine_of(error.raised_at.function_name()));
  out_.push_back('\0');
}

void MessageWriter::error(std::string_view severity, const Error& error) {
  begin('E');
  fields(severity, error);
  end();
}

void MessageWriter::notice(Severity severity, const Error& error) {
  begin('N');
  fields(severity_name(severity), error);
  end();
}

void MessageWriter::negotiate_version(std::span<const std::string> unknown_options) {
  begin('v').write_be(kProtocol30);
  bytes_.write_be(static_cast<uint32_t>(unknown_options.size()));
  for (const std::string& option : unknown_options) bytes_.write_c_string(option);
  end();
}

}  // namespace orrery::wire
