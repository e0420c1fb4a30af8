#include "catalog/invalidation.h"

#include "catalog/columns.h"

namespace orrery {
namespace {

using Tell = FunctionRef<void(const Invalidation&)>;

// Entries found by an OID: a change of a row of `catalog` concerns the entry its column names.
struct ByOid {
  Oid catalog;
  int16_t column;
  CacheKind kind;
  bool shared = false;
};
constexpr ByOid kByOid[] = {
    {pg_class::kRelation, pg_class::oid, CacheKind::relation},
    {pg_attribute::kRelation, pg_attribute::attrelid, CacheKind::relation},
    {pg_attrdef::kRelation, pg_attrdef::adrelid, CacheKind::relation},
    {pg_index::kRelation, pg_index::indrelid, CacheKind::relation},
    {pg_index::kRelation, pg_index::indexrelid, CacheKind::relation},
    {pg_constraint::kRelation, pg_constraint::conrelid, CacheKind::relation},
    {pg_constraint::kRelation, pg_constraint::confrelid, CacheKind::relation},
    {pg_rewrite::kRelation, pg_rewrite::ev_class, CacheKind::relation},
    {pg_sequence::kRelation, pg_sequence::seqrelid, CacheKind::relation},
    {pg_trigger::kRelation, pg_trigger::tgrelid, CacheKind::relation},
    {pg_statistic::kRelation, pg_statistic::starelid, CacheKind::relation},
    {pg_type::kRelation, pg_type::oid, CacheKind::type},
    {pg_namespace::kRelation, pg_namespace::oid, CacheKind::nsp},
    {pg_authid::kRelation, pg_authid::oid, CacheKind::role, true},
    {pg_auth_members::kRelation, pg_auth_members::member, CacheKind::role, true},
    {pg_database::kRelation, pg_database::oid, CacheKind::database, true},
};

// Names that begin or cease to mean something; `nsp` 0: not in a schema.
struct ByName {
  Oid catalog;
  int16_t name;
  int16_t nsp;
  CacheKind kind;
  bool shared = false;
};
constexpr ByName kByName[] = {
    {pg_class::kRelation, pg_class::relname, pg_class::relnamespace, CacheKind::relation_name},
    {pg_type::kRelation, pg_type::typname, pg_type::typnamespace, CacheKind::type_name},
    {pg_namespace::kRelation, pg_namespace::nspname, 0, CacheKind::nsp_name},
    {pg_authid::kRelation, pg_authid::rolname, 0, CacheKind::role_name, true},
    {pg_database::kRelation, pg_database::datname, 0, CacheKind::database_name, true},
};

void tell_row(Oid catalog, Oid database, const CatalogRow& row, Tell tell) {
  for (const ByOid& by : kByOid) {
    if (by.catalog != catalog) continue;
    const Oid oid = row.get<Oid>(by.column);
    if (oid) tell({by.kind, by.shared ? kInvalidOid : database, oid.v});
  }
}

void tell_names(Oid catalog, Oid database, const CatalogRow& row, Tell tell) {
  for (const ByName& by : kByName) {
    if (by.catalog != catalog) continue;
    const Oid nsp = by.nsp == 0 ? kInvalidOid : row.get<Oid>(by.nsp);
    tell({by.kind, by.shared ? kInvalidOid : database, name_key(nsp, row.name(by.name))});
  }
}

bool is_renamed(Oid catalog, const CatalogRow& before, const CatalogRow& after) {
  bool renamed = false;
  uint64_t key = 0;
  tell_names(catalog, kInvalidOid, before, [&](const Invalidation& what) { key = what.key; });
  tell_names(catalog, kInvalidOid, after,
             [&](const Invalidation& what) { renamed = what.key != key; });
  return renamed;
}

constexpr size_t kInvalidationBytes = 13;

}  // namespace

void invalidations_of(Oid catalog, Oid database, const CatalogRow* before, const CatalogRow* after,
                      Tell tell) {
  if (before != nullptr) tell_row(catalog, database, *before, tell);
  if (after != nullptr) tell_row(catalog, database, *after, tell);
  const bool names = before == nullptr || after == nullptr || is_renamed(catalog, *before, *after);
  if (!names) return;
  if (before != nullptr) tell_names(catalog, database, *before, tell);
  if (after != nullptr) tell_names(catalog, database, *after, tell);
  // Relations remember the name of their schema.
  if (catalog == pg_namespace::kRelation && before != nullptr) {
    tell({CacheKind::everything, database, 0});
  }
}

void encode_invalidation(const Invalidation& what, std::string& out) {
  ByteWriter writer(out);
  writer.write(static_cast<uint8_t>(what.kind));
  writer.write(what.database.v);
  writer.write(what.key);
}

Status decode_invalidations(Bytes bytes, Tell tell) {
  if (bytes.size() % kInvalidationBytes != 0) {
    return raise(sqlstate::data_corrupted, "malformed cache invalidations in a commit record");
  }
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const auto kind = reader.read<uint8_t>();
    const Oid database(reader.read<uint32_t>());
    const auto key = reader.read<uint64_t>();
    if (kind < 1 || kind > static_cast<uint8_t>(CacheKind::everything)) {
      return raise(sqlstate::data_corrupted, "unknown cache invalidation in a commit record");
    }
    tell({static_cast<CacheKind>(kind), database, key});
  }
  return {};
}

}  // namespace orrery
