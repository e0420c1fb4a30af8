#include "sim/sql/sql_session.h"

#include "base/text.h"
#include "fiber/scheduler.h"

namespace orrery {
namespace {

// What may befall any statement.
bool is_everyday(std::string_view code) {
  for (const std::string_view known : {"40001", "40P01", "55P03", "57014", "25P02"}) {
    if (code == known) return true;
  }
  return false;
}

}  // namespace

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
    doing_ = "connecting";
    const SqlResult result = client_.open(fiber);
    judge(result, "connecting", {});
    if (result.ok()) return true;
    const auto wait = context_.world.tape().magnitude(Site::workload, 0, 1'000'000, 50'000'000);
    if (!fiber.sleep(nanoseconds(wait)).ok()) return false;
  }
  return !context_.world.failure();
}

void SqlSession::draw_patience() {
  Duration patience{};
  if (context_.patience_max.ns != 0 && !context_.memory.peace && context_.pick(4) == 3) {
    patience = nanoseconds(
        context_.world.tape().magnitude(Site::workload, 0, 20'000'000, context_.patience_max.ns));
  }
  client_.set_patience(patience);
}

SqlResult SqlSession::run(Fiber& fiber, std::string_view text,
                          std::initializer_list<std::string_view> expected) {
  SqlResult result;
  if (!client_.is_open() || context_.world.failure()) return result;
  context_.world.note(static_cast<uint16_t>(number_ + 100), "query", text);
  doing_ = text.substr(0, 100);
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
  result = client_.execute(fiber, text, parameters);
  judge(result, text, expected);
  return result;
}

void SqlSession::judge(const SqlResult& result, std::string_view text,
                       std::initializer_list<std::string_view> expected) {
  World& world = context_.world;
  if (result.ok()) return;
  world.note(static_cast<uint16_t>(number_ + 100),
             result.is_lost() ? "connection lost" : "error met",
             cat(result.code, " ", result.message));
  if (result.end == SqlResult::End::broken) {
    context_.fail("protocol", cat(result.message, " (", text, ")"));
    return;
  }
  const std::string_view code = result.code;
  if (code.empty() || is_everyday(code) || code.starts_with("08") || code.starts_with("57P"))
    return;
  if (std::find(expected.begin(), expected.end(), code) != expected.end()) return;
  const SimDisk& disk = context_.node.disk();
  const bool is_damage = code == "XX001" || code == "XX002";
  if ((code == "58030" || code == "53100") && disk.errors_given_ever() > 0) return;
  if (is_damage && disk.damage_given_ever() > 0) return;
  if (code == "53000" && !context_.memory.peace)
    return;  // frames stay pinned while the disk stands
  context_.fail(is_damage ? "corruption" : "error",
                cat(code, " ", result.message, " without cause, from: ", text.substr(0, 300)));
}

Outcome SqlSession::transact(Fiber& fiber, std::string_view begin, FunctionRef<bool()> body) {
  ++context_.counts.transactions;
  Outcome outcome = Outcome::aborted;
  if (run(fiber, begin).ok()) {
    const bool commits = body();
    if (client_.is_open()) {
      const SqlResult ended = run(fiber, commits ? "COMMIT" : "ROLLBACK");
      if (commits && ended.ok() && ended.tags.size() == 1 && ended.tags[0] == "COMMIT") {
        outcome = Outcome::committed;
      } else if (commits && ended.is_lost()) {
        outcome = Outcome::unknown;
      }
    }
  }
  switch (outcome) {
    case Outcome::committed: ++context_.counts.committed; break;
    case Outcome::aborted:   ++context_.counts.aborted; break;
    case Outcome::unknown:   ++context_.counts.unknown; break;
  }
  return outcome;
}

}  // namespace orrery
