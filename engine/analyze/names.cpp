// Names of relations and types, and how types are shown.
#include "analyze/transform.h"
#include "base/text.h"
#include "types/type_oids.h"
#include "types/typmod.h"

namespace orrery {

int error_position(std::string_view text, int location) {
  if (location < 0) return 0;
  int position = 1;
  const size_t end = std::min(static_cast<size_t>(location), text.size());
  for (size_t i = 0; i < end; ++i) position += (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
  return position;
}

Result<const RelationInfo*> find_relation(AnalyzeContext& context, const RangeVar& name,
                                          int lock_mode) {
  if (!name.catalogname.empty() && name.catalogname != context.session.database) {
    return raise(sqlstate::feature_not_supported,
                 cat("cross-database references are not implemented: \"", name.catalogname, ".",
                     name.schemaname, ".", name.relname, "\""))
        .at(error_position(context.text, name.location));
  }
  // Lock, then look again: the name may have come to mean something else while we waited.
  while (true) {
    Oid oid;
    if (!name.schemaname.empty()) {
      const Oid nsp = TRY(context.catalog.nsp_oid(context.fiber, name.schemaname));
      if (!nsp) return static_cast<const RelationInfo*>(nullptr);
      oid = TRY(context.catalog.relation_oid(context.fiber, nsp, name.relname));
    } else {
      oid = TRY(context.catalog.find_relation(context.fiber, context.path, name.relname));
    }
    if (!oid) return static_cast<const RelationInfo*>(nullptr);
    const RelationInfo* before = TRY(context.catalog.relation(context.fiber, oid));
    if (before == nullptr || context.locker == nullptr || lock_mode == 0) return before;
    TRY(context.locker->lock_relation(context.fiber, oid, lock_mode));
    const RelationInfo* after = TRY(context.catalog.relation(context.fiber, oid));
    if (after == before || (after != nullptr && after->name == name.relname)) return after;
  }
}

Result<const RelationInfo*> resolve_relation(AnalyzeContext& context, const RangeVar& name,
                                             int lock_mode) {
  const RelationInfo* found = TRY(find_relation(context, name, lock_mode));
  if (found != nullptr) return found;
  const std::string shown =
      name.schemaname.empty() ? std::string(name.relname) : cat(name.schemaname, ".", name.relname);
  return raise(sqlstate::undefined_table, cat("relation \"", shown, "\" does not exist"))
      .at(error_position(context.text, name.location));
}

namespace {

Result<int32_t> typmod_of(AnalyzeContext& context, const TypeName& name, Oid type) {
  if (name.typmods.empty()) return -1;
  std::vector<int32_t> modifiers;
  for (const Node* node : name.typmods) {
    const auto* constant = as_if<A_Const>(node);
    if (constant == nullptr || constant->kind != ConstKind::integer) {
      return raise(sqlstate::syntax_error, "type modifiers must be simple constants or identifiers")
          .at(error_position(context.text, name.location));
    }
    modifiers.push_back(constant->ival);
  }
  Result<int32_t> made = make_typmod(type, modifiers);
  if (!made.ok()) return std::move(made).status().at(error_position(context.text, name.location));
  return made;
}

}  // namespace

Result<TypeAndMod> resolve_type_name(AnalyzeContext& context, const TypeName& name) {
  if (name.pct_type) return unsupported("%TYPE");
  if (name.setof)
    return raise(sqlstate::invalid_table_definition, "SETOF is not allowed here")
        .at(error_position(context.text, name.location));
  Oid oid;
  if (name.names.size() > 1) {
    const std::string_view schema = name.names[name.names.size() - 2];
    const Oid nsp = TRY(context.catalog.nsp_oid(context.fiber, schema));
    if (!nsp) {
      return raise(sqlstate::invalid_schema_name, cat("schema \"", schema, "\" does not exist"))
          .at(error_position(context.text, name.location));
    }
    oid = TRY(context.catalog.type_oid(context.fiber, nsp, name.names.back()));
  } else {
    oid = TRY(context.catalog.find_type(context.fiber, context.path, name.names.back()));
  }
  std::string shown = join(name.names, ".");
  for (size_t i = 0; i < name.array_bounds.size(); ++i) shown += "[]";
  if (!oid) {
    return raise(sqlstate::undefined_object, cat("type \"", shown, "\" does not exist"))
        .at(error_position(context.text, name.location));
  }
  const int32_t typmod = TRY(typmod_of(context, name, oid));
  if (!name.array_bounds.empty()) {
    oid = TRY(context.catalog.array_type(context.fiber, oid));
    if (!oid) {
      return raise(sqlstate::undefined_object, cat("type \"", shown, "\" does not exist"))
          .at(error_position(context.text, name.location));
    }
  }
  return TypeAndMod{oid, typmod};
}

namespace {

// What format_type calls the types that SQL has its own words for.
std::string_view sql_name(Oid type) {
  using namespace type_oid;
  if (type == bool_) return "boolean";
  if (type == bpchar) return "character";
  if (type == float4) return "real";
  if (type == float8) return "double precision";
  if (type == int2) return "smallint";
  if (type == int4) return "integer";
  if (type == int8) return "bigint";
  if (type == numeric) return "numeric";
  if (type == interval) return "interval";
  if (type == varbit) return "bit varying";
  if (type == varchar) return "character varying";
  if (type == char_) return "\"char\"";
  if (type == bit) return "bit";
  return {};
}

std::string_view with_zone(Oid type) {
  using namespace type_oid;
  if (type == time) return "time";
  if (type == timetz) return "time";
  if (type == timestamp) return "timestamp";
  if (type == timestamptz) return "timestamp";
  return {};
}

}  // namespace

Result<std::string> type_name(AnalyzeContext& context, Oid type, int32_t typmod) {
  if (!type) return std::string("-");
  const CatalogType* info = TRY(context.catalog.type(context.fiber, type));
  if (info == nullptr) return std::string("???");
  if (info->is_true_array() && info->type != 'd')
    return cat(TRY(type_name(context, info->element, typmod)), "[]");
  std::string modifier;
  append_typmod(type, typmod, modifier);
  if (const std::string_view clock = with_zone(type); !clock.empty()) {
    const bool zoned = type == type_oid::timetz || type == type_oid::timestamptz;
    return cat(clock, modifier, zoned ? " with time zone" : " without time zone");
  }
  // bpchar and bit without a length are not SQL's CHAR and BIT, which mean length 1.
  const bool bare = typmod < 0 && (type == type_oid::bpchar || type == type_oid::bit);
  if (const std::string_view name = sql_name(type); !name.empty() && !bare)
    return cat(name, modifier);
  if (type == type_oid::bpchar) return std::string("character");
  if (type == type_oid::bit) return std::string("\"bit\"");
  const Oid visible = TRY(context.catalog.find_type(context.fiber, context.path, info->name));
  if (visible == type) return cat(info->name, modifier);
  const NamespaceInfo* nsp = TRY(context.catalog.nsp(context.fiber, info->nsp));
  return cat(nsp == nullptr ? "" : nsp->name, ".", info->name, modifier);
}

Result<std::string> plain_type_name(AnalyzeContext& context, Oid type) {
  if (type == type_oid::bit) return std::string("bit");
  if (type == type_oid::bit_array) return std::string("bit[]");
  return type_name(context, type);
}

}  // namespace orrery
