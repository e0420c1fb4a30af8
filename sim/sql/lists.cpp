#include "sim/sql/lists.h"

#include <charconv>

#include "base/text.h"
#include "sim/sql/history_check.h"

namespace orrery {
namespace {

// " 1 2 3".
std::optional<std::vector<uint64_t>> parse_list(const SqlValue& value) {
  if (!value) return std::nullopt;
  std::vector<uint64_t> numbers;
  std::string_view rest = *value;
  while (!rest.empty()) {
    if (rest[0] == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) return std::nullopt;
    numbers.push_back(number);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  }
  return numbers;
}

class Lists final : public SqlRole {
 public:
  explicit Lists(SqlContext& context)
      : context_(context),
        lists_(static_cast<uint32_t>(context.world.tape().magnitude(Site::knob, 0, 2, 16))) {}

  bool set_up(Fiber& fiber, SqlSession& session) override {
    if (!session.run(fiber, "CREATE TABLE lists (id int4 PRIMARY KEY, list text NOT NULL)").ok()) {
      return false;
    }
    for (uint32_t id = 0; id < lists_; ++id) {
      if (!session.run(fiber, cat("INSERT INTO lists VALUES (", id, ", '')")).ok()) return false;
    }
    return true;
  }

  bool step(Fiber& fiber, SqlSession& session) override {
    const size_t number = history_.size();
    history_.emplace_back();
    const bool repeatable = context_.pick(2) == 1;
    history_[number].repeatable_read = repeatable;
    history_[number].began = ++moment_;
    const bool gives_up = context_.pick(12) == 11;
    const Outcome outcome = session.transact(
        fiber, repeatable ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN", [&] {
          const uint64_t operations = 1 + context_.pick(4);
          for (uint64_t i = 0; i < operations; ++i) {
            if (!operate(fiber, session, number)) return false;
          }
          return !gives_up;
        });
    ListTransaction& done = history_[number];
    if (outcome == Outcome::committed) {
      done.end = ListTransaction::End::committed;
      done.ended = ++moment_;
    } else if (outcome == Outcome::aborted) {
      done.end = ListTransaction::End::aborted;
    }
    return outcome == Outcome::committed;
  }

  bool audit(Fiber& fiber, SqlSession& session) override {
    const SqlResult all = session.run(fiber, "SELECT id, list FROM lists");
    if (!all.ok()) return false;
    std::map<uint32_t, std::vector<uint64_t>> lists;
    for (const SqlRow& row : all.rows) {
      const auto id = row.size() == 2 ? parse_list(row[0]) : std::nullopt;
      const auto list = row.size() == 2 ? parse_list(row[1]) : std::nullopt;
      if (!id || id->size() != 1 || !list) {
        context_.fail("model", "a list is no list");
        return true;
      }
      lists[static_cast<uint32_t>((*id)[0])] = *list;
    }
    if (lists.size() != lists_) {
      context_.fail("model", cat(lists.size(), " lists are seen instead of ", lists_));
    }
    std::string wrong = check_history(history_, lists);
    if (!wrong.empty()) context_.fail("isolation", std::move(wrong));
    settle(lists);
    return true;
  }

 private:
  // What is unknown has happened by now, or never will.
  void settle(const std::map<uint32_t, std::vector<uint64_t>>& lists) {
    for (ListTransaction& transaction : history_) {
      if (transaction.end != ListTransaction::End::unknown) continue;
      for (const ListOperation& operation : transaction.operations) {
        if (!operation.is_append) continue;
        const auto list = lists.find(operation.list);
        const bool is_there =
            list != lists.end() &&
            std::ranges::find(list->second, operation.number) != list->second.end();
        transaction.end =
            is_there ? ListTransaction::End::committed : ListTransaction::End::aborted;
        break;
      }
    }
  }

  bool operate(Fiber& fiber, SqlSession& session, size_t number) {
    ListOperation operation;
    operation.list = static_cast<uint32_t>(context_.pick(lists_));
    operation.is_append = context_.pick(2) == 1;
    const std::string id = cat(operation.list);
    if (!operation.is_append) {
      const SqlValue values[] = {id};
      const SqlResult result =
          session.run_with(fiber, "SELECT list FROM lists WHERE id = $1", values);
      if (!result.ok()) return false;
      const auto state = result.rows.size() == 1 ? parse_list(result.rows[0][0]) : std::nullopt;
      if (!state) {
        context_.fail("isolation", cat("list ", id, " is not found"));
        return false;
      }
      operation.state = *state;
      history_[number].operations.push_back(std::move(operation));
      return true;
    }
    operation.number = ++appended_;
    // Known before it is sent: it may happen and never be answered.
    history_[number].operations.push_back(operation);
    const SqlValue values[] = {id, cat(operation.number)};
    const SqlResult result =
        session.run_with(fiber, "UPDATE lists SET list = list || ' ' || $2 WHERE id = $1", values);
    if (result.ok() && (result.tags.size() != 1 || result.tags[0] != "UPDATE 1")) {
      context_.fail("isolation", cat("list ", id, " could not be appended to"));
    }
    return result.ok();
  }

  SqlContext& context_;
  const uint32_t lists_;
  std::vector<ListTransaction> history_;
  uint64_t appended_ = 0;
  uint64_t moment_ = 0;
};

}  // namespace

std::unique_ptr<SqlRole> make_lists(SqlContext& context) {
  return std::make_unique<Lists>(context);
}

}  // namespace orrery
