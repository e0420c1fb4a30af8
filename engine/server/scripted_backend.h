// For tests of front doors only: a session without a database. It knows a handful of "statements"
// by their exact text, each made to exercise one part of a conversation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "session/backend.h"
#include "types/type_oids.h"

namespace orrery {

class ScriptedBackend final : public SessionBackend {
 public:
  Status simple_query(Fiber& fiber, std::string_view text, ResultSink& sink) override {
    texts.emplace_back(text);
    Status status = run(fiber, text, 0, {}, sink);
    if (!status.ok() && status_ == TransactionStatus::active) status_ = TransactionStatus::failed;
    return status;
  }
  Status parse(Fiber&, std::string_view name, std::string_view text,
               std::span<const Oid>) override {
    if (text == "bad")
      return raise(sqlstate::syntax_error, "syntax error at or near \"bad\"").at(1);
    statements_[std::string(name)] = text;
    return {};
  }
  Status bind(Fiber&, const BindRequest& request, ResultSink&) override {
    auto statement = statements_.find(request.statement);
    if (statement == statements_.end()) {
      return raise(sqlstate::invalid_sql_statement_name,
                   cat("prepared statement \"", request.statement, "\" does not exist"));
    }
    Portal& portal = portals_[std::string(request.portal)];
    portal = {.text = statement->second};
    portal.formats.assign(request.result_formats.begin(), request.result_formats.end());
    for (const BindParameter& parameter : request.parameters) {
      portal.parameters.emplace_back(parameter.is_null ? "NULL" : as_text(parameter.value));
    }
    return {};
  }
  Result<StatementDescription> describe_statement(Fiber&, std::string_view name) override {
    if (!statements_.contains(name))
      return raise(sqlstate::invalid_sql_statement_name, "no such statement");
    static constexpr Oid kTypes[] = {type_oid::int4};
    return StatementDescription{.parameter_types = kTypes, .has_rows = true, .columns = columns()};
  }
  Result<StatementDescription> describe_portal(Fiber&, std::string_view name) override {
    auto portal = portals_.find(name);
    if (portal == portals_.end()) return raise(sqlstate::invalid_cursor_name, "no such portal");
    return StatementDescription{
        .has_rows = true, .columns = columns(), .formats = portal->second.formats};
  }
  Status execute(Fiber& fiber, std::string_view name, uint64_t row_limit,
                 ResultSink& sink) override {
    auto portal = portals_.find(name);
    if (portal == portals_.end()) {
      return raise(sqlstate::invalid_cursor_name, cat("portal \"", name, "\" does not exist"));
    }
    parameters = portal->second.parameters;
    return run(fiber, portal->second.text, row_limit, portal->second.formats, sink);
  }
  Status close_statement(Fiber&, std::string_view name) override {
    statements_.erase(std::string(name));
    return {};
  }
  Status close_portal(Fiber&, std::string_view name) override {
    portals_.erase(std::string(name));
    return {};
  }
  Status sync(Fiber&, ResultSink&) override {
    ++syncs;
    portals_.clear();
    return {};
  }
  void fail_transaction(Fiber&) override {
    if (status_ == TransactionStatus::active) status_ = TransactionStatus::failed;
  }
  TransactionStatus transaction_status() const override { return status_; }
  void report_settings(FunctionRef<void(std::string_view, std::string_view)> report) override {
    if (!reported_) {
      report("server_version", "15.0");
      report("client_encoding", "UTF8");
      report("standard_conforming_strings", "on");
    }
    reported_ = true;
  }
  std::optional<IdleLimit> idle_limit() const override {
    if (status_ != TransactionStatus::active) return std::nullopt;
    return IdleLimit{.duration = seconds(30),
                     .reason = raise(sqlstate::idle_in_transaction_session_timeout,
                                     "terminating connection due to idle-in-transaction timeout")};
  }
  void end(Fiber&) override { ended = true; }

  std::vector<std::string> texts, parameters;
  std::string copied;
  int syncs = 0;
  bool ended = false;

 private:
  struct Portal {
    std::string text;
    std::vector<std::string> parameters;
    std::vector<WireFormat> formats;
  };

  static std::span<const ResultColumn> columns() {
    static constexpr ResultColumn kColumns[] = {
        {.name = "number", .type = type_oid::int4, .type_length = 4},
        {.name = "word", .type = type_oid::text, .type_length = -1},
    };
    return kColumns;
  }

  // "rows N": N rows (i, 'word i'), every third word NULL.
  Status run(Fiber& fiber, std::string_view text, uint64_t row_limit,
             std::span<const WireFormat> formats, ResultSink& sink) {
    if (text.empty()) {
      sink.end_empty();
      return {};
    }
    if (text.starts_with("rows "))
      return rows(fiber, std::stoi(std::string(text.substr(5))), row_limit, formats, sink);
    if (text == "begin") {
      status_ = TransactionStatus::active;
    } else if (text == "commit") {
      status_ = TransactionStatus::idle;
    } else if (text == "notice") {
      sink.notice(Severity::notice, raise(sqlstate::successful_completion, "hear, hear").error());
    } else if (text == "sleep") {
      TRY(fiber.sleep(seconds(1000)));
    } else if (text == "copy in") {
      TRY(sink.begin_copy_in(fiber, {.columns = 2}));
      while (true) {
        const std::optional<Bytes> piece = TRY(sink.copy_in(fiber));
        if (!piece) break;
        copied += as_text(*piece);
      }
    } else if (text == "copy out") {
      TRY(sink.begin_copy_out(fiber, {.columns = 2}));
      for (const char* line : {"1\tone\n", "2\ttwo\n"}) TRY(sink.copy_out(fiber, as_bytes(line)));
      sink.end_copy_out();
    } else {
      return raise(sqlstate::division_by_zero, "division by zero")
          .detail("a detail")
          .hint("a hint")
          .context("a context")
          .at(5)
          .constraint("public", "t", "t_pkey");
    }
    sink.end(to_upper(text));
    return {};
  }

  Status rows(Fiber& fiber, int count, uint64_t row_limit, std::span<const WireFormat> formats,
              ResultSink& sink) {
    TRY(sink.begin_rows(fiber, columns(), formats, settings_));
    const int wanted = row_limit == 0 ? count : std::min(count, static_cast<int>(row_limit));
    for (int first = 0; first < wanted; first += kBatchRows) {
      Arena arena;
      Vector vectors[] = {Vector::make(arena), Vector::make(arena)};
      const auto n = static_cast<uint32_t>(std::min<int>(kBatchRows, wanted - first));
      for (uint32_t i = 0; i < n; ++i) {
        const int number = first + static_cast<int>(i) + 1;
        vectors[0].set(i, Datum::of(number));
        if (number % 3 == 0) {
          vectors[1].set_null(i);
        } else {
          vectors[1].set(i, make_varlena(arena, cat("word ", number)));
        }
      }
      TRY(sink.add_rows(fiber, Batch{.columns = vectors, .rows = {.count = n}}));
    }
    if (wanted < count) {
      sink.end_suspended();
    } else {
      sink.end(cat("SELECT ", wanted));
    }
    return {};
  }

  TransactionStatus status_ = TransactionStatus::idle;
  bool reported_ = false;
  TypeSettings settings_;
  std::map<std::string, std::string, std::less<>> statements_;
  std::map<std::string, Portal, std::less<>> portals_;
};

class ScriptedFactory final : public SessionFactory {
 public:
  Result<std::unique_ptr<SessionBackend>> open(Fiber&, const StartupRequest& request) override {
    if (request.database == "nowhere") {
      return raise(sqlstate::invalid_catalog_name,
                   cat("database \"", request.database, "\" does not exist"));
    }
    requests.push_back(request);
    auto backend = std::make_unique<ScriptedBackend>();
    last = backend.get();
    return std::unique_ptr<SessionBackend>(std::move(backend));
  }
  Result<std::optional<std::string>> password_verifier(Fiber&, std::string_view role) override {
    auto found = verifiers.find(role);
    return found == verifiers.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<StartupRequest> requests;
  std::map<std::string, std::string, std::less<>> verifiers;
  ScriptedBackend* last = nullptr;  // valid while its connection is
};

}  // namespace orrery
