// Makes or changes the values of a catalog row, column by column:
//
//   RowBuilder row(arena, pg_namespace::kRelation);
//   row.set(pg_namespace::oid, oid).set_name(pg_namespace::nspname, name) ...
//   TRY(store.insert(fiber, pg_namespace::kRelation, row.values()));
//
// Columns not set are NULL, which values() refuses for NOT NULL ones. Array columns know from the
// catalog's own columns whether they are vectors (oidvector, int2vector) or arrays.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "catalog/facts.h"

namespace orrery {

class RowBuilder {
 public:
  RowBuilder(Arena& arena, Oid catalog);
  // Starts from a row, whose values are copied.
  RowBuilder(Arena& arena, Oid catalog, const CatalogRow& row);

  RowBuilder& set(int16_t column, Datum value);
  RowBuilder& set(int16_t column, Oid value) { return set(column, Datum::of(value)); }
  RowBuilder& set(int16_t column, bool value) { return set(column, Datum::of(value)); }
  RowBuilder& set(int16_t column, char value) { return set(column, Datum::of(value)); }
  RowBuilder& set(int16_t column, int16_t value) { return set(column, Datum::of(value)); }
  RowBuilder& set(int16_t column, int32_t value) { return set(column, Datum::of(value)); }
  RowBuilder& set(int16_t column, int64_t value) { return set(column, Datum::of(value)); }
  RowBuilder& set(int16_t column, float value) { return set(column, Datum::of(value)); }
  RowBuilder& set_name(int16_t column, std::string_view name);
  RowBuilder& set_text(int16_t column, std::string_view text);
  RowBuilder& set_oids(int16_t column, std::span<const Oid> values);
  RowBuilder& set_int2s(int16_t column, std::span<const int16_t> values);
  RowBuilder& set_chars(int16_t column, std::span<const char> values);
  RowBuilder& set_texts(int16_t column, std::span<const std::string> values);
  RowBuilder& set_null(int16_t column);

  // REQUIRES: every NOT NULL column is set.
  std::span<const NullableDatum> values() const;

 private:
  RowBuilder& set_array(int16_t column, Oid element_type, size_t count, std::string_view elements);

  Arena& arena_;
  const FactTable& catalog_;
  std::vector<NullableDatum> values_;
};

}  // namespace orrery
