#include "command/helpers.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/writer.h"
#include "command/relation_storage.h"

namespace orrery {
namespace {

struct KindWord {
  std::string_view kinds;
  std::string_view words;
};
constexpr KindWord kKindWords[] = {{"r", "a table"},
                                   {"v", "a view"},
                                   {"i", "an index"},
                                   {"S", "a sequence"},
                                   {"m", "a materialized view"}};

std::string_view wanted_word(std::string_view kinds) {
  const auto at = std::ranges::find(kKindWords, kinds, &KindWord::kinds);
  return at == std::end(kKindWords) ? std::string_view("a table") : at->words;
}

}  // namespace

Oid database_of(const CommandContext& context) { return context.store.database().oid; }

void notice(CommandContext& context, std::string message, std::string detail) {
  Error error;
  error.code = sqlstate::successful_completion;
  error.message = std::move(message);
  error.detail = std::move(detail);
  context.host.notice(error);
}

Result<Oid> creation_schema(CommandContext& context, const RangeVar& name) {
  if (!name.catalogname.empty() && name.catalogname != context.session.database) {
    return raise(sqlstate::feature_not_supported,
                 cat("cross-database references are not implemented: \"", name.catalogname, ".",
                     name.schemaname, ".", name.relname, "\""))
        .at(error_position(context.text, name.location));
  }
  Oid nsp;
  if (name.relpersistence == RelPersistence::temp) {
    if (!name.schemaname.empty() && name.schemaname != "pg_temp") {
      return raise(sqlstate::invalid_table_definition,
                   "cannot create temporary relation in non-temporary schema")
          .at(error_position(context.text, name.location));
    }
    return context.host.temporary_schema(context.fiber);
  }
  if (name.schemaname == "pg_temp") return context.host.temporary_schema(context.fiber);
  if (!name.schemaname.empty()) {
    nsp = TRY(context.catalog.nsp_oid(context.fiber, name.schemaname));
    if (!nsp) {
      return raise(sqlstate::undefined_schema,
                   cat("schema \"", name.schemaname, "\" does not exist"))
          .at(error_position(context.text, name.location));
    }
  } else {
    nsp = context.path.creation;
    if (!nsp) {
      return raise(sqlstate::undefined_schema, "no schema has been selected to create in")
          .at(error_position(context.text, name.location));
    }
  }
  TRY(check_schema_rights(context.fiber, context.catalog, nsp, current_role(context), kAclCreate));
  if (nsp == kPgCatalogNamespace) {
    return raise(sqlstate::insufficient_privilege,
                 cat("permission denied to create \"pg_catalog.", name.relname, "\""))
        .detail("System catalog modifications are currently disallowed.");
  }
  return nsp;
}

Result<QualifiedName> creation_name(CommandContext& context, Names names) {
  RangeVar range;
  range.relname = names.back();
  if (names.size() > 1) range.schemaname = names[names.size() - 2];
  if (names.size() > 2) range.catalogname = names[names.size() - 3];
  const Oid nsp = TRY(creation_schema(context, range));
  return QualifiedName{nsp, names.back()};
}

Status check_not_catalog(const RelationInfo& relation) {
  if (relation.oid >= kFirstUserOid || relation.nsp != kPgCatalogNamespace) return {};
  return raise(sqlstate::insufficient_privilege,
               cat("permission denied: \"", relation.name, "\" is a system catalog"));
}

Result<const RelationInfo*> named_relation(CommandContext& context, const RangeVar& name,
                                           int lock_mode) {
  AnalyzeContext analysis = context.analysis();
  RangeVar placeless = name;
  placeless.location = -1;
  return resolve_relation(analysis, placeless, lock_mode);
}

Result<const RelationInfo*> own_relation(CommandContext& context, const RangeVar& name,
                                         std::string_view kinds, int lock_mode, bool missing_ok) {
  const RelationInfo* relation = nullptr;
  if (missing_ok) {
    AnalyzeContext analysis = context.analysis();
    relation = TRY(find_relation(analysis, name, lock_mode));
    if (relation == nullptr) {
      notice(context, cat("relation \"", name.relname, "\" does not exist, skipping"));
      return relation;
    }
  } else {
    relation = TRY(named_relation(context, name, lock_mode));
  }
  if (kinds.find(relation->kind) == std::string_view::npos) {
    return raise(sqlstate::wrong_object_type,
                 cat("\"", relation->name, "\" is not ", wanted_word(kinds)));
  }
  TRY(check_relation_owner(context.fiber, context.catalog, *relation, current_role(context)));
  TRY(check_not_catalog(*relation));
  return relation;
}

Status drop_objects(CommandContext& context, std::span<const ObjectAddress> objects,
                    DropMode mode) {
  const std::vector<DependentObject> found =
      TRY(find_dependents(context.fiber, context.catalog, context.store, context.path, objects,
                          mode, [&](std::string message, std::string detail) {
                            notice(context, std::move(message), std::move(detail));
                          }));
  for (const DependentObject& dependent : found) {
    const ObjectAddress& object = dependent.object;
    if (object.catalog == pg_class::kRelation && object.column == 0) {
      TRY(context.host.lock_relation(context.fiber, object.object, kAccessExclusiveLock));
      TRY(context.host.check_not_in_use(object.object, "DROP TABLE"));
    }
  }
  CatalogWriter writer(context.store, context.catalog);
  for (const DependentObject& dependent : found) {
    TRY(writer.delete_object(context.fiber, dependent.object,
                             [&](FileId file) { drop_file(context, file); }));
  }
  return {};
}

Result<Oid> resolve_collation(AnalyzeContext& context, Names name) {
  Oid oid;
  if (name.size() > 1) {
    const Oid nsp = TRY(context.catalog.nsp_oid(context.fiber, name[name.size() - 2]));
    oid = TRY(context.catalog.collation_oid(context.fiber, nsp, name.back()));
  } else {
    oid = TRY(context.catalog.find_collation(context.fiber, context.path, name.back()));
  }
  if (oid) return oid;
  return raise(sqlstate::undefined_object,
               cat("collation \"", join(name, "."), "\" for encoding \"UTF8\" does not exist"));
}

std::string expression_name(const Node& node) {
  if (const auto* column = as_if<ColumnRef>(&node)) {
    if (!column->fields.empty()) return std::string(column->fields.back());
  }
  if (const auto* call = as_if<FuncCall>(&node)) return std::string(call->funcname.back());
  if (const auto* cast = as_if<TypeCast>(&node)) {
    const std::string inner = expression_name(*cast->arg);
    return inner == "expr" ? std::string(cast->type_name->names.back()) : inner;
  }
  if (node.tag == NodeTag::CoalesceExpr) return "coalesce";
  if (node.tag == NodeTag::CaseExpr) return "case";
  return "expr";
}

Result<Oid> resolve_role(CommandContext& context, const RoleSpec& role) {
  switch (role.roletype) {
    case RoleSpecType::current_role:
    case RoleSpecType::current_user: return context.session.current_user_oid;
    case RoleSpecType::session_user: {
      const Oid oid = TRY(context.catalog.role_oid(context.fiber, context.session.session_user));
      return oid;
    }
    case RoleSpecType::public_:
      return raise(sqlstate::undefined_object, "role \"public\" does not exist");
    case RoleSpecType::cstring: break;
  }
  const Oid oid = TRY(context.catalog.role_oid(context.fiber, role.rolename));
  if (!oid) {
    return raise(sqlstate::undefined_object, cat("role \"", role.rolename, "\" does not exist"));
  }
  return oid;
}

Result<std::string> option_text(const DefElem& option) {
  if (option.arg == nullptr) {
    return raise(sqlstate::syntax_error, cat(option.defname, " requires a parameter"));
  }
  if (const auto* text = as_if<String>(option.arg)) return std::string(text->sval);
  if (const auto* number = as_if<Integer>(option.arg)) return cat(number->ival);
  if (const auto* number = as_if<Float>(option.arg)) return std::string(number->fval);
  if (const auto* boolean = as_if<Boolean>(option.arg)) {
    return std::string(boolean->boolval ? "true" : "false");
  }
  if (const auto* type = as_if<TypeName>(option.arg)) return std::string(type->names.back());
  return raise(sqlstate::syntax_error, cat("invalid value for option ", option.defname));
}

Result<int64_t> option_integer(const DefElem& option) {
  const std::string text = TRY(option_text(option));
  if (as_if<Integer>(option.arg) == nullptr && as_if<Float>(option.arg) == nullptr) {
    return raise(sqlstate::syntax_error, cat(option.defname, " requires a numeric value"));
  }
  int64_t out = 0;
  const bool negative = text.starts_with('-');
  for (char c : std::string_view(text).substr(negative ? 1 : 0)) {
    const bool fits = c >= '0' && c <= '9' && !__builtin_mul_overflow(out, int64_t{10}, &out) &&
                      !(negative ? __builtin_sub_overflow(out, int64_t{c - '0'}, &out)
                                 : __builtin_add_overflow(out, int64_t{c - '0'}, &out));
    if (!fits) {
      return raise(sqlstate::numeric_value_out_of_range,
                   cat("value \"", text, "\" is out of range for type bigint"));
    }
  }
  return out;
}

Result<bool> option_boolean(const DefElem& option) {
  if (option.arg == nullptr) return true;
  const std::string text = TRY(option_text(option));
  for (std::string_view word : {"true", "on", "1", "yes"}) {
    if (equals_ignoring_case(text, word)) return true;
  }
  for (std::string_view word : {"false", "off", "0", "no"}) {
    if (equals_ignoring_case(text, word)) return false;
  }
  return raise(sqlstate::syntax_error, cat(option.defname, " requires a Boolean value"));
}

}  // namespace orrery
