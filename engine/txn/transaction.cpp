#include "txn/transaction.h"

#include "base/bytes.h"

namespace orrery {

Transaction::~Transaction() {
  CHECK(state_ == TransactionState::committed || state_ == TransactionState::aborted);
}

void Transaction::enter(TransactionState next) {
  CHECK(may_follow(state_, next));
  state_ = next;
}

Status Transaction::next_command() {
  if (!command_used_) return {};
  if (command_.v >= UINT32_MAX - 1) {
    return raise(sqlstate::program_limit_exceeded,
                 "cannot have more than 2^32-2 commands in a transaction");
  }
  command_ = command_.next();
  command_used_ = false;
  return {};
}

uint32_t Transaction::combine_commands(CommandId cmin, CommandId cmax) {
  const uint64_t pair = uint64_t{cmin.v} << 32 | cmax.v;
  if (const uint32_t* known = combo_of_.find(pair); known != nullptr) return *known;
  const auto combo = static_cast<uint32_t>(combos_.size());
  combos_.push_back({cmin, cmax});
  combo_of_.insert(pair, combo);
  return combo;
}

void Transaction::add_invalidation(Bytes bytes) {
  levels_.back().invalidations.append(as_text(bytes));
}

void Transaction::check() const {
  CHECK(!levels_.empty());
  for (size_t i = 1; i < levels_.size(); ++i) {
    CHECK_IF(levels_[i].xid != kInvalidXid, levels_[i - 1].xid != kInvalidXid);
    CHECK_IF(levels_[i].xid != kInvalidXid, levels_[i - 1].xid < levels_[i].xid);
  }
  CHECK_IF(state_ == TransactionState::committing, commit_ts_.v != 0);
  CHECK_IF(state_ == TransactionState::aborted, commit_ts_.v == 0);
}

void Transaction::inserted_rows(FileId file, uint64_t count) {
  std::vector<InsertedRows>& inserted = levels_.back().inserted;
  const auto same = [file](const InsertedRows& entry) { return entry.file == file; };
  const auto found = std::find_if(inserted.rbegin(), inserted.rend(), same);
  if (found != inserted.rend()) {
    found->count += count;
  } else {
    inserted.push_back({file, count});
  }
}

}  // namespace orrery
