#include "catalog/relation_loader.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/expression_list.h"
#include "storage/file_id.h"

namespace orrery {
namespace {

// One load: reads rows of the catalogs and fills a RelationInfo.
class Loader {
 public:
  Loader(Fiber& fiber, CatalogSource& source, BuiltinCatalog& builtin, Oid database)
      : fiber_(fiber), source_(source), builtin_(builtin), database_(database) {}

  Result<std::unique_ptr<RelationInfo>> load(Oid oid);

 private:
  template <class Use>
  Status scan(Oid catalog, Oid index, Oid key, Use use) {
    const Datum keys[] = {Datum::of(key)};
    return source_.scan(fiber_, catalog, index, keys, [&](const CatalogRow& row, Tid) -> Status {
      use(row);
      return {};
    });
  }
  Status load_class(Oid oid, RelationInfo& to, bool* found);
  Status load_columns(Oid oid, TupleDesc& desc, std::vector<ColumnInfo>& columns);
  Status load_defaults(RelationInfo& to);
  Status load_identity(RelationInfo& to, ColumnInfo& column);
  Status load_indexes(RelationInfo& to);
  Status complete_index(CatalogIndex& index, const std::vector<Oid>& classes,
                        const std::vector<int16_t>& options);
  Status load_toast(RelationInfo& to);
  Status load_constraints(RelationInfo& to);
  Status load_rest(RelationInfo& to);

  Fiber& fiber_;
  CatalogSource& source_;
  BuiltinCatalog& builtin_;
  Oid database_;
};

ColumnInfo make_column(const CatalogRow& row) {
  using namespace pg_attribute;
  ColumnInfo column;
  column.name = row.name(attname);
  column.number = row.get<int16_t>(attnum);
  column.dimensions = row.get<int32_t>(attndims);
  column.has_default = row.get<bool>(atthasdef);
  column.identity = row.get<char>(attidentity);
  column.generated = row.get<char>(attgenerated);
  column.is_local = row.get<bool>(attislocal);
  column.inherited = row.get<int32_t>(attinhcount);
  column.statistics_target = row.get<int32_t>(attstattarget);
  column.compression = row.get<char>(attcompression);
  column.acl = row.text(attacl);
  return column;
}

CatalogIndex make_index(const CatalogRow& row) {
  using namespace pg_index;
  CatalogIndex index;
  index.oid = row.get<Oid>(indexrelid);
  index.relation = row.get<Oid>(indrelid);
  index.keys = row.get<int16_t>(indnkeyatts);
  index.unique = row.get<bool>(indisunique);
  index.nulls_not_distinct = row.get<bool>(indnullsnotdistinct);
  index.primary = row.get<bool>(indisprimary);
  index.exclusion = row.get<bool>(indisexclusion);
  index.immediate = row.get<bool>(indimmediate);
  index.clustered = row.get<bool>(indisclustered);
  index.valid = row.get<bool>(indisvalid);
  index.ready = row.get<bool>(indisready);
  index.live = row.get<bool>(indislive);
  index.replica_identity = row.get<bool>(indisreplident);
  index.columns = row.int2s(indkey);
  index.collations = row.oids(indcollation);
  index.predicate = row.text(indpred);
  return index;
}

ConstraintInfo make_constraint(const CatalogRow& row) {
  using namespace pg_constraint;
  ConstraintInfo constraint;
  constraint.oid = row.get<Oid>(oid);
  constraint.name = row.name(conname);
  constraint.nsp = row.get<Oid>(connamespace);
  constraint.relation = row.get<Oid>(conrelid);
  constraint.index = row.get<Oid>(conindid);
  constraint.type = row.get<char>(contype);
  constraint.deferrable = row.get<bool>(condeferrable);
  constraint.deferred = row.get<bool>(condeferred);
  constraint.validated = row.get<bool>(convalidated);
  constraint.no_inherit = row.get<bool>(connoinherit);
  constraint.columns = row.int2s(conkey);
  constraint.check_expr = row.text(conbin);
  constraint.referenced = row.get<Oid>(confrelid);
  constraint.referenced_columns = row.int2s(confkey);
  constraint.delete_set_columns = row.int2s(confdelsetcols);
  constraint.pk_fk_operators = row.oids(conpfeqop);
  constraint.pk_pk_operators = row.oids(conppeqop);
  constraint.fk_fk_operators = row.oids(conffeqop);
  constraint.on_update = row.get<char>(confupdtype);
  constraint.on_delete = row.get<char>(confdeltype);
  constraint.match = row.get<char>(confmatchtype);
  return constraint;
}

// indoption's bits
constexpr int16_t kIndexDescending = 1;
constexpr int16_t kIndexNullsFirst = 2;

int fillfactor_of(const std::vector<std::string>& options, int otherwise) {
  constexpr std::string_view kName = "fillfactor=";
  for (const std::string& option : options) {
    if (!option.starts_with(kName)) continue;
    int value = 0;
    for (char c : option.substr(kName.size())) value = value * 10 + (c - '0');
    if (value >= 10 && value <= 100) return value;
  }
  return otherwise;
}

// numeric, floats, intervals, arrays and records have equal values of different bytes.
bool equal_means_identical(Oid type) {
  constexpr uint32_t kNot[] = {700, 701, 1186, 1700, 2249, 2277, 3802, 3831, 4537, 1266};
  return std::ranges::find(kNot, type.v) == std::end(kNot);
}

Status Loader::load_class(Oid oid, RelationInfo& to, bool* found) {
  using namespace pg_class;
  *found = false;
  return scan(kRelation, kPgClassOidIndex, oid, [&](const CatalogRow& row) {
    *found = true;
    to.oid = oid;
    to.name = row.name(relname);
    to.nsp = row.get<Oid>(relnamespace);
    to.owner = row.get<Oid>(relowner);
    to.row_type = row.get<Oid>(reltype);
    to.access_method = row.get<Oid>(relam);
    to.tablespace = row.get<Oid>(reltablespace);
    to.toast = row.get<Oid>(reltoastrelid);
    to.kind = row.get<char>(relkind);
    to.persistence = row.get<char>(relpersistence);
    to.shared = row.get<bool>(relisshared);
    to.has_triggers = row.get<bool>(relhastriggers);
    to.has_rules = row.get<bool>(relhasrules);
    to.has_subclass = row.get<bool>(relhassubclass);
    to.row_security = row.get<bool>(relrowsecurity);
    to.is_populated = row.get<bool>(relispopulated);
    to.replica_identity = row.get<char>(relreplident);
    to.pages = row.get<int32_t>(relpages);
    to.tuples = row.get<float>(reltuples);
    to.all_visible = row.get<int32_t>(relallvisible);
    to.acl = row.text(relacl);
    for (std::string_view option : row.texts(reloptions)) to.options.emplace_back(option);
    to.has_indexes = row.get<bool>(relhasindex);
    to.storage.oid = oid;
    to.storage.database = to.shared ? kInvalidOid : database_;
    to.storage.name = to.name;
    if (to.has_storage())
      to.storage.file = relation_file(database_, oid, row.get<Oid>(relfilenode), to.shared);
    to.storage.fillfactor = fillfactor_of(to.options, 100);
  });
}

Status Loader::load_columns(Oid oid, TupleDesc& desc, std::vector<ColumnInfo>& columns) {
  TRY(scan(pg_attribute::kRelation, kPgAttributeRelidAttnumIndex, oid, [&](const CatalogRow& row) {
    if (row.get<int16_t>(pg_attribute::attnum) > 0) {
      desc.columns.push_back(make_column_desc(row));
      columns.push_back(make_column(row));
    }
  }));
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].number != static_cast<int16_t>(i + 1)) {
      return raise(sqlstate::data_corrupted, cat("pg_attribute lacks a column of relation ", oid,
                                                 " before number ", columns[i].number));
    }
  }
  return {};
}

// An identity column takes its values from the sequence that is part of it.
Status Loader::load_identity(RelationInfo& to, ColumnInfo& column) {
  const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(to.oid),
                        Datum::of(int32_t{column.number})};
  return source_.scan(fiber_, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                      [&](const CatalogRow& row, Tid) -> Status {
                        using namespace pg_depend;
                        if (row.get<Oid>(classid) == pg_class::kRelation &&
                            row.get<char>(deptype) == 'i' && row.get<int32_t>(objsubid) == 0)
                          column.default_expr =
                              cat("nextval('", row.get<Oid>(objid), "'::regclass)");
                        return {};
                      });
}

Status Loader::load_defaults(RelationInfo& to) {
  for (ColumnInfo& column : to.columns) {
    if (column.identity != '\0') TRY(load_identity(to, column));
  }
  if (std::ranges::none_of(to.columns, &ColumnInfo::has_default)) return {};
  return scan(pg_attrdef::kRelation, kPgAttrdefAdrelidAdnumIndex, to.oid,
              [&](const CatalogRow& row) {
                const auto number = static_cast<size_t>(row.get<int16_t>(pg_attrdef::adnum));
                if (number >= 1 && number <= to.columns.size())
                  to.columns[number - 1].default_expr = row.text(pg_attrdef::adbin);
              });
}

Status Loader::complete_index(CatalogIndex& index, const std::vector<Oid>& classes,
                              const std::vector<int16_t>& options) {
  RelationInfo own;
  bool found = false;
  TRY(load_class(index.oid, own, &found));
  if (!found) return raise(sqlstate::data_corrupted, cat("pg_class lacks index ", index.oid));
  std::vector<ColumnInfo> columns;
  TRY(load_columns(index.oid, index.storage.desc, columns));
  if (columns.size() != index.columns.size() || classes.size() != static_cast<size_t>(index.keys) ||
      options.size() != classes.size()) {
    return raise(sqlstate::data_corrupted,
                 cat("catalog rows of index ", index.oid, " do not fit each other"));
  }
  for (const ColumnInfo& column : columns) index.column_names.push_back(column.name);
  index.name = own.name;
  index.nsp = own.nsp;
  index.access_method = own.access_method;
  index.storage.oid = index.oid;
  index.storage.name = own.name;
  index.storage.file = own.storage.file;
  index.storage.unique = index.unique;
  index.storage.nulls_not_distinct = index.nulls_not_distinct;
  index.storage.fillfactor = fillfactor_of(own.options, 90);
  index.tablespace = own.tablespace;
  index.pages = own.pages;
  index.tuples = own.tuples;
  index.options = own.options;
  for (size_t i = 0; i < classes.size(); ++i) {
    const OpclassInfo* opclass = builtin_.opclass(classes[i]);
    if (opclass == nullptr)
      return raise(sqlstate::data_corrupted,
                   cat("index ", index.oid, " names operator class ", classes[i]));
    index.opclasses.push_back(opclass->oid);
    index.families.push_back(opclass->family);
    index.input_types.push_back(opclass->input_type);
    index.storage.keys.push_back({.compare = index_comparator(opclass->input_type),
                                  .descending = (options[i] & kIndexDescending) != 0,
                                  .nulls_first = (options[i] & kIndexNullsFirst) != 0});
    if (!equal_means_identical(opclass->input_type)) index.storage.deduplicate = false;
  }
  return {};
}

Status Loader::load_indexes(RelationInfo& to) {
  if (!to.has_indexes && to.kind != 'i') return {};
  struct Extra {
    std::vector<Oid> classes;
    std::vector<int16_t> options;
  };
  std::vector<Extra> extras;
  const bool own = to.kind == 'i';
  TRY(scan(pg_index::kRelation, own ? kPgIndexIndexrelidIndex : kPgIndexIndrelidIndex, to.oid,
           [&](const CatalogRow& row) {
             to.indexes.push_back(make_index(row));
             to.indexes.back().expressions = split_expressions(row.text(pg_index::indexprs));
             extras.push_back({row.oids(pg_index::indclass), row.int2s(pg_index::indoption)});
           }));
  for (size_t i = 0; i < extras.size(); ++i)
    TRY(complete_index(to.indexes[i], extras[i].classes, extras[i].options));
  std::ranges::sort(to.indexes, {}, &CatalogIndex::oid);
  return {};
}

// Which columns an update must not change to stay HOT, and which a foreign key may refer to.
void mark_indexed_columns(RelationInfo& to) {
  for (const CatalogIndex& index : to.indexes) {
    const bool whole_row = !index.expressions.empty() || !index.predicate.empty();
    for (size_t i = 0; i < (whole_row ? to.columns.size() : 0); ++i)
      to.storage.indexed.add(static_cast<int>(i));
    const bool is_key = index.unique && index.immediate && !whole_row;
    for (size_t i = 0; i < index.columns.size(); ++i) {
      if (index.columns[i] <= 0) continue;
      to.storage.indexed.add(index.columns[i] - 1);
      if (is_key && i < static_cast<size_t>(index.keys)) to.storage.keys.add(index.columns[i] - 1);
    }
  }
}

Status Loader::load_toast(RelationInfo& to) {
  if (!to.toast) return {};
  RelationInfo toast, index;
  bool found = false;
  TRY(load_class(to.toast, toast, &found));
  Oid index_oid;
  TRY(scan(pg_index::kRelation, kPgIndexIndrelidIndex, to.toast,
           [&](const CatalogRow& row) { index_oid = row.get<Oid>(pg_index::indexrelid); }));
  if (found && index_oid) TRY(load_class(index_oid, index, &found));
  // Gone before its table: what is dropped goes piece by piece.
  if (!found || !index_oid) return {};
  to.storage.toast =
      ToastTable{.oid = to.toast, .heap = toast.storage.file, .index = index.storage.file};
  return {};
}

Status Loader::load_constraints(RelationInfo& to) {
  if (to.kind != 'r') return {};
  TRY(scan(pg_constraint::kRelation, kPgConstraintConrelidContypidConnameIndex, to.oid,
           [&](const CatalogRow& row) { to.constraints.push_back(make_constraint(row)); }));
  std::ranges::sort(to.constraints, {}, &ConstraintInfo::name);
  if (!to.has_triggers) return {};
  // No index leads from a referenced table to its foreign keys; only tables with any are marked by
  // relhastriggers.
  TRY(source_.scan(fiber_, pg_constraint::kRelation, kInvalidOid, {},
                   [&](const CatalogRow& row, Tid) -> Status {
                     if (row.get<Oid>(pg_constraint::confrelid) == to.oid)
                       to.referenced_by.push_back(make_constraint(row));
                     return {};
                   }));
  std::ranges::sort(to.referenced_by, {}, &ConstraintInfo::oid);
  return {};
}

Status Loader::load_rest(RelationInfo& to) {
  TRY(scan(pg_namespace::kRelation, kPgNamespaceOidIndex, to.nsp,
           [&](const CatalogRow& row) { to.nsp_name = row.name(pg_namespace::nspname); }));
  if (to.kind == 'v') {
    TRY(scan(pg_rewrite::kRelation, kPgRewriteRelRulenameIndex, to.oid, [&](const CatalogRow& row) {
      if (row.get<char>(pg_rewrite::ev_type) == '1')
        to.view_definition = row.text(pg_rewrite::ev_action);
    }));
  }
  if (to.kind == 'S') {
    TRY(scan(pg_sequence::kRelation, kPgSequenceSeqrelidIndex, to.oid, [&](const CatalogRow& row) {
      using namespace pg_sequence;
      to.sequence = SequenceInfo{.type = row.get<Oid>(seqtypid),
                                 .start = row.get<int64_t>(seqstart),
                                 .increment = row.get<int64_t>(seqincrement),
                                 .max = row.get<int64_t>(seqmax),
                                 .min = row.get<int64_t>(seqmin),
                                 .cache = row.get<int64_t>(seqcache),
                                 .cycle = row.get<bool>(seqcycle)};
    }));
  }
  return {};
}

Result<std::unique_ptr<RelationInfo>> Loader::load(Oid oid) {
  auto to = std::make_unique<RelationInfo>();
  bool found = false;
  TRY(load_class(oid, *to, &found));
  if (!found) return std::unique_ptr<RelationInfo>();
  TRY(load_columns(oid, to->storage.desc, to->columns));
  TRY(load_defaults(*to));
  TRY(load_indexes(*to));
  mark_indexed_columns(*to);
  TRY(load_toast(*to));
  TRY(load_constraints(*to));
  TRY(load_rest(*to));
  return to;
}

}  // namespace

namespace {

// oidvectors order by length, then element by element. Their content: five int4 of array header,
// the fourth the length, then the OIDs.
int compare_oidvector(Datum a, Datum b) {
  const std::string_view left = a.text(), right = b.text();
  if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
  constexpr size_t kHeader = 20;
  for (size_t at = kHeader; at + sizeof(Oid) <= left.size(); at += sizeof(Oid)) {
    const Oid x = load<Oid>(left.data() + at), y = load<Oid>(right.data() + at);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

}  // namespace

Comparator index_comparator(Oid type) {
  constexpr Oid kOidVector{30};
  if (type == kOidVector) return compare_oidvector;
  const TypeInfo* info = find_builtin_type(type);
  return info == nullptr ? nullptr : info->compare;
}

FileId relation_file(Oid database, Oid relation, Oid relfilenode, bool shared) {
  if (relfilenode) return make_file_id(relfilenode.v);
  // Catalogs: shared ones by their OID; those of a database above all numbers that are given out
  // one by one.
  CHECK(relation < kFirstUserOid);
  return make_file_id(shared ? relation.v
                             : kFirstComputedNumber | uint64_t{database.v} << 14 | relation.v);
}

ColumnDesc make_column_desc(const CatalogRow& row) {
  using namespace pg_attribute;
  ColumnDesc desc;
  desc.type = row.get<Oid>(atttypid);
  desc.typmod = row.get<int32_t>(atttypmod);
  desc.length = row.get<int16_t>(attlen);
  const char align = row.get<char>(attalign);
  desc.alignment = align == 'c' ? 1 : align == 's' ? 2 : align == 'i' ? 4 : 8;
  desc.by_value = row.get<bool>(attbyval);
  desc.not_null = row.get<bool>(attnotnull);
  desc.dropped = row.get<bool>(attisdropped);
  const char storage = row.get<char>(attstorage);
  desc.storage = storage == 'x'   ? ColumnStorage::extended
                 : storage == 'e' ? ColumnStorage::external
                 : storage == 'm' ? ColumnStorage::main
                                  : ColumnStorage::plain;
  desc.collation = row.get<Oid>(attcollation);
  return desc;
}

Result<std::unique_ptr<RelationInfo>> load_relation(Fiber& fiber, CatalogSource& source,
                                                    BuiltinCatalog& builtin, Oid database,
                                                    Oid oid) {
  return Loader(fiber, source, builtin, database).load(oid);
}

Result<std::unique_ptr<RoleInfo>> load_role(Fiber& fiber, CatalogSource& source, Oid oid) {
  auto role = std::make_unique<RoleInfo>();
  const Datum keys[] = {Datum::of(oid)};
  TRY(source.scan(fiber, pg_authid::kRelation, kPgAuthidOidIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    using namespace pg_authid;
                    role->oid = oid;
                    role->name = row.name(rolname);
                    role->superuser = row.get<bool>(rolsuper);
                    role->inherit = row.get<bool>(rolinherit);
                    role->create_role = row.get<bool>(rolcreaterole);
                    role->create_db = row.get<bool>(rolcreatedb);
                    role->can_login = row.get<bool>(rolcanlogin);
                    role->replication = row.get<bool>(rolreplication);
                    role->bypass_rls = row.get<bool>(rolbypassrls);
                    role->connection_limit = row.get<int32_t>(rolconnlimit);
                    role->has_password = !row.is_null(rolpassword);
                    role->password = row.text(rolpassword);
                    role->has_valid_until = !row.is_null(rolvaliduntil);
                    role->valid_until = row.get<int64_t>(rolvaliduntil);
                    return {};
                  }));
  if (!role->oid) return std::unique_ptr<RoleInfo>();
  TRY(source.scan(fiber, pg_auth_members::kRelation, kPgAuthMembersMemberRoleIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    role->member_of.push_back(row.get<Oid>(pg_auth_members::roleid));
                    return {};
                  }));
  std::ranges::sort(role->member_of);
  return role;
}

}  // namespace orrery
