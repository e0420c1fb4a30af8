#include "analyze/catalog_names.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/facts.h"
#include "catalog/object_address.h"
#include "catalog/quote.h"
#include "sql/parser.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Status bad_name() { return raise(sqlstate::invalid_name, "invalid name syntax"); }

// One identifier at the start of `text`, which is cut.
Result<std::string> take_identifier(std::string_view& text) {
  std::string out;
  if (text.empty()) return bad_name();
  if (text.front() == '"') {
    for (size_t i = 1; i < text.size(); ++i) {
      if (text[i] != '"') {
        out += text[i];
        continue;
      }
      if (i + 1 < text.size() && text[i + 1] == '"') {
        out += text[++i];
        continue;
      }
      text.remove_prefix(i + 1);
      if (out.empty()) return bad_name();
      return out;
    }
    return bad_name();
  }
  size_t length = 0;
  while (length < text.size() && text[length] != '.' && !is_space(text[length])) ++length;
  if (length == 0) return bad_name();
  for (char c : text.substr(0, length)) {
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  text.remove_prefix(length);
  return out;
}

// The position of the parenthesis that opens the argument types, outside of quotes.
size_t find_open(std::string_view text) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '(' && !quoted) return i;
  }
  return std::string_view::npos;
}

std::string shown_name(const std::vector<std::string>& name) {
  return join(std::vector<std::string_view>(name.begin(), name.end()), ".");
}

}  // namespace

Result<std::vector<std::string>> split_qualified_name(std::string_view text) {
  text = trim(text);
  std::vector<std::string> out;
  while (true) {
    std::string identifier = TRY(take_identifier(text));
    out.push_back(std::move(identifier));
    text = trim(text);
    if (text.empty()) return out;
    if (text.front() != '.') return bad_name();
    text = trim(text.substr(1));
  }
}

Result<TypeAndMod> resolve_type_text(AnalyzeContext& context, std::string_view text) {
  const auto bad = [&] {
    return raise(sqlstate::syntax_error, cat("invalid type name \"", text, "\""));
  };
  if (trim(text).empty()) return bad();
  // Read as the target of a cast; whatever else the text holds is no type.
  const std::string_view sql = context.arena.copy(cat("SELECT CAST(NULL AS ", text, ")"));
  Result<std::span<const RawStmt* const>> parsed = parse(context.arena, sql);
  if (!parsed.ok()) {
    Status status = std::move(parsed).status();
    if (!status.is(sqlstate::syntax_error)) return status;
    // Our own parenthesis is the end of the client's text.
    std::string& message = status.error().message;
    if (message.ends_with("at or near \")\"") && text.find(')') == std::string_view::npos)
      message = "syntax error at end of input";
    status.error().position = 0;
    return std::move(status).context(cat("invalid type name \"", text, "\""));
  }
  const auto* select = (*parsed).size() == 1 ? as_if<SelectStmt>((*parsed)[0]->stmt) : nullptr;
  if (select == nullptr || select->target_list.size() != 1 || !select->from_clause.empty() ||
      select->op != SetOperation::none) {
    return bad();
  }
  const auto* cast = as_if<TypeCast>(select->target_list[0]->val);
  if (cast == nullptr || cast->arg->tag != NodeTag::A_Const) return bad();
  AnalyzeContext plain{.fiber = context.fiber,
                       .arena = context.arena,
                       .catalog = context.catalog,
                       .path = context.path,
                       .session = context.session,
                       .locker = nullptr,
                       .text = {}};
  Result<TypeAndMod> found = resolve_type_name(plain, *cast->type_name);
  if (found.ok()) return found;
  // The place is one in our text, not the client's.
  Status status = std::move(found).status();
  status.error().position = 0;
  return status;
}

// ---- names to OIDs

// A schema named must exist.
Result<SearchPath> CatalogNames::path_of(const std::vector<std::string>& name) {
  if (name.size() == 1) return context_.path;
  const std::string& schema = name[name.size() - 2];
  const Oid nsp = TRY(context_.catalog.nsp_oid(context_.fiber, schema));
  if (!nsp) {
    return raise(sqlstate::invalid_schema_name, cat("schema \"", schema, "\" does not exist"));
  }
  SearchPath path;
  path.namespaces = {nsp};
  return path;
}

Result<Oid> CatalogNames::relation(std::string_view text) {
  const std::vector<std::string> name = TRY(split_qualified_name(text));
  const SearchPath path = TRY(path_of(name));
  const Oid oid = TRY(context_.catalog.find_relation(context_.fiber, path, name.back()));
  if (oid) return oid;
  return raise(sqlstate::undefined_table,
               cat("relation \"", shown_name(name), "\" does not exist"));
}

Result<Oid> CatalogNames::function(std::string_view text) {
  const std::vector<std::string> name = TRY(split_qualified_name(text));
  const SearchPath path = TRY(path_of(name));
  const FunctionCandidates found =
      TRY(context_.catalog.functions(context_.fiber, path, name.back()));
  if (found.functions.empty()) {
    return raise(sqlstate::undefined_function, cat("function \"", text, "\" does not exist"));
  }
  if (found.functions.size() > 1) {
    return raise(sqlstate::ambiguous_function, cat("more than one function named \"", text, "\""));
  }
  return found.functions[0]->oid;
}

// "name(type, type)".
Result<CatalogNames::Signature> CatalogNames::signature(std::string_view text, bool allow_none) {
  const size_t open = find_open(text);
  if (open == std::string_view::npos) {
    return raise(sqlstate::invalid_text_representation, "expected a left parenthesis");
  }
  Signature out;
  if (allow_none) {
    // An operator's name is no identifier.
    const std::string_view whole = trim(text.substr(0, open));
    const size_t dot = whole.rfind('.');
    if (dot != std::string_view::npos) out.name = TRY(split_qualified_name(whole.substr(0, dot)));
    out.name.emplace_back(dot == std::string_view::npos ? whole : whole.substr(dot + 1));
  } else {
    out.name = TRY(split_qualified_name(text.substr(0, open)));
  }
  std::string_view rest = trim(text.substr(open + 1));
  if (rest.empty() || rest.back() != ')') {
    return raise(sqlstate::invalid_text_representation, "expected a right parenthesis");
  }
  rest = trim(rest.substr(0, rest.size() - 1));
  int depth = 0;
  bool quoted = false;
  size_t start = 0;
  for (size_t i = 0; i <= rest.size() && !rest.empty(); ++i) {
    const char c = i < rest.size() ? rest[i] : ',';
    if (c == '"') quoted = !quoted;
    if (!quoted) depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    const bool ends = i == rest.size() || (c == ',' && depth == 0 && !quoted);
    if (!ends) continue;
    const std::string_view one = trim(rest.substr(start, i - start));
    start = i + 1;
    if (allow_none && equals_ignoring_case(one, "none")) {
      out.types.push_back(kInvalidOid);
      continue;
    }
    const TypeAndMod type = TRY(resolve_type_text(context_, one));
    out.types.push_back(type.type);
  }
  return out;
}

Result<Oid> CatalogNames::procedure(std::string_view text) {
  const Signature wanted = TRY(signature(text, false));
  const SearchPath path = TRY(path_of(wanted.name));
  const FunctionCandidates found =
      TRY(context_.catalog.functions(context_.fiber, path, wanted.name.back()));
  for (const FunctionInfo* function : found.functions) {
    if (function->args == wanted.types) return function->oid;
  }
  return raise(sqlstate::undefined_function, cat("function \"", text, "\" does not exist"));
}

Result<Oid> CatalogNames::op(std::string_view text) {
  const std::string_view whole = trim(text);
  const size_t dot = whole.find('.');
  std::vector<std::string> name;
  if (dot != std::string_view::npos) name = TRY(split_qualified_name(whole.substr(0, dot)));
  name.emplace_back(dot == std::string_view::npos ? whole : whole.substr(dot + 1));
  const SearchPath path = TRY(path_of(name));
  const OperatorCandidates found =
      TRY(context_.catalog.operators(context_.fiber, path, name.back()));
  if (found.operators.empty()) {
    return raise(sqlstate::undefined_function, cat("operator does not exist: ", text));
  }
  if (found.operators.size() > 1) {
    return raise(sqlstate::ambiguous_function, cat("more than one operator named ", text));
  }
  return found.operators[0]->oid;
}

Result<Oid> CatalogNames::op_with_types(std::string_view text) {
  const Signature wanted = TRY(signature(text, true));
  if (wanted.types.size() == 1) {
    return raise(sqlstate::undefined_parameter, "missing argument")
        .hint("Use NONE to denote the missing argument of a unary operator.");
  }
  if (wanted.types.size() != 2) {
    return raise(sqlstate::too_many_arguments, "too many arguments")
        .hint("Provide two argument types for operator.");
  }
  Result<SearchPath> path = path_of(wanted.name);
  if (path.ok()) {
    const OperatorCandidates found =
        TRY(context_.catalog.operators(context_.fiber, *path, wanted.name.back()));
    for (const OperatorInfo* candidate : found.operators) {
      if (candidate->left == wanted.types[0] && candidate->right == wanted.types[1]) {
        return candidate->oid;
      }
    }
  }
  return raise(sqlstate::undefined_function, cat("operator does not exist: ", text));
}

Result<Oid> CatalogNames::type(std::string_view text) {
  const TypeAndMod found = TRY(resolve_type_text(context_, text));
  return found.type;
}

// Names without a schema, and collations.
Result<Oid> CatalogNames::simple(Oid reg_type, std::string_view text) {
  const std::vector<std::string> name = TRY(split_qualified_name(text));
  if (reg_type == type_oid::regcollation) {
    const SearchPath path = TRY(path_of(name));
    const Oid oid = TRY(context_.catalog.find_collation(context_.fiber, path, name.back()));
    if (oid) return oid;
    return raise(sqlstate::undefined_object,
                 cat("collation \"", shown_name(name), "\" for encoding \"UTF8\" does not exist"));
  }
  if (name.size() != 1) return bad_name();
  if (reg_type == type_oid::regrole) {
    const Oid oid = TRY(context_.catalog.role_oid(context_.fiber, name[0]));
    if (oid) return oid;
    return raise(sqlstate::undefined_object, cat("role \"", name[0], "\" does not exist"));
  }
  const Oid oid = TRY(context_.catalog.nsp_oid(context_.fiber, name[0]));
  if (oid) return oid;
  return raise(sqlstate::invalid_schema_name, cat("schema \"", name[0], "\" does not exist"));
}

Result<Oid> CatalogNames::text_search(Oid reg_type, std::string_view text) {
  const std::vector<std::string> name = TRY(split_qualified_name(text));
  const SearchPath path = TRY(path_of(name));
  const bool is_config = reg_type == type_oid::regconfig;
  const bool searched =
      std::ranges::find(path.namespaces, kPgCatalogNamespace) != path.namespaces.end();
  const FactTable& facts = fact_table(is_config ? pg_ts_config::kRelation : pg_ts_dict::kRelation);
  for (size_t i = 0; searched && i < facts.size(); ++i) {
    const FactRow row = facts.row(i);
    if (row.view().name(2) == name.back()) return row.view().get<Oid>(1);
  }
  return raise(sqlstate::undefined_object,
               cat("text search ", is_config ? "configuration" : "dictionary", " \"",
                   shown_name(name), "\" does not exist"));
}

Result<Oid> CatalogNames::resolve(Oid reg_type, std::string_view text) {
  using namespace type_oid;
  if (reg_type == regclass) return relation(text);
  if (reg_type == regproc) return function(text);
  if (reg_type == regprocedure) return procedure(text);
  if (reg_type == regoper) return op(text);
  if (reg_type == regoperator) return op_with_types(text);
  if (reg_type == regtype) return type(text);
  if (reg_type == regconfig || reg_type == regdictionary) return text_search(reg_type, text);
  return simple(reg_type, text);
}

// ---- OIDs to names

Result<std::string> CatalogNames::qualified(Oid nsp, std::string_view quoted) {
  const NamespaceInfo* info = TRY(context_.catalog.nsp(context_.fiber, nsp));
  if (info == nullptr) return std::string(quoted);
  return cat(quote_identifier(info->name), ".", quoted);
}

Result<std::string> CatalogNames::type_list(std::span<const Oid> types) {
  std::string out;
  for (size_t i = 0; i < types.size(); ++i) {
    if (i > 0) out += ",";
    std::string name = "NONE";
    if (types[i]) name = TRY(plain_type_name(context_, types[i]));
    out += name;
  }
  return out;
}

// A name alone must mean this function and no other; with its types, it must be found first.
Result<std::string> CatalogNames::function_shown(Oid oid, bool with_types) {
  const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, oid));
  if (info == nullptr) return std::string();
  const FunctionCandidates found =
      TRY(context_.catalog.functions(context_.fiber, context_.path, info->name));
  bool visible = found.functions.size() == 1 && found.functions[0]->oid == oid;
  if (with_types) {
    visible = std::ranges::find(found.functions, oid, &FunctionInfo::oid) != found.functions.end();
  }
  std::string name = quote_identifier(info->name);
  if (!visible) name = TRY(qualified(info->nsp, name));
  if (!with_types) return name;
  const std::string types = TRY(type_list(info->args));
  return cat(name, "(", types, ")");
}

Result<std::string> CatalogNames::operator_shown(Oid oid, bool with_types) {
  const OperatorInfo* info = TRY(context_.catalog.op(context_.fiber, oid));
  if (info == nullptr) return std::string();
  const OperatorCandidates found =
      TRY(context_.catalog.operators(context_.fiber, context_.path, info->name));
  bool visible = found.operators.size() == 1 && found.operators[0]->oid == oid;
  if (with_types) {
    visible = std::ranges::find(found.operators, oid, &OperatorInfo::oid) != found.operators.end();
  }
  std::string name = info->name;
  if (!visible) name = TRY(qualified(info->nsp, name));
  if (!with_types) return name;
  const Oid both[] = {info->left, info->right};
  const std::string types = TRY(type_list(both));
  return cat(name, "(", types, ")");
}

// Nothing when there is no such object.
Result<std::optional<std::string>> CatalogNames::shown(Oid reg_type, Oid object) {
  using namespace type_oid;
  std::string out;
  if (reg_type == regclass) {
    const RelationInfo* info = TRY(context_.catalog.relation(context_.fiber, object));
    if (info != nullptr) {
      out = TRY(relation_display_name(context_.fiber, context_.catalog, context_.path, *info));
    }
  } else if (reg_type == regproc || reg_type == regprocedure) {
    out = TRY(function_shown(object, reg_type == regprocedure));
  } else if (reg_type == regoper || reg_type == regoperator) {
    out = TRY(operator_shown(object, reg_type == regoperator));
  } else if (reg_type == regtype) {
    const CatalogType* info = TRY(context_.catalog.type(context_.fiber, object));
    if (info != nullptr) out = TRY(plain_type_name(context_, object));
  } else if (reg_type == regrole) {
    const RoleInfo* info = TRY(context_.catalog.role(context_.fiber, object));
    if (info != nullptr) out = quote_identifier(info->name);
  } else if (reg_type == regnamespace) {
    const NamespaceInfo* info = TRY(context_.catalog.nsp(context_.fiber, object));
    if (info != nullptr) out = quote_identifier(info->name);
  } else if (reg_type == regcollation) {
    const CollationInfo* info = TRY(context_.catalog.collation(context_.fiber, object));
    if (info != nullptr) out = quote_identifier(info->name);
  } else {
    const FactTable& facts =
        fact_table(reg_type == regconfig ? pg_ts_config::kRelation : pg_ts_dict::kRelation);
    if (const std::optional<size_t> at = facts.find(object)) {
      out = quote_identifier(facts.row(*at).view().name(2));
    }
  }
  if (out.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::move(out));
}

Status CatalogNames::append_name(Oid reg_type, Oid object, std::string& out) {
  const std::optional<std::string> name = TRY(shown(reg_type, object));
  out += name ? *name : cat(object);
  return {};
}

}  // namespace orrery
