// Writes the rows that make up tables, indexes, constraints, types and schemas, with the
// dependencies between them. What is allowed, and what it does to the data, is decided above
// (command); here rows are made complete and consistent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/dependency.h"
#include "catalog/relation_info.h"
#include "catalog/row_builder.h"

namespace orrery {

struct NewColumn {
  std::string name;
  Oid type;
  int32_t typmod = -1;
  Oid collation;
  int32_t dimensions = 0;
  bool not_null = false;
  char identity = '\0';
  char generated = '\0';
  char storage = '\0';                       // attstorage; 0: the type's
  std::optional<std::string> default_expr;   // SQL text
  std::vector<ObjectAddress> default_needs;  // what the default depends on
};

struct NewRelation {
  Oid oid;
  std::string name;
  Oid nsp, owner;
  char kind = 'r';
  char persistence = 'p';
  Oid file;  // relfilenode; 0 for kinds without storage
  std::vector<NewColumn> columns;
  std::vector<std::string> options;
  bool has_row_type = true;
  Oid toast;
};

struct NewIndex {
  Oid oid, table;
  std::string name;
  Oid nsp, owner, file;
  bool toast = false;  // of a TOAST table
  Oid access_method;
  std::vector<int16_t> columns;  // 0: the next expression
  std::vector<std::string> column_names;
  std::vector<NewColumn> column_types;  // of the index's own columns: type, typmod, collation
  int16_t keys = 0;
  std::vector<Oid> opclasses, collations;
  std::vector<int16_t> options;  // 1 descending, 2 nulls first
  std::vector<std::string> expressions;
  std::string predicate;
  bool unique = false, primary = false, nulls_not_distinct = false, immediate = true, valid = true;
  std::vector<std::string> rel_options;
  Oid constraint;                    // of which it is a part; 0: it depends on its columns itself
  std::vector<ObjectAddress> needs;  // of expressions and predicate
};

struct NewConstraint {
  std::string name;
  Oid table, nsp;
  char type = 'c';
  bool deferrable = false, deferred = false, validated = true, no_inherit = false;
  std::vector<int16_t> columns;
  Oid index;
  std::string check_expr;
  std::vector<ObjectAddress> needs;  // of the check
  Oid referenced;
  std::vector<int16_t> referenced_columns, delete_set_columns;
  std::vector<Oid> pk_fk_operators, pk_pk_operators, fk_fk_operators;
  char on_update = ' ', on_delete = ' ', match = ' ';
};

constexpr size_t kColumnsMax = 1600;  // of a table, dropped ones among them

class CatalogWriter {
 public:
  CatalogWriter(CatalogStore& store, CatalogReader& catalog) : store_(store), catalog_(catalog) {}

  // pg_class, pg_attribute, pg_attrdef, and pg_type for the row type and its array.
  Status create_relation(Fiber& fiber, const NewRelation& relation);
  Status add_column(Fiber& fiber, const RelationInfo& relation, const NewColumn& column);
  Status create_index(Fiber& fiber, const NewIndex& index);
  Result<Oid> create_constraint(Fiber& fiber, const NewConstraint& constraint);
  // Replaces the default of a column; none: removes it.
  Status set_default(Fiber& fiber, Oid relation, int16_t column,
                     const std::optional<std::string>& expr, std::span<const ObjectAddress> needs);
  // The rule that makes a relation a view.
  Status set_view_definition(Fiber& fiber, Oid view, std::string_view sql,
                             std::span<const ObjectAddress> needs);

  // Changes the row whose OID column (key of `index`) is `key`; false when there is none.
  using Change = FunctionRef<void(RowBuilder& row, const CatalogRow& before)>;
  Result<bool> update_row(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys,
                          Change change);
  Result<int> delete_rows(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys);
  // The row of a relation in pg_class, of a column in pg_attribute.
  Status update_class(Fiber& fiber, Oid relation, Change change);
  Status update_attribute(Fiber& fiber, Oid relation, int16_t column, Change change);

  // Removes the rows of one object that find_dependents() said goes, with its dependencies and
  // comments. Files it leaves behind are told to `file_gone`.
  Status delete_object(Fiber& fiber, const ObjectAddress& object,
                       FunctionRef<void(FileId)> file_gone);

  // pg_description; an empty text removes it.
  Status set_comment(Fiber& fiber, const ObjectAddress& object, std::string_view text);
  // A name of at most 63 bytes, "name1_name2_label", made unused in the schema by a number.
  Result<std::string> choose_relation_name(Fiber& fiber, std::string_view name1,
                                           std::string_view name2, std::string_view label, Oid nsp);

 private:
  Status insert_attribute(Fiber& fiber, Oid relation, int16_t number, const NewColumn& column);
  Status insert_system_attributes(Fiber& fiber, Oid relation);
  Result<Oid> insert_default(Fiber& fiber, Oid relation, int16_t column, std::string_view expr,
                             std::span<const ObjectAddress> needs);
  Status create_row_types(Fiber& fiber, const NewRelation& relation, Oid row_type, Oid array_type);
  Status insert_index_class(Fiber& fiber, const NewIndex& index);
  Status insert_index_dependencies(Fiber& fiber, const NewIndex& index);
  Status delete_relation(Fiber& fiber, Oid relation, FunctionRef<void(FileId)> file_gone);
  Status drop_column(Fiber& fiber, Oid relation, int16_t column);
  Oid database() const;

  CatalogStore& store_;
  CatalogReader& catalog_;
};

// pg_attribute.attalign and pg_type.typalign of an alignment in bytes.
char align_letter(uint8_t alignment);
// Cut to 63 bytes at a character's edge, as identifiers are.
std::string truncate_name(std::string_view name);
// PostgreSQL's makeObjectName: both names are cut evenly until all fits in 63 bytes.
std::string make_object_name(std::string_view name1, std::string_view name2,
                             std::string_view label);

}  // namespace orrery
