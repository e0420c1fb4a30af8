// pg_depend and pg_shdepend: what needs what, and dropping along those lines.
#pragma once

#include <vector>

#include "catalog/object_address.h"

namespace orrery {

enum class DependencyType : char {
  normal = 'n',     // CASCADE takes it along, RESTRICT refuses
  automatic = 'a',  // goes along in any case
  internal = 'i',   // part of the other: cannot be dropped by itself
};
enum class DropMode : uint8_t { restrict_, cascade };

// Records nothing when `referenced` is built in: that cannot go away.
Status record_dependency(Fiber& fiber, CatalogStore& store, const ObjectAddress& depender,
                         const ObjectAddress& referenced, DependencyType type);
// Of a role that owns (`o`), or is named in the access list of (`a`), an object. `database` 0: a
// shared object.
Status record_role_dependency(Fiber& fiber, CatalogStore& store, Oid database,
                              const ObjectAddress& depender, Oid role, char type);
Status change_owner_dependency(Fiber& fiber, CatalogStore& store, Oid database,
                               const ObjectAddress& depender, Oid new_owner);
// Forgets what `object` depends on; with `also_columns` what its columns depend on too.
Status delete_dependencies_of(Fiber& fiber, CatalogStore& store, Oid database,
                              const ObjectAddress& object);

struct DependentObject {
  ObjectAddress object;
  ObjectAddress because_of;  // what it was reached from
  bool is_original = false;
  bool goes_silently = false;  // automatic or internal on every way it was reached
};

// What dropping `roots` takes along, in the order to drop: dependents first. Raises 2BP01 when a
// root is part of something else ("cannot drop index x because constraint y requires it"), or, with
// restrict_, when other objects depend on the roots, in PostgreSQL's words. `notice` gets
// "drop cascades to ..." (message, detail).
Result<std::vector<DependentObject>> find_dependents(
    Fiber& fiber, CatalogReader& catalog, CatalogStore& store, const SearchPath& path,
    std::span<const ObjectAddress> roots, DropMode mode,
    FunctionRef<void(std::string message, std::string detail)> notice);

}  // namespace orrery
