#include "session/copy_binary.h"

#include "base/text.h"

namespace orrery {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr uint32_t kMaxFieldBytes = 0x3fffffff;

Status bad(std::string message) {
  return raise(sqlstate::bad_copy_file_format, std::move(message));
}

uint32_t read_number(std::string_view text, size_t at, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

void append_number(std::string& out, uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

}  // namespace

void CopyBinaryReader::feed(Bytes bytes) {
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(as_text(bytes));
}

Result<bool> CopyBinaryReader::read_header() {
  const std::string_view all(buffer_);
  if (all.size() < kSignature.size() && !finished_) return false;
  if (!all.starts_with(kSignature)) return bad("COPY file signature not recognized");
  size_t at = kSignature.size();
  if (all.size() < at + 4) {
    if (finished_) return bad("invalid COPY file header (missing flags)");
    return false;
  }
  const uint32_t flags = read_number(all, at, 4);
  if ((flags & 1U << 16) != 0) return bad("invalid COPY file header (WITH OIDS)");
  if (flags >> 17 != 0) return bad("unrecognized critical flags in COPY file header");
  at += 4;
  if (all.size() < at + 4) {
    if (finished_) return bad("invalid COPY file header (missing length)");
    return false;
  }
  const uint32_t extension = read_number(all, at, 4);
  if (extension >> 31 != 0) return bad("invalid COPY file header (missing length)");
  at += 4;
  if (all.size() < at + extension) {
    if (finished_) return bad("invalid COPY file header (wrong length)");
    return false;
  }
  at_ = at + extension;
  has_header_ = true;
  return true;
}

Result<bool> CopyBinaryReader::next(int columns) {
  if (done_) {
    if (at_ < buffer_.size()) return bad("received copy data after EOF marker");
    return false;
  }
  if (!has_header_) {
    const bool whole = TRY(read_header());
    if (!whole) return false;
  }
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.size() < 2) {
    if (!finished_) return false;
    done_ = true;  // PostgreSQL takes the end of the data for the trailer
    if (rest.size() == 1) return bad("unexpected EOF in COPY data");
    return false;
  }
  const auto count = static_cast<int16_t>(read_number(rest, 0, 2));
  if (count == -1) {
    at_ += 2;
    done_ = true;
    if (at_ < buffer_.size()) return bad("received copy data after EOF marker");
    return false;
  }
  size_t at = 2;
  fields_.clear();
  if (count != columns) {
    ++number_;
    return bad(cat("row field count is ", count, ", expected ", columns));
  }
  for (int i = 0; i < count; ++i) {
    bool whole = rest.size() >= at + 4;
    const uint32_t length = whole ? read_number(rest, at, 4) : 0;
    const bool is_null = length == UINT32_MAX;
    if (whole && !is_null && length > kMaxFieldBytes) {
      ++number_;
      return bad("invalid field size");
    }
    whole = whole && (is_null || rest.size() >= at + 4 + length);
    if (!whole) {
      if (!finished_) return false;
      ++number_;
      return bad("unexpected EOF in COPY data");
    }
    fields_.push_back(
        {.bytes = as_bytes(rest.substr(at + 4, is_null ? 0 : length)), .is_null = is_null});
    at += 4 + (is_null ? 0 : size_t{length});
  }
  at_ += at;
  ++number_;
  return true;
}

void append_copy_header(std::string& out) {
  out += kSignature;
  append_number(out, 0, 4);
  append_number(out, 0, 4);
}
void append_copy_count(std::string& out, int fields) {
  append_number(out, static_cast<uint32_t>(fields), 2);
}
void append_copy_null(std::string& out) { append_number(out, UINT32_MAX, 4); }
size_t begin_copy_field(std::string& out) {
  append_number(out, 0, 4);
  return out.size();
}
void end_copy_field(std::string& out, size_t begin) {
  const auto length = static_cast<uint32_t>(out.size() - begin);
  for (size_t i = 0; i < 4; ++i) out[begin - 4 + i] = static_cast<char>(length >> (24 - 8 * i));
}
void append_copy_trailer(std::string& out) { append_number(out, UINT32_MAX, 2); }

}  // namespace orrery
