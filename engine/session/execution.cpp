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

Execution::Execution(Fiber& fiber, StatementRef statement, const World& world)
    : statement_(std::move(statement)),
      arena_(&world.budget),
      context_(fiber, arena_, world.budget, *statement_->reader, world.session, *statement_->plan),
      plain_(&world.budget) {
  context_.measures = world.measures;
}

Execution::~Execution() = default;

Result<std::unique_ptr<Execution>> Execution::start(Fiber& fiber, StatementRef statement,
                                                    const World& world, const Snapshot& snapshot,
                                                    std::span<const NullableDatum> parameters) {
  if (world.measures == nullptr && statement->resting != nullptr &&
      &statement->resting->context_.fiber == &fiber) {
    std::unique_ptr<Execution> rested = std::move(statement->resting);
    rested->statement_ = std::move(statement);
    rested->begin(world, snapshot, parameters);
    return rested;
  }
  auto made = std::make_unique<Execution>(fiber, std::move(statement), world);
  made->begin(world, snapshot, parameters);
  TRY(made->open());
  return made;
}

void Execution::end(std::unique_ptr<Execution> execution) {
  // The statement may go with this last reference, and the plan with it.
  const StatementRef statement = execution->statement_;
  if (statement->resting == nullptr && execution->rest()) statement->resting = std::move(execution);
  execution.reset();
}

void Execution::begin(const World& world, const Snapshot& snapshot,
                      std::span<const NullableDatum> parameters) {
  parameters_.assign(parameters.begin(), parameters.end());
  snapshot_.emplace(world.access.transactions(), snapshot);
  context_.params = parameters_;
  context_.related = world.related;
  context_.access = &world.access;
  context_.transaction = &world.transaction;
  context_.snapshot = &snapshot_->get();
  context_.work_mem_bytes = world.work_mem_bytes;
  context_.hash_mem_multiplier = world.hash_mem_multiplier;
  const auto slots = static_cast<size_t>(statement_->plan->exec_params);
  context_.exec_params.assign(slots, NullableDatum{});
  context_.init_plan_done.assign(slots, 0);
}

// False: nothing of this run can serve another one.
bool Execution::rest() {
  const Plan& plan = *statement_->plan;
  if (!plan.subplans.empty() || arena_.held_bytes() > kMostBytesAtRest || !root_->restart())
    return false;
  snapshot_.reset();
  context_.snapshot = nullptr;
  context_.transaction = nullptr;
  context_.rows_processed = 0;
  ++context_.execution;
  plain_.reset();
  has_held_ = done_ = false;
  rows_returned_ = 0;
  statement_ = StatementRef();  // which owns this from now on
  return true;
}

Status Execution::open() {
  const Plan& plan = *statement_->plan;
  if (plan.returns_rows) {
    columns_.resize(plan.result_columns.size());
    for (const ResultColumn& column : statement_->columns) {
      const ColumnDesc desc = TRY(type_desc(context_, column.type));
      descs_.push_back(desc);
    }
  }
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
    if (descs_[i].length != -1) continue;
    TRY(detoast_column(context_, plain_, columns_[i], batch.rows, descs_[i]));
  }
  return {};
}

Result<const Batch*> Execution::next(uint64_t limit) {
  if (!has_held_ && !done_) {
    const uint64_t most = statement_->plan->row_by_row ? 1 : kBatchRows;
    root_->wanted = static_cast<uint32_t>(limit == 0 ? most : std::min(limit, most));
    TRY(fetch());
  }
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
  return orrery::command_tag(statement_->plan->command, rows_processed());
}

std::string command_tag(CommandType command, uint64_t rows) {
  switch (command) {
    case CommandType::select:  return cat("SELECT ", rows);
    case CommandType::insert:  return cat("INSERT 0 ", rows);
    case CommandType::update:  return cat("UPDATE ", rows);
    case CommandType::delete_: return cat("DELETE ", rows);
  }
  UNREACHABLE();
}

}  // namespace orrery
