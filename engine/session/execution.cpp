#include "session/execution.h"

#include "base/text.h"
#include "exec/detoast.h"
#include "exec/functions.h"

namespace orrery {
namespace {

// The dense rows as a list, so that a part of them is a part of it.
constexpr auto kEveryRow = [] {
  std::array<uint16_t, kBatchRows> rows{};
  for (uint32_t i = 0; i < kBatchRows; ++i) rows[i] = static_cast<uint16_t>(i);
  return rows;
}();

}  // namespace

Execution::Execution(Fiber& fiber, StatementRef statement, const World& world,
                     const Snapshot& snapshot, std::span<const NullableDatum> parameters)
    : statement_(std::move(statement)),
      arena_(&world.budget),
      parameters_(parameters.begin(), parameters.end()),
      snapshot_(world.access.transactions(), snapshot),
      context_(fiber, arena_, world.budget, world.catalog, world.session, *statement_->plan),
      plain_(&world.budget) {
  context_.params = parameters_;
  context_.related = world.related;
  context_.access = &world.access;
  context_.transaction = &world.transaction;
  context_.snapshot = &snapshot_.get();
  context_.work_mem_bytes = world.work_mem_bytes;
}

Execution::~Execution() = default;

Status Execution::start() {
  const Plan& plan = *statement_->plan;
  context_.exec_params.resize(static_cast<size_t>(plan.exec_params));
  context_.init_plan_done.resize(static_cast<size_t>(plan.exec_params));
  if (plan.returns_rows) columns_.resize(plan.result_columns.size());
  root_ = TRY(make_operator(context_, *plan.root));
  return {};
}

// Takes the next batch of the plan into `held_`.
Status Execution::fetch() {
  while (true) {
    TRY(context_.fiber.check_interrupts());
    Batch* batch = TRY(root_->next());
    if (batch == nullptr) {
      done_ = true;
      return {};
    }
    if (!statement_->plan->returns_rows) continue;
    // Result columns come first among the root's targets; what sorting and locking added follows.
    CHECK(batch->columns.size() >= columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) columns_[i] = batch->columns[i];
    held_ = Batch{.columns = columns_, .rows = batch->rows};
    if (held_.rows.index == nullptr) held_.rows.index = kEveryRow.data();
    has_held_ = true;
    return make_plain(held_);
  }
}

Status Execution::make_plain(Batch& batch) {
  plain_.reset();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const ColumnDesc desc = TRY(type_desc(context_, statement_->columns[i].type));
    if (desc.length != -1) continue;
    TRY(detoast_column(context_, plain_, batch.columns[i], batch.rows, desc));
  }
  return {};
}

Result<const Batch*> Execution::next(uint64_t limit) {
  if (!has_held_ && !done_) TRY(fetch());
  if (!has_held_) return static_cast<const Batch*>(nullptr);
  out_ = held_;
  if (limit > 0 && held_.rows.count > limit) {
    const auto taken = static_cast<uint32_t>(limit);
    out_.rows.count = taken;
    held_.rows.count -= taken;
    held_.rows.index += taken;
  } else {
    has_held_ = false;
  }
  rows_returned_ += out_.rows.count;
  return static_cast<const Batch*>(&out_);
}

uint64_t Execution::rows_processed() const {
  return statement_->plan->command == CommandType::select ? rows_returned_
                                                          : context_.rows_processed;
}

std::string Execution::command_tag() const {
  switch (statement_->plan->command) {
    case CommandType::select:  return cat("SELECT ", rows_processed());
    case CommandType::insert:  return cat("INSERT 0 ", rows_processed());
    case CommandType::update:  return cat("UPDATE ", rows_processed());
    case CommandType::delete_: return cat("DELETE ", rows_processed());
  }
  UNREACHABLE();
}

}  // namespace orrery
