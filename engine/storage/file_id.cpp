#include "storage/file_id.h"

#include "base/text.h"

namespace orrery {
namespace {
constexpr std::string_view kSuffixes[] = {"", "_fsm", "_vm", "_init"};
}

std::string file_path(FileId file) {
  return cat("data/", file_number(file), kSuffixes[static_cast<size_t>(file_fork(file))]);
}

FileId file_id_of_name(std::string_view name) {
  uint64_t number = 0;
  size_t digits = 0;
  for (; digits < name.size() && name[digits] >= '0' && name[digits] <= '9'; ++digits) {
    if (digits == 18) return FileId();
    number = number * 10 + static_cast<uint64_t>(name[digits] - '0');
  }
  if (digits == 0 || name[0] == '0') return FileId();
  for (size_t fork = 0; fork < std::size(kSuffixes); ++fork) {
    if (name.substr(digits) == kSuffixes[fork]) {
      return make_file_id(number, static_cast<Fork>(fork));
    }
  }
  return FileId();
}

}  // namespace orrery
