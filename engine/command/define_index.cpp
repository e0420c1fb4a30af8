#include "command/define_index.h"

#include <algorithm>

#include "access/btree.h"
#include "analyze/deparse.h"
#include "base/text.h"
#include "command/relation_storage.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

class IndexDefiner {
 public:
  IndexDefiner(CommandContext& context, const IndexDefinition& definition)
      : context_(context), definition_(definition) {}

  Result<Oid> define(Oid table);

 private:
  Status check_table();
  Status add_key(const IndexKey& key);
  Status add_plain_column(std::string_view name, bool is_key);
  Status add_expression(const Node& expr);
  Result<Oid> find_opclass(const IndexKey& key, Oid type);
  Status choose_name();
  Status create_constraint();
  Status add_predicate();

  CommandContext& context_;
  const IndexDefinition& definition_;
  const RelationInfo* table_ = nullptr;
  NewIndex index_;
};

Status IndexDefiner::check_table() {
  if (table_->kind == 'r') return {};
  return raise(sqlstate::wrong_object_type,
               cat("cannot create index on relation \"", table_->name, "\""))
      .detail(table_->kind == 'v'   ? "This operation is not supported for views."
              : table_->kind == 'S' ? "This operation is not supported for sequences."
                                    : "This operation is not supported for this kind of relation.");
}

Status IndexDefiner::add_plain_column(std::string_view name, bool is_key) {
  const int16_t number = table_->column_number(name);
  if (number == 0) {
    if (definition_.is_constraint) {
      return raise(sqlstate::undefined_column,
                   cat("column \"", name, "\" named in key does not exist"));
    }
    return raise(sqlstate::undefined_column, cat("column \"", name, "\" does not exist"));
  }
  if (number < 0) {
    return raise(sqlstate::feature_not_supported,
                 "index creation on system columns is not supported");
  }
  const ColumnDesc& desc = table_->desc()[static_cast<size_t>(number - 1)];
  NewColumn column;
  column.type = desc.type;
  column.typmod = desc.typmod;
  column.collation = desc.collation;
  index_.columns.push_back(number);
  index_.column_names.emplace_back(name);
  index_.column_types.push_back(column);
  if (is_key) index_.collations.push_back(desc.collation);
  return {};
}

Status IndexDefiner::add_expression(const Node& node) {
  AnalyzeContext analysis = context_.analysis();
  Expr* expr = TRY(analyze_expression(analysis, node, table_, kInvalidOid, -1, {}));
  TRY(check_stored_expression(analysis, *expr, "index expressions", true));
  StoredExpression stored = TRY(store_expression(analysis, *expr, table_));
  NewColumn column;
  column.type = expr->type;
  column.typmod = expr->typmod;
  column.collation = expr->collation;
  index_.columns.push_back(0);
  index_.column_names.push_back(expression_name(node));
  index_.column_types.push_back(column);
  index_.collations.push_back(expr->collation);
  index_.expressions.push_back(std::move(stored.sql));
  index_.needs.insert(index_.needs.end(), stored.needs.begin(), stored.needs.end());
  return {};
}

Result<Oid> IndexDefiner::find_opclass(const IndexKey& key, Oid type) {
  BuiltinCatalog& builtin = context_.catalog.builtin();
  if (key.opclass.empty()) {
    const Oid opclass =
        TRY(context_.catalog.default_opclass(context_.fiber, type, index_.access_method));
    if (opclass) return opclass;
    AnalyzeContext analysis = context_.analysis();
    const std::string shown = TRY(type_name(analysis, type));
    return raise(sqlstate::undefined_object,
                 cat("data type ", shown, " has no default operator class for access method \"",
                     definition_.access_method, "\""))
        .hint(
            "You must specify an operator class for the index or define a default operator class "
            "for the data type.");
  }
  const Oid named = builtin.opclass(index_.access_method, key.opclass.back());
  if (!named) {
    return raise(sqlstate::undefined_object,
                 cat("operator class \"", key.opclass.back(),
                     "\" does not exist for access method \"", definition_.access_method, "\""));
  }
  const OpclassInfo* opclass = builtin.opclass(named);
  const bool fits =
      TRY(context_.catalog.is_binary_coercible(context_.fiber, type, opclass->input_type));
  if (!fits) {
    AnalyzeContext analysis = context_.analysis();
    const std::string shown = TRY(type_name(analysis, type));
    return raise(sqlstate::datatype_mismatch,
                 cat("operator class \"", opclass->name, "\" does not accept data type ", shown));
  }
  return named;
}

Status IndexDefiner::add_key(const IndexKey& key) {
  if (key.expr != nullptr) {
    TRY(add_expression(*key.expr));
  } else {
    TRY(add_plain_column(key.name, true));
  }
  if (!key.collation.empty()) {
    AnalyzeContext analysis = context_.analysis();
    const Oid collation = TRY(resolve_collation(analysis, key.collation));
    index_.collations.back() = collation;
    index_.column_types.back().collation = collation;
  }
  const Oid opclass = TRY(find_opclass(key, index_.column_types.back().type));
  index_.opclasses.push_back(opclass);
  const OpclassInfo* info = context_.catalog.builtin().opclass(opclass);
  if (info->key_type) index_.column_types.back().type = info->key_type;
  int16_t option = 0;
  const bool descending = key.ordering == SortByDir::desc;
  if (descending) option |= 1;
  if (key.nulls_ordering == SortByNulls::first ||
      (descending && key.nulls_ordering == SortByNulls::default_)) {
    option |= 2;
  }
  index_.options.push_back(option);
  return {};
}

Status IndexDefiner::choose_name() {
  index_.nsp = table_->nsp;
  if (!definition_.name.empty()) {
    index_.name = truncate_name(definition_.name);
    const Oid taken = TRY(context_.catalog.relation_oid(context_.fiber, index_.nsp, index_.name));
    if (!taken) return {};
    return raise(sqlstate::duplicate_table, cat("relation \"", index_.name, "\" already exists"));
  }
  std::string columns;
  for (size_t i = 0; i < index_.column_names.size(); ++i) {
    columns += cat(i == 0 ? "" : "_", index_.column_names[i]);
    if (columns.size() > 63) break;
  }
  const std::string_view label = definition_.primary         ? "pkey"
                                 : definition_.is_constraint ? "key"
                                                             : "idx";
  CatalogWriter writer(context_.store, context_.catalog);
  index_.name = TRY(writer.choose_relation_name(
      context_.fiber, table_->name, definition_.primary ? "" : columns, label, index_.nsp));
  return {};
}

Status IndexDefiner::add_predicate() {
  if (definition_.where == nullptr) return {};
  AnalyzeContext analysis = context_.analysis();
  Expr* expr =
      TRY(analyze_expression(analysis, *definition_.where, table_, type_oid::bool_, -1, {}));
  TRY(check_stored_expression(analysis, *expr, "index predicates", true));
  StoredExpression stored = TRY(store_expression(analysis, *expr, table_));
  index_.predicate = std::move(stored.sql);
  index_.needs.insert(index_.needs.end(), stored.needs.begin(), stored.needs.end());
  return {};
}

Status IndexDefiner::create_constraint() {
  NewConstraint constraint;
  constraint.name = index_.name;
  constraint.table = table_->oid;
  constraint.nsp = table_->nsp;
  constraint.type = definition_.primary ? 'p' : 'u';
  constraint.columns.assign(index_.columns.begin(), index_.columns.begin() + index_.keys);
  constraint.index = index_.oid;
  CatalogWriter writer(context_.store, context_.catalog);
  index_.constraint = TRY(writer.create_constraint(context_.fiber, constraint));
  return {};
}

Result<Oid> IndexDefiner::define(Oid table) {
  table_ = TRY(context_.catalog.relation(context_.fiber, table));
  CHECK(table_ != nullptr);
  TRY(check_table());
  index_.access_method = context_.catalog.builtin().access_method(definition_.access_method);
  if (!index_.access_method) {
    return raise(sqlstate::undefined_object,
                 cat("access method \"", definition_.access_method, "\" does not exist"));
  }
  if (index_.access_method != kBtreeAccessMethod) {
    return unsupported(cat("access method \"", definition_.access_method, "\""));
  }
  if (definition_.keys.size() + definition_.including.size() > 32) {
    return raise(sqlstate::too_many_columns, "cannot use more than 32 columns in an index");
  }
  for (const IndexKey& key : definition_.keys) TRY(add_key(key));
  index_.keys = static_cast<int16_t>(index_.columns.size());
  for (std::string_view name : definition_.including) TRY(add_plain_column(name, false));
  TRY(add_predicate());
  TRY(choose_name());
  for (size_t i = 0; i < index_.column_names.size(); ++i) {
    // Expressions may share a name; columns of an index may not.
    for (int suffix = 1;
         std::ranges::find(
             index_.column_names.begin(), index_.column_names.begin() + static_cast<long>(i),
             index_.column_names[i]) != index_.column_names.begin() + static_cast<long>(i);
         ++suffix) {
      index_.column_names[i] = cat(index_.column_names[i], suffix);
    }
  }
  index_.oid = TRY(context_.store.new_oid(context_.fiber));
  index_.table = table;
  index_.owner = table_->owner;
  index_.file = TRY(make_file(context_));
  index_.unique = definition_.unique;
  index_.primary = definition_.primary;
  index_.nulls_not_distinct = definition_.nulls_not_distinct;
  index_.rel_options = definition_.options;
  if (definition_.is_constraint) TRY(create_constraint());
  CatalogWriter writer(context_.store, context_.catalog);
  TRY(writer.create_index(context_.fiber, index_));
  const RelationInfo* now = TRY(context_.catalog.relation(context_.fiber, table));
  const CatalogIndex* made = now->index(index_.oid);
  CHECK(made != nullptr);
  TRY(build_index(context_, *now, *made));
  return index_.oid;
}

}  // namespace

Result<Oid> define_index(CommandContext& context, Oid table, const IndexDefinition& definition) {
  return IndexDefiner(context, definition).define(table);
}

Result<std::vector<std::string>> storage_options(ListOf<DefElem> options, char relkind) {
  std::vector<std::string> out;
  for (const DefElem* option : options) {
    if (option->defname == "fillfactor" && option->defnamespace.empty()) {
      const int64_t value = TRY(option_integer(*option));
      if (value < 10 || value > 100) {
        return raise(sqlstate::invalid_parameter_value,
                     cat("value ", value, " out of bounds for option \"fillfactor\""))
            .detail("Valid values are between \"10\" and \"100\".");
      }
      out.push_back(cat("fillfactor=", value));
      continue;
    }
    if (!option->defnamespace.empty())
      return unsupported(cat("storage parameter ", option->defnamespace, ".", option->defname));
    if (option->defname.starts_with("autovacuum_"))
      return unsupported(cat("storage parameter ", option->defname));
    const bool harmless = option->defname == "toast_tuple_target" ||
                          option->defname == "parallel_workers" ||
                          (relkind == 'i' && option->defname == "deduplicate_items");
    if (!harmless) {
      return raise(sqlstate::invalid_parameter_value,
                   cat("unrecognized parameter \"", option->defname, "\""));
    }
    const std::string value = TRY(option_text(*option));
    out.push_back(cat(option->defname, "=", value));
  }
  return out;
}

}  // namespace orrery
