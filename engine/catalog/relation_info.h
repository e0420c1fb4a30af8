// What the layers above know of a table, view, index or sequence: pg_class with its columns,
// indexes and constraints, made at once and immutable. Expressions are SQL text, as pg_node_tree
// columns hold them (decisions/0301), to be analyzed with the relation's columns in scope.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/relation.h"
#include "base/ids.h"
#include "catalog/entry.h"
#include "types/tuple_desc.h"

namespace orrery {

// pg_attribute; its physical side is RelationInfo::desc()[number - 1].
struct ColumnInfo {
  std::string name;    // "........pg.dropped.N........" once dropped
  int16_t number = 0;  // 1-based
  int32_t dimensions = 0;
  bool has_default = false;  // also for a generated column
  std::string default_expr;
  char identity = '\0';   // a always, d by default
  char generated = '\0';  // s stored
  bool is_local = true;
  int32_t inherited = 0;
  int32_t statistics_target = -1;
  char compression = '\0';
  std::string acl;
};

// pg_index with what it needs of pg_class and pg_opclass; `storage` is what access knows of it:
// file, columns, order, uniqueness.
struct CatalogIndex {
  Oid oid, relation, nsp, access_method;
  std::string name;
  IndexInfo storage;
  Oid tablespace;
  int32_t pages = 0;
  float tuples = -1;
  bool unique = false, primary = false, exclusion = false, immediate = true,
       nulls_not_distinct = false;
  bool clustered = false, valid = true, ready = true, live = true, replica_identity = false;
  int16_t keys = 0;              // key columns; those after them are INCLUDEd
  std::vector<int16_t> columns;  // attribute numbers of the table; 0: the next of `expressions`
  std::vector<std::string> expressions;
  std::string predicate;                                          // empty: not partial
  std::vector<Oid> collations, opclasses, families, input_types;  // of the key columns
  std::vector<std::string> column_names;                          // as shown by \d
  std::vector<std::string> options;                               // reloptions
};

// pg_constraint
struct ConstraintInfo {
  Oid oid, nsp, relation, index;
  std::string name;
  char type = 'c';  // c check, f foreign key, p primary key, u unique, x exclusion, t trigger
  bool deferrable = false, deferred = false, validated = true, no_inherit = false;
  std::vector<int16_t> columns;
  std::string check_expr;
  // foreign keys
  Oid referenced;
  std::vector<int16_t> referenced_columns;
  std::vector<int16_t> delete_set_columns;
  std::vector<Oid> pk_fk_operators, pk_pk_operators, fk_fk_operators;
  char on_update = ' ',
       on_delete = ' ';  // a no action, r restrict, c cascade, n set null, d set default
  char match = ' ';      // s simple, f full
};

// pg_sequence
struct SequenceInfo {
  Oid type;
  int64_t start = 1, increment = 1, max = 0, min = 1, cache = 1;
  bool cycle = false;
};

struct RelationInfo : CatalogEntry {
  Oid oid, nsp, owner, row_type, access_method, tablespace, toast;
  std::string name, nsp_name;
  char kind = 'r';  // relkind: r table, i index, S sequence, t TOAST, v view, c composite type ...
  char persistence = 'p';  // p permanent, u unlogged, t temporary
  bool shared = false;
  bool has_indexes = false;  // or had: relhasindex
  bool has_triggers = false, has_rules = false, row_security = false, is_populated = true,
       has_subclass = false;
  char replica_identity = 'd';
  TableInfo storage;  // file (0 for kinds without), columns, TOAST: what access knows of it
  int32_t pages = 0, all_visible = 0;
  float tuples = -1;
  std::vector<ColumnInfo> columns;          // all, dropped ones too
  std::vector<CatalogIndex> indexes;        // by OID
  std::vector<ConstraintInfo> constraints;  // on this table, by name
  std::vector<ConstraintInfo>
      referenced_by;            // foreign keys of other tables (or this) that point here
  std::string view_definition;  // the SELECT of a view
  std::optional<SequenceInfo> sequence;
  std::vector<std::string> options;  // reloptions, "fillfactor=70"
  std::string acl;                   // the stored array of aclitem; empty: default privileges

  const TupleDesc& desc() const { return storage.desc; }
  // Attribute number of a column that exists (dropped ones do not), or 0. System columns have
  // negative ones.
  int16_t column_number(std::string_view column) const;
  const ColumnInfo& column(int16_t number) const {
    return columns[static_cast<size_t>(number - 1)];
  }
  const CatalogIndex* index(Oid index) const;
  const CatalogIndex* primary_key() const;
  const ConstraintInfo* constraint(std::string_view constraint) const;
  bool has_storage() const {
    return kind == 'r' || kind == 'i' || kind == 't' || kind == 'S' || kind == 'm';
  }
};

}  // namespace orrery
