// Hash join: the inner side is read into a hash table, outer rows probe it. Pairs are gathered up
// to a batch before the join's other conditions look at them. In a right or full join, inner rows
// remember whether they were matched.
//
// When the table passes its memory, both sides are cut into batches by other bits of the hash: the
// table holds the rows of one batch at a time, the rows of later ones wait in temporary files. The
// number of batches doubles as often as needed; rows that are read back and belong to a still later
// batch by then are written there.
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/join_pairs.h"
#include "exec/keys.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/row_stream.h"

namespace orrery {
namespace {

constexpr size_t kMaxBatches = 1024;  // each takes a buffer on either side

// The inner side's rows of one batch, with their keys behind their columns.
class HashTable {
 public:
  HashTable(ExecContext& context, std::vector<ColumnDesc> columns)
      : context_(context), columns_(std::move(columns)) {
    store_ = std::make_unique<RowStore>(context_, columns_, RowHeads::kept);
  }

  StoredRow* add(std::span<const Vector> columns, uint32_t row) {
    rows_.push_back(store_->add(columns, row));
    return rows_.back();
  }
  void add(const StoredRow& row) { rows_.push_back(store_->add(row)); }

  // Keeps the rows that `stays` wants and hands the others to `leave`. True when some left and some
  // stayed.
  template <class Stays, class Leave>
  Result<bool> split(Stays stays, Leave leave) {
    auto kept_store = std::make_unique<RowStore>(context_, columns_, RowHeads::kept);
    std::vector<StoredRow*> kept;
    for (StoredRow* row : rows_) {
      if (stays(*row)) {
        kept.push_back(kept_store->add(*row));
      } else {
        TRY(leave(*row));
      }
      TRY(context_.fiber.charge(2));
    }
    const bool both = !kept.empty() && kept.size() < rows_.size();
    rows_ = std::move(kept);
    store_ = std::move(kept_store);
    return both;
  }

  // Links the rows into chains that keep their order of arrival.
  Status make_buckets() {
    size_t buckets = 64;
    while (buckets < rows_.size()) buckets *= 2;
    buckets_.assign(buckets, nullptr);
    for (size_t i = rows_.size(); i > 0; --i) {
      StoredRow* row = rows_[i - 1];
      row->head().next = nullptr;
      if (row->head().unmatchable) continue;
      StoredRow*& bucket = buckets_[row->head().hash & (buckets - 1)];
      row->head().next = bucket;
      bucket = row;
      if (i % kBatchRows == 0) TRY(context_.fiber.charge(kBatchRows));
    }
    return {};
  }
  StoredRow* chain(uint64_t hash) const { return buckets_[hash & (buckets_.size() - 1)]; }

  const std::vector<StoredRow*>& rows() const { return rows_; }
  const std::vector<ColumnDesc>& columns() const { return columns_; }
  size_t width() const { return columns_.size(); }
  uint64_t bytes() const { return store_->bytes() + rows_.size() * 3 * sizeof(StoredRow*); }
  void clear() {
    rows_.clear();
    store_->clear();
  }

 private:
  ExecContext& context_;
  std::vector<ColumnDesc> columns_;
  std::unique_ptr<RowStore> store_;
  std::vector<StoredRow*> rows_;
  std::vector<StoredRow*> buckets_;
};

class HashJoinOperator final : public Operator {
 public:
  HashJoinOperator(ExecContext& context, const HashJoinPlan& plan)
      : Operator(context, plan),
        join_(plan),
        hash_(static_cast<const HashPlan&>(*plan.right)),
        arena_(&context.budget),
        projection_(context) {}

  Status open() override {
    outer_width_ = plan_.left->targets.size();
    const PlanNode& inner_plan = *plan_.right->left;
    inner_width_ = inner_plan.targets.size();
    const JoinColumns columns{static_cast<int>(outer_width_)};
    TRY(projection_.compile(plan_, columns));
    if (join_.join_condition != nullptr)
      condition_ = TRY(Evaluator::compile(context_, *join_.join_condition, columns));
    const auto inner_column = [](const Expr& e) {
      return e.tag == ExprTag::var && as<VarExpr>(e).range == kInnerVar ? as<VarExpr>(e).attno - 1
                                                                        : -1;
    };
    for (const HashKey& key : join_.keys) {
      {
        auto made = TRY(Evaluator::compile(context_, *key.outer, outer_column));
        outer_keys_.push_back(std::move(made));
      }
      {
        auto made = TRY(Evaluator::compile(context_, *key.inner, inner_column));
        inner_keys_.push_back(std::move(made));
      }
      {
        auto made = TRY(key_of_type(context_, key.inner->type, 0));
        keys_.push_back(std::move(made));
      }
      {
        auto made = TRY(type_desc(context_, key.inner->type));
        descs_.push_back(std::move(made));
      }
      if (keys_.back().hash == nullptr) return unsupported("a hash join over this type");
    }
    std::vector<ColumnDesc> stored = TRY(column_descs(context_, inner_plan.targets));
    for (const ColumnDesc& desc : descs_) stored.push_back(desc);  // keys lie behind the columns
    table_.emplace(context_, std::move(stored));
    outer_descs_ = TRY(column_descs(context_, plan_.left->targets));
    outer_ = TRY(make_operator(context_, *plan_.left));
    inner_ = TRY(make_operator(context_, inner_plan));
    columns_.resize(outer_width_ + inner_width_);
    pair_columns_ = make_columns(context_.arena, outer_width_ + inner_width_);
    kept_.resize(kBatchRows);
    hashes_.resize(kBatchRows);
    null_keys_.resize(kBatchRows);
    outer_matched_.resize(kBatchRows);
    pending_.resize(kBatchRows);
    return {};
  }

  Result<Batch*> next() override {
    if (!built_) TRY(build());
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      Batch* out = TRY(phase_ == Phase::probe ? probe() : sweep());
      if (out != nullptr) return out;
      if (phase_ != Phase::done) continue;
      const bool more = TRY(next_batch());
      if (!more) return nullptr;
    }
  }

  Status rescan() override {
    outer_batch_ = nullptr;
    projection_.forget_rest();
    phase_ = Phase::probe;
    batch_ = 0;
    // A table that is whole, and of rows that stay the same, serves again.
    if (built_ && batches_ == 1 && context_.params_version(hash_.reads_params) == version_) {
      for (StoredRow* row : table_->rows()) row->head().matched = false;
      return outer_->rescan();
    }
    built_ = false;
    table_->clear();
    batches_ = 1;
    may_grow_ = true;
    inner_files_.clear();
    outer_files_.clear();
    outer_reader_.reset();
    TRY(inner_->rescan());
    return outer_->rescan();
  }

 private:
  enum class Phase : uint8_t { probe, sweep, done };
  // One match of a row is all that is asked.
  bool first_match_only() const {
    return !condition_ && (join_.join_type == JoinKind::semi || join_.join_type == JoinKind::anti ||
                           join_.inner_unique);
  }

  // Buckets use the low bits of the hash, batches the high ones.
  size_t batch_of(uint64_t hash) const { return (hash >> 40) & (batches_ - 1); }

  Status build() {
    built_ = true;
    version_ = context_.params_version(hash_.reads_params);
    Arena arena(&context_.budget);
    std::vector<Vector> all(table_->width());
    uint64_t unmatchable = 0;
    while (Batch* in = TRY(inner_->next())) {
      arena.reset();
      std::copy(in->columns.begin(), in->columns.end(), all.begin());
      for (size_t k = 0; k < inner_keys_.size(); ++k) {
        Vector key = *TRY(inner_keys_[k].evaluate(arena, *in, in->rows));
        TRY(detoast_column(context_, arena, key, in->rows, descs_[k]));
        all[inner_width_ + k] = key;
      }
      for (uint32_t i = 0; i < in->rows.count; ++i) {
        const uint32_t row = in->rows[i];
        bool null_key = false;
        uint64_t hash = 0;
        for (size_t k = 0; k < keys_.size(); ++k) {
          const Vector& key = all[inner_width_ + k];
          null_key = null_key || key.is_null(row);
          if (!null_key) hash = hash_combine(hash, keys_[k].hash(key.value(row)));
        }
        if (null_key && !keeps_inner(join_.join_type)) continue;  // matches nothing
        if (null_key) hash = hash_u64(unmatchable++);             // spread over the batches
        if (!null_key && batch_of(hash) != 0) {
          TRY(inner_file(hash).write(all, row, hash));
          continue;
        }
        StoredRow* stored = table_->add(all, row);
        stored->head().hash = hash;
        stored->head().unmatchable = null_key;
      }
      TRY(settle());
      TRY(context_.budget.check());
      TRY(context_.fiber.charge(in->rows.count * 2));
    }
    return table_->make_buckets();
  }

  // The table keeps to its batch and to its memory, as long as cutting it up helps.
  Status settle() {
    // Rows without a key were taken in whatever their batch.
    if (batches_ > 1 && table_->bytes() > context_.hash_memory_bytes()) TRY(leave_rows());
    while (table_->bytes() > context_.hash_memory_bytes() && may_grow_) {
      batches_ *= 2;
      inner_files_.resize(batches_);
      outer_files_.resize(batches_);
      const bool helped = TRY(leave_rows());
      may_grow_ = helped && batches_ < kMaxBatches;
    }
    return {};
  }
  Result<bool> leave_rows() {
    return table_->split(
        [this](const StoredRow& row) { return batch_of(row.head().hash) == batch_; },
        [this](const StoredRow& row) { return write_inner(row); });
  }

  // The rows of a batch that wait. Batches may have doubled since the file was begun: then it also
  // holds rows of batches that come later.
  struct Waiting {
    std::unique_ptr<RowStream> rows;
    size_t batches = 0;  // how many there were
  };
  bool is_mixed(const Waiting& file) const {
    return file.rows != nullptr && file.batches < batches_;
  }

  RowStream& file_of(std::vector<Waiting>& files, size_t batch, std::span<const ColumnDesc> columns,
                     RowHeads heads) {
    if (temp_ == nullptr)
      temp_ =
          std::make_unique<TempFile>(context_.fiber, context_.session.temp_space, &context_.budget);
    if (files[batch].rows == nullptr)
      files[batch] = {std::make_unique<RowStream>(*temp_, columns, heads), batches_};
    return *files[batch].rows;
  }
  RowStream& inner_file(uint64_t hash) {
    return file_of(inner_files_, batch_of(hash), table_->columns(), RowHeads::kept);
  }
  Status write_inner(const StoredRow& row) { return inner_file(row.head().hash).write(row); }

  // Goes on with the next batch that can give rows; false when there is none.
  Result<bool> next_batch() {
    outer_reader_.reset();
    if (batch_ < outer_files_.size()) outer_files_[batch_] = {};
    while (++batch_ < batches_) {
      const bool has_inner = inner_files_[batch_].rows != nullptr;
      const bool has_outer = outer_files_[batch_].rows != nullptr;
      const bool gives_rows = (has_inner && keeps_inner(join_.join_type)) ||
                              (has_outer && (has_inner || keeps_outer(join_.join_type)));
      if (!gives_rows && !is_mixed(inner_files_[batch_]) && !is_mixed(outer_files_[batch_])) {
        inner_files_[batch_] = {};
        outer_files_[batch_] = {};
        continue;
      }
      TRY(load_batch());
      phase_ = Phase::probe;
      outer_batch_ = nullptr;
      return true;
    }
    return false;
  }

  Status load_batch() {
    table_->clear();
    const std::unique_ptr<RowStream> file = std::move(inner_files_[batch_].rows);
    const bool needed = keeps_inner(join_.join_type) || outer_files_[batch_].rows != nullptr;
    if (file != nullptr) {
      RowStream::Reader reader(*file);
      Arena arena(&context_.budget);
      while (true) {
        arena.reset();
        const StoredRow* row = TRY(reader.next(arena));
        if (row == nullptr) break;
        if (batch_of(row->head().hash) != batch_) {
          TRY(write_inner(*row));
        } else if (needed) {
          table_->add(*row);
          if (table_->rows().size() % kBatchRows == 0) TRY(settle());
        }
        TRY(context_.fiber.charge(2));
      }
      TRY(settle());
      TRY(context_.budget.check());
    }
    if (outer_files_[batch_].rows != nullptr) {
      TRY(outer_files_[batch_].rows->finish());
      outer_reader_.emplace(*outer_files_[batch_].rows);
    }
    return table_->make_buckets();
  }

  // The next outer rows of this batch.
  Result<Batch*> read_outer() {
    outer_arena_.reset();
    if (batch_ == 0) return outer_->next();
    if (!outer_reader_) return static_cast<Batch*>(nullptr);
    if (loaded_.empty()) loaded_ = make_columns(context_.arena, outer_width_);
    loaded_rows_.clear();
    while (loaded_rows_.size() < kBatchRows) {
      StoredRow* row = TRY(outer_reader_->next(outer_arena_));
      if (row == nullptr) break;
      loaded_rows_.push_back(row);
    }
    if (loaded_rows_.empty()) return static_cast<Batch*>(nullptr);
    load_rows(loaded_rows_, loaded_);
    loaded_batch_ = Batch{loaded_, Rows{nullptr, static_cast<uint32_t>(loaded_rows_.size())}};
    return &loaded_batch_;
  }

  // Hashes the outer batch and puts the rows of later batches away.
  Status hash_outer() {
    const Rows rows = outer_batch_->rows;
    key_values_.clear();
    for (uint32_t i = 0; i < rows.count; ++i) {
      hashes_[rows[i]] = 0;
      null_keys_[rows[i]] = outer_matched_[rows[i]] = 0;
    }
    for (size_t k = 0; k < outer_keys_.size(); ++k) {
      Vector key = *TRY(outer_keys_[k].evaluate(outer_arena_, *outer_batch_, rows));
      TRY(detoast_column(context_, outer_arena_, key, rows, descs_[k]));
      for (uint32_t i = 0; i < rows.count; ++i) {
        const uint32_t row = rows[i];
        if (key.is_null(row))
          null_keys_[row] = 1;
        else
          hashes_[row] = hash_combine(hashes_[row], keys_[k].hash(key.value(row)));
      }
      key_values_.push_back(key);
    }
    outer_rows_ = rows;
    if (batches_ == 1) return {};
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows.count; ++i) {
      const uint32_t row = rows[i];
      const size_t batch = null_keys_[row] != 0 ? batch_ : batch_of(hashes_[row]);
      if (batch == batch_) {
        pending_[count++] = static_cast<uint16_t>(row);
      } else {
        RowStream& file = file_of(outer_files_, batch, outer_descs_, RowHeads::none);
        TRY(file.write(outer_batch_->columns, row));
      }
    }
    outer_rows_ = Rows{pending_.data(), count};
    return {};
  }

  bool keys_equal(const StoredRow& row, uint32_t outer_row) const {
    for (size_t k = 0; k < keys_.size(); ++k) {
      const Datum a = row.values()[inner_width_ + k];
      const Datum b = key_values_[k].value(outer_row);
      if (keys_[k].plain_words ? a.raw != b.raw : keys_[k].compare(a, b) != 0) return false;
    }
    return true;
  }

  // Gathers matching pairs, from where the last call stopped.
  uint32_t gather() {
    uint32_t count = 0;
    while (count < kBatchRows) {
      while (chain_ == nullptr) {
        if (outer_at_ >= outer_rows_.count) return count;
        outer_row_ = outer_rows_[outer_at_++];
        if (null_keys_[outer_row_] == 0) chain_ = table_->chain(hashes_[outer_row_]);
      }
      StoredRow* candidate = chain_;
      chain_ = chain_->head().next;
      if (candidate->head().hash != hashes_[outer_row_] || !keys_equal(*candidate, outer_row_))
        continue;
      if (first_match_only()) chain_ = nullptr;
      pair_inner_[count] = candidate;
      pair_outer_[count] = static_cast<uint16_t>(outer_row_);
      ++count;
    }
    return count;
  }

  void fill_inner(uint32_t count) {
    gather_inner(std::span(pair_columns_).subspan(outer_width_, inner_width_),
                 std::span(pair_inner_).first(count), table_->width());
  }

  Result<Batch*> probe() {
    if (outer_batch_ == nullptr) {
      outer_batch_ = TRY(read_outer());
      if (outer_batch_ == nullptr) {
        phase_ = keeps_inner(join_.join_type) ? Phase::sweep : Phase::done;
        sweep_at_ = 0;
        return nullptr;
      }
      outer_at_ = 0;
      chain_ = nullptr;
      TRY(hash_outer());
    }
    const uint32_t count = gather();
    TRY(context_.fiber.charge(outer_batch_->rows.count + count));
    if (count == 0) return finish_outer_batch();
    gather_outer(pair_columns_, outer_batch_->columns.first(outer_width_),
                 std::span(pair_outer_).first(count));
    fill_inner(count);
    const Batch pairs{pair_columns_, Rows{nullptr, count}};
    Rows rows = pairs.rows;
    if (condition_) rows = TRY(condition_->filter(arena_, pairs, rows, kept_.data()));
    uint32_t passed = 0;
    for (uint32_t i = 0; i < rows.count; ++i) {
      const uint32_t pair = rows[i];
      const bool first = outer_matched_[pair_outer_[pair]] == 0;
      outer_matched_[pair_outer_[pair]] = 1;
      pair_inner_[pair]->head().matched = true;
      if (join_.join_type == JoinKind::anti || (join_.join_type == JoinKind::semi && !first))
        continue;
      kept_[passed++] = static_cast<uint16_t>(pair);
    }
    if (passed == 0) return nullptr;
    return projection_.apply(arena_, Batch{pair_columns_, Rows{kept_.data(), passed}}, wanted);
  }

  // Outer rows nobody matched come out beside NULLs.
  Result<Batch*> finish_outer_batch() {
    Batch* batch = outer_batch_;
    outer_batch_ = nullptr;
    if (!keeps_outer(join_.join_type)) return nullptr;
    uint32_t count = 0;
    for (uint32_t i = 0; i < outer_rows_.count; ++i) {
      const auto row = static_cast<uint16_t>(outer_rows_[i]);
      if (outer_matched_[row] == 0) pair_outer_[count++] = row;
    }
    if (count == 0) return nullptr;
    std::copy(batch->columns.begin(), batch->columns.end(), columns_.begin());
    for (size_t c = 0; c < inner_width_; ++c)
      columns_[outer_width_ + c] = Vector::make_constant(arena_, NullableDatum{});
    return projection_.apply(arena_, Batch{columns_, Rows{pair_outer_, count}}, wanted);
  }

  // Inner rows nobody matched.
  Result<Batch*> sweep() {
    uint32_t count = 0;
    const std::vector<StoredRow*>& rows = table_->rows();
    while (count < kBatchRows && sweep_at_ < rows.size()) {
      if (sweep_at_ % kBatchRows == 0) TRY(context_.fiber.charge(kBatchRows));
      StoredRow* row = rows[sweep_at_++];
      if (!row->head().matched) pair_inner_[count++] = row;
    }
    if (count == 0) {
      phase_ = Phase::done;
      return nullptr;
    }
    fill_inner(count);
    std::copy(pair_columns_.begin(), pair_columns_.end(), columns_.begin());
    for (size_t c = 0; c < outer_width_; ++c)
      columns_[c] = Vector::make_constant(arena_, NullableDatum{});
    TRY(context_.fiber.charge(count));
    return projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted);
  }

  const HashJoinPlan& join_;
  const HashPlan& hash_;
  Arena arena_;
  Arena outer_arena_{&context_.budget};
  Projection projection_;
  std::optional<Evaluator> condition_;
  std::vector<Evaluator> outer_keys_, inner_keys_;
  std::vector<KeyColumn> keys_;
  std::vector<ColumnDesc> descs_, outer_descs_;
  OperatorPtr outer_, inner_;
  size_t outer_width_ = 0, inner_width_ = 0;
  std::optional<HashTable> table_;
  // Batches: which one is in the table, how many there are, and what waits for the later ones.
  size_t batch_ = 0;
  size_t batches_ = 1;  // a power of two
  bool may_grow_ = true;
  std::unique_ptr<TempFile> temp_;
  std::vector<Waiting> inner_files_, outer_files_;  // by batch
  std::optional<RowStream::Reader> outer_reader_;
  std::vector<StoredRow*> loaded_rows_;
  std::vector<Vector> loaded_;
  Batch loaded_batch_;

  std::vector<Vector> columns_;
  std::vector<Vector> pair_columns_;
  std::vector<uint16_t> kept_;
  StoredRow* pair_inner_[kBatchRows];
  uint16_t pair_outer_[kBatchRows];
  std::vector<Vector> key_values_;
  std::vector<uint64_t> hashes_;        // by row of the outer batch
  std::vector<uint8_t> null_keys_;      // by row
  std::vector<uint8_t> outer_matched_;  // by row
  std::vector<uint16_t> pending_;
  Batch* outer_batch_ = nullptr;
  Rows outer_rows_;  // of it: those of this batch
  uint32_t outer_at_ = 0;
  uint32_t outer_row_ = 0;
  StoredRow* chain_ = nullptr;
  size_t sweep_at_ = 0;
  Phase phase_ = Phase::probe;
  bool built_ = false;
  uint64_t version_ = 0;  // of the parameters the table was built with
};

}  // namespace

OperatorPtr make_hash_join(ExecContext& context, const HashJoinPlan& plan) {
  return std::make_unique<HashJoinOperator>(context, plan);
}

}  // namespace orrery
