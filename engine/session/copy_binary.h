// COPY's binary form, all numbers big-endian. No I/O, no types.
//
//   header    11 bytes "PGCOPY\n\xff\r\n\0", flags u32 (bits 16 and up are critical), length u32 of
//             an extension that is skipped
//   row       count of fields i16, then for each: length i32 (-1 is NULL) and so many bytes
//   trailer   i16 -1
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace orrery {

class CopyBinaryReader {
 public:
  struct Field {
    Bytes bytes;
    bool is_null = false;
  };
  void feed(Bytes bytes);
  void finish() { finished_ = true; }
  // The next row into fields(), of `columns` fields. False: feed more, or, after the trailer or
  // finish(), the end. 22P04 with PostgreSQL's messages.
  Result<bool> next(int columns);
  // Valid until the next call.
  const std::vector<Field>& fields() const { return fields_; }
  uint64_t number() const { return number_; }  // of the row, from 1; 0 in the header

 private:
  Result<bool> read_header();

  std::string buffer_;
  size_t at_ = 0;
  bool has_header_ = false, finished_ = false, done_ = false;
  uint64_t number_ = 0;
  std::vector<Field> fields_;
};

void append_copy_header(std::string& out);
void append_copy_count(std::string& out, int fields);
void append_copy_null(std::string& out);
// A field's length goes in front of what `write` appends.
size_t begin_copy_field(std::string& out);
void end_copy_field(std::string& out, size_t begin);
void append_copy_trailer(std::string& out);

}  // namespace orrery
