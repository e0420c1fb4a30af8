#include "catalog/acl.h"

#include <algorithm>

#include "base/text.h"

namespace orrery {
namespace {

constexpr AclMode kRights = 0xffff;

struct RightName {
  AclMode right;
  char letter;
  std::string_view name;
};
constexpr RightName kRightNames[] = {{kAclInsert, 'a', "INSERT"},
                                     {kAclSelect, 'r', "SELECT"},
                                     {kAclUpdate, 'w', "UPDATE"},
                                     {kAclDelete, 'd', "DELETE"},
                                     {kAclTruncate, 'D', "TRUNCATE"},
                                     {kAclReferences, 'x', "REFERENCES"},
                                     {kAclTrigger, 't', "TRIGGER"},
                                     {kAclExecute, 'X', "EXECUTE"},
                                     {kAclUsage, 'U', "USAGE"},
                                     {kAclCreate, 'C', "CREATE"},
                                     {kAclTemporary, 'T', "TEMPORARY"},
                                     {kAclConnect, 'c', "CONNECT"},
                                     {kAclSet, 's', "SET"},
                                     {kAclAlterSystem, 'A', "ALTER SYSTEM"}};

constexpr size_t kArrayHeaderBytes = 20;
constexpr uint32_t kAclItemType = 1033;

// An owner's grants carry all grant options without saying so.
AclMode options_of(const Acl& acl, Oid role, Oid owner, AclMode all) {
  if (role == owner) return all;
  AclMode out = 0;
  for (const AclItem& item : acl) {
    if (item.grantee == role) out |= item.mode >> 16;
  }
  return out;
}

void drop_empty(Acl& acl) {
  std::erase_if(acl, [](const AclItem& item) { return item.mode == 0; });
}

}  // namespace

Acl decode_acl(std::string_view content) {
  Acl out;
  if (content.size() < kArrayHeaderBytes || load<int32_t>(content.data()) != 1) return out;
  const auto count = static_cast<size_t>(load<int32_t>(content.data() + 12));
  CHECK(content.size() >= kArrayHeaderBytes + count * 12);
  for (size_t i = 0; i < count; ++i) {
    const char* at = content.data() + kArrayHeaderBytes + i * 12;
    out.push_back({load<Oid>(at), load<Oid>(at + 4), load<uint32_t>(at + 8)});
  }
  return out;
}

std::string encode_acl(const Acl& acl) {
  std::string out;
  ByteWriter writer(out);
  writer.write<int32_t>(acl.empty() ? 0 : 1);
  writer.write<int32_t>(0);
  writer.write<uint32_t>(kAclItemType);
  if (acl.empty()) return out;
  writer.write<int32_t>(static_cast<int32_t>(acl.size()));
  writer.write<int32_t>(1);
  for (const AclItem& item : acl) {
    writer.write(item.grantee.v);
    writer.write(item.grantor.v);
    writer.write(item.mode);
  }
  return out;
}

AclMode all_rights(AclKind kind) {
  switch (kind) {
    case AclKind::table:      return kAllTableRights;
    case AclKind::column:     return kAclInsert | kAclSelect | kAclUpdate | kAclReferences;
    case AclKind::sequence:   return kAllSequenceRights;
    case AclKind::schema:     return kAllSchemaRights;
    case AclKind::database:   return kAllDatabaseRights;
    case AclKind::function:   return kAllFunctionRights;
    case AclKind::type:
    case AclKind::language:   return kAclUsage;
    case AclKind::tablespace: return kAclCreate;
  }
  UNREACHABLE();
}

Acl default_acl(AclKind kind, Oid owner) {
  AclMode everyone = 0;
  switch (kind) {
    case AclKind::database:   everyone = kAclTemporary | kAclConnect; break;
    case AclKind::function:   everyone = kAclExecute; break;
    case AclKind::type:
    case AclKind::language:   everyone = kAclUsage; break;
    case AclKind::table:
    case AclKind::sequence:
    case AclKind::schema:
    case AclKind::tablespace: break;
    case AclKind::column:     return {};
  }
  Acl out;
  if (everyone != 0) out.push_back({kInvalidOid, owner, everyone});
  out.push_back({owner, owner, all_rights(kind)});
  return out;
}

std::string_view right_name(AclMode right) {
  const auto at = std::ranges::find(kRightNames, right, &RightName::right);
  return at == std::end(kRightNames) ? std::string_view() : at->name;
}

AclMode right_of_name(std::string_view name) {
  if (equals_ignoring_case(name, "temp")) return kAclTemporary;
  const auto at = std::ranges::find_if(
      kRightNames, [&](const RightName& right) { return equals_ignoring_case(right.name, name); });
  return at == std::end(kRightNames) ? 0 : at->right;
}

char right_letter(AclMode right) {
  const auto at = std::ranges::find(kRightNames, right, &RightName::right);
  return at == std::end(kRightNames) ? '?' : at->letter;
}

Result<AclMode> rights_of(Fiber& fiber, CatalogReader& catalog, AclKind kind,
                          std::string_view stored, Oid owner, Oid role, AclMode wanted) {
  // Membership also makes superusers members of everything, the owner included.
  const bool owns = TRY(catalog.is_member(fiber, role, owner));
  if (owns && kind != AclKind::column) {
    const AclMode all = all_rights(kind);
    const RoleInfo* info = TRY(catalog.role(fiber, role));
    if (info != nullptr && info->superuser) return wanted;
    if ((wanted & kRights) == 0) return wanted & grant_options(all);
  }
  const Acl acl = stored.empty() ? default_acl(kind, owner) : decode_acl(stored);
  AclMode found = owns ? grant_options(all_rights(kind)) : 0;
  for (const AclItem& item : acl) {
    if ((item.mode & wanted & ~found) == 0) continue;
    bool applies = !item.grantee || item.grantee == role;
    if (!applies) applies = TRY(catalog.is_member(fiber, role, item.grantee));
    if (applies) found |= item.mode;
  }
  return found & wanted;
}

std::string_view relation_word(char relkind) {
  switch (relkind) {
    case 'v': return "view";
    case 'i': return "index";
    case 'S': return "sequence";
    case 'm': return "materialized view";
    case 'f': return "foreign table";
    case 'c': return "type";
    default:  return "table";
  }
}

Status check_relation_rights(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                             Oid role, AclMode wanted) {
  const AclKind kind = relation.kind == 'S' ? AclKind::sequence : AclKind::table;
  const AclMode has =
      TRY(rights_of(fiber, catalog, kind, relation.acl, relation.owner, role, wanted));
  if (has == wanted) return {};
  return raise(sqlstate::insufficient_privilege,
               cat("permission denied for ", relation_word(relation.kind), " ", relation.name));
}

Status check_schema_rights(Fiber& fiber, CatalogReader& catalog, Oid nsp, Oid role,
                           AclMode wanted) {
  const NamespaceInfo* info = TRY(catalog.nsp(fiber, nsp));
  if (info == nullptr) {
    return raise(sqlstate::undefined_schema, cat("schema with OID ", nsp, " does not exist"));
  }
  const AclMode has =
      TRY(rights_of(fiber, catalog, AclKind::schema, info->acl, info->owner, role, wanted));
  if (has == wanted) return {};
  return raise(sqlstate::insufficient_privilege, cat("permission denied for schema ", info->name));
}

Status check_relation_owner(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                            Oid role) {
  const bool owns = TRY(catalog.is_member(fiber, role, relation.owner));
  if (owns) return {};
  return raise(sqlstate::insufficient_privilege,
               cat("must be owner of ", relation_word(relation.kind), " ", relation.name));
}

void change_acl_owner(Acl& acl, Oid from, Oid to) {
  Acl changed;
  for (AclItem item : acl) {
    if (item.grantee == from) item.grantee = to;
    if (item.grantor == from) item.grantor = to;
    auto same = std::ranges::find_if(changed, [&item](const AclItem& other) {
      return other.grantee == item.grantee && other.grantor == item.grantor;
    });
    if (same == changed.end()) {
      changed.push_back(item);
    } else {
      same->mode |= item.mode;
    }
  }
  acl = std::move(changed);
}

void grant_rights(Acl& acl, Oid grantee, Oid grantor, AclMode mode) {
  for (AclItem& item : acl) {
    if (item.grantee == grantee && item.grantor == grantor) {
      item.mode |= mode;
      return;
    }
  }
  acl.push_back({grantee, grantor, mode});
}

Status revoke_rights(Acl& acl, Oid grantee, Oid grantor, Oid owner, AclMode mode, bool cascade) {
  for (AclItem& item : acl) {
    if (item.grantee == grantee && item.grantor == grantor) item.mode &= ~mode;
  }
  // Whoever lost a grant option cannot have passed the right on.
  for (;;) {
    const AclMode lost = (mode >> 16) & ~options_of(acl, grantee, owner, kRights);
    const auto dependent = std::ranges::find_if(acl, [&](const AclItem& item) {
      return item.grantor == grantee && (item.mode & kRights & lost) != 0;
    });
    if (lost == 0 || dependent == acl.end()) break;
    if (!cascade) {
      return raise(sqlstate::dependent_objects_still_exist, "dependent privileges exist")
          .hint("Use CASCADE to revoke them too.");
    }
    const Oid next = dependent->grantee;
    const AclMode gone = dependent->mode & lost;
    TRY(revoke_rights(acl, next, grantee, owner, gone | grant_options(gone), cascade));
  }
  drop_empty(acl);
  return {};
}

}  // namespace orrery
