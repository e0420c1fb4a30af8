#include "sim/sql/sql_session.h"

#include "base/text.h"
#include "fiber/scheduler.h"

namespace orrery {
namespace {

constexpr std::string_view kConnecting = "connecting";

// What may befall any statement: it met another transaction, or a server that comes or goes.
bool is_everyday(std::string_view code) {
  for (const std::string_view known : {"40001", "40P01", "57P02", "57P03"}) {
    if (code == known) return true;
  }
  return false;
}

}  // namespace

std::string letters(size_t length, uint64_t salt) {
  Prng random(salt);
  std::string text;
  for (size_t i = 0; i < length; ++i) text.push_back(static_cast<char>('a' + random.below(26)));
  return text;
}

std::string sql_literal(const SqlValue& value) {
  if (!value) return "NULL";
  std::string out = "'";
  for (const char c : *value) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

bool SqlSession::connect(Fiber& fiber) {
  while (!client_.is_open()) {
    if (context_.world.failure() || fiber.scheduler().halted()) return false;
    draw_patience();
    doing_ = kConnecting;
    ground_ = look_around();
    may_be_cancelled_ = may_be_ended_ = false;
    began_in_peace_ = context_.memory.peace;
    const SqlResult result = client_.open(fiber);
    judge(result, kConnecting, {});
    // A node that started again meanwhile leaves open to which boot the session belongs.
    if (result.ok() && look_around().boot == ground_.boot) return true;
    client_.close(fiber, false);
    const auto wait = context_.world.tape().magnitude(Site::workload, 0, 1'000'000, 50'000'000);
    if (!fiber.sleep(nanoseconds(wait)).ok()) return false;
  }
  return !context_.world.failure();
}

void SqlSession::draw_patience() {
  Duration patience{};
  const bool may_hurry = !is_patient_ && context_.patience_max.ns != 0 && !context_.memory.peace;
  if (may_hurry && context_.pick(4) == 3) {
    patience = nanoseconds(
        context_.world.tape().magnitude(Site::workload, 0, 20'000'000, context_.patience_max.ns));
  }
  client_.set_patience(patience);
}

SqlSession::Ground SqlSession::look_around() const {
  const auto fired = [&](Fault fault) { return context_.world.faults().count(fault).firings; };
  Machine& node = context_.node;
  return {.boot = node.boots(),
          .is_serving = node.is_up() && node.node()->is_serving(),
          .resets = fired(Fault::network_reset),
          .refusals = fired(Fault::network_refused)};
}

// By what has happened since the session was opened, or began to be.
bool SqlSession::may_be_lost(bool opening, bool has_ended) const {
  const Ground now = look_around();
  if (opening && (!ground_.is_serving || now.refusals != ground_.refusals)) return true;
  return !now.is_serving || now.boot != ground_.boot ||
         (!has_ended && now.resets != ground_.resets) || client_.has_patience_limit() ||
         may_be_ended_ || context_.memory.wants_rest != context_.memory.at_rest;
}

SqlResult SqlSession::run(Fiber& fiber, std::string_view text,
                          std::initializer_list<std::string_view> expected) {
  SqlResult result;
  if (!client_.is_open() || context_.world.failure()) return result;
  context_.world.note(static_cast<uint16_t>(number_ + 100), "query", text);
  doing_ = text.substr(0, 100);
  began_in_peace_ = context_.memory.peace;
  result = client_.query(fiber, text);
  judge(result, text, expected);
  return result;
}

SqlResult SqlSession::run_with(Fiber& fiber, std::string_view text,
                               std::span<const SqlValue> parameters,
                               std::initializer_list<std::string_view> expected) {
  if (!context_.uses_extended || context_.pick(2) == 0) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '$' && i + 1 < text.size() && text[i + 1] >= '1' && text[i + 1] <= '9') {
        plain += sql_literal(parameters[static_cast<size_t>(text[++i] - '1')]);
      } else {
        plain += text[i];
      }
    }
    return run(fiber, plain, expected);
  }
  SqlResult result;
  if (!client_.is_open() || context_.world.failure()) return result;
  context_.world.note(static_cast<uint16_t>(number_ + 100), "execute", text);
  doing_ = text.substr(0, 100);
  began_in_peace_ = context_.memory.peace;
  result = client_.execute(fiber, text, parameters);
  judge(result, text, expected);
  return result;
}

void SqlSession::judge(const SqlResult& result, std::string_view text,
                       std::initializer_list<std::string_view> expected) {
  if (result.ok()) return;
  last_error_ = cat(result.code, " ", result.message);
  context_.world.note(static_cast<uint16_t>(number_ + 100),
                      result.is_lost() ? "connection lost" : "error met", last_error_);
  if (result.end == SqlResult::End::broken) {
    context_.fail("protocol", cat(result.message, " (", text, ")"));
    return;
  }
  const std::string_view code = result.code;
  if (code.empty()) {
    const bool cuts = context_.world.faults().rate(Fault::network_small_buffers).per_million != 0;
    if (result.is_cut && cuts) return;
    if (may_be_lost(doing_ == kConnecting, result.has_ended)) return;
    context_.fail("error", cat("the connection was lost without cause (", result.message,
                               "), by: ", text.substr(0, 300)));
    return;
  }
  if (is_everyday(code) || has_cause(code)) return;
  if (code == "57014" && may_be_cancelled_) return;
  if (code == "57P01" && (may_be_ended_ || context_.memory.wants_rest)) return;
  if (std::find(expected.begin(), expected.end(), code) != expected.end()) return;
  const bool is_damage = code == "XX001" || code == "XX002";
  context_.fail(is_damage ? "corruption" : "error",
                cat(last_error_, " without cause, from: ", text.substr(0, 300)));
}

// What a disk that fails does to statements; not to those begun when all was whole again.
bool SqlSession::has_cause(std::string_view code) const {
  if (began_in_peace_) return false;
  const SimDisk& disk = context_.node.disk();
  if (code == "58030" || code == "53100") return disk.errors_given_ever() > 0;
  if (code == "XX001" || code == "XX002") return disk.damage_given_ever() > 0;
  return code == "53000";  // frames stay pinned while the disk stands
}

void SqlSession::expect_status(char expected, std::string_view after) {
  const char status = client_.transaction_status();
  if (!client_.is_open() || status == expected || context_.world.failure()) return;
  context_.fail("protocol", cat("transaction status '", std::string(1, status), "' instead of '",
                                std::string(1, expected), "' after ", after));
}

Outcome SqlSession::transact(Fiber& fiber, std::string_view begin, FunctionRef<bool()> body,
                             std::initializer_list<std::string_view> expected) {
  ++context_.counts.transactions;
  return count(transact_uncounted(fiber, begin, body, expected));
}

Outcome SqlSession::transact_at_once(Fiber& fiber, std::string_view text) {
  ++context_.counts.transactions;
  const SqlResult result = run(fiber, text);
  if (!result.is_lost()) expect_status('I', "a transaction in one message");
  return count(result.ok()        ? Outcome::committed
               : result.is_lost() ? Outcome::unknown
                                  : Outcome::aborted);
}

Outcome SqlSession::count(Outcome outcome) {
  switch (outcome) {
    case Outcome::committed: ++context_.counts.committed; break;
    case Outcome::aborted:   ++context_.counts.aborted; break;
    case Outcome::unknown:   ++context_.counts.unknown; break;
  }
  return outcome;
}

Outcome SqlSession::transact_uncounted(Fiber& fiber, std::string_view begin,
                                       FunctionRef<bool()> body,
                                       std::initializer_list<std::string_view> expected) {
  if (!run(fiber, begin).ok()) return Outcome::aborted;
  expect_status('T', begin);
  const bool commits = body();
  if (!client_.is_open()) return Outcome::aborted;
  if (commits) expect_status('T', "the statements of a transaction");
  const std::string_view word = commits ? "COMMIT" : "ROLLBACK";
  const SqlResult ended = run(fiber, word, expected);
  if (commits && ended.is_lost()) return Outcome::unknown;
  expect_status('I', word);
  if (!ended.ok()) return Outcome::aborted;
  if (ended.tags.size() != 1 || ended.tags[0] != word) {
    context_.fail("protocol", cat(word, " of a transaction ", commits ? "without error " : "",
                                  "was answered by ", join(ended.tags, " ")));
  }
  return commits ? Outcome::committed : Outcome::aborted;
}

}  // namespace orrery
