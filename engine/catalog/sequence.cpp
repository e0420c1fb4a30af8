#include "catalog/sequence.h"

#include "access/table_scan.h"
#include "base/text.h"

namespace orrery {
namespace {

constexpr Tid kOnlyRow{BlockNo(0), 1};

struct SequenceRow {
  explicit SequenceRow(const SequenceState& state)
      : values{Datum::of(state.last_value), Datum::of(int64_t{0}), Datum::of(state.is_called)} {}
  RowValues row() const { return {values, nulls}; }
  Datum values[3];
  uint8_t nulls[3] = {};
};

Status write_row(Fiber& fiber, Access& access, Transaction& transaction, const TableInfo& table,
                 const SequenceState& state) {
  TRY(access.transactions().assign_xid(fiber, transaction));
  const SequenceRow row(state);
  return Heap(access, table).overwrite(fiber, kOnlyRow, row.row());
}

}  // namespace

Mutex& SequenceLocks::of(FileId file) {
  if (const auto* held = mutexes_.find(file)) return **held;
  mutexes_.insert(file, std::make_unique<Mutex>());
  return **mutexes_.find(file);
}

Status create_sequence_row(Fiber& fiber, Access& access, Transaction& transaction,
                           const TableInfo& table, const SequenceState& state) {
  const SequenceRow row(state);
  const Tid tid = TRY(Heap(access, table).insert(fiber, transaction, row.row()));
  CHECK(tid == kOnlyRow);
  return {};
}

Result<SequenceState> read_sequence(Fiber& fiber, Access& access, const TableInfo& table) {
  constexpr int16_t kColumns[] = {0, 1, 2};
  Arena arena;
  Vector columns[] = {Vector::make(arena, 1), Vector::make(arena, 1), Vector::make(arena, 1)};
  const RegisteredSnapshot snapshot(access.transactions(),
                                    access.transactions().take_snapshot(nullptr));
  TableFetch fetch(access, table, kColumns);
  const TableFetch::Fetched fetched =
      TRY(fetch.fetch(fiber, snapshot.get(), SnapshotKind::any, FetchMode::any_version,
                      std::span(&kOnlyRow, 1), columns, 0, arena, nullptr, nullptr, nullptr));
  if (fetched.rows != 1) {
    return raise(sqlstate::data_corrupted, cat("sequence \"", table.name, "\" has no row"));
  }
  return SequenceState{columns[0].value(0).as<int64_t>(), columns[2].value(0).as<bool>()};
}

Result<int64_t> next_value(Fiber& fiber, Access& access, SequenceLocks& locks,
                           Transaction& transaction, const RelationInfo& sequence) {
  CHECK(sequence.sequence.has_value());
  const SequenceInfo& info = *sequence.sequence;
  Mutex& mutex = locks.of(sequence.storage.file);
  TRY(mutex.lock(fiber));
  UnlockGuard guard(mutex);
  SequenceState state = TRY(read_sequence(fiber, access, sequence.storage));
  if (state.is_called) {
    int64_t next = 0;
    const bool past = __builtin_add_overflow(state.last_value, info.increment, &next) ||
                      next > info.max || next < info.min;
    if (past && !info.cycle) {
      const bool up = info.increment > 0;
      return raise(sqlstate::sequence_generator_limit_exceeded,
                   cat("nextval: reached ", up ? "maximum" : "minimum", " value of sequence \"",
                       sequence.name, "\" (", up ? info.max : info.min, ")"));
    }
    state.last_value = past ? (info.increment > 0 ? info.min : info.max) : next;
  }
  state.is_called = true;
  TRY(write_row(fiber, access, transaction, sequence.storage, state));
  return state.last_value;
}

Status set_value(Fiber& fiber, Access& access, SequenceLocks& locks, Transaction& transaction,
                 const RelationInfo& sequence, const SequenceState& state) {
  CHECK(sequence.sequence.has_value());
  const SequenceInfo& info = *sequence.sequence;
  if (state.last_value < info.min || state.last_value > info.max) {
    return raise(sqlstate::numeric_value_out_of_range,
                 cat("setval: value ", state.last_value, " is out of bounds for sequence \"",
                     sequence.name, "\" (", info.min, "..", info.max, ")"));
  }
  Mutex& mutex = locks.of(sequence.storage.file);
  TRY(mutex.lock(fiber));
  UnlockGuard guard(mutex);
  return write_row(fiber, access, transaction, sequence.storage, state);
}

}  // namespace orrery
