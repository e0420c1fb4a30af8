#include "catalog/dependency.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/row_builder.h"
#include "fiber/fiber.h"

namespace orrery {
namespace {

// Objects below this that initdb made cannot be dropped, so nothing needs to be remembered of them.
constexpr Oid kFirstUnpinnedOid{12000};

bool is_pinned(const ObjectAddress& object) {
  if (object.object >= kFirstUnpinnedOid) return false;
  // The schema public and databases may be dropped like users' own.
  if (object.catalog == pg_namespace::kRelation && object.object == kPublicNamespace) return false;
  return object.catalog != pg_database::kRelation;
}

struct Edge {
  ObjectAddress other;
  char type;
};

ObjectAddress depender_of(const CatalogRow& row) {
  using namespace pg_depend;
  return {row.get<Oid>(classid), row.get<Oid>(objid), row.get<int32_t>(objsubid)};
}
ObjectAddress referenced_of(const CatalogRow& row) {
  using namespace pg_depend;
  return {row.get<Oid>(refclassid), row.get<Oid>(refobjid), row.get<int32_t>(refobjsubid)};
}

// What `object` needs, or, with `inverse`, what needs it. A whole relation speaks for its columns.
Result<std::vector<Edge>> edges_of(Fiber& fiber, CatalogSource& source, const ObjectAddress& object,
                                   bool inverse) {
  std::vector<Edge> out;
  const Datum keys[] = {Datum::of(object.catalog), Datum::of(object.object),
                        Datum::of(object.column)};
  const std::span<const Datum> used(keys, object.column == 0 ? 2 : 3);
  TRY(source.scan(fiber, pg_depend::kRelation,
                  inverse ? kPgDependReferenceIndex : kPgDependDependerIndex, used,
                  [&](const CatalogRow& row, Tid) -> Status {
                    out.push_back({inverse ? depender_of(row) : referenced_of(row),
                                   row.get<char>(pg_depend::deptype)});
                    return {};
                  }));
  return out;
}

// One search for all that goes with the roots; PostgreSQL's order of visiting, so that messages and
// the order of drops agree.
class Search {
 public:
  Search(Fiber& fiber, CatalogReader& catalog, CatalogStore& store, const SearchPath& path,
         std::span<const ObjectAddress> roots)
      : fiber_(fiber), catalog_(catalog), store_(store), path_(path), roots_(roots) {}

  enum class Reached : uint8_t { root, normal, silently, as_part };
  Status visit(const ObjectAddress& object, Reached how, const ObjectAddress& from);
  std::vector<DependentObject> found;

 private:
  Result<bool> belongs_to_other(const ObjectAddress& object, Reached how,
                                const ObjectAddress& from);
  bool is_root(const ObjectAddress& object) const {
    return std::ranges::find(roots_, object) != roots_.end();
  }
  // Found already, itself or the relation that it is a column of.
  DependentObject* find(const ObjectAddress& object);
  Result<std::string> describe(const ObjectAddress& object) {
    return describe_object(fiber_, catalog_, store_, path_, object);
  }

  Fiber& fiber_;
  CatalogReader& catalog_;
  CatalogStore& store_;
  const SearchPath& path_;
  std::span<const ObjectAddress> roots_;
  std::vector<ObjectAddress> stack_;
};

DependentObject* Search::find(const ObjectAddress& object) {
  for (DependentObject& held : found) {
    if (held.object == object) return &held;
    if (object.column != 0 && held.object == ObjectAddress{object.catalog, object.object, 0}) {
      return &held;
    }
  }
  return nullptr;
}

// Whether something that `object` is an internal part of has to go instead (and has been visited).
Result<bool> Search::belongs_to_other(const ObjectAddress& object, Reached how,
                                      const ObjectAddress& from) {
  const std::vector<Edge> needs = TRY(edges_of(fiber_, store_, object, false));
  for (const Edge& edge : needs) {
    if (edge.type != static_cast<char>(DependencyType::internal)) continue;
    const ObjectAddress whole = edge.other;
    if (how == Reached::root) {
      if (is_root(whole)) continue;
      const std::string part_name = TRY(describe(object));
      const std::string whole_name = TRY(describe(whole));
      return raise(sqlstate::dependent_objects_still_exist,
                   cat("cannot drop ", part_name, " because ", whole_name, " requires it"))
          .hint(cat("You can drop ", whole_name, " instead."));
    }
    const bool from_whole = whole == from || (whole.column == 0 && whole.catalog == from.catalog &&
                                              whole.object == from.object);
    if (from_whole || std::ranges::find(stack_, whole) != stack_.end()) continue;
    TRY(visit(whole, how, from));
    return true;
  }
  return false;
}

Status Search::visit(const ObjectAddress& object, Reached how, const ObjectAddress& from) {
  if (std::ranges::find(stack_, object) != stack_.end()) return {};
  const bool silently = how == Reached::silently || how == Reached::as_part;
  if (DependentObject* held = find(object)) {
    held->goes_silently |= silently;
    return {};
  }
  if (!fiber_.enter_recursion()) {
    fiber_.leave_recursion();
    return raise(sqlstate::statement_too_complex, "stack depth limit exceeded");
  }
  const bool elsewhere = TRY(belongs_to_other(object, how, from));
  if (elsewhere) {
    fiber_.leave_recursion();
    return {};
  }
  stack_.push_back(object);
  std::vector<Edge> needed_by = TRY(edges_of(fiber_, store_, object, true));
  // Newest first.
  std::ranges::sort(needed_by, [](const Edge& a, const Edge& b) {
    if (a.other.object != b.other.object) return a.other.object > b.other.object;
    return a.other < b.other;
  });
  for (const Edge& edge : needed_by) {
    // A column that needs its own table.
    if (edge.other.catalog == object.catalog && edge.other.object == object.object &&
        object.column == 0) {
      continue;
    }
    const Reached next = edge.type == 'n'   ? Reached::normal
                         : edge.type == 'i' ? Reached::as_part
                                            : Reached::silently;
    TRY(visit(edge.other, next, object));
  }
  stack_.pop_back();
  fiber_.leave_recursion();
  if (DependentObject* held = find(object)) {
    held->goes_silently |= silently;
    return {};
  }
  // Its columns need not go one by one.
  std::erase_if(found, [&object](const DependentObject& held) {
    return object.column == 0 && held.object.catalog == object.catalog &&
           held.object.object == object.object;
  });
  found.push_back({object, from, how == Reached::root || is_root(object), silently});
  return {};
}

constexpr size_t kReportedMax = 100;

}  // namespace

Status record_dependency(Fiber& fiber, CatalogStore& store, const ObjectAddress& depender,
                         const ObjectAddress& referenced, DependencyType type) {
  if (is_pinned(referenced)) return {};
  using namespace pg_depend;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(classid, depender.catalog).set(objid, depender.object).set(objsubid, depender.column);
  row.set(refclassid, referenced.catalog).set(refobjid, referenced.object);
  row.set(refobjsubid, referenced.column).set(deptype, static_cast<char>(type));
  TRY(store.insert(fiber, kRelation, row.values()));
  return {};
}

Status record_role_dependency(Fiber& fiber, CatalogStore& store, Oid database,
                              const ObjectAddress& depender, Oid role, char type) {
  if (role < kFirstUnpinnedOid) return {};
  using namespace pg_shdepend;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(dbid, database).set(classid, depender.catalog).set(objid, depender.object);
  row.set(objsubid, depender.column).set(refclassid, pg_authid::kRelation).set(refobjid, role);
  row.set(deptype, type);
  TRY(store.insert(fiber, kRelation, row.values()));
  return {};
}

Status change_owner_dependency(Fiber& fiber, CatalogStore& store, Oid database,
                               const ObjectAddress& depender, Oid new_owner) {
  std::vector<Tid> rows;
  const Datum keys[] = {Datum::of(database), Datum::of(depender.catalog),
                        Datum::of(depender.object)};
  TRY(store.scan(fiber, pg_shdepend::kRelation, kPgShdependDependerIndex, keys,
                 [&](const CatalogRow& row, Tid tid) -> Status {
                   // What an owner holds is not noted as granted.
                   const char type = row.get<char>(pg_shdepend::deptype);
                   const bool granted =
                       type == 'a' && row.get<Oid>(pg_shdepend::refobjid) == new_owner;
                   if (type == 'o' || granted) rows.push_back(tid);
                   return {};
                 }));
  for (Tid tid : rows) TRY(store.remove(fiber, pg_shdepend::kRelation, tid));
  return record_role_dependency(fiber, store, database, depender, new_owner, 'o');
}

Status delete_dependencies_of(Fiber& fiber, CatalogStore& store, Oid database,
                              const ObjectAddress& object) {
  std::vector<Tid> rows, role_rows;
  const Datum keys[] = {Datum::of(object.catalog), Datum::of(object.object),
                        Datum::of(object.column)};
  TRY(store.scan(fiber, pg_depend::kRelation, kPgDependDependerIndex,
                 std::span(keys, object.column == 0 ? 2 : 3),
                 [&](const CatalogRow&, Tid tid) -> Status {
                   rows.push_back(tid);
                   return {};
                 }));
  for (Tid tid : rows) TRY(store.remove(fiber, pg_depend::kRelation, tid));
  const Datum role_keys[] = {Datum::of(database), keys[0], keys[1], keys[2]};
  TRY(store.scan(fiber, pg_shdepend::kRelation, kPgShdependDependerIndex,
                 std::span(role_keys, object.column == 0 ? 3 : 4),
                 [&](const CatalogRow&, Tid tid) -> Status {
                   role_rows.push_back(tid);
                   return {};
                 }));
  for (Tid tid : role_rows) TRY(store.remove(fiber, pg_shdepend::kRelation, tid));
  return {};
}

Result<std::vector<DependentObject>> find_dependents(
    Fiber& fiber, CatalogReader& catalog, CatalogStore& store, const SearchPath& path,
    std::span<const ObjectAddress> roots, DropMode mode,
    FunctionRef<void(std::string, std::string)> notice) {
  Search search(fiber, catalog, store, path, roots);
  for (const ObjectAddress& root : roots) TRY(search.visit(root, Search::Reached::root, root));

  std::vector<std::string> lines;
  for (auto at = search.found.rbegin(); at != search.found.rend(); ++at) {
    if (at->is_original || at->goes_silently) continue;
    const std::string name = TRY(describe_object(fiber, catalog, store, path, at->object));
    if (mode == DropMode::cascade) {
      lines.push_back(cat("drop cascades to ", name));
    } else {
      const std::string other = TRY(describe_object(fiber, catalog, store, path, at->because_of));
      lines.push_back(cat(name, " depends on ", other));
    }
  }
  if (lines.empty()) return std::move(search.found);
  const size_t count = lines.size();
  if (count > kReportedMax) {
    lines.resize(kReportedMax);
    lines.push_back(cat("and ", count - kReportedMax,
                        count - kReportedMax == 1 ? " other object" : " other objects",
                        " (see server log for list)"));
  }
  const std::string detail = join(lines, "\n");
  if (mode == DropMode::cascade) {
    if (count == 1) {
      notice(detail, "");
    } else {
      notice(cat("drop cascades to ", count, " other objects"), detail);
    }
    return std::move(search.found);
  }
  std::string message = "cannot drop desired object(s) because other objects depend on them";
  if (roots.size() == 1) {
    const std::string name = TRY(describe_object(fiber, catalog, store, path, roots[0]));
    message = cat("cannot drop ", name, " because other objects depend on it");
  }
  return raise(sqlstate::dependent_objects_still_exist, message)
      .detail(detail)
      .hint("Use DROP ... CASCADE to drop the dependent objects too.");
}

}  // namespace orrery
