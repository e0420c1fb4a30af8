#include "session/deferred_constraints.h"

#include <algorithm>

#include "base/plant.h"
#include "base/text.h"
#include "catalog/columns.h"
#include "session/session.h"

namespace orrery {

bool DeferredConstraints::is_deferred(const ConstraintInfo& constraint) const {
  if (!constraint.deferrable) return false;
  for (size_t i = choices_.size(); i > 0; --i) {
    const Choice& choice = choices_[i - 1];
    if (!choice.constraint || choice.constraint == constraint.oid) return choice.deferred;
  }
  return constraint.deferred;
}

void DeferredConstraints::add(Oid constraint, const RowKey& key,
                              std::span<const ColumnDesc> types) {
  Check check{constraint, key};
  std::span<NullableDatum> values = arena_.copy_array(key.values);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_null) values[i].value = copy_datum(arena_, values[i].value, types[i]);
  }
  check.key.values = values;
  check.key.name = arena_.copy(key.name);
  checks_.push_back(check);
}

std::vector<DeferredConstraints::Check> DeferredConstraints::take(
    uint32_t level, FunctionRef<bool(Oid constraint)> which) {
  std::vector<Check> taken;
  for (Check& check : checks_) {
    if (check.made != 0 || !which(check.constraint)) continue;
    check.made = level;
    taken.push_back(check);
  }
  return taken;
}

const DeferredConstraints::Check* DeferredConstraints::of_relation(Oid relation) const {
  for (const Check& check : checks_) {
    if (check.made == 0 && check.key.relation == relation) return &check;
  }
  return nullptr;
}

void DeferredConstraints::level_ended(uint32_t level, bool committed) {
  if (level == 1) {
    choices_.clear();
    if (checks_.empty()) return;
    checks_.clear();
    arena_.reset();
    return;
  }
  if (PLANTED(b48_deferred_checks_forgotten)) checks_.clear();
  for (Check& check : checks_) {
    if (check.made >= level) check.made = committed ? level - 1 : 0;
  }
  if (!committed) {
    std::erase_if(choices_, [level](const Choice& choice) { return choice.level >= level; });
    return;
  }
  for (Choice& choice : choices_) choice.level = std::min(choice.level, level - 1);
}

// ---- the session's part

Result<bool> Session::put_off(const ConstraintInfo& constraint, const RowKey& key,
                              std::span<const ColumnDesc> types) {
  if (!deferred_.is_deferred(constraint)) return false;
  deferred_.add(constraint.oid, key, types);
  TRY(memory_.check());
  return true;
}

// A constraint or a table that is gone needs no check.
Status Session::make_deferred_checks(Fiber& fiber, FunctionRef<bool(Oid constraint)> which) {
  const std::vector<DeferredConstraints::Check> checks =
      deferred_.take(block_.transaction().depth(), which);
  if (checks.empty()) return {};
  TRY(block_.transaction().next_command());
  Arena arena(&memory_);
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  const Plan none;
  ExecContext context(fiber, arena, memory_, *catalog, view_, none);
  const RegisteredSnapshot snapshot(node_.transactions, statement_snapshot());
  context.related = this;
  let_write(context, snapshot);
  for (const DeferredConstraints::Check& check : checks) {
    const RelationInfo* relation = TRY(catalog->relation(fiber, check.key.relation));
    if (relation == nullptr) continue;
    const auto& side = check.key.referenced ? relation->referenced_by : relation->constraints;
    const auto found = std::ranges::find(side, check.constraint, &ConstraintInfo::oid);
    if (found == side.end()) continue;
    RowChanges changes;
    TRY(changes.open(context, *relation));
    TRY(changes.check_later(*found, check.key));
  }
  return {};
}

namespace {

struct Named {
  Oid oid;
  bool deferrable;
};

Status find_named(Fiber& fiber, HeapStore& store, std::string_view name, Oid nsp,
                  std::vector<Named>& out) {
  return store.scan(
      fiber, pg_constraint::kRelation, kInvalidOid, {}, [&](const CatalogRow& row, Tid) -> Status {
        if (row.name(pg_constraint::conname) == name &&
            row.get<Oid>(pg_constraint::connamespace) == nsp)
          out.push_back(
              {row.get<Oid>(pg_constraint::oid), row.get<bool>(pg_constraint::condeferrable)});
        return {};
      });
}

}  // namespace

// Those of the first schema of the path that has any of the name.
Status Session::find_constraints(Fiber& fiber, const RangeVar& name, bool to_defer,
                                 std::vector<Oid>& out) {
  std::vector<Oid> schemas(path_.namespaces.begin(), path_.namespaces.end());
  if (!name.schemaname.empty()) {
    const std::unique_ptr<CatalogReader> catalog = new_reader();
    const Oid nsp = TRY(catalog->nsp_oid(fiber, name.schemaname));
    if (!nsp) {
      return raise(sqlstate::undefined_schema,
                   cat("schema \"", name.schemaname, "\" does not exist"));
    }
    schemas = {nsp};
  }
  std::vector<Named> found;
  for (size_t i = 0; i < schemas.size() && found.empty(); ++i)
    TRY(find_named(fiber, *store_, name.relname, schemas[i], found));
  if (found.empty()) {
    return raise(sqlstate::undefined_object,
                 cat("constraint \"", name.relname, "\" does not exist"));
  }
  for (const Named& one : found) {
    if (one.deferrable) {
      out.push_back(one.oid);
    } else if (to_defer) {
      return raise(sqlstate::wrong_object_type,
                   cat("constraint \"", name.relname, "\" is not deferrable"));
    }
  }
  return {};
}

Result<std::string> Session::set_constraints(Fiber& fiber, const ConstraintsSetStmt& statement) {
  if (!block_.is_in_block()) {
    warning(raise(sqlstate::no_active_sql_transaction,
                  "SET CONSTRAINTS can only be used in transaction blocks")
                .error());
  }
  TRY(refresh_path(fiber));
  std::vector<Oid> named;
  for (const RangeVar* name : statement.constraints)
    TRY(find_constraints(fiber, *name, statement.deferred, named));
  const uint32_t level = block_.transaction().depth();
  if (statement.constraints.empty()) deferred_.choose(level, kInvalidOid, statement.deferred);
  for (const Oid oid : named) deferred_.choose(level, oid, statement.deferred);
  if (!statement.deferred) {
    TRY(make_deferred_checks(fiber, [&](Oid constraint) {
      return statement.constraints.empty() || std::ranges::find(named, constraint) != named.end();
    }));
  }
  return std::string("SET CONSTRAINTS");
}

}  // namespace orrery
