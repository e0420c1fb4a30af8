#include "analyze/definitions.h"

#include "analyze/deparse.h"
#include "base/text.h"
#include "catalog/expression_list.h"
#include "catalog/object_address.h"
#include "catalog/quote.h"
#include "sql/parser.h"

namespace orrery {
namespace {

using Text = Result<std::optional<std::string>>;

SearchPath catalog_only() {
  SearchPath path;
  path.namespaces = {kPgCatalogNamespace};
  return path;
}

// The context for reading stored text, in which names are qualified.
AnalyzeContext stored_context(const AnalyzeContext& context, const SearchPath& path,
                              std::string_view text) {
  return {.fiber = context.fiber,
          .arena = context.arena,
          .catalog = context.catalog,
          .path = path,
          .session = context.session,
          .locker = nullptr,
          .text = text};
}

Result<std::string> one_expression(AnalyzeContext& context, std::string_view stored,
                                   const RelationInfo* relation, bool pretty) {
  const SearchPath path = catalog_only();
  AnalyzeContext inner = stored_context(context, path, stored);
  const Expr* expr = TRY(analyze_expression_text(inner, stored, relation, kInvalidOid, -1, {}));
  std::string out = TRY(deparse_expression(context, *expr, relation, {.pretty = pretty}));
  return out;
}

// A call or what is written like one stands in an index without parentheses.
bool looks_like_call(std::string_view stored) {
  const size_t open = stored.find('(');
  return open != std::string_view::npos && open > 0 && stored.back() == ')' &&
         stored.find_first_of(" ':") > open;
}

class IndexText {
 public:
  IndexText(AnalyzeContext& context, const RelationInfo& table, const CatalogIndex& index,
            bool pretty)
      : context_(context), table_(table), index_(index), pretty_(pretty) {}

  Text whole();
  Text key(size_t number);

 private:
  Status add_key(size_t number);
  Result<std::string> column_text(size_t number);
  Result<std::string> name_of(Oid nsp, std::string_view name, bool visible);

  AnalyzeContext& context_;
  const RelationInfo& table_;
  const CatalogIndex& index_;
  const bool pretty_;
  std::string out_;
};

Result<std::string> IndexText::column_text(size_t number) {
  const int16_t column = index_.columns[number];
  if (column > 0) return quote_identifier(table_.column(column).name);
  size_t expression = 0;
  for (size_t i = 0; i < number; ++i) expression += index_.columns[i] == 0;
  const std::string& stored = index_.expressions[expression];
  std::string text = TRY(one_expression(context_, stored, &table_, pretty_));
  if (looks_like_call(text)) return text;
  return cat("(", text, ")");
}

Text IndexText::key(size_t number) {
  if (number >= index_.columns.size()) return std::optional<std::string>("");
  std::string text = TRY(column_text(number));
  return std::optional<std::string>(std::move(text));
}

// The name alone where the path finds the object.
Result<std::string> IndexText::name_of(Oid nsp, std::string_view name, bool visible) {
  if (visible) return quote_identifier(name);
  const NamespaceInfo* info = TRY(context_.catalog.nsp(context_.fiber, nsp));
  return cat(info == nullptr ? "" : quote_identifier(info->name), ".", quote_identifier(name));
}

Status IndexText::add_key(size_t number) {
  out_ += TRY(column_text(number));
  const Oid collation = number < index_.collations.size() ? index_.collations[number] : Oid();
  const int16_t column = index_.columns[number];
  const Oid own = column > 0 ? table_.desc()[static_cast<size_t>(column - 1)].collation
                             : index_.storage.desc[number].collation;
  if (collation && collation != own) {
    const CollationInfo* info = TRY(context_.catalog.collation(context_.fiber, collation));
    const Oid found = TRY(context_.catalog.find_collation(context_.fiber, context_.path,
                                                          info == nullptr ? "" : info->name));
    if (info != nullptr) {
      const std::string name = TRY(name_of(info->nsp, info->name, found == collation));
      out_ += cat(" COLLATE ", name);
    }
  }
  const Oid type = index_.storage.desc[number].type;
  const Oid usual =
      TRY(context_.catalog.default_opclass(context_.fiber, type, index_.access_method));
  if (index_.opclasses[number] != usual) {
    const OpclassInfo* info =
        TRY(context_.catalog.opclass(context_.fiber, index_.opclasses[number]));
    if (info != nullptr) out_ += cat(" ", quote_identifier(info->name));
  }
  const auto& key = index_.storage.keys[number];
  if (key.descending) out_ += " DESC";
  if (key.descending != key.nulls_first) out_ += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  return {};
}

Text IndexText::whole() {
  std::string table = cat(quote_identifier(table_.nsp_name), ".", quote_identifier(table_.name));
  if (pretty_) {
    table = TRY(relation_display_name(context_.fiber, context_.catalog, context_.path, table_));
  }
  out_ = cat("CREATE ", index_.unique ? "UNIQUE " : "", "INDEX ", quote_identifier(index_.name),
             " ON ", table, " USING ",
             context_.catalog.builtin().access_method_name(index_.access_method), " (");
  const auto keys = static_cast<size_t>(index_.keys);
  for (size_t i = 0; i < keys; ++i) {
    if (i > 0) out_ += ", ";
    TRY(add_key(i));
  }
  out_ += ")";
  for (size_t i = keys; i < index_.columns.size(); ++i) {
    out_ += i == keys ? " INCLUDE (" : ", ";
    out_ += TRY(column_text(i));
  }
  if (keys < index_.columns.size()) out_ += ")";
  if (index_.nulls_not_distinct) out_ += " NULLS NOT DISTINCT";
  for (size_t i = 0; i < index_.options.size(); ++i) {
    const size_t equals = index_.options[i].find('=');
    out_ += cat(i == 0 ? " WITH (" : ", ", index_.options[i].substr(0, equals), "='",
                index_.options[i].substr(equals + 1), "'");
  }
  if (!index_.options.empty()) out_ += ")";
  if (!index_.predicate.empty()) {
    const std::string where = TRY(one_expression(context_, index_.predicate, &table_, pretty_));
    out_ += cat(" WHERE ", where);
  }
  return std::optional<std::string>(std::move(out_));
}

std::string columns_shown(const RelationInfo& table, std::span<const int16_t> columns) {
  std::vector<std::string> names;
  for (int16_t column : columns) names.push_back(quote_identifier(table.column(column).name));
  return join(names, ", ");
}

std::string_view action_words(char action) {
  switch (action) {
    case 'r': return "RESTRICT";
    case 'c': return "CASCADE";
    case 'n': return "SET NULL";
    case 'd': return "SET DEFAULT";
    default:  return {};
  }
}

Result<std::string> foreign_key(AnalyzeContext& context, const RelationInfo& table,
                                const ConstraintInfo& constraint) {
  const RelationInfo* other = TRY(context.catalog.relation(context.fiber, constraint.referenced));
  if (other == nullptr) {
    return raise(sqlstate::data_corrupted,
                 cat("foreign key ", constraint.oid, " refers to no relation"));
  }
  const std::string name =
      TRY(relation_display_name(context.fiber, context.catalog, context.path, *other));
  std::string out = cat("FOREIGN KEY (", columns_shown(table, constraint.columns), ") REFERENCES ",
                        name, "(", columns_shown(*other, constraint.referenced_columns), ")");
  if (constraint.match == 'f') out += " MATCH FULL";
  if (const auto words = action_words(constraint.on_update); !words.empty()) {
    out += cat(" ON UPDATE ", words);
  }
  if (const auto words = action_words(constraint.on_delete); !words.empty()) {
    out += cat(" ON DELETE ", words);
  }
  if (!constraint.delete_set_columns.empty()) {
    out += cat(" (", columns_shown(table, constraint.delete_set_columns), ")");
  }
  return out;
}

std::string key_text(const RelationInfo& table, const ConstraintInfo& constraint) {
  std::string out(constraint.type == 'p' ? "PRIMARY KEY" : "UNIQUE");
  const CatalogIndex* index = table.index(constraint.index);
  if (index != nullptr && index->nulls_not_distinct) out += " NULLS NOT DISTINCT";
  out += cat(" (", columns_shown(table, constraint.columns), ")");
  if (index != nullptr && static_cast<size_t>(index->keys) < index->columns.size()) {
    out += cat(
        " INCLUDE (",
        columns_shown(table, std::span(index->columns).subspan(static_cast<size_t>(index->keys))),
        ")");
  }
  return out;
}

}  // namespace

Result<Query*> view_query(AnalyzeContext& context, const RelationInfo& view) {
  const SearchPath path = catalog_only();
  const std::string_view text = context.arena.copy(view.view_definition);
  AnalyzeContext inner = stored_context(context, path, text);
  inner.opens_views = false;
  const auto statements = TRY(parse(context.arena, text));
  Query* query = TRY(analyze_statement(inner, *statements[0]->stmt));
  // Columns may be called otherwise than what the query calls them.
  size_t column = 0;
  for (TargetEntry& target : query->targets) {
    if (!target.junk && column < view.columns.size()) {
      target.name = context.arena.copy(view.columns[column++].name);
    }
  }
  return query;
}

Result<std::optional<std::string>> view_definition(AnalyzeContext& context, Oid view, bool pretty) {
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, view));
  if (info == nullptr || info->kind != 'v') return std::optional<std::string>();
  // System views are kept as they are shown.
  if (!pretty && view < kFirstUserOid) {
    return std::optional<std::string>(cat(info->view_definition, ";"));
  }
  Query* query = TRY(view_query(context, *info));
  std::string out = TRY(deparse_query(context, *query, {.pretty = pretty}));
  return std::optional<std::string>(cat(out, ";"));
}

Result<std::optional<std::string>> rule_definition(AnalyzeContext& context, Oid view, bool pretty) {
  const std::optional<std::string> query = TRY(view_definition(context, view, pretty));
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, view));
  if (!query || info == nullptr) return std::optional<std::string>();
  std::string name = cat(quote_identifier(info->nsp_name), ".", quote_identifier(info->name));
  if (pretty) {
    name = TRY(relation_display_name(context.fiber, context.catalog, context.path, *info));
  }
  return std::optional<std::string>(
      cat("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO ", name, " DO INSTEAD ", *query));
}

Result<std::optional<std::string>> index_definition(AnalyzeContext& context, Oid index, int column,
                                                    bool pretty) {
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, index));
  if (info == nullptr || info->kind != 'i' || info->indexes.empty()) {
    return std::optional<std::string>();
  }
  const RelationInfo* table =
      TRY(context.catalog.relation(context.fiber, info->indexes[0].relation));
  if (table == nullptr) return std::optional<std::string>();
  IndexText text(context, *table, info->indexes[0], pretty);
  if (column > 0) return text.key(static_cast<size_t>(column - 1));
  return text.whole();
}

Result<std::optional<std::string>> constraint_definition(AnalyzeContext& context, Oid relation,
                                                         Oid constraint, bool pretty) {
  const RelationInfo* table = TRY(context.catalog.relation(context.fiber, relation));
  if (table == nullptr) return std::optional<std::string>();
  const ConstraintInfo* found = nullptr;
  for (const ConstraintInfo& own : table->constraints) {
    if (own.oid == constraint) found = &own;
  }
  if (found == nullptr) return std::optional<std::string>();
  std::string out;
  if (found->type == 'f') {
    out = TRY(foreign_key(context, *table, *found));
  } else if (found->type == 'c') {
    const std::string check = TRY(one_expression(context, found->check_expr, table, pretty));
    out = cat("CHECK (", check, ")", found->no_inherit ? " NO INHERIT" : "");
  } else {
    out = key_text(*table, *found);
  }
  if (found->deferrable) out += " DEFERRABLE";
  if (found->deferred) out += " INITIALLY DEFERRED";
  if (!found->validated) out += " NOT VALID";
  return std::optional<std::string>(std::move(out));
}

Result<std::optional<std::string>> expression_definition(AnalyzeContext& context,
                                                         std::string_view stored, Oid relation,
                                                         bool pretty) {
  const RelationInfo* table = nullptr;
  if (relation) {
    table = TRY(context.catalog.relation(context.fiber, relation));
    if (table == nullptr) return std::optional<std::string>();
  }
  std::string out;
  for (const std::string& one : split_expressions(stored)) {
    if (!out.empty()) out += ", ";
    out += TRY(one_expression(context, one, table, pretty));
  }
  return std::optional<std::string>(std::move(out));
}

}  // namespace orrery
