#include "os/server_log.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "os/os_error.h"

namespace orrery {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:   return "DEBUG:  ";
    case LogLevel::info:    return "LOG:  ";
    case LogLevel::notice:  return "NOTICE:  ";
    case LogLevel::warning: return "WARNING:  ";
    case LogLevel::error:   return "ERROR:  ";
    case LogLevel::fatal:   return "FATAL:  ";
  }
  UNREACHABLE();
}

}  // namespace

ServerLog::~ServerLog() {
  if (fd_ != 2) close(fd_);
}

Status ServerLog::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return os_error(errno, cat("could not open log file \"", path, "\""));
  if (fd_ != 2) close(fd_);
  fd_ = fd;
  return {};
}

void ServerLog::write(LogLevel level, std::string_view text) {
  if (level < least_) return;
  timeval now;
  gettimeofday(&now, nullptr);
  tm parts;
  gmtime_r(&now.tv_sec, &parts);
  char stamp[40];
  const size_t length = strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
  std::string line(stamp, length);
  const std::string thousandths = cat(now.tv_usec / 1000 + 1000);
  line += cat('.', thousandths.substr(1), " UTC [", getpid(), "] ", name_of(level), text, '\n');
  // One call a line, so that lines of several processes do not mix. A log that cannot be written
  // stops nothing.
  [[maybe_unused]] const ssize_t ignored = ::write(fd_, line.data(), line.size());
}

}  // namespace orrery
