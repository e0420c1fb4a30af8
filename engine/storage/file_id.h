// Names of storage files. A FileId is a number and a fork: id = number * 4 + fork. Numbers are
// never reused, so what names a page in the log names it for ever. Numbers below kFirstFileNumber
// are fixed: the catalog's own files, whose numbers are the OIDs of their relations.
#pragma once

#include <string>

#include "base/ids.h"

namespace orrery {

enum class Fork : uint8_t { main = 0, free_space = 1, visibility = 2, init = 3 };

constexpr uint64_t kFirstFileNumber = 16384;
// Numbers from here on are computed, never counted out: the catalogs of each database (database OID
// and relation OID make the number).
constexpr uint64_t kFirstComputedNumber = uint64_t{1} << 48;

constexpr FileId make_file_id(uint64_t number, Fork fork = Fork::main) {
  return FileId(number << 2 | static_cast<uint64_t>(fork));
}
constexpr uint64_t file_number(FileId file) { return file.v >> 2; }
constexpr Fork file_fork(FileId file) { return static_cast<Fork>(file.v & 3); }
constexpr FileId with_fork(FileId file, Fork fork) { return make_file_id(file_number(file), fork); }

// "data/16384", "data/16384_fsm", "data/16384_vm", "data/16384_init".
std::string file_path(FileId file);
// The reverse, of the name within data/; 0 when it is no such name.
FileId file_id_of_name(std::string_view name);

}  // namespace orrery
