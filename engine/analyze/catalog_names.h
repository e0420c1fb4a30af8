// Names of catalog objects to OIDs and back, for regclass and its kin, along a search path: the
// NameResolver (types/settings.h) of a session.
#pragma once

#include "analyze/analyzer.h"

namespace orrery {

// As PostgreSQL reads a qualified name: identifiers separated by dots, quoted or folded. 42602
// "invalid name syntax".
Result<std::vector<std::string>> split_qualified_name(std::string_view text);

class CatalogNames {
 public:
  explicit CatalogNames(AnalyzeContext& context) : context_(context) {}

  // See NameResolver.
  Result<Oid> resolve(Oid reg_type, std::string_view text);
  Status append_name(Oid reg_type, Oid object, std::string& out);

 private:
  struct Signature {
    std::vector<std::string> name;
    std::vector<Oid> types;  // 0: NONE
  };
  Result<Oid> relation(std::string_view text);
  Result<Oid> function(std::string_view text);
  Result<Oid> procedure(std::string_view text);
  Result<Oid> op(std::string_view text);
  Result<Oid> op_with_types(std::string_view text);
  Result<Oid> type(std::string_view text);
  Result<Oid> simple(Oid reg_type, std::string_view text);
  Result<Oid> text_search(Oid reg_type, std::string_view text);
  Result<SearchPath> path_of(const std::vector<std::string>& name);
  Result<Signature> signature(std::string_view text, bool allow_none);
  Result<std::string> function_shown(Oid oid, bool with_types);
  Result<std::string> operator_shown(Oid oid, bool with_types);
  Result<std::string> type_list(std::span<const Oid> types);
  Result<std::string> qualified(Oid nsp, std::string_view quoted);
  Result<std::optional<std::string>> shown(Oid reg_type, Oid object);

  AnalyzeContext& context_;
};

// A type as written in text, "character varying(10)[]". 42601, 42704.
Result<TypeAndMod> resolve_type_text(AnalyzeContext& context, std::string_view text);

}  // namespace orrery
