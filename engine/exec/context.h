// What one execution of a plan knows of the world around it. Owned by the session's portal;
// operators hold a reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "fiber/fiber.h"
#include "func/session_view.h"
#include "plan/plan.h"
#include "types/vector.h"

namespace orrery {

class Access;
class RelatedStatements;
struct NodeMeasure;
class Transaction;
struct Snapshot;
class Operator;
struct CteState;

// A table reduced to one row version, or to none, for a second look (recheck.h).
struct FixedRow {
  int range;  // flat
  std::optional<Tid> tid;
};

struct ExecContext {
  ExecContext(Fiber& fiber_in, Arena& arena_in, MemoryBudget& budget_in, CatalogReader& catalog_in,
              const SessionView& session_in, const Plan& plan_in);
  ExecContext(const ExecContext&) = delete;
  ~ExecContext();

  Fiber& fiber;
  Arena& arena;  // lives as long as the execution
  MemoryBudget& budget;
  CatalogReader& catalog;  // outlives the execution
  const SessionView& session;
  const Plan& plan;
  std::span<const NullableDatum> params;  // $1...; types are the statement's
  RelatedStatements* related = nullptr;   // null where no statement can be run within this one
  Access* access = nullptr;               // null where no table can be read (constant folding)
  Transaction* transaction = nullptr;
  const Snapshot* snapshot = nullptr;
  uint64_t work_mem_bytes = 4 << 20;
  double hash_mem_multiplier = 2.0;
  // What a hash table may take before it spills.
  uint64_t hash_memory_bytes() const {
    return static_cast<uint64_t>(static_cast<double>(work_mem_bytes) * hash_mem_multiplier);
  }
  std::vector<NodeMeasure>* measures = nullptr;  // by node number, when EXPLAIN ANALYZE asks
  std::span<const FixedRow> fixed_rows;
  const FixedRow* fixed_row(int range) const {
    for (const FixedRow& fixed : fixed_rows) {
      if (fixed.range == range) return &fixed;
    }
    return nullptr;
  }
  uint64_t rows_processed = 0;  // of INSERT, UPDATE, DELETE: for the command tag
  uint64_t execution = 0;       // counts restarts: what is remembered of one is not of the next

  std::vector<NullableDatum> exec_params;  // slots by number; set by nested loops and subplans
  std::vector<uint8_t> init_plan_done;     // by slot
  void set_param(int slot, NullableDatum value) {
    exec_params[static_cast<size_t>(slot)] = value;
    touch_param(slot);
  }
  void touch_param(int slot) { ++param_versions_[static_cast<size_t>(slot)]; }
  // Grows whenever one of these is set: what was computed from them holds while it stays.
  uint64_t params_version(std::span<const int> slots) const {
    uint64_t sum = 0;
    for (const int slot : slots) sum += param_versions_[static_cast<size_t>(slot)];
    return sum;
  }

  // The rows that readers of one CTE, or of one working table, share.
  CteState& shared_rows(int number);
  // Keeps an operator until the execution ends.
  void keep(std::unique_ptr<Operator> made);

 private:
  std::vector<uint64_t> param_versions_;
  std::vector<std::unique_ptr<CteState>> shared_;
  std::vector<std::unique_ptr<Operator>> kept_;
};

}  // namespace orrery
