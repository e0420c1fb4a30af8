// Scans of tables: sequential, by index, by tid. A scan's columns are the table's, by attribute
// number; only those that its expressions name are read. ctid, where asked for, comes as a column
// behind the table's.
#include "access/btree.h"
#include "access/table_scan.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "exec/arrays.h"
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/table_columns.h"

namespace orrery {
namespace {

// In place of a scan when its table is reduced to one row version.
class FixedRowScan {
 public:
  FixedRowScan(ExecContext& context, const FixedRow& fixed, TableColumns& columns)
      : context_(context), fixed_(fixed), columns_(columns) {}

  // `recheck`: conditions that the scan would have applied by itself; may be null.
  Status open(const Expr* recheck) {
    if (recheck != nullptr)
      recheck_ = TRY(Evaluator::compile(context_, *recheck, columns_.layout()));
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    return {};
  }
  Result<Batch*> next(Arena& arena, Projection& projection) {
    if (given_ || !fixed_.tid) return static_cast<Batch*>(nullptr);
    given_ = true;
    const TableFetch::Fetched got =
        TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                          FetchMode::any_version, std::span<const Tid>(&*fixed_.tid, 1),
                          columns_.vectors(), 0, arena, nullptr, nullptr, nullptr));
    if (got.rows == 0) return static_cast<Batch*>(nullptr);
    const Batch row = columns_.batch(1);
    if (recheck_) {
      uint16_t kept = 0;
      const Rows still = TRY(recheck_->filter(arena, row, row.rows, &kept));
      if (still.count == 0) return static_cast<Batch*>(nullptr);
    }
    return projection.apply(arena, row);
  }
  void rewind() { given_ = false; }

 private:
  ExecContext& context_;
  const FixedRow& fixed_;
  TableColumns& columns_;
  std::optional<Evaluator> recheck_;
  std::optional<TableFetch> fetch_;
  bool given_ = false;
};

class SeqScanOperator final : public Operator {
 public:
  SeqScanOperator(ExecContext& context, const SeqScanPlan& plan)
      : Operator(context, plan),
        arena_(&context.budget),
        projection_(context),
        columns_(context,
                 *context.plan.range_table[static_cast<size_t>(plan.range - 1)]->relation) {}

  Status open() override {
    columns_.note(plan_);
    TRY(columns_.prepare());
    TRY(projection_.compile(plan_, columns_.layout()));
    const FixedRow* fixed = context_.fixed_row(static_cast<const ScanPlan&>(plan_).range);
    if (fixed != nullptr) {
      fixed_.emplace(context_, *fixed, columns_);
      return fixed_->open(nullptr);
    }
    scan_.emplace(*context_.access, columns_.relation().storage, *context_.snapshot,
                  columns_.wanted());
    return {};
  }
  Result<Batch*> next() override {
    if (fixed_) {
      arena_.reset();
      return fixed_->next(arena_, projection_);
    }
    while (true) {
      arena_.reset();
      const uint32_t count = TRY(scan_->next(context_.fiber, columns_.vectors(), arena_, nullptr));
      if (count == 0) return nullptr;
      TRY(context_.fiber.charge(count));
      Batch* out = TRY(projection_.apply(arena_, columns_.batch(count)));
      if (out != nullptr) return out;
    }
  }
  Status rescan() override {
    if (fixed_)
      fixed_->rewind();
    else
      scan_->rewind();
    return {};
  }
  bool restart() override {
    scan_->rewind();
    return true;
  }

 private:
  Arena arena_;
  Projection projection_;
  TableColumns columns_;
  std::optional<TableScan> scan_;
  std::optional<FixedRowScan> fixed_;
};

// Turns the plan's conditions into ranges of index keys. Equalities make a prefix; the first other
// condition bounds the next column. = ANY stands for one equality after the other: its elements are
// sorted as the index is and each is looked up once, so that the ranges, taken together, still run
// in index order.
class IndexBounds {
 public:
  IndexBounds(ExecContext& context, const IndexScanPlan& plan) : context_(context), plan_(plan) {}

  Status compile() {
    for (const IndexCondition& condition : plan_.conditions) {
      Condition c{&condition, std::nullopt, nullptr, {}, kInvalidOid, {}, 0};
      if (condition.strategy == IndexStrategy::any_eq) {
        const CatalogType* array =
            TRY(context_.catalog.type(context_.fiber, condition.value->type));
        c.element_type = array->element;
      }
      if (condition.value != nullptr) {
        c.value = TRY(Evaluator::compile(context_, *condition.value, outer_column));
        c.desc = TRY(type_desc(context_, condition.value->type));
      }
      if (condition.function) {
        c.compare = TRY(cross_comparator(condition));
        any_cross_ = true;
      }
      conditions_.push_back(std::move(c));
    }
    compares_.assign(static_cast<size_t>(plan_.index->keys), nullptr);
    for (size_t k = 0; k < compares_.size(); ++k)
      compares_[k] = plan_.index->storage.keys[k].compare;
    for (const Condition& c : conditions_) {
      if (c.compare != nullptr) compares_[static_cast<size_t>(c.condition->column)] = c.compare;
    }
    return {};
  }

  // Takes the values of now and makes the first range. False: no key can match (a comparison with
  // NULL, an empty array).
  Result<bool> evaluate(Arena& arena) {
    for (Condition& c : conditions_) {
      if (!c.value) continue;
      c.now = TRY(c.value->single(arena));
      if (c.now.is_null) return false;
      if (c.desc.length == -1) c.now.value = TRY(detoast(context_, arena, c.now.value));
      if (c.condition->strategy != IndexStrategy::any_eq) continue;
      TRY(take_elements(arena, c));
      if (c.elements.empty()) return false;
    }
    make_range();
    return true;
  }
  // Makes the range after the one at hand; false when there is none.
  bool advance() {
    for (size_t i = conditions_.size(); i > 0; --i) {
      Condition& c = conditions_[i - 1];
      if (c.condition->strategy != IndexStrategy::any_eq) continue;
      if (++c.at < c.elements.size()) {
        make_range();
        return true;
      }
      c.at = 0;
    }
    return false;
  }
  const IndexRange& range() const { return range_; }

 private:
  struct Condition {
    const IndexCondition* condition;
    std::optional<Evaluator> value;
    Comparator compare;
    ColumnDesc desc;
    Oid element_type;             // = ANY: of the array
    std::vector<Datum> elements;  // = ANY: distinct, not NULL, in the order of the scan
    size_t at;                    // which of them the range is for
    NullableDatum now;
  };

  Status take_elements(Arena& arena, Condition& c) {
    const IndexColumn& key = plan_.index->storage.keys[static_cast<size_t>(c.condition->column)];
    const auto all = TRY(deconstruct(context_, arena, c.element_type, c.now.value));
    c.elements.clear();
    c.at = 0;
    for (const NullableDatum& element : all) {
      if (!element.is_null) c.elements.push_back(element.value);
    }
    const bool reversed = key.descending != plan_.backward;
    std::sort(c.elements.begin(), c.elements.end(), [&](Datum a, Datum b) {
      const int order = key.compare(a, b);
      return reversed ? order > 0 : order < 0;
    });
    const auto equal = [&](Datum a, Datum b) { return key.compare(a, b) == 0; };
    c.elements.erase(std::unique(c.elements.begin(), c.elements.end(), equal), c.elements.end());
    return context_.fiber.charge(all.size() * 4);
  }

  void make_range() {
    lower_.clear();
    upper_.clear();
    range_ = IndexRange{};
    for (const Condition& c : conditions_) {
      const auto column = static_cast<size_t>(c.condition->column);
      const IndexColumn& key = plan_.index->storage.keys[column];
      switch (c.condition->strategy) {
        case IndexStrategy::eq:
          add(lower_, column, c.now);
          add(upper_, column, c.now);
          break;
        case IndexStrategy::any_eq:
          add(lower_, column, {c.elements[c.at], false});
          add(upper_, column, {c.elements[c.at], false});
          break;
        case IndexStrategy::is_null:
          add(lower_, column, {});
          add(upper_, column, {});
          break;
        case IndexStrategy::is_not_null: bound_not_null(column, key); break;
        case IndexStrategy::lt:          bound(column, key, c.now, false, false); break;
        case IndexStrategy::le:          bound(column, key, c.now, false, true); break;
        case IndexStrategy::gt:          bound(column, key, c.now, true, false); break;
        case IndexStrategy::ge:          bound(column, key, c.now, true, true); break;
      }
    }
    range_.lower = lower_;
    range_.upper = upper_;
    if (any_cross_) range_.compare = compares_;
  }

  Result<Comparator> cross_comparator(const IndexCondition& condition) {
    const FunctionInfo* function =
        TRY(context_.catalog.function(context_.fiber, condition.function));
    const Comparator found =
        function == nullptr ? nullptr : find_cross_comparator(function->source);
    if (found == nullptr)
      return unsupported(cat("index comparison by ",
                             function == nullptr ? "an unknown function" : function->name));
    return found;
  }

  static void add(std::vector<NullableDatum>& side, size_t column, NullableDatum value) {
    if (side.size() == column) side.push_back(value);
  }
  // A bound in the value's order is a bound on the other side where the index descends. The open
  // side stops at NULLs, which no comparison matches.
  void bound(size_t column, const IndexColumn& key, NullableDatum value, bool is_lower,
             bool inclusive) {
    const bool low_side = is_lower != key.descending;
    std::vector<NullableDatum>& side = low_side ? lower_ : upper_;
    if (side.size() > column) {  // replaces the fence against NULLs
      side.resize(column);
    }
    add(side, column, value);
    (low_side ? range_.lower_inclusive : range_.upper_inclusive) = inclusive;
    fence(column, key, !low_side);
  }
  void bound_not_null(size_t column, const IndexColumn& key) {
    fence(column, key, true);
    fence(column, key, false);
  }
  void fence(size_t column, const IndexColumn& key, bool low_side) {
    if (key.nulls_first != low_side) return;  // NULLs lie at the other end
    std::vector<NullableDatum>& side = low_side ? lower_ : upper_;
    if (side.size() != column) return;  // bounded already
    side.push_back({});
    (low_side ? range_.lower_inclusive : range_.upper_inclusive) = false;
  }

  ExecContext& context_;
  const IndexScanPlan& plan_;
  std::vector<Condition> conditions_;
  std::vector<NullableDatum> lower_, upper_;
  std::vector<Comparator> compares_;
  bool any_cross_ = false;
  IndexRange range_;
};

class IndexScanOperator final : public Operator {
 public:
  IndexScanOperator(ExecContext& context, const IndexScanPlan& plan)
      : Operator(context, plan),
        scan_plan_(plan),
        arena_(&context.budget),
        key_arena_(&context.budget),
        projection_(context),
        bounds_(context, plan),
        columns_(context,
                 *context.plan.range_table[static_cast<size_t>(plan.range - 1)]->relation) {}

  Status open() override {
    columns_.note(plan_);
    const FixedRow* fixed = context_.fixed_row(scan_plan_.range);
    if (fixed != nullptr) columns_.note(scan_plan_.recheck);
    TRY(columns_.prepare());
    TRY(projection_.compile(plan_, columns_.layout()));
    if (fixed != nullptr) {
      fixed_.emplace(context_, *fixed, columns_);
      return fixed_->open(scan_plan_.recheck);
    }
    TRY(bounds_.compile());
    const ScanDirection direction =
        scan_plan_.backward ? ScanDirection::backward : ScanDirection::forward;
    scan_.emplace(*context_.access, scan_plan_.index->storage, direction,
                  std::span<const int16_t>());
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    tids_ = static_cast<Tid*>(context_.arena.allocate(kBatchRows * sizeof(Tid), alignof(Tid)));
    dead_ = static_cast<uint8_t*>(context_.arena.allocate(kBatchRows, 1));
    return {};
  }

  Result<Batch*> next() override {
    if (fixed_) {
      arena_.reset();
      return fixed_->next(arena_, projection_);
    }
    if (!started_) {
      started_ = true;
      key_arena_.reset();
      done_ = !TRY(bounds_.evaluate(key_arena_));
      if (!done_) scan_->start(bounds_.range());
      at_ = found_ = 0;
      limit_ = kFirstEntries;
    }
    while (!done_) {
      if (at_ == found_) {
        found_ = TRY(scan_->next(context_.fiber, limit_, tids_, {}, nullptr));
        at_ = 0;
        limit_ = kBatchRows;
        if (found_ == 0) {
          done_ = !bounds_.advance();
          if (done_) break;
          scan_->start(bounds_.range());
          limit_ = kFirstEntries;
          continue;
        }
      }
      arena_.reset();
      const TableFetch::Fetched got =
          TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                            FetchMode::index_entry, std::span<const Tid>(tids_ + at_, found_ - at_),
                            columns_.vectors(), 0, arena_, nullptr, nullptr, dead_ + at_));
      at_ += got.tids_done;
      if (at_ == found_ && std::find(dead_, dead_ + found_, 1) != dead_ + found_) {
        TRY(scan_->kill(context_.fiber, std::span<const uint8_t>(dead_, found_)));
      }
      TRY(context_.fiber.charge(got.tids_done * 2));
      if (got.rows == 0) continue;
      Batch* out = TRY(projection_.apply(arena_, columns_.batch(got.rows)));
      if (out != nullptr) return out;
    }
    return nullptr;
  }

  Status rescan() override {
    if (fixed_) fixed_->rewind();
    started_ = done_ = false;
    return {};
  }
  bool restart() override {
    started_ = done_ = false;
    return true;
  }

 private:
  static constexpr uint32_t kFirstEntries = 16;  // a lookup of one key should not gather a thousand

  const IndexScanPlan& scan_plan_;
  Arena arena_, key_arena_;
  Projection projection_;
  IndexBounds bounds_;
  TableColumns columns_;
  std::optional<FixedRowScan> fixed_;
  std::optional<IndexScan> scan_;
  std::optional<TableFetch> fetch_;
  Tid* tids_ = nullptr;  // kBatchRows of each: the entries at hand, and which are dead
  uint8_t* dead_ = nullptr;
  uint32_t at_ = 0, found_ = 0, limit_ = kFirstEntries;
  bool started_ = false;
  bool done_ = false;
};

}  // namespace

OperatorPtr make_seq_scan(ExecContext& context, const SeqScanPlan& plan) {
  return std::make_unique<SeqScanOperator>(context, plan);
}
OperatorPtr make_index_scan(ExecContext& context, const IndexScanPlan& plan) {
  return std::make_unique<IndexScanOperator>(context, plan);
}

}  // namespace orrery
