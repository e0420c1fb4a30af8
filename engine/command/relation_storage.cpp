#include "command/relation_storage.h"

#include <algorithm>

#include "access/btree.h"
#include "access/table_scan.h"
#include "access/toast.h"
#include "base/text.h"
#include "exec/row_sorter.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr int32_t kUnlimited = -1;
constexpr uint64_t kBuildMemoryBytes = uint64_t{64} << 20;  // as maintenance_work_mem's default

// The widest value of a variable-length type, header included, or kUnlimited.
int32_t maximum_size(Oid type, int32_t typmod) {
  if (typmod < 0) return kUnlimited;
  constexpr int32_t kBytesPerCharacter = 4;
  if (type == type_oid::bpchar || type == type_oid::varchar) {
    return (typmod - 4) * kBytesPerCharacter + 4;
  }
  if (type == type_oid::numeric) {
    const int32_t precision = (typmod - 4) >> 16 & 0xffff;
    return 8 + ((precision + 3) / 4 + 1) * 2;
  }
  return kUnlimited;
}

bool needs_toast(const RelationInfo& table) {
  int32_t width = 0;
  bool has_toastable = false, unlimited = false;
  for (const ColumnDesc& column : table.desc().columns) {
    if (column.dropped) continue;
    width = (width + column.alignment - 1) / column.alignment * column.alignment;
    if (column.length > 0) {
      width += column.length;
      continue;
    }
    const int32_t size = maximum_size(column.type, column.typmod);
    if (size == kUnlimited) {
      unlimited = true;
    } else {
      width += size;
    }
    has_toastable |= column.storage != ColumnStorage::plain;
  }
  if (!has_toastable) return false;
  constexpr int32_t kHeaderBytes = 24;
  return unlimited || kHeaderBytes + width > static_cast<int32_t>(kToastThreshold);
}

NewColumn toast_column(std::string_view name, Oid type) {
  NewColumn column;
  column.name = name;
  column.type = type;
  return column;
}

// A tid as a word that sorts as tids do, with whether the row lives in its lowest bit; and back.
Datum tid_word(Tid tid, bool is_live) {
  return Datum::of((int64_t{tid.block.v} << 16 | tid.slot) << 1 | (is_live ? 1 : 0));
}
Tid word_tid(Datum word) {
  const auto v = word.as<int64_t>() >> 1;
  return Tid{BlockNo(static_cast<uint32_t>(v >> 16)), static_cast<uint16_t>(v)};
}
bool word_is_live(Datum word) { return (word.as<int64_t>() & 1) != 0; }

// The table's rows are sorted in the order of the index, with their tids as the last column, and
// handed to the builder.
class IndexBuild {
 public:
  IndexBuild(CommandContext& context, const RelationInfo& table, const CatalogIndex& index)
      : context_(context), table_(table), index_(index) {}

  Status run();

 private:
  Status make_sorter();
  Status read_rows();
  Status add_rows(Arena& arena, std::span<const Vector> columns, uint32_t count, const Tid* tids,
                  const TableScan& scan);
  Status duplicate(const StoredRow& row);

  CommandContext& context_;
  const RelationInfo& table_;
  const CatalogIndex& index_;
  std::vector<int16_t> scanned_;  // 0-based columns read, ascending
  std::vector<size_t> places_;    // of each index column among them
  std::optional<RowSorter> sorter_;
};

Status IndexBuild::make_sorter() {
  std::vector<ColumnDesc> columns;
  std::vector<KeyColumn> keys;
  for (size_t i = 0; i < index_.columns.size(); ++i) {
    columns.push_back(table_.desc()[static_cast<size_t>(index_.columns[i] - 1)]);
    if (i >= static_cast<size_t>(index_.keys)) continue;
    const IndexColumn& by = index_.storage.keys[i];
    keys.push_back({.column = static_cast<int>(i),
                    .compare = by.compare,
                    .hash = nullptr,
                    .descending = by.descending,
                    .nulls_first = by.nulls_first});
  }
  const CatalogType* word = TRY(context_.catalog.type(context_.fiber, type_oid::int8));
  columns.push_back(word->column());
  keys.push_back({.column = static_cast<int>(index_.columns.size()),
                  .compare = word->io.compare,
                  .hash = nullptr});
  sorter_.emplace(context_.fiber, context_.arena.budget(), std::move(columns), std::move(keys),
                  kBuildMemoryBytes);
  return {};
}

Status IndexBuild::add_rows(Arena& arena, std::span<const Vector> columns, uint32_t count,
                            const Tid* tids, const TableScan& scan) {
  const ToastTable* toast = table_.storage.toast ? &*table_.storage.toast : nullptr;
  std::vector<Vector> row;
  for (size_t i = 0; i < places_.size(); ++i) {
    Vector column = columns[places_[i]];
    row.push_back(column);
    if (table_.desc()[static_cast<size_t>(index_.columns[i] - 1)].length != -1) continue;
    for (uint32_t r = 0; r < count; ++r) {
      if (column.is_null(r) || !needs_detoast(column.value(r))) continue;
      const Datum plain =
          TRY(detoast(context_.fiber, context_.store.access(), toast, column.value(r), arena));
      row.back().values[r] = plain;
    }
  }
  row.push_back(Vector::make(arena, count));
  for (uint32_t r = 0; r < count; ++r) row.back().set(r, tid_word(tids[r], scan.is_live(r)));
  return sorter_->add(row, Rows{nullptr, count});
}

Status IndexBuild::read_rows() {
  for (int16_t column : index_.columns) {
    if (column <= 0) return unsupported("an index on an expression over existing rows");
    scanned_.push_back(static_cast<int16_t>(column - 1));
  }
  std::ranges::sort(scanned_);
  scanned_.erase(std::unique(scanned_.begin(), scanned_.end()), scanned_.end());
  for (int16_t column : index_.columns) {
    places_.push_back(
        static_cast<size_t>(std::ranges::find(scanned_, column - 1) - scanned_.begin()));
  }
  Access& access = context_.store.access();
  const Transaction* own = context_.store.transaction();
  const RegisteredSnapshot snapshot(access.transactions(),
                                    access.transactions().take_snapshot(own));
  TableScan scan(access, table_.storage, snapshot.get(), scanned_, {.for_index_build = true});
  Arena batch(context_.arena.budget());
  Arena fixed(context_.arena.budget());
  std::vector<Vector> columns;
  for (size_t i = 0; i < scanned_.size(); ++i) columns.push_back(Vector::make(fixed));
  std::vector<Tid> tids(kBatchRows);
  for (;;) {
    const uint32_t count = TRY(scan.next(context_.fiber, columns, batch, tids.data()));
    if (count == 0) break;
    TRY(add_rows(batch, columns, count, tids.data(), scan));
    batch.reset();
    TRY(context_.fiber.charge(count * 10));
  }
  if (scan.met_broken_chain()) {
    access.index_memory_of(index_.storage.file).broken_by = context_.store.transaction()->xid();
  }
  return {};
}

Status IndexBuild::duplicate(const StoredRow& row) {
  std::string values;
  for (size_t i = 0; i < static_cast<size_t>(index_.keys); ++i) {
    if (i > 0) values += ", ";
    const Oid type = table_.desc()[static_cast<size_t>(index_.columns[i] - 1)].type;
    TRY(output_value(context_.arena, context_.session.types, type, row.values()[i], values));
  }
  std::vector<std::string> names(index_.column_names.begin(),
                                 index_.column_names.begin() + index_.keys);
  return raise(sqlstate::unique_violation,
               cat("could not create unique index \"", index_.name, "\""))
      .detail(cat("Key (", join(names, ", "), ")=(", values, ") is duplicated."))
      .constraint(table_.nsp_name, table_.name, index_.name);
}

Status IndexBuild::run() {
  TRY(make_sorter());
  TRY(read_rows());
  TRY(sorter_->sort());
  const Xid xid = TRY(context_.store.access().transactions().assign_xid(
      context_.fiber, *context_.store.transaction()));
  BTreeBuilder builder(context_.store.access(), index_.storage, xid);
  const size_t width = sorter_->width();
  while (true) {
    StoredRow* row = TRY(sorter_->next());
    if (row == nullptr) break;
    const Datum word = row->values()[width - 1];
    const bool added = TRY(builder.add(context_.fiber, RowValues{row->values(), row->nulls(width)},
                                       word_tid(word), word_is_live(word)));
    if (!added) return duplicate(*row);
    TRY(context_.fiber.charge(4));
  }
  return builder.finish(context_.fiber);
}

}  // namespace

Result<Oid> make_file(CommandContext& context) {
  Transaction& transaction = *context.store.transaction();
  Access& access = context.store.access();
  TRY(access.transactions().assign_xid(context.fiber, transaction));
  const FileId file = TRY(access.storage().create_file(context.fiber, transaction.xid()));
  transaction.created_file(file);
  const uint64_t number = file_number(file);
  if (number > UINT32_MAX) return raise(sqlstate::program_limit_exceeded, "out of file numbers");
  return Oid(static_cast<uint32_t>(number));
}

void drop_file(CommandContext& context, FileId file) {
  context.store.transaction()->dropped_file(file);
}

Status make_toast_table_if_needed(CommandContext& context, Oid table) {
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, table));
  CHECK(info != nullptr);
  if (info->toast || !needs_toast(*info)) return {};
  CatalogWriter writer(context.store, context.catalog);
  NewRelation toast;
  toast.oid = TRY(context.store.new_oid(context.fiber));
  toast.name = cat("pg_toast_", table);
  toast.nsp = kPgToastNamespace;
  toast.owner = info->owner;
  toast.kind = 't';
  toast.persistence = info->persistence;
  toast.file = TRY(make_file(context));
  toast.has_row_type = false;
  toast.columns = {toast_column("chunk_id", type_oid::oid),
                   toast_column("chunk_seq", type_oid::int4),
                   toast_column("chunk_data", type_oid::bytea)};
  for (NewColumn& column : toast.columns) column.storage = 'p';
  TRY(writer.create_relation(context.fiber, toast));

  NewIndex index;
  index.oid = TRY(context.store.new_oid(context.fiber));
  index.table = toast.oid;
  index.name = cat(toast.name, "_index");
  index.nsp = kPgToastNamespace;
  index.owner = info->owner;
  index.file = TRY(make_file(context));
  index.access_method = kBtreeAccessMethod;
  index.columns = {1, 2};
  index.column_names = {"chunk_id", "chunk_seq"};
  index.column_types = {toast.columns[0], toast.columns[1]};
  index.keys = 2;
  index.opclasses = {Oid(1981), Oid(1978)};
  index.collations = {kInvalidOid, kInvalidOid};
  index.options = {0, 0};
  index.unique = index.primary = true;
  TRY(writer.create_index(context.fiber, index));
  TRY(record_dependency(context.fiber, context.store, {pg_class::kRelation, toast.oid},
                        {pg_class::kRelation, table}, DependencyType::internal));
  TRY(writer.update_class(context.fiber, table, [&](RowBuilder& row, const CatalogRow&) {
    row.set(pg_class::reltoastrelid, toast.oid);
  }));
  const RelationInfo* made = TRY(context.catalog.relation(context.fiber, toast.oid));
  CHECK(made != nullptr && made->indexes.size() == 1);
  BTree tree(context.store.access(), made->indexes[0].storage);
  return tree.create(context.fiber, context.store.transaction()->current_xid());
}

Status build_index(CommandContext& context, const RelationInfo& table, const CatalogIndex& index) {
  return IndexBuild(context, table, index).run();
}

}  // namespace orrery
