// Stored texts (views, defaults) name relations. Where one is about to get another name or schema,
// the texts that name it are read as trees while the old name holds, and written anew, with the
// names that hold then.
#pragma once

#include "analyze/query.h"
#include "command/command.h"

namespace orrery {

class StoredTexts {
 public:
  explicit StoredTexts(CommandContext& context) : context_(context) {}

  // What names `relation`; may be called for several. 0A000 where a kind of text names it that
  // cannot be written anew.
  Status read(Oid relation);
  Status write();

 private:
  struct View {
    Oid oid;
    Query* query;
  };
  struct Default {
    Oid oid, table;  // the pg_attrdef row's; the table it belongs to
    Expr* expr;
  };
  Status read_user(Oid relation, Oid catalog, Oid object, bool of_own_column);
  Status read_rule(Oid relation, Oid rule);
  Status read_default(Oid relation, Oid row, bool of_own_column);
  Status refuse_check(Oid relation, Oid constraint);
  Status refuse_index(Oid relation, Oid user);
  Status rename_entries(Query& query);

  CommandContext& context_;
  std::vector<View> views_;
  std::vector<Default> defaults_;
};

}  // namespace orrery
