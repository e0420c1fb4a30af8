#include "command/relation_storage.h"

#include <algorithm>

#include "access/btree.h"
#include "access/toast.h"
#include "base/plant.h"
#include "base/text.h"
#include "command/helpers.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr int32_t kUnlimited = -1;

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

}  // namespace

Result<Oid> make_file(CommandContext& context) {
  Transaction& transaction = *context.store.transaction();
  Access& access = context.store.access();
  TRY(access.transactions().assign_xid(context.fiber, transaction));
  // It goes with the transaction even when making it is cancelled half way.
  FileId named;
  const Result<FileId> made =
      access.storage().create_file(context.fiber, transaction.xid(), &named);
  const bool is_owned = made.ok() || !PLANTED(b47_cancelled_file_kept);
  if (named.v != 0 && is_owned) transaction.created_file(named);
  TRY(made.status().clone());
  const uint64_t number = file_number(named);
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

// The table gets a new, empty file; so do its TOAST table and indexes. The TOAST table comes first:
// what is known of a table includes where its TOAST table lies, and is looked up again when the
// table's own row changes. Each is locked: a vacuum of the TOAST table holds that one alone.
Status empty_relation(CommandContext& context, Oid oid) {
  TRY(context.host.lock_relation(context.fiber, oid, kAccessExclusiveLock));
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, oid));
  CHECK(info != nullptr);
  if (info->toast) TRY(empty_relation(context, info->toast));
  CatalogWriter writer(context.store, context.catalog);
  std::vector<Oid> relations = {oid};
  for (const CatalogIndex& index : info->indexes) relations.push_back(index.oid);
  for (Oid relation : relations) {
    TRY(context.host.lock_relation(context.fiber, relation, kAccessExclusiveLock));
    const RelationInfo* old = TRY(context.catalog.relation(context.fiber, relation));
    drop_file(context, old->storage.file);
    const Oid file = TRY(make_file(context));
    TRY(writer.update_class(context.fiber, relation, [&](RowBuilder& row, const CatalogRow&) {
      row.set(pg_class::relfilenode, file).set(pg_class::relpages, int32_t{0});
      row.set(pg_class::reltuples, -1.0f).set(pg_class::relallvisible, int32_t{0});
    }));
  }
  const RelationInfo* now = TRY(context.catalog.relation(context.fiber, oid));
  for (const CatalogIndex& index : now->indexes) {
    BTree tree(context.store.access(), index.storage);
    TRY(tree.create(context.fiber, context.store.transaction()->current_xid()));
  }
  return {};
}

}  // namespace orrery
