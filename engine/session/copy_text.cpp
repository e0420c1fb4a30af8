#include "session/copy_text.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace orrery {
namespace {

Status bad(std::string message, std::string hint = "") {
  Status status = raise(sqlstate::bad_copy_file_format, std::move(message));
  status.error().hint = std::move(hint);
  return status;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
// Bytes that neither end a line of text nor escape anything.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  plain.fill(true);
  plain['\n'] = plain['\r'] = plain['\\'] = false;
  return plain;
}();

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// Decodes the escape behind a backslash at text[at]; moves `at` past it.
void append_escape(std::string_view text, size_t& at, std::string& out) {
  const char c = text[at++];
  constexpr std::string_view kLetters = "bfnrtv";
  constexpr std::string_view kMeanings = "\b\f\n\r\t\v";
  if (const size_t letter = kLetters.find(c); letter != std::string_view::npos) {
    out += kMeanings[letter];
  } else if (is_octal(c)) {
    int value = c - '0';
    for (int digits = 1; digits < 3 && at < text.size() && is_octal(text[at]); ++digits)
      value = value * 8 + text[at++] - '0';
    out += static_cast<char>(value);
  } else if (c == 'x' && at < text.size() && hex_digit(text[at]) >= 0) {
    int value = hex_digit(text[at++]);
    if (at < text.size() && hex_digit(text[at]) >= 0) value = value * 16 + hex_digit(text[at++]);
    out += static_cast<char>(value);
  } else {
    out += c;
  }
}

}  // namespace

void CopyLineReader::feed(Bytes bytes) {
  if (done_) return;
  if (at_ > 0) {
    buffer_.erase(0, at_);
    scanned_ -= at_;
    at_ = 0;
  }
  buffer_.append(as_text(bytes));
}

// A line end at buffer_[at]: its kind must be that of the first.
Result<size_t> CopyLineReader::check_end(size_t at, size_t* mark) {
  const bool csv = options_.format == CopyOptions::Format::csv;
  const bool carriage_return = buffer_[at] == '\r';
  if (carriage_return && at + 1 == buffer_.size() && !finished_)
    return std::string::npos;  // \n may follow
  const bool both = carriage_return && at + 1 < buffer_.size() && buffer_[at + 1] == '\n';
  const LineEnd kind = both              ? LineEnd::both
                       : carriage_return ? LineEnd::carriage_return
                                         : LineEnd::newline;
  if (line_end_ == LineEnd::unknown) line_end_ = kind;
  if (kind != line_end_) {
    const bool stray_return = carriage_return;
    if (csv) {
      return bad(stray_return ? "unquoted carriage return found in data"
                              : "unquoted newline found in data",
                 stray_return ? "Use quoted CSV field to represent carriage return."
                              : "Use quoted CSV field to represent newline.");
    }
    return bad(
        stray_return ? "literal carriage return found in data" : "literal newline found in data",
        stray_return ? "Use \"\\r\" to represent carriage return."
                     : "Use \"\\n\" to represent newline.");
  }
  *mark = both ? 2 : 1;
  return at;
}

Result<size_t> CopyLineReader::find_text_end(size_t* mark) {
  while (scanned_ < buffer_.size()) {
    size_t found = scanned_;
    while (found < buffer_.size() && kPlain[static_cast<unsigned char>(buffer_[found])]) ++found;
    if (found == buffer_.size()) {
      scanned_ = found;
      break;
    }
    if (buffer_[found] != '\\') {
      scanned_ = found;
      return check_end(found, mark);
    }
    if (found + 1 >= buffer_.size()) {
      scanned_ = found;
      break;
    }
    scanned_ = found + 2;  // whatever is behind a backslash ends no line
  }
  return std::string::npos;
}

Result<size_t> CopyLineReader::find_csv_end(size_t* mark) {
  for (; scanned_ < buffer_.size(); ++scanned_) {
    const char c = buffer_[scanned_];
    if (in_quotes_ && c == options_.escape && options_.escape != options_.quote) {
      if (scanned_ + 1 == buffer_.size()) return std::string::npos;
      ++scanned_;
    } else if (c == options_.quote) {
      in_quotes_ = !in_quotes_;
    } else if (!in_quotes_ && (c == '\n' || c == '\r')) {
      return check_end(scanned_, mark);
    }
  }
  return std::string::npos;
}

Result<bool> CopyLineReader::next_line() {
  if (done_) return false;
  const bool csv = options_.format == CopyOptions::Format::csv;
  size_t mark = 0;
  scanned_ = std::max(scanned_, at_);
  ++line_number_;
  line_ = std::string_view(buffer_).substr(at_);
  size_t end = TRY(csv ? find_csv_end(&mark) : find_text_end(&mark));
  if (end == std::string::npos) {
    if (!finished_ || at_ >= buffer_.size()) {
      --line_number_;
      done_ = finished_;
      return false;
    }
    if (in_quotes_) return bad("unterminated CSV quoted field");
    end = buffer_.size();
  }
  line_ = std::string_view(buffer_).substr(at_, end - at_);
  at_ = scanned_ = end + mark;
  in_quotes_ = false;
  if (line_ == "\\.") {
    done_ = true;
    --line_number_;
    return false;
  }
  if (csv) {
    const char newline = line_end_ == LineEnd::carriage_return ? '\r' : '\n';
    line_number_ += static_cast<uint64_t>(std::count(line_.begin(), line_.end(), newline));
  }
  TRY(csv ? split_csv() : split_text());
  return true;
}

// Without a backslash every delimiter ends a field.
void CopyLineReader::split_plain() {
  const char* at = line_.data();
  const char* const end = at + line_.size();
  while (true) {
    const void* const found = std::memchr(at, options_.delimiter, static_cast<size_t>(end - at));
    const char* const stop = found != nullptr ? static_cast<const char*>(found) : end;
    const std::string_view text(at, static_cast<size_t>(stop - at));
    fields_.push_back({.text = text, .is_null = text == options_.null_text});
    if (found == nullptr) return;
    at = stop + 1;
  }
}

Status CopyLineReader::split_text() {
  fields_.clear();
  decoded_.clear();
  if (std::memchr(line_.data(), '\\', line_.size()) == nullptr) {
    split_plain();
    return {};
  }
  decoded_.reserve(line_.size());  // views into it stay true
  size_t start = 0;
  while (true) {
    size_t at = start;
    bool escaped = false;
    const size_t decoded_start = decoded_.size();
    while (at < line_.size() && line_[at] != options_.delimiter) {
      if (line_[at] != '\\' || at + 1 >= line_.size()) {
        if (escaped) decoded_ += line_[at];
        ++at;
        continue;
      }
      if (!escaped) decoded_.append(line_.substr(start, at - start));
      escaped = true;
      ++at;
      append_escape(line_, at, decoded_);
    }
    const std::string_view raw = line_.substr(start, at - start);
    CopyField field{.text = escaped ? std::string_view(decoded_).substr(decoded_start) : raw};
    field.is_null = raw == options_.null_text;
    fields_.push_back(field);
    if (at >= line_.size()) return {};
    start = at + 1;
  }
}

Status CopyLineReader::split_csv() {
  fields_.clear();
  decoded_.clear();
  decoded_.reserve(line_.size());
  size_t at = 0;
  while (true) {
    const size_t decoded_start = decoded_.size();
    bool quoted = false;
    bool inside = false;
    while (at < line_.size() && (inside || line_[at] != options_.delimiter)) {
      const char c = line_[at];
      const bool next_special = at + 1 < line_.size() && (line_[at + 1] == options_.quote ||
                                                          line_[at + 1] == options_.escape);
      if (inside && c == options_.escape && next_special) {
        decoded_ += line_[at + 1];
        at += 2;
      } else if (c == options_.quote) {
        inside = !inside;
        quoted = true;
        ++at;
      } else {
        decoded_ += c;
        ++at;
      }
    }
    if (inside) return bad("unterminated CSV quoted field");
    const std::string_view text = std::string_view(decoded_).substr(decoded_start);
    fields_.push_back({.text = text, .is_null = !quoted && text == options_.null_text});
    if (at >= line_.size()) return {};
    ++at;
  }
}

void append_copy_text(const CopyOptions& options, std::string_view value, std::string& out) {
  size_t plain = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (static_cast<unsigned char>(c) >= 32 && c != '\\' && c != options.delimiter) [[likely]]
      continue;
    constexpr std::string_view kMeanings = "\b\f\n\r\t\v";
    constexpr std::string_view kLetters = "bfnrtv";
    const size_t letter = kMeanings.find(c);
    const bool named = letter != std::string_view::npos;
    if (!named && c != '\\' && c != options.delimiter) continue;
    out.append(value.substr(plain, i - plain));
    out += '\\';
    out += named ? kLetters[letter] : c;
    plain = i + 1;
  }
  out.append(value.substr(plain));
}

void append_copy_csv(const CopyOptions& options, std::string_view value, bool force_quote,
                     bool only, std::string& out) {
  const char special[] = {options.delimiter, options.quote, '\n', '\r'};
  const bool quote =
      force_quote || value == options.null_text || (only && value == "\\.") ||
      value.find_first_of(std::string_view(special, sizeof special)) != std::string_view::npos;
  if (!quote) {
    out.append(value);
    return;
  }
  out += options.quote;
  for (const char c : value) {
    if (c == options.quote || c == options.escape) out += options.escape;
    out += c;
  }
  out += options.quote;
}

}  // namespace orrery
