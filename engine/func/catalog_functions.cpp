// Functions over the catalog: names of objects, whether they are visible, comments, definitions as
// SQL. What is not this folder's to know (deparsing, the search path) is asked of SessionServices.
#include <algorithm>

#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/facts.h"
#include "catalog/object_address.h"
#include "catalog/relation_info.h"
#include "func/catalog_call_internal.h"
#include "types/array.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// Visible: the path finds this object under its name. NULL: there is no such object.
using Visible = Result<std::optional<bool>>;

Visible relation_is_visible(CatalogCall& at, Oid oid) {
  const RelationInfo* info = TRY(at.catalog.relation(at.fiber, oid));
  if (info == nullptr) return std::optional<bool>();
  const Oid found = TRY(at.catalog.find_relation(at.fiber, at.path, info->name));
  return std::optional<bool>(found == oid);
}

Visible type_is_visible(CatalogCall& at, Oid oid) {
  const CatalogType* info = TRY(at.catalog.type(at.fiber, oid));
  if (info == nullptr) return std::optional<bool>();
  const Oid found = TRY(at.catalog.find_type(at.fiber, at.path, info->name));
  return std::optional<bool>(found == oid);
}

Visible function_is_visible(CatalogCall& at, Oid oid) {
  const FunctionInfo* info = TRY(at.catalog.function(at.fiber, oid));
  if (info == nullptr) return std::optional<bool>();
  const FunctionCandidates found = TRY(at.catalog.functions(at.fiber, at.path, info->name));
  return std::optional<bool>(std::ranges::find(found.functions, info) != found.functions.end());
}

Visible operator_is_visible(CatalogCall& at, Oid oid) {
  const OperatorInfo* info = TRY(at.catalog.op(at.fiber, oid));
  if (info == nullptr) return std::optional<bool>();
  const OperatorCandidates found = TRY(at.catalog.operators(at.fiber, at.path, info->name));
  return std::optional<bool>(std::ranges::find(found.operators, info) != found.operators.end());
}

Visible collation_is_visible(CatalogCall& at, Oid oid) {
  const CollationInfo* info = TRY(at.catalog.collation(at.fiber, oid));
  if (info == nullptr) return std::optional<bool>();
  const Oid found = TRY(at.catalog.find_collation(at.fiber, at.path, info->name));
  return std::optional<bool>(found == oid);
}

// Kinds of which only built-in objects exist, all in pg_catalog.
Visible fact_is_visible(CatalogCall& at, Oid catalog, Oid oid) {
  if (!fact_table(catalog).find(oid)) return std::optional<bool>();
  return std::optional<bool>(std::ranges::find(at.path.namespaces, kPgCatalogNamespace) !=
                             at.path.namespaces.end());
}

template <auto F>
constexpr Kernel kVisible = lift([](Call& call, Oid oid) -> Visible {
  SessionServices* const services = TRY(services_of(call));
  const SearchPath* const path = TRY(services->path(call.context.fiber));
  CatalogCall at(call, *services, *path);
  return F(at, oid);
});

template <auto kCatalog>
constexpr Kernel kFactVisible =
    kVisible<[](CatalogCall& at, Oid oid) { return fact_is_visible(at, kCatalog(), oid); }>;

// The text that the session's settings make of a value of a reg type; NULL for names unknown.
Result<std::optional<Oid>> to_reg(Call& call, std::string_view name) {
  const NameResolver* const names = call.settings().names;
  if (names == nullptr) return unsupported("names of catalog objects in this context");
  Result<Oid> found = names->resolve(call.site.result_type, name);
  if (found.ok()) return std::optional<Oid>(*found);
  Status status = std::move(found).status();
  for (const SqlState& unknown :
       {sqlstate::undefined_table, sqlstate::undefined_object, sqlstate::undefined_function,
        sqlstate::invalid_schema_name, sqlstate::ambiguous_function}) {
    if (status.is(unknown)) return std::optional<Oid>();
  }
  return status;
}
constexpr Kernel kToReg =
    lift([](Call& call, std::string_view name) { return to_reg(call, name); });

constexpr Kernel kFormatType = lift(
    [](Call& call, NullableDatum type, NullableDatum typmod) -> Result<std::optional<std::string>> {
      if (type.is_null) return std::optional<std::string>();
      SessionServices* const services = TRY(services_of(call));
      const int32_t modifier = typmod.is_null ? -1 : typmod.value.as<int32_t>();
      std::string shown = TRY(services->type_shown(call.context.fiber, type.value.as<Oid>(),
                                                   modifier, !typmod.is_null));
      return std::optional<std::string>(std::move(shown));
    });

constexpr Kernel kUserById = lift([](Call& call, Oid oid) -> Result<Datum> {
  SessionServices* const services = TRY(services_of(call));
  CatalogReader catalog(services->builtin(), services->rows());
  const RoleInfo* const role = TRY(catalog.role(call.context.fiber, oid));
  return make_name(call.arena(), role != nullptr ? role->name : cat("unknown (OID=", oid, ")"));
});

// Encodings by PostgreSQL's numbers. UTF8 is the one there is; the others have names only.
constexpr std::string_view kEncodings[] = {
    "SQL_ASCII", "EUC_JP",        "EUC_CN",     "EUC_KR",     "EUC_TW",     "EUC_JIS_2004",
    "UTF8",      "MULE_INTERNAL", "LATIN1",     "LATIN2",     "LATIN3",     "LATIN4",
    "LATIN5",    "LATIN6",        "LATIN7",     "LATIN8",     "LATIN9",     "LATIN10",
    "WIN1256",   "WIN1258",       "WIN866",     "WIN874",     "KOI8R",      "WIN1251",
    "WIN1252",   "ISO_8859_5",    "ISO_8859_6", "ISO_8859_7", "ISO_8859_8", "WIN1250",
    "WIN1253",   "WIN1254",       "WIN1255",    "WIN1257",    "KOI8U",      "SJIS",
    "BIG5",      "GBK",           "UHC",        "GB18030",    "JOHAB",      "SHIFT_JIS_2004"};

std::string plain_letters(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}
int32_t encoding_number(std::string_view name) {
  const std::string wanted = plain_letters(name);
  for (size_t i = 0; i < std::size(kEncodings); ++i) {
    if (plain_letters(kEncodings[i]) == wanted) return static_cast<int32_t>(i);
  }
  return wanted == "unicode" ? 6 : -1;
}

// The text of a comment. `of_column` null: the object's own.
Result<std::optional<std::string>> comment(Call& call, Oid object, Oid catalog, int32_t column) {
  SessionServices* const services = TRY(services_of(call));
  std::optional<std::string> out;
  const Datum keys[] = {Datum::of(object), Datum::of(catalog), Datum::of(column)};
  TRY(services->rows().scan(call.context.fiber, pg_description::kRelation, kPgDescriptionOCOIndex,
                            keys, [&](const CatalogRow& row, Tid) -> Status {
                              out = row.text(pg_description::description);
                              return {};
                            }));
  return out;
}

// A catalog by its name, as obj_description takes it; 0 when there is none.
Oid catalog_named(std::string_view name) {
  for (const FactTable& table : all_fact_tables()) {
    if (name == table.name) return table.relation;
  }
  return {};
}

constexpr Kernel kObjectComment =
    lift([](Call& call, Oid object, Name catalog) -> Result<std::optional<std::string>> {
      const Oid relation = catalog_named(catalog.text);
      if (!relation) return std::optional<std::string>();
      return comment(call, object, relation, 0);
    });
constexpr Kernel kColumnComment = lift([](Call& call, Oid object, int32_t column) {
  return comment(call, object, pg_class::kRelation, column);
});
// Without a catalog: whichever has a comment for this number.
constexpr Kernel kAnyComment = lift([](Call& call,
                                       Oid object) -> Result<std::optional<std::string>> {
  SessionServices* const services = TRY(services_of(call));
  std::optional<std::string> out;
  const Datum keys[] = {Datum::of(object)};
  TRY(services->rows().scan(call.context.fiber, pg_description::kRelation, kPgDescriptionOCOIndex,
                            keys, [&](const CatalogRow& row, Tid) -> Status {
                              if (row.get<int32_t>(pg_description::objsubid) == 0)
                                out = row.text(pg_description::description);
                              return {};
                            }));
  return out;
});
constexpr Kernel kSharedComment =
    lift([](Call& call, Oid object, Name catalog) -> Result<std::optional<std::string>> {
      SessionServices* const services = TRY(services_of(call));
      std::optional<std::string> out;
      const Datum keys[] = {Datum::of(object), Datum::of(catalog_named(catalog.text))};
      TRY(services->rows().scan(call.context.fiber, pg_shdescription::kRelation,
                                kPgShdescriptionOCIndex, keys,
                                [&](const CatalogRow& row, Tid) -> Status {
                                  out = row.text(pg_shdescription::description);
                                  return {};
                                }));
      return out;
    });

using Text = Result<std::optional<std::string>>;

Text definition(Call& call, DefinitionKind kind, Oid object, int column, bool pretty) {
  SessionServices* const services = TRY(services_of(call));
  return services->definition(call.context.fiber,
                              {.kind = kind, .object = object, .column = column, .pretty = pretty});
}
template <DefinitionKind kKind>
constexpr Kernel kDefinition =
    lift([](Call& call, Oid object) { return definition(call, kKind, object, 0, false); });
template <DefinitionKind kKind>
constexpr Kernel kPrettyDefinition = lift(
    [](Call& call, Oid object, bool pretty) { return definition(call, kKind, object, 0, pretty); });

Text named_view(Call& call, std::string_view name, bool pretty) {
  const NameResolver* const names = call.settings().names;
  if (names == nullptr) return unsupported("names of catalog objects in this context");
  const Oid view = TRY(names->resolve(type_oid::regclass, name));
  return definition(call, DefinitionKind::view, view, 0, pretty);
}

Text expression(Call& call, std::string_view stored, Oid relation, bool pretty) {
  SessionServices* const services = TRY(services_of(call));
  return services->expression(call.context.fiber, stored, relation, pretty);
}

// What only partitioned tables, triggers, rules and extended statistics have, none of which exist.
constexpr Kernel kNothing = [](EvalContext&, CallSite&, std::span<const Vector>, Rows rows,
                               Vector& out) -> Status {
  for (uint32_t i = 0; i < rows.count; ++i) out.set_null(rows[i]);
  return {};
};

// "a integer, OUT b text DEFAULT 1", as \df shows them.
Text function_arguments(Call& call, Oid oid, bool with_defaults) {
  SessionServices* const services = TRY(services_of(call));
  CatalogReader catalog(services->builtin(), services->rows());
  const FunctionInfo* const info = TRY(catalog.function(call.context.fiber, oid));
  if (info == nullptr) return std::optional<std::string>();
  const std::vector<Oid>& types = info->all_args.empty() ? info->args : info->all_args;
  const std::vector<std::string> defaults = split_expressions(info->default_exprs);
  std::string out;
  size_t input = 0;
  for (size_t i = 0; i < types.size(); ++i) {
    const char mode = info->modes.empty() ? 'i' : info->modes[i];
    if (mode == 't') continue;
    const bool is_input = mode != 'o';
    if (is_input) ++input;
    if (!out.empty()) out += ", ";
    if (mode == 'o') out += "OUT ";
    if (mode == 'b') out += "INOUT ";
    if (mode == 'v') out += "VARIADIC ";
    if (i < info->names.size() && !info->names[i].empty()) {
      out += cat(quote_identifier(info->names[i]), " ");
    }
    out += TRY(services->type_shown(call.context.fiber, types[i], -1, false));
    const size_t first = info->args.size() - defaults.size();
    if (with_defaults && is_input && input > first) {
      const Text shown = TRY(expression(call, defaults[input - 1 - first], kInvalidOid, false));
      out += cat(" DEFAULT ", shown.value().value_or(defaults[input - 1 - first]));
    }
  }
  return std::optional<std::string>(std::move(out));
}

Text function_result(Call& call, Oid oid) {
  SessionServices* const services = TRY(services_of(call));
  CatalogReader catalog(services->builtin(), services->rows());
  const FunctionInfo* const info = TRY(catalog.function(call.context.fiber, oid));
  if (info == nullptr || info->kind == 'p') return std::optional<std::string>();
  std::string table;
  for (size_t i = 0; i < info->modes.size(); ++i) {
    if (info->modes[i] != 't') continue;
    const std::string type =
        TRY(services->type_shown(call.context.fiber, info->all_args[i], -1, false));
    table += cat(table.empty() ? "" : ", ", quote_identifier(info->names[i]), " ", type);
  }
  if (!table.empty()) return std::optional<std::string>(cat("TABLE(", table, ")"));
  const std::string type = TRY(services->type_shown(call.context.fiber, info->result, -1, false));
  return std::optional<std::string>(cat(info->returns_set ? "SETOF " : "", type));
}

Result<Datum> schema_names(Call& call, bool implicit) {
  SessionServices* const services = TRY(services_of(call));
  const SearchPath* const path = TRY(services->path(call.context.fiber));
  CatalogReader catalog(services->builtin(), services->rows());
  std::vector<NullableDatum> names;
  bool seen_creation = false;
  for (Oid nsp : path->namespaces) {
    // What the path names begins with the schema for new objects.
    seen_creation |= nsp == path->creation;
    if (!implicit && !seen_creation) continue;
    const NamespaceInfo* const info = TRY(catalog.nsp(call.context.fiber, nsp));
    if (info != nullptr) names.push_back({make_name(call.arena(), info->name), false});
  }
  return make_array(call.arena(), *find_builtin_type(type_oid::name), names);
}

// tidy: allow(function-length) a table, one row a line
constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("pg_table_is_visible", kVisible<relation_is_visible>),
    body("pg_type_is_visible", kVisible<type_is_visible>),
    body("pg_function_is_visible", kVisible<function_is_visible>),
    body("pg_operator_is_visible", kVisible<operator_is_visible>),
    body("pg_collation_is_visible", kVisible<collation_is_visible>),
    body("pg_opclass_is_visible", kFactVisible<[] { return pg_opclass::kRelation; }>),
    body("pg_opfamily_is_visible", kFactVisible<[] { return pg_opfamily::kRelation; }>),
    body("pg_conversion_is_visible", kFactVisible<[] { return pg_conversion::kRelation; }>),
    body("pg_ts_config_is_visible", kFactVisible<[] { return pg_ts_config::kRelation; }>),
    body("pg_ts_dict_is_visible", kFactVisible<[] { return pg_ts_dict::kRelation; }>),
    body("pg_ts_parser_is_visible", kFactVisible<[] { return pg_ts_parser::kRelation; }>),
    body("pg_ts_template_is_visible", kFactVisible<[] { return pg_ts_template::kRelation; }>),
    body("pg_statistics_obj_is_visible", kNothing),
    body("to_regclass", kToReg),
    body("to_regcollation", kToReg),
    body("to_regnamespace", kToReg),
    body("to_regoper", kToReg),
    body("to_regoperator", kToReg),
    body("to_regproc", kToReg),
    body("to_regprocedure", kToReg),
    body("to_regrole", kToReg),
    body("to_regtype", kToReg),
    body("format_type", kFormatType),
    body("pg_get_userbyid", kUserById),
    body("PG_encoding_to_char", lift([](int32_t number) {
           const auto i = static_cast<size_t>(number);
           return Name{number >= 0 && i < std::size(kEncodings) ? kEncodings[i] : ""};
         })),
    body("PG_char_to_encoding", lift([](Name name) { return encoding_number(name.text); })),
    body("getdatabaseencoding", lift([](Call&) { return Name{"UTF8"}; })),
    body("pg_client_encoding", lift([](Call&) { return Name{"UTF8"}; })),
    body("pg_get_indexdef", kDefinition<DefinitionKind::index>),
    body("pg_get_indexdef_ext", lift([](Call& call, Oid object, int32_t column, bool pretty) {
           return definition(call, DefinitionKind::index, object, column, pretty);
         })),
    body("pg_get_constraintdef", kDefinition<DefinitionKind::constraint>),
    body("pg_get_constraintdef_ext", kPrettyDefinition<DefinitionKind::constraint>),
    body("pg_get_viewdef", kDefinition<DefinitionKind::view>),
    body("pg_get_viewdef_ext", kPrettyDefinition<DefinitionKind::view>),
    body("pg_get_ruledef", kDefinition<DefinitionKind::rule>),
    body("pg_get_ruledef_ext", kPrettyDefinition<DefinitionKind::rule>),
    body("pg_get_viewdef_wrap", lift([](Call& call, Oid object, int32_t) {
           return definition(call, DefinitionKind::view, object, 0, true);
         })),
    body("pg_get_viewdef_name",
         lift([](Call& call, std::string_view name) { return named_view(call, name, false); })),
    body("pg_get_viewdef_name_ext", lift([](Call& call, std::string_view name, bool pretty) {
           return named_view(call, name, pretty);
         })),
    body("pg_get_expr", lift([](Call& call, std::string_view stored, Oid relation) {
           return expression(call, stored, relation, false);
         })),
    body("pg_get_expr_ext",
         lift([](Call& call, std::string_view stored, Oid relation, bool pretty) {
           return expression(call, stored, relation, pretty);
         })),
    body("pg_get_partkeydef", kNothing),
    body("pg_partition_root", kNothing),
    body("pg_get_function_sqlbody", lift([](Call& call, Oid oid) -> Text {
           SessionServices* const services = TRY(services_of(call));
           CatalogReader catalog(services->builtin(), services->rows());
           const FunctionInfo* const info = TRY(catalog.function(call.context.fiber, oid));
           if (info == nullptr || info->sql_body.empty()) return std::optional<std::string>();
           return std::optional<std::string>(info->sql_body);
         })),
    body("pg_describe_object",
         lift([](Call& call, Oid catalog, Oid object, int32_t column) -> Text {
           if (!catalog && !object) return std::optional<std::string>();
           SessionServices* const services = TRY(services_of(call));
           const SearchPath* const path = TRY(services->path(call.context.fiber));
           CatalogCall at(call, *services, *path);
           std::string text = TRY(describe_object(at.fiber, at.catalog, services->rows(), at.path,
                                                  {catalog, object, column}));
           return std::optional<std::string>(std::move(text));
         })),
    body("pg_relation_is_publishable", lift([](Call& call, Oid oid) -> Visible {
           SessionServices* const services = TRY(services_of(call));
           CatalogReader catalog(services->builtin(), services->rows());
           const RelationInfo* const info = TRY(catalog.relation(call.context.fiber, oid));
           if (info == nullptr) return std::optional<bool>();
           return std::optional<bool>(info->kind == 'r' && info->persistence == 'p' &&
                                      info->oid >= kFirstUserOid);
         })),
    body("pg_tablespace_location", lift([](Call&, Oid) { return std::string_view(); })),
    body("pg_get_partition_constraintdef", kNothing),
    body("pg_get_triggerdef", kNothing),
    body("pg_get_triggerdef_ext", kNothing),
    body("pg_get_statisticsobjdef", kNothing),
    body("pg_get_statisticsobjdef_columns", kNothing),
    body("pg_get_function_arguments",
         lift([](Call& call, Oid oid) { return function_arguments(call, oid, true); })),
    body("pg_get_function_identity_arguments",
         lift([](Call& call, Oid oid) { return function_arguments(call, oid, false); })),
    body("pg_get_function_result",
         lift([](Call& call, Oid oid) { return function_result(call, oid); })),
    body("current_schema", lift([](Call& call) -> Result<std::optional<Datum>> {
           SessionServices* const services = TRY(services_of(call));
           const SearchPath* const path = TRY(services->path(call.context.fiber));
           CatalogReader catalog(services->builtin(), services->rows());
           const NamespaceInfo* const info = TRY(catalog.nsp(call.context.fiber, path->creation));
           if (info == nullptr) return std::optional<Datum>();
           return std::optional<Datum>(make_name(call.arena(), info->name));
         })),
    body("current_schemas",
         lift([](Call& call, bool implicit) { return schema_names(call, implicit); })),
}));

constexpr FunctionBody by_oid(uint32_t oid, Kernel kernel) {
  return {.oid = Oid(oid), .kernel = kernel};
}
constexpr FunctionBody kByOid[] = {
    by_oid(1215, kObjectComment),
    by_oid(1216, kColumnComment),
    by_oid(1348, kAnyComment),
    by_oid(1993, kSharedComment),
};

}  // namespace

std::span<const FunctionBody> catalog_functions() { return kTable; }
std::span<const FunctionBody> catalog_functions_by_oid() { return kByOid; }

}  // namespace orrery
