// DROP of what nobody can make here yet: functions, types, operators, triggers, text search
// objects ... All that exist are built in and stay; of others it is said that they do not exist.
#include <algorithm>

#include "base/text.h"
#include "catalog/quote.h"
#include "command/objects.h"

namespace orrery {
namespace {

// Kinds found by a name in one catalog.
struct NamedKind {
  ObjectType type;
  std::string_view word, catalog, name_column, schema_column, tag;
};
constexpr NamedKind kNamedKinds[] = {
    {ObjectType::collation, "collation", "pg_collation", "collname", "collnamespace",
     "DROP COLLATION"},
    {ObjectType::conversion, "conversion", "pg_conversion", "conname", "connamespace",
     "DROP CONVERSION"},
    {ObjectType::tsparser, "text search parser", "pg_ts_parser", "prsname", "prsnamespace",
     "DROP TEXT SEARCH PARSER"},
    {ObjectType::tsdictionary, "text search dictionary", "pg_ts_dict", "dictname", "dictnamespace",
     "DROP TEXT SEARCH DICTIONARY"},
    {ObjectType::tstemplate, "text search template", "pg_ts_template", "tmplname", "tmplnamespace",
     "DROP TEXT SEARCH TEMPLATE"},
    {ObjectType::tsconfiguration, "text search configuration", "pg_ts_config", "cfgname",
     "cfgnamespace", "DROP TEXT SEARCH CONFIGURATION"},
    {ObjectType::statistic_ext, "statistics object", "pg_statistic_ext", "stxname", "stxnamespace",
     "DROP STATISTICS"},
    {ObjectType::extension, "extension", "pg_extension", "extname", "", "DROP EXTENSION"},
    {ObjectType::fdw, "foreign-data wrapper", "pg_foreign_data_wrapper", "fdwname", "",
     "DROP FOREIGN DATA WRAPPER"},
    {ObjectType::foreign_server, "server", "pg_foreign_server", "srvname", "", "DROP SERVER"},
    {ObjectType::event_trigger, "event trigger", "pg_event_trigger", "evtname", "",
     "DROP EVENT TRIGGER"},
    {ObjectType::language, "language", "pg_language", "lanname", "", "DROP LANGUAGE"},
    {ObjectType::access_method, "access method", "pg_am", "amname", "", "DROP ACCESS METHOD"},
    {ObjectType::publication, "publication", "pg_publication", "pubname", "", "DROP PUBLICATION"},
    {ObjectType::foreign_table, "foreign table", "", "", "", "DROP FOREIGN TABLE"},
};

Status required(std::string_view what) {
  return raise(sqlstate::dependent_objects_still_exist,
               cat("cannot drop ", what, " because it is required by the database system"));
}

std::vector<std::string_view> names_of(const Node& node) {
  if (const auto* name = as_if<String>(&node)) return {name->sval};
  std::vector<std::string_view> names;
  for (const Node* part : as<List>(node).items) names.push_back(as<String>(*part).sval);
  return names;
}
std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += cat(out.empty() ? "" : ".", name);
  return out;
}

class OtherDrop {
 public:
  OtherDrop(CommandContext& context, const DropStmt& statement)
      : context_(context), statement_(statement) {}

  // A NOTICE with IF EXISTS, else the error.
  Status missing(std::string_view noticed, Status error) {
    if (!statement_.missing_ok) return error;
    notice(context_, cat(noticed, ", skipping"));
    return {};
  }
  Status missing(const SqlState& code, const std::string& what) {
    return missing(what, raise(code, what));
  }

  // False, and said, when a schema in front of the name is not there.
  Result<bool> has_schema(std::span<const std::string_view> names) {
    if (names.size() < 2) return true;
    const std::string_view schema = names[names.size() - 2];
    const Oid found = TRY(context_.catalog.nsp_oid(context_.fiber, schema));
    if (found) return true;
    TRY(missing(sqlstate::undefined_schema, cat("schema \"", schema, "\" does not exist")));
    return false;
  }
  // The same of a type's name.
  Result<std::optional<Oid>> find_type(const TypeName& name) {
    const bool schema = TRY(has_schema(name.names));
    if (!schema) return std::optional<Oid>();
    AnalyzeContext analysis = context_.analysis();
    TypeName bare = name;
    bare.location = -1;
    Result<TypeAndMod> type = resolve_type_name(analysis, bare);
    if (type.ok()) return std::optional<Oid>(type->type);
    Status status = std::move(type).status();
    if (!status.is(sqlstate::undefined_object)) return status;
    const std::string message = status.error().message;
    TRY(missing(message, std::move(status)));
    return std::optional<Oid>();
  }

  Status drop_named(const NamedKind& kind, const Node& node) {
    const std::vector<std::string_view> names = names_of(node);
    const bool schema = TRY(has_schema(names));
    if (!schema) return {};
    bool found = false;
    if (!kind.catalog.empty()) {
      TRY(context_.host.run_query(context_.fiber,
                                  cat("SELECT 1 FROM pg_catalog.", kind.catalog, " WHERE ",
                                      kind.name_column, " = ", quote_literal(names.back())),
                                  [&](std::span<const NullableDatum>) -> Status {
                                    found = true;
                                    return {};
                                  }));
    }
    const bool plain = kind.type == ObjectType::language || kind.type == ObjectType::access_method;
    if (found)
      return required(
          cat(kind.word, " ", plain ? std::string(names.back()) : quote_identifier(names.back())));
    const std::string what = cat(kind.word, " \"", joined(names), "\" does not exist");
    if (kind.type == ObjectType::collation) {
      return missing(
          what, raise(sqlstate::undefined_object, cat("collation \"", joined(names),
                                                      "\" for encoding \"UTF8\" does not exist")));
    }
    const bool table = kind.type == ObjectType::foreign_table;
    return missing(table ? sqlstate::undefined_table : sqlstate::undefined_object, what);
  }

  Status drop_type(const TypeName& name, bool domain) {
    const std::optional<Oid> type = TRY(find_type(name));
    if (!type) return {};
    AnalyzeContext analysis = context_.analysis();
    const std::string shown = TRY(type_name(analysis, *type));
    const CatalogType* info = TRY(context_.catalog.type(context_.fiber, *type));
    if (domain && info->type != 'd')
      return raise(sqlstate::wrong_object_type,
                   cat("\"", joined(name.names), "\" is not a domain"));
    if (*type < kFirstUserOid) return required(cat("type ", shown));
    const bool of_table = info->relation != Oid();
    const CatalogType* element = TRY(context_.catalog.type(context_.fiber, info->element));
    const std::string owner =
        of_table || element == nullptr ? cat("table ", shown) : cat("type ", element->name);
    return raise(sqlstate::dependent_objects_still_exist,
                 cat("cannot drop type ", shown, " because ", owner, " requires it"))
        .hint(cat("You can drop ", owner, " instead."));
  }

  Status drop_function(const ObjectWithArgs& object) {
    const ObjectType kind = statement_.remove_type;
    const std::string_view word = kind == ObjectType::aggregate   ? "aggregate"
                                  : kind == ObjectType::procedure ? "procedure"
                                  : kind == ObjectType::routine   ? "routine"
                                                                  : "function";
    const bool schema = TRY(has_schema(object.objname));
    if (!schema) return {};
    std::vector<Oid> types;
    std::string written, shown;
    AnalyzeContext analysis = context_.analysis();
    for (const TypeName* name : object.objargs) {
      const std::optional<Oid> type = TRY(find_type(*name));
      if (!type) return {};
      types.push_back(*type);
      const std::string text = TRY(type_name(analysis, *type));
      written += cat(written.empty() ? "" : ",", joined(name->names));
      shown += cat(shown.empty() ? "" : ", ", text);
    }
    const std::string name = joined(object.objname);
    const FunctionCandidates all =
        TRY(context_.catalog.functions(context_.fiber, context_.path, object.objname.back()));
    size_t named = 0;
    for (const FunctionInfo* function : all.functions) {
      ++named;
      if (object.args_unspecified ? all.functions.size() == 1 : function->args == types)
        return required(cat("function ", function->name, "(", shown, ")"));
    }
    if (object.args_unspecified && named > 1) {
      return raise(sqlstate::ambiguous_function, cat("function name \"", name, "\" is not unique"))
          .hint("Specify the argument list to select the function unambiguously.");
    }
    const std::string_view found_as = kind == ObjectType::routine ? "function" : word;
    if (kind == ObjectType::aggregate && object.objargs.empty()) shown = "*";
    const std::string error = object.args_unspecified
                                  ? cat("could not find a ", found_as, " named \"", name, "\"")
                                  : cat(found_as, " ", name, "(", shown, ") does not exist");
    return missing(cat(word, " ", name, "(", written, ") does not exist"),
                   raise(sqlstate::undefined_function, error));
  }

  Status drop_operator(const ObjectWithArgs& object) {
    const bool schema = TRY(has_schema(object.objname));
    if (!schema) return {};
    std::vector<Oid> types;
    std::vector<std::string> shown;
    AnalyzeContext analysis = context_.analysis();
    for (const TypeName* name : object.objargs) {
      if (name == nullptr) {
        types.emplace_back();
        shown.emplace_back();
        continue;
      }
      const std::optional<Oid> type = TRY(find_type(*name));
      if (!type) return {};
      types.push_back(*type);
      std::string text = TRY(type_name(analysis, *type));
      shown.push_back(std::move(text));
    }
    const std::string name = joined(object.objname);
    const OperatorCandidates all =
        TRY(context_.catalog.operators(context_.fiber, context_.path, object.objname.back()));
    for (const OperatorInfo* op : all.operators) {
      if (types.size() == 2 && op->left == types[0] && op->right == types[1])
        return required(cat("operator ", name, "(", shown[0], ",", shown[1], ")"));
    }
    const std::string left = shown.empty() || shown[0].empty() ? "" : cat(shown[0], " ");
    return missing(
        cat("operator ", name, " does not exist"),
        raise(sqlstate::undefined_function, cat("operator does not exist: ", left, name, " ",
                                                shown.size() > 1 ? shown[1] : std::string())));
  }

  // A trigger, rule or policy of a table.
  Status drop_of_table(std::string_view word, const Node& node) {
    std::vector<std::string_view> names = names_of(node);
    const std::string name(names.back());
    names.pop_back();
    const bool schema = TRY(has_schema(names));
    if (!schema) return {};
    RangeVar table;
    table.location = -1;
    table.relname = names.back();
    if (names.size() > 1) table.schemaname = names[names.size() - 2];
    AnalyzeContext analysis = context_.analysis();
    const RelationInfo* relation = TRY(find_relation(analysis, table, kAccessShareLock));
    if (relation == nullptr) {
      return missing(sqlstate::undefined_table,
                     cat("relation \"", joined(names), "\" does not exist"));
    }
    if (word == "rule" && name == "_RETURN" && relation->kind == 'v') {
      return raise(sqlstate::dependent_objects_still_exist,
                   cat("cannot drop rule _RETURN on view ", relation->name, " because view ",
                       relation->name, " requires it"))
          .hint(cat("You can drop view ", relation->name, " instead."));
    }
    const std::string of =
        cat(word, " \"", name, "\" for relation \"", joined(names), "\" does not exist");
    const std::string error =
        cat(word, " \"", name, "\" for ", word == "rule" ? "relation" : "table", " \"",
            relation->name, "\" does not exist");
    return missing(of, raise(sqlstate::undefined_object, error));
  }

 private:
  CommandContext& context_;
  const DropStmt& statement_;
};

}  // namespace

Result<std::string> drop_others(CommandContext& context, const DropStmt& statement) {
  OtherDrop drop(context, statement);
  const ObjectType type = statement.remove_type;
  const auto named = std::ranges::find(kNamedKinds, type, &NamedKind::type);
  for (const Node* node : statement.objects) {
    if (named != std::end(kNamedKinds)) {
      TRY(drop.drop_named(*named, *node));
    } else if (type == ObjectType::type || type == ObjectType::domain) {
      TRY(drop.drop_type(as<TypeName>(*node), type == ObjectType::domain));
    } else if (type == ObjectType::function || type == ObjectType::procedure ||
               type == ObjectType::routine || type == ObjectType::aggregate) {
      TRY(drop.drop_function(as<ObjectWithArgs>(*node)));
    } else if (type == ObjectType::operator_) {
      TRY(drop.drop_operator(as<ObjectWithArgs>(*node)));
    } else if (type == ObjectType::trigger || type == ObjectType::rule ||
               type == ObjectType::policy) {
      const std::string_view word = type == ObjectType::trigger ? "trigger"
                                    : type == ObjectType::rule  ? "rule"
                                                                : "policy";
      TRY(drop.drop_of_table(word, *node));
    } else {
      return unsupported("DROP of this kind of object");
    }
  }
  if (named != std::end(kNamedKinds)) return std::string(named->tag);
  switch (static_cast<int>(type)) {
    case static_cast<int>(ObjectType::domain):    return std::string("DROP DOMAIN");
    case static_cast<int>(ObjectType::function):  return std::string("DROP FUNCTION");
    case static_cast<int>(ObjectType::procedure): return std::string("DROP PROCEDURE");
    case static_cast<int>(ObjectType::routine):   return std::string("DROP ROUTINE");
    case static_cast<int>(ObjectType::aggregate): return std::string("DROP AGGREGATE");
    case static_cast<int>(ObjectType::operator_): return std::string("DROP OPERATOR");
    case static_cast<int>(ObjectType::trigger):   return std::string("DROP TRIGGER");
    case static_cast<int>(ObjectType::rule):      return std::string("DROP RULE");
    case static_cast<int>(ObjectType::policy):    return std::string("DROP POLICY");
  }
  return std::string("DROP TYPE");
}

}  // namespace orrery
