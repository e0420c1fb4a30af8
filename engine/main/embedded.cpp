#include "main/embedded.h"

#include "fiber/sync.h"
#include "os/linux_host.h"
#include "session/database_node.h"

namespace orrery {
namespace {

constexpr std::string_view kInMemory = ":memory:";

class Embedded final : public EmbeddedDatabase {
 public:
  Embedded(const std::string& path, DatabaseNodeOptions options)
      : in_memory_(path == kInMemory),
        host_({.data_directory = in_memory_ ? "" : path}),
        scheduler_(host_),
        node_(host_, gate_, std::move(options)) {}
  ~Embedded() override { host_.halt(scheduler_); }

  Status start() {
    host_.server_log().set_least(LogLevel::warning);
    TRY(host_.open());
    scheduler_.spawn("session", [this](Fiber& fiber) { live(fiber); });
    return wait();
  }

  Status query(std::string_view text, ResultSink& sink) override {
    if (session_ == nullptr)
      return raise(sqlstate::connection_does_not_exist, "the database is closed");
    text_ = text;
    sink_ = &sink;
    return hand_over();
  }

  TransactionStatus transaction_status() const override {
    return session_ == nullptr ? TransactionStatus::idle : session_->transaction_status();
  }

  Status close() override {
    if (session_ == nullptr) return {};
    closing_ = true;
    return hand_over();
  }

 private:
  // The session's fiber: takes one request after the other.
  void live(Fiber& fiber) {
    outcome_ = open_session(fiber);
    while (outcome_.ok() || session_ != nullptr) {
      done_ = true;
      while (done_) {
        if (!requests_.wait(fiber).ok()) break;
      }
      if (closing_ || fiber.scheduler().halted()) break;
      outcome_ = session_->simple_query(fiber, text_, *sink_);
    }
    if (session_ != nullptr) session_->end(fiber);
    session_.reset();
    // In memory nothing is left for another time.
    if (closing_) outcome_ = in_memory_ ? Status() : node_.close(fiber);
    done_ = true;
  }

  Status open_session(Fiber& fiber) {
    TRY(node_.open(fiber));
    StartupRequest request{.user = "postgres", .database = "postgres", .process_id = 1};
    session_ = TRY(node_.open(fiber, request));
    return {};
  }

  Status hand_over() {
    done_ = false;
    requests_.notify_all();
    return wait();
  }
  Status wait() {
    host_.run(scheduler_, [this] { return done_; });
    return std::move(outcome_);
  }

  const bool in_memory_;
  LinuxHost host_;
  Scheduler scheduler_;
  GroupOfOne gate_;
  DatabaseNode node_;
  std::unique_ptr<SessionBackend> session_;
  WaitQueue requests_;
  bool done_ = false;
  bool closing_ = false;
  std::string_view text_;
  ResultSink* sink_ = nullptr;
  Status outcome_;
};

}  // namespace

Result<std::unique_ptr<EmbeddedDatabase>> EmbeddedDatabase::open(
    const std::string& path, std::vector<std::pair<std::string, std::string>> settings) {
  DatabaseNodeOptions options{.settings = std::move(settings)};
  if (path == kInMemory) {  // no zeros written ahead, no large files to look through at the start
    options.storage.log.zero_fill_segments = false;
    options.storage.log.segment_bytes = uint64_t{1} << 20;
  }
  auto database = std::make_unique<Embedded>(path, std::move(options));
  TRY(database->start());
  return std::unique_ptr<EmbeddedDatabase>(std::move(database));
}

}  // namespace orrery
