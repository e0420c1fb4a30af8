// Session::StatementScope, for the files that implement Session.
#pragma once

#include "base/text.h"
#include "session/session.h"

namespace orrery {

// While a statement runs: where it speaks to, how long it may take, what others see of it.
class Session::StatementScope final : public Completion {
 public:
  StatementScope(Session& session, Fiber& fiber, std::string_view text, ResultSink& sink)
      : session_(session), fiber_(fiber), start_(fiber.now()), outer_sink_(session.sink_) {
    session_.sink_ = &sink;
    session_.activity_.state = ActivityState::active;
    if (session_.settings_.get_bool(SettingId::track_activities))
      session_.activity_.statement = text;
    session_.activity_.statement_start = fiber.host().clock().wall_now();
    begin_timer();
  }
  // Each statement of a message has statement_timeout for itself.
  void begin_timer() {
    fiber_.host().clock().cancel(timer_);
    const int limit_ms = session_.settings_.get_int(SettingId::statement_timeout);
    if (limit_ms == 0) return;
    timer_.when = fiber_.now() + milliseconds(limit_ms);
    timer_.completion = this;
    fiber_.host().clock().set(timer_);
  }
  StatementScope(const StatementScope&) = delete;
  ~StatementScope() {
    fiber_.host().clock().cancel(timer_);
    session_.sink_ = outer_sink_;
    log_duration();
    constexpr ActivityState kStates[] = {ActivityState::idle, ActivityState::idle_in_transaction,
                                         ActivityState::idle_in_failed_transaction};
    session_.activity_.state = kStates[static_cast<int>(session_.block_.status())];
    session_.activity_.state_change = fiber_.host().clock().wall_now();
  }
  void complete() override {
    fiber_.cancel(raise(sqlstate::query_canceled, "canceling statement due to statement timeout"));
  }

 private:
  void log_duration() {
    const int least_ms = session_.settings_.get_int(SettingId::log_min_duration_statement);
    if (least_ms < 0) return;
    const int64_t microseconds = (fiber_.now() - start_) / 1000;
    if (microseconds < int64_t{least_ms} * 1000) return;
    const std::string thousandths = cat(microseconds % 1000 + 1000);
    fiber_.host().log(LogLevel::info,
                      cat("duration: ", microseconds / 1000, ".", thousandths.substr(1),
                          " ms  statement: ", session_.activity_.statement));
  }

  Session& session_;
  Fiber& fiber_;
  const Instant start_;
  ResultSink* const outer_sink_;
  Timer timer_;
};

}  // namespace orrery
