// A database inside the calling program: the whole node on the real host, driven by calls that
// return when they are done. The one door by which programs and benchmarks reach the engine.
//
//   auto database = EmbeddedDatabase::open(":memory:");
//   if (database.ok()) (*database)->query("select 1", sink);
//
// Between calls nothing runs, the background fibers included.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/backend.h"

namespace orrery {

class EmbeddedDatabase {
 public:
  // `path`: a data directory, made if missing, or ":memory:".
  static Result<std::unique_ptr<EmbeddedDatabase>> open(
      const std::string& path, std::vector<std::pair<std::string, std::string>> settings = {});
  virtual ~EmbeddedDatabase() = default;

  // Runs the statements of `text` as one simple query of the session that this is.
  virtual Status query(std::string_view text, ResultSink& sink) = 0;
  virtual TransactionStatus transaction_status() const = 0;
  // Ends the session and shuts down cleanly (a database in memory is forgotten). Without it the
  // next open() recovers.
  virtual Status close() = 0;
};

}  // namespace orrery
