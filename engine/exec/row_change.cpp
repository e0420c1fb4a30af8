#include "exec/row_change.h"

#include "base/text.h"
#include "catalog/quote.h"
#include "exec/detoast.h"
#include "exec/functions.h"

namespace orrery {
namespace {

bool same_value(const TypeOrder& order, NullableDatum a, NullableDatum b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  return order.compare(a.value, b.value) == 0;
}

}  // namespace

Status RowChanges::open(ExecContext& context, const RelationInfo& relation) {
  context_ = &context;
  relation_ = &relation;
  bool any = !relation.referenced_by.empty();
  for (const ConstraintInfo& constraint : relation.constraints) any = any || constraint.type == 'f';
  if (any && context.related == nullptr)
    return unsupported("changing a table with foreign keys here");
  if (any) arena_ = std::make_unique<Arena>(&context.budget);
  return {};
}

Status RowChanges::queue(Arena& arena, const ConstraintInfo& constraint, bool referenced,
                         const Batch& from, uint32_t row, const Batch* now) {
  const std::vector<int16_t>& columns =
      referenced ? constraint.referenced_columns : constraint.columns;
  values_.clear();
  new_values_.clear();
  bool changed = now == nullptr;
  const auto read = [&](const Batch& batch, uint32_t at, int16_t number) -> Result<NullableDatum> {
    const Vector& column = batch.columns[static_cast<size_t>(number - 1)];
    if (column.is_null(at)) return NullableDatum{};
    const ColumnDesc& desc = relation_->desc()[static_cast<size_t>(number - 1)];
    Datum value = column.value(at);
    if (desc.length == -1) value = TRY(detoast(*context_, arena, value));
    return NullableDatum{value, false};
  };
  bool any_null = false;
  for (const int16_t number : columns) {
    const NullableDatum old_value = TRY(read(from, row, number));
    any_null = any_null || old_value.is_null;
    values_.push_back(old_value);
    if (now == nullptr) continue;
    const NullableDatum new_value = TRY(read(*now, 0, number));
    const TypeOrder order =
        TRY(type_order(*context_, relation_->desc()[static_cast<size_t>(number - 1)].type));
    changed = changed || !same_value(order, old_value, new_value);
    new_values_.push_back(new_value);
  }
  if (!changed) return {};
  if (!referenced && now != nullptr) {  // the referencing side is judged by what it points at now
    values_ = new_values_;
    any_null = std::any_of(values_.begin(), values_.end(),
                           [](const NullableDatum& v) { return v.is_null; });
  }
  if (any_null) {
    const bool all_null = std::all_of(values_.begin(), values_.end(),
                                      [](const NullableDatum& v) { return v.is_null; });
    if (referenced || constraint.match != 'f' || all_null) return {};
    return raise(sqlstate::foreign_key_violation,
                 cat("insert or update on table \"", relation_->name,
                     "\" violates foreign key constraint \"", constraint.name, "\""))
        .detail("MATCH FULL does not allow mixing of null and nonnull key values.")
        .constraint(relation_->nsp_name, relation_->name, constraint.name);
  }
  return add_key(constraint, referenced, now != nullptr);
}

Status RowChanges::add_key(const ConstraintInfo& constraint, bool referenced, bool is_update) {
  const std::vector<int16_t>& columns =
      referenced ? constraint.referenced_columns : constraint.columns;
  const auto kept = [&](std::vector<NullableDatum>& values) -> std::span<const NullableDatum> {
    for (size_t i = 0; i < values.size(); ++i) {
      const ColumnDesc& desc = relation_->desc()[static_cast<size_t>(columns[i] - 1)];
      if (!values[i].is_null) values[i].value = copy_datum(*arena_, values[i].value, desc);
    }
    return arena_->copy_array(values);
  };
  auto* key = arena_->make<Key>();
  key->constraint = &constraint;
  key->referenced = referenced;
  key->has_new = referenced && is_update;
  key->values = kept(values_);
  if (key->has_new) key->new_values = kept(new_values_);
  if (last_key_ == nullptr)
    first_key_ = key;
  else
    last_key_->next = key;
  last_key_ = key;
  return context_->budget.check();
}

Status RowChanges::inserted(Arena& arena, const Batch& batch, std::span<const Tid>) {
  for (const ConstraintInfo& constraint : relation_->constraints) {
    if (constraint.type != 'f') continue;
    for (uint32_t i = 0; i < batch.rows.count; ++i)
      TRY(queue(arena, constraint, false, batch, batch.rows[i], nullptr));
  }
  return {};
}

Status RowChanges::updated(Arena& arena, const Batch& old_row, const Batch& new_row, Tid) {
  for (const ConstraintInfo& constraint : relation_->constraints) {
    if (constraint.type == 'f') TRY(queue(arena, constraint, false, old_row, 0, &new_row));
  }
  for (const ConstraintInfo& constraint : relation_->referenced_by)
    TRY(queue(arena, constraint, true, old_row, 0, &new_row));
  return {};
}

Status RowChanges::deleted(Arena& arena, const Batch& old_row) {
  for (const ConstraintInfo& constraint : relation_->referenced_by)
    TRY(queue(arena, constraint, true, old_row, 0, nullptr));
  return {};
}

void RowChanges::restart() {
  first_key_ = last_key_ = nullptr;
  if (arena_ != nullptr) arena_->reset();
}

Status RowChanges::finish() {
  for (const Key* key = first_key_; key != nullptr; key = key->next) {
    bool later = false;
    if (key->constraint->deferrable) later = TRY(put_off(*key));
    if (!later) TRY(key->referenced ? check_children(*key) : check_parent(*key, false));
  }
  restart();
  return {};
}

// Actions are taken at once; so is RESTRICT.
Result<bool> RowChanges::put_off(const Key& key) {
  const ConstraintInfo& fk = *key.constraint;
  if (key.referenced && (key.has_new ? fk.on_update : fk.on_delete) != 'a') return false;
  std::vector<ColumnDesc> types;
  for (const int16_t number : key.referenced ? fk.referenced_columns : fk.columns)
    types.push_back(relation_->desc()[static_cast<size_t>(number - 1)]);
  const RowKey kept{relation_->oid, relation_->name, key.referenced, key.has_new, key.values};
  return context_->related->put_off(fk, kept, types);
}

Status RowChanges::check_later(const ConstraintInfo& constraint, const RowKey& key) {
  const Key made{&constraint, key.referenced, key.is_update, key.values, {}};
  return key.referenced ? check_children(made) : check_parent(made, true);
}

Result<std::string> RowChanges::quoted_relation(Oid oid, const RelationInfo** relation) {
  *relation = TRY(context_->catalog.relation(context_->fiber, oid));
  if (*relation == nullptr)
    return raise(sqlstate::undefined_table, cat("relation with OID ", oid, " does not exist"));
  return cat(quote_identifier((*relation)->nsp_name), ".", quote_identifier((*relation)->name));
}

std::vector<Oid> RowChanges::key_types(std::span<const int16_t> columns) const {
  std::vector<Oid> types;
  for (const int16_t number : columns)
    types.push_back(relation_->desc()[static_cast<size_t>(number - 1)].type);
  return types;
}

namespace {

std::string key_condition(const RelationInfo& relation, std::span<const int16_t> columns,
                          size_t first_param) {
  std::string out;
  for (size_t i = 0; i < columns.size(); ++i) {
    out += cat(i == 0 ? "" : " AND ", quote_identifier(relation.column(columns[i]).name),
               " OPERATOR(pg_catalog.=) $", first_param + i);
  }
  return out;
}

}  // namespace

Status RowChanges::violation(const Key& key, const RelationInfo& other, bool parent_side) {
  const std::vector<int16_t>& columns =
      key.referenced ? key.constraint->referenced_columns : key.constraint->columns;
  std::string names;
  std::string values;
  Arena arena;
  for (size_t i = 0; i < columns.size(); ++i) {
    names += cat(i == 0 ? "" : ", ", relation_->column(columns[i]).name);
    std::string text = "null";
    if (!key.values[i].is_null) {
      text.clear();
      const Oid type = relation_->desc()[static_cast<size_t>(columns[i] - 1)].type;
      TRY(output_value(arena, context_->session.types, type, key.values[i].value, text));
    }
    values += cat(i == 0 ? "" : ", ", text);
  }
  if (parent_side) {
    return raise(sqlstate::foreign_key_violation,
                 cat("update or delete on table \"", relation_->name,
                     "\" violates foreign key constraint \"", key.constraint->name,
                     "\" on table \"", other.name, "\""))
        .detail(cat("Key (", names, ")=(", values, ") is still referenced from table \"",
                    other.name, "\"."))
        .constraint(other.nsp_name, other.name, key.constraint->name);
  }
  return raise(sqlstate::foreign_key_violation,
               cat("insert or update on table \"", relation_->name,
                   "\" violates foreign key constraint \"", key.constraint->name, "\""))
      .detail(cat("Key (", names, ")=(", values, ") is not present in table \"", other.name, "\"."))
      .constraint(relation_->nsp_name, relation_->name, key.constraint->name);
}

// `later`: the rows of the key may be gone by now.
Status RowChanges::check_parent(const Key& key, bool later) {
  const RelationInfo* parent = nullptr;
  const std::string name = TRY(quoted_relation(key.constraint->referenced, &parent));
  const std::string sql =
      cat("SELECT 1 FROM ONLY ", name, " x WHERE ",
          key_condition(*parent, key.constraint->referenced_columns, 1), " FOR KEY SHARE OF x");
  const uint64_t rows = TRY(
      context_->related->run(context_->fiber, sql, key_types(key.constraint->columns), key.values));
  if (rows > 0) return {};
  if (later) {
    const RelationInfo* self = nullptr;
    const std::string own = TRY(quoted_relation(relation_->oid, &self));
    const std::string still = cat("SELECT 1 FROM ONLY ", own, " x WHERE ",
                                  key_condition(*self, key.constraint->columns, 1), " LIMIT 1");
    const uint64_t present = TRY(context_->related->run(
        context_->fiber, still, key_types(key.constraint->columns), key.values));
    if (present == 0) return {};
  }
  return violation(key, *parent, false);
}

Status RowChanges::check_children(const Key& key) {
  const ConstraintInfo& fk = *key.constraint;
  const RelationInfo* child = nullptr;
  const std::string name = TRY(quoted_relation(fk.relation, &child));
  std::vector<Oid> types = key_types(fk.referenced_columns);
  std::vector<NullableDatum> values(key.values.begin(), key.values.end());
  const std::string where = key_condition(*child, fk.columns, 1);
  const char action = key.has_new ? fk.on_update : fk.on_delete;
  if (action == 'a' || action == 'r') {
    if (action == 'a') {  // another row may have taken the key in the same statement
      const RelationInfo* self = nullptr;
      const std::string own = TRY(quoted_relation(relation_->oid, &self));
      const std::string still =
          cat("SELECT 1 FROM ONLY ", own, " x WHERE ",
              key_condition(*relation_, fk.referenced_columns, 1), " FOR KEY SHARE OF x");
      const uint64_t present = TRY(context_->related->run(context_->fiber, still, types, values));
      if (present > 0) return {};
    }
    const std::string sql =
        cat("SELECT 1 FROM ONLY ", name, " x WHERE ", where, " FOR KEY SHARE OF x");
    const uint64_t rows = TRY(context_->related->run(context_->fiber, sql, types, values));
    if (rows > 0) return violation(key, *child, true);
    return {};
  }
  if (action == 'c' && !key.has_new) {
    TRY(context_->related->run(context_->fiber, cat("DELETE FROM ONLY ", name, " WHERE ", where),
                               types, values));
    return {};
  }
  std::string set;
  for (size_t i = 0; i < fk.columns.size(); ++i) {
    const bool chosen = key.has_new || fk.delete_set_columns.empty() ||
                        std::find(fk.delete_set_columns.begin(), fk.delete_set_columns.end(),
                                  fk.columns[i]) != fk.delete_set_columns.end();
    if (!chosen) continue;
    const std::string value = action == 'n'   ? "NULL"
                              : action == 'd' ? "DEFAULT"
                                              : cat("$", fk.columns.size() + 1 + i);
    set += cat(set.empty() ? "" : ", ", quote_identifier(child->column(fk.columns[i]).name), " = ",
               value);
  }
  if (action == 'c') {
    const std::vector<Oid> more = types;
    types.insert(types.end(), more.begin(), more.end());
    values.insert(values.end(), key.new_values.begin(), key.new_values.end());
  }
  TRY(context_->related->run(
      context_->fiber, cat("UPDATE ONLY ", name, " SET ", set, " WHERE ", where), types, values));
  return {};
}

}  // namespace orrery
