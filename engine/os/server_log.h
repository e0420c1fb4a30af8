// The server's log: a line a message, with time and process as PostgreSQL's default prefix, to
// standard error or a file.
#pragma once

#include <string>
#include <string_view>

#include "host/host.h"

namespace orrery {

class ServerLog {
 public:
  ServerLog() = default;
  ServerLog(const ServerLog&) = delete;
  ~ServerLog();

  // From now to this file, appending.
  Status open(const std::string& path);
  // Messages below `least` are dropped.
  void set_least(LogLevel least) { least_ = least; }
  void write(LogLevel level, std::string_view text);

 private:
  int fd_ = 2;
  LogLevel least_ = LogLevel::info;
};

}  // namespace orrery
