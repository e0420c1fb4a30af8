#include "os/os_error.h"

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace orrery {
namespace {

const SqlState& code_of(int error_number) {
  switch (error_number) {
    case ENOENT:       return sqlstate::undefined_file;
    case EEXIST:
    case ENOTEMPTY:    return sqlstate::duplicate_file;
    case ENOSPC:
    case EDQUOT:       return sqlstate::disk_full;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:       return sqlstate::insufficient_resources;
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOTCONN:     return sqlstate::connection_failure;
    default:           return sqlstate::io_error;
  }
}

}  // namespace

Status os_error(int error_number, std::string what) {
  return raise(code_of(error_number), cat(what, ": ", strerrordesc_np(error_number)));
}

}  // namespace orrery
