#include "command/create_table.h"

#include <algorithm>

#include "base/text.h"
#include "command/relation_storage.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

struct SerialType {
  std::string_view name;
  Oid type;
};
constexpr SerialType kSerialTypes[] = {
    {"serial", type_oid::int4},  {"serial4", type_oid::int4},     {"bigserial", type_oid::int8},
    {"serial8", type_oid::int8}, {"smallserial", type_oid::int2}, {"serial2", type_oid::int2}};

Status conflicting(const CommandContext& context, std::string_view what, std::string_view column,
                   std::string_view table, const Constraint& constraint) {
  return raise(sqlstate::syntax_error,
               cat(what, " for column \"", column, "\" of table \"", table, "\""))
      .at(error_position(context.text, constraint.location));
}

// DEFERRABLE and the like, which stand after a column's constraint.
struct Marks {
  ConstraintDraft* constraint = nullptr;  // that they modify; null: one that cannot be
  bool said_deferrable = false, said_initially = false;

  Status apply(CommandContext& context, const Constraint& mark);
};

bool is_mark(ConstrType type) {
  return type == ConstrType::attr_deferrable || type == ConstrType::attr_not_deferrable ||
         type == ConstrType::attr_deferred || type == ConstrType::attr_immediate;
}

std::string_view mark_words(ConstrType type) {
  if (type == ConstrType::attr_deferrable) return "DEFERRABLE";
  if (type == ConstrType::attr_not_deferrable) return "NOT DEFERRABLE";
  return type == ConstrType::attr_deferred ? "INITIALLY DEFERRED" : "INITIALLY IMMEDIATE";
}

Status Marks::apply(CommandContext& context, const Constraint& mark) {
  const auto refuse = [&](std::string message) {
    return raise(sqlstate::syntax_error, std::move(message))
        .at(error_position(context.text, mark.location));
  };
  if (constraint == nullptr) return refuse(cat("misplaced ", mark_words(mark.contype), " clause"));
  auto* changed = context.arena.make<Constraint>(*constraint->constraint);
  constraint->constraint = changed;
  const bool initially =
      mark.contype == ConstrType::attr_deferred || mark.contype == ConstrType::attr_immediate;
  if (initially ? said_initially : said_deferrable) {
    return refuse(cat("multiple ",
                      initially ? "INITIALLY IMMEDIATE/DEFERRED" : "DEFERRABLE/NOT DEFERRABLE",
                      " clauses not allowed"));
  }
  (initially ? said_initially : said_deferrable) = true;
  if (mark.contype == ConstrType::attr_deferrable) changed->deferrable = true;
  if (mark.contype == ConstrType::attr_deferred) {
    changed->initdeferred = true;
    if (!said_deferrable) changed->deferrable = true;
  }
  const bool refused = mark.contype == ConstrType::attr_not_deferrable;
  if (refused) changed->deferrable = false;
  if (changed->initdeferred && !changed->deferrable)
    return refuse("constraint declared INITIALLY DEFERRED must be DEFERRABLE");
  return {};
}

// Column constraints that say something of the column alone; the rest goes to `others`.
Status apply_column_constraints(CommandContext& context, const ColumnDef& definition,
                                std::string_view table, ColumnDraft& draft,
                                std::vector<ConstraintDraft>& others) {
  const std::string_view name = definition.colname;
  bool said_null = false, said_not_null = draft.is_serial;
  Marks marks;
  for (const Constraint* constraint : definition.constraints) {
    if (!is_mark(constraint->contype)) marks = {};
    switch (constraint->contype) {
      case ConstrType::null:
        if (said_not_null) {
          return conflicting(context, "conflicting NULL/NOT NULL declarations", name, table,
                             *constraint);
        }
        said_null = true;
        break;
      case ConstrType::notnull:
        if (said_null) {
          return conflicting(context, "conflicting NULL/NOT NULL declarations", name, table,
                             *constraint);
        }
        draft.column.not_null = said_not_null = true;
        break;
      case ConstrType::default_:
        if (draft.default_expr != nullptr || draft.is_serial) {
          return conflicting(context, "multiple default values specified", name, table,
                             *constraint);
        }
        draft.default_expr = constraint->raw_expr;
        break;
      case ConstrType::identity:
        if (draft.identity != nullptr) {
          return conflicting(context, "multiple identity specifications", name, table, *constraint);
        }
        if (draft.default_expr != nullptr || draft.is_serial) {
          return conflicting(context, "both default and identity specified", name, table,
                             *constraint);
        }
        if (said_null) {
          return conflicting(context, "conflicting NULL/NOT NULL declarations", name, table,
                             *constraint);
        }
        draft.identity = constraint;
        draft.column.identity = constraint->generated_always ? 'a' : 'd';
        draft.column.not_null = said_not_null = true;
        break;
      case ConstrType::generated:
        if (draft.default_expr != nullptr) {
          return conflicting(context, "both default and generation expression specified", name,
                             table, *constraint);
        }
        draft.default_expr = constraint->raw_expr;
        draft.column.generated = 's';
        break;
      case ConstrType::check: others.push_back({constraint, name}); break;
      case ConstrType::primary:
      case ConstrType::unique:
      case ConstrType::foreign:
      case ConstrType::exclusion:
        others.push_back({constraint, name});
        marks.constraint = &others.back();
        break;
      case ConstrType::attr_deferrable:
      case ConstrType::attr_not_deferrable:
      case ConstrType::attr_deferred:
      case ConstrType::attr_immediate:      TRY(marks.apply(context, *constraint));
    }
  }
  return {};
}

const SerialType* serial_of(const TypeName& type) {
  if (type.names.size() != 1 || type.pct_type) return nullptr;
  const auto at = std::ranges::find(kSerialTypes, type.names[0], &SerialType::name);
  return at == std::end(kSerialTypes) ? nullptr : at;
}

}  // namespace

Result<ColumnDraft> draft_column(CommandContext& context, const ColumnDef& definition,
                                 std::string_view table_name,
                                 std::vector<ConstraintDraft>& others) {
  ColumnDraft draft;
  draft.location = definition.location;
  draft.column.name = truncate_name(definition.colname);
  CHECK(definition.type_name != nullptr);
  AnalyzeContext analysis = context.analysis();
  if (const SerialType* serial = serial_of(*definition.type_name)) {
    if (!definition.type_name->array_bounds.empty()) {
      return raise(sqlstate::feature_not_supported, "array of serial is not implemented")
          .at(error_position(context.text, definition.type_name->location));
    }
    draft.is_serial = true;
    draft.column.type = serial->type;
    draft.column.not_null = true;
  } else {
    const TypeAndMod type = TRY(resolve_type_name(analysis, *definition.type_name));
    draft.column.type = type.type;
    draft.column.typmod = type.typmod;
    draft.column.dimensions = static_cast<int32_t>(definition.type_name->array_bounds.size());
  }
  const CatalogType* type = TRY(context.catalog.type(context.fiber, draft.column.type));
  CHECK(type != nullptr);
  if (type->type == 'p') {
    const std::string shown = TRY(type_name(analysis, type->oid));
    return raise(sqlstate::invalid_table_definition,
                 cat("column \"", draft.column.name, "\" has pseudo-type ", shown));
  }
  draft.column.collation = type->collation;
  if (definition.coll_clause != nullptr) {
    if (!type->collation) {
      const std::string shown = TRY(type_name(analysis, type->oid));
      return raise(sqlstate::datatype_mismatch, cat("collations are not supported by type ", shown))
          .at(error_position(context.text, definition.coll_clause->location));
    }
    draft.column.collation = TRY(resolve_collation(analysis, definition.coll_clause->collname));
  }
  TRY(apply_column_constraints(context, definition, table_name, draft, others));
  return draft;
}

namespace {

class TableCreation {
 public:
  TableCreation(CommandContext& context, const CreateStmt& statement)
      : context_(context), statement_(statement) {}

  Result<Oid> run();
  // With these columns before any of the statement's own.
  void add_columns(std::span<const NewColumn> columns);
  Status place();
  Result<bool> exists_already();

 private:
  Status refuse_unsupported();
  Status collect();
  Status add_like(const TableLikeClause& like);
  Status copy_comment(const RelationInfo& from, int32_t column);
  Status check_columns();
  Status make();
  Status finish_columns();

  CommandContext& context_;
  const CreateStmt& statement_;
  NewRelation relation_;
  std::vector<std::pair<std::string, std::string>> comments_;  // of columns, from LIKE
  std::vector<ColumnDraft> columns_;
  std::vector<ConstraintDraft> constraints_;
};

Status TableCreation::refuse_unsupported() {
  if (!statement_.inh_relations.empty() && statement_.partbound == nullptr) {
    return unsupported("INHERITS");
  }
  if (statement_.partbound != nullptr || statement_.partspec != nullptr) {
    return unsupported("partitioning");
  }
  if (statement_.of_typename != nullptr) return unsupported("CREATE TABLE OF");
  if (!statement_.access_method.empty() && statement_.access_method != "heap") {
    return raise(sqlstate::undefined_object,
                 cat("access method \"", statement_.access_method, "\" does not exist"));
  }
  if (!statement_.tablespacename.empty() && statement_.tablespacename != "pg_default") {
    return raise(sqlstate::undefined_object,
                 cat("tablespace \"", statement_.tablespacename, "\" does not exist"));
  }
  if (statement_.oncommit != OnCommitAction::noop &&
      statement_.oncommit != OnCommitAction::preserve_rows) {
    if (statement_.relation->relpersistence != RelPersistence::temp) {
      return raise(sqlstate::invalid_table_definition,
                   "ON COMMIT can only be used on temporary tables");
    }
  }
  return {};
}

Result<bool> TableCreation::exists_already() {
  const Oid taken =
      TRY(context_.catalog.relation_oid(context_.fiber, relation_.nsp, relation_.name));
  if (taken) {
    if (!statement_.if_not_exists) {
      return raise(sqlstate::duplicate_table,
                   cat("relation \"", relation_.name, "\" already exists"));
    }
    notice(context_, cat("relation \"", relation_.name, "\" already exists, skipping"));
    return true;
  }
  const Oid type = TRY(context_.catalog.type_oid(context_.fiber, relation_.nsp, relation_.name));
  if (!type) return false;
  return raise(sqlstate::duplicate_object, cat("type \"", relation_.name, "\" already exists"))
      .hint(
          "A relation has an associated type of the same name, so you must use a name that "
          "doesn't conflict with any existing type.");
}

Status TableCreation::copy_comment(const RelationInfo& from, int32_t column) {
  const Datum keys[] = {Datum::of(from.oid), Datum::of(pg_class::kRelation), Datum::of(column)};
  return context_.store.scan(
      context_.fiber, pg_description::kRelation, kPgDescriptionOCOIndex, keys,
      [&](const CatalogRow& row, Tid) -> Status {
        comments_.push_back({from.columns[static_cast<size_t>(column - 1)].name,
                             std::string(row.text(pg_description::description))});
        return {};
      });
}

// LIKE copies names, types and NOT NULL; with INCLUDING DEFAULTS the defaults that name nothing of
// the other table.
Status TableCreation::add_like(const TableLikeClause& like) {
  AnalyzeContext analysis = context_.analysis();
  const RelationInfo* from = TRY(resolve_relation(analysis, *like.relation, kAccessShareLock));
  constexpr uint32_t kDone =
      kLikeDefaults | kLikeComments | kLikeStatistics | kLikeStorage | kLikeCompression;
  if ((like.options & ~kDone) != 0) {
    return unsupported("LIKE ... INCLUDING CONSTRAINTS, GENERATED, IDENTITY or INDEXES");
  }
  for (size_t i = 0; i < from->columns.size(); ++i) {
    const ColumnDesc& desc = from->desc()[i];
    if (desc.dropped) continue;
    if ((like.options & kLikeComments) != 0) TRY(copy_comment(*from, static_cast<int>(i + 1)));
    ColumnDraft draft;
    draft.column.name = from->columns[i].name;
    draft.column.type = desc.type;
    draft.column.typmod = desc.typmod;
    draft.column.collation = desc.collation;
    draft.column.dimensions = from->columns[i].dimensions;
    draft.column.not_null = desc.not_null;
    if ((like.options & kLikeDefaults) != 0 && from->columns[i].has_default &&
        from->columns[i].generated == '\0') {
      draft.column.default_expr = from->columns[i].default_expr;
    }
    columns_.push_back(std::move(draft));
  }
  return {};
}

Status TableCreation::collect() {
  for (const Node* element : statement_.table_elts) {
    if (const auto* column = as_if<ColumnDef>(element)) {
      ColumnDraft draft = TRY(draft_column(context_, *column, relation_.name, constraints_));
      columns_.push_back(std::move(draft));
    } else if (const auto* constraint = as_if<Constraint>(element)) {
      constraints_.push_back({constraint, {}});
    } else if (const auto* like = as_if<TableLikeClause>(element)) {
      TRY(add_like(*like));
    }
  }
  return check_columns();
}

Status TableCreation::check_columns() {
  if (columns_.size() > kColumnsMax) {
    return raise(sqlstate::too_many_columns,
                 cat("tables can have at most ", kColumnsMax, " columns"));
  }
  const RelationInfo probe;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string& name = columns_[i].column.name;
    if (probe.column_number(name) < 0) {
      return raise(sqlstate::duplicate_column,
                   cat("column name \"", name, "\" conflicts with a system column name"));
    }
    for (size_t j = 0; j < i; ++j) {
      if (columns_[j].column.name == name) {
        return raise(sqlstate::duplicate_column,
                     cat("column \"", name, "\" specified more than once"));
      }
    }
  }
  // Columns of a primary key are NOT NULL from the start.
  for (const ConstraintDraft& draft : constraints_) {
    if (draft.constraint->contype != ConstrType::primary) continue;
    for (ColumnDraft& column : columns_) {
      const bool is_key = column.column.name == draft.column ||
                          std::ranges::find(draft.constraint->keys, column.column.name) !=
                              draft.constraint->keys.end();
      if (is_key) column.column.not_null = true;
    }
  }
  return {};
}

Status TableCreation::make() {
  CatalogWriter writer(context_.store, context_.catalog);
  relation_.oid = TRY(context_.store.new_oid(context_.fiber));
  relation_.file = TRY(make_file(context_));
  relation_.options = TRY(storage_options(statement_.options, 'r'));
  for (const ColumnDraft& draft : columns_) relation_.columns.push_back(draft.column);
  TRY(context_.host.lock_relation(context_.fiber, relation_.oid, kAccessExclusiveLock));
  TRY(writer.create_relation(context_.fiber, relation_));
  return make_toast_table_if_needed(context_, relation_.oid);
}

Status TableCreation::finish_columns() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto number = static_cast<int16_t>(i + 1);
    const ColumnDraft& draft = columns_[i];
    if (draft.is_serial || draft.identity != nullptr) {
      TRY(make_column_sequence(
          context_, relation_.oid, number, draft.column.type,
          draft.identity == nullptr ? ListOf<DefElem>() : draft.identity->options,
          draft.identity != nullptr));
    } else if (draft.default_expr != nullptr) {
      TRY(store_default(context_, relation_.oid, number, *draft.default_expr,
                        draft.column.generated != '\0'));
    }
  }
  return {};
}

void TableCreation::add_columns(std::span<const NewColumn> columns) {
  for (const NewColumn& column : columns) columns_.push_back({.column = column});
}

// Which schema the table goes to, and under what name.
Status TableCreation::place() {
  relation_.nsp = TRY(creation_schema(context_, *statement_.relation));
  relation_.name = truncate_name(statement_.relation->relname);
  relation_.owner = current_role(context_);
  if (statement_.relation->relpersistence == RelPersistence::unlogged) relation_.persistence = 'u';
  if (statement_.relation->relpersistence == RelPersistence::temp) relation_.persistence = 't';
  return {};
}

Result<Oid> TableCreation::run() {
  TRY(refuse_unsupported());
  TRY(place());
  const bool exists = TRY(exists_already());
  if (exists) return Oid();
  TRY(collect());
  TRY(make());
  if (statement_.oncommit == OnCommitAction::drop) context_.host.on_commit(relation_.oid, true);
  if (statement_.oncommit == OnCommitAction::delete_rows)
    context_.host.on_commit(relation_.oid, false);
  TRY(finish_columns());
  for (const auto& [name, text] : comments_) {
    const RelationInfo* made = TRY(context_.catalog.relation(context_.fiber, relation_.oid));
    CatalogWriter writer(context_.store, context_.catalog);
    TRY(writer.set_comment(context_.fiber,
                           {pg_class::kRelation, relation_.oid, made->column_number(name)}, text));
  }
  TRY(add_constraints(context_, relation_.oid, constraints_, false));
  return relation_.oid;
}

// CREATE TABLE AS as CREATE TABLE would say it, but for the columns; nobody points at its name.
CreateStmt table_of(CommandContext& context, const CreateTableAsStmt& statement) {
  CreateStmt table;
  auto* name = context.arena.make<RangeVar>(*statement.into->rel);
  name->location = -1;
  table.relation = name;
  table.access_method = statement.into->access_method;
  table.options = statement.into->options;
  table.oncommit = statement.into->on_commit;
  table.tablespacename = statement.into->table_space_name;
  table.if_not_exists = statement.if_not_exists;
  return table;
}

}  // namespace

Result<std::string> create_table(CommandContext& context, const CreateStmt& statement) {
  TRY(TableCreation(context, statement).run());
  return std::string("CREATE TABLE");
}

Result<bool> table_as_exists(CommandContext& context, const CreateTableAsStmt& statement) {
  const CreateStmt table = table_of(context, statement);
  TableCreation creation(context, table);
  TRY(creation.place());
  return creation.exists_already();
}

Result<Oid> create_table_as(CommandContext& context, const CreateTableAsStmt& statement,
                            std::span<const NewColumn> columns) {
  const CreateStmt table = table_of(context, statement);
  TableCreation creation(context, table);
  creation.add_columns(columns);
  return creation.run();
}

}  // namespace orrery
