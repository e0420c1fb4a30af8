#include "exec/table_writer.h"

#include "analyze/analyzer.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/projection.h"
#include "txn/transaction_manager.h"

namespace orrery {

namespace {

Result<Evaluator> compile_text(ExecContext& context, const RelationInfo& relation,
                               std::string_view sql, Oid type, int32_t typmod) {
  SearchPath path;
  path.namespaces = {kPgCatalogNamespace};
  const std::string_view text = context.arena.copy(sql);
  AnalyzeContext analysis{.fiber = context.fiber,
                          .arena = context.arena,
                          .catalog = context.catalog,
                          .path = path,
                          .session = context.session,
                          .text = text};
  Expr* expr = TRY(analyze_expression_text(analysis, text, &relation, type, typmod, {}));
  return Evaluator::compile(context, *expr, scanned_column);
}

}  // namespace

Result<Evaluator> compile_stored(ExecContext& context, const RelationInfo& relation,
                                 std::string_view sql) {
  return compile_text(context, relation, sql, kInvalidOid, -1);
}

Result<Evaluator> compile_column_value(ExecContext& context, const RelationInfo& relation,
                                       std::string_view sql, const ColumnDesc& column) {
  return compile_text(context, relation, sql, column.type, column.typmod);
}

Status TableWriter::open() {
  heap_.emplace(*context_.access, relation_.storage);
  for (const CatalogIndex& index : relation_.indexes) {
    if (!index.live) continue;
    if (index.access_method != kBtreeAccessMethod)
      return unsupported(cat("writing to index \"", index.name, "\", which is not a B-tree"));
    Index made{&index, std::nullopt, {}, std::nullopt};
    made.tree.emplace(*context_.access, index.storage);
    for (const std::string& sql : index.expressions)
      made.expressions.push_back(TRY(compile_stored(context_, relation_, sql)));
    if (!index.predicate.empty())
      made.predicate = TRY(compile_stored(context_, relation_, index.predicate));
    indexes_.push_back(std::move(made));
  }
  for (size_t c = 0; c < relation_.columns.size(); ++c) {
    const ColumnInfo& column = relation_.columns[c];
    if (column.generated == '\0' || relation_.desc()[c].dropped) continue;
    Evaluator value =
        TRY(compile_column_value(context_, relation_, column.default_expr, relation_.desc()[c]));
    generated_.push_back({c, std::move(value)});
  }
  for (const ConstraintInfo& constraint : relation_.constraints) {
    if (constraint.type != 'c') continue;
    Evaluator condition = TRY(compile_stored(context_, relation_, constraint.check_expr));
    checks_.push_back({&constraint, std::move(condition)});
  }
  return {};
}

Result<std::string> TableWriter::describe_row(Arena& arena, const Batch& batch, uint32_t row) {
  std::string out = "(";
  bool first = true;
  for (size_t c = 0; c < relation_.columns.size(); ++c) {
    if (relation_.desc()[c].dropped) continue;
    if (!first) out += ", ";
    first = false;
    if (batch.columns[c].is_null(row)) {
      out += "null";
      continue;
    }
    Datum value = batch.columns[c].value(row);
    if (relation_.desc()[c].length == -1) value = TRY(detoast(context_, arena, value));
    std::string text;
    TRY(output_value(arena, context_.session.types, relation_.desc()[c].type, value, text));
    constexpr size_t kShown = 64;
    out += text.size() > kShown ? cat(std::string_view(text).substr(0, kShown), "...") : text;
  }
  return out + ")";
}

Status TableWriter::null_violation(Arena& arena, const Batch& batch, uint32_t row, size_t column) {
  const std::string shown = TRY(describe_row(arena, batch, row));
  return raise(sqlstate::not_null_violation,
               cat("null value in column \"", relation_.columns[column].name, "\" of relation \"",
                   relation_.name, "\" violates not-null constraint"))
      .detail(cat("Failing row contains ", shown, "."))
      .table(relation_.nsp_name, relation_.name)
      .column(relation_.columns[column].name);
}

Status TableWriter::check_row_constraints(Arena& arena, std::span<Vector> columns, Rows rows) {
  const Batch batch{columns, rows};
  for (Generated& generated : generated_) {
    const Vector* value = TRY(generated.value.evaluate(arena, batch, batch.rows));
    columns[generated.column] = *value;
  }
  for (size_t c = 0; c < relation_.columns.size(); ++c) {
    const ColumnDesc& desc = relation_.desc()[c];
    const Vector& column = batch.columns[c];
    if (!desc.not_null || desc.dropped || !column.may_have_nulls) continue;
    for (uint32_t i = 0; i < batch.rows.count; ++i) {
      if (column.is_null(batch.rows[i])) return null_violation(arena, batch, batch.rows[i], c);
    }
  }
  for (Check& check : checks_) {
    const Vector* holds = TRY(check.condition.evaluate(arena, batch, batch.rows));
    for (uint32_t i = 0; i < batch.rows.count; ++i) {
      const uint32_t row = batch.rows[i];
      if (holds->is_null(row) || holds->value(row).as<bool>()) continue;
      const std::string shown = TRY(describe_row(arena, batch, row));
      return raise(sqlstate::check_violation,
                   cat("new row for relation \"", relation_.name, "\" violates check constraint \"",
                       check.info->name, "\""))
          .detail(cat("Failing row contains ", shown, "."))
          .constraint(relation_.nsp_name, relation_.name, check.info->name);
    }
  }
  return {};
}

Result<bool> TableWriter::make_key(Arena& arena, Index& index, const Batch& batch, uint32_t row,
                                   Key* key) {
  const auto one = static_cast<uint16_t>(row);
  const Rows rows{&one, 1};
  if (index.predicate) {
    const Vector* inside = TRY(index.predicate->evaluate(arena, batch, rows));
    if (inside->is_null(row) || !inside->value(row).as<bool>()) return false;
  }
  key->values.clear();
  key->nulls.clear();
  size_t expression = 0;
  for (size_t k = 0; k < index.info->columns.size(); ++k) {
    const int16_t number = index.info->columns[k];
    const Vector* column = number != 0
                               ? &batch.columns[static_cast<size_t>(number - 1)]
                               : TRY(index.expressions[expression++].evaluate(arena, batch, rows));
    const bool is_null = column->is_null(row);
    Datum value = is_null ? Datum() : column->value(row);
    if (!is_null && index.info->storage.desc[k].length == -1)
      value = TRY(detoast(context_, arena, value));
    key->values.push_back(value);
    key->nulls.push_back(is_null);
  }
  return true;
}

Status TableWriter::duplicate(const Index& index, const Key& key) {
  std::string names;
  std::string values;
  Arena arena;
  size_t expression = 0;
  for (int16_t k = 0; k < index.info->keys; ++k) {
    const auto at = static_cast<size_t>(k);
    const int16_t number = index.info->columns[at];
    names += cat(k == 0 ? "" : ", ", number != 0
                                         ? std::string_view(relation_.column(number).name)
                                         : std::string_view(index.info->expressions[expression++]));
    std::string text = "null";
    if (key.nulls[at] == 0) {
      text.clear();
      TRY(output_value(arena, context_.session.types, index.info->storage.desc[at].type,
                       key.values[at], text));
    }
    values += cat(k == 0 ? "" : ", ", text);
  }
  return raise(sqlstate::unique_violation,
               cat("duplicate key value violates unique constraint \"", index.info->name, "\""))
      .detail(cat("Key (", names, ")=(", values, ") already exists."))
      .constraint(relation_.nsp_name, relation_.name, index.info->name);
}

Status TableWriter::add_index_entries(Arena& arena, const Batch& batch, uint32_t row, Tid tid) {
  Key key;
  for (Index& index : indexes_) {
    if (!TRY(make_key(arena, index, batch, row, &key))) continue;
    const UniqueCheck check = index.info->unique ? UniqueCheck::wait : UniqueCheck::none;
    const InsertResult done =
        TRY(index.tree->insert(context_.fiber, *context_.transaction, relation_.storage,
                               RowValues{key.values.data(), key.nulls.data()}, tid, check));
    if (!done.inserted) return duplicate(index, key);
  }
  return {};
}

Status TableWriter::insert(Arena& arena, const Batch& batch, Tid* tids) {
  const std::span<const Vector> columns(batch.columns.data(), relation_.columns.size());
  indexed_ = 0;
  TRY(heap_->insert_batch(context_.fiber, *context_.transaction, columns, batch.rows, tids));
  for (uint32_t i = 0; i < batch.rows.count; ++i, ++indexed_) {
    TRY(add_index_entries(arena, batch, batch.rows[i], tids[i]));
    TRY(context_.fiber.charge(1 + 4 * indexes_.size()));
  }
  return {};
}

Result<std::optional<Tid>> TableWriter::insert_unless_conflict(Arena& arena, const Batch& batch,
                                                               uint32_t row,
                                                               std::span<const Oid> arbiters,
                                                               Tid* tid) {
  TransactionManager& transactions = context_.access->transactions();
  const auto decides = [&](const Index& index) {
    return index.info->unique && (arbiters.empty() || std::find(arbiters.begin(), arbiters.end(),
                                                                index.info->oid) != arbiters.end());
  };
  Key key;
  while (true) {
    // First a look, which settles the usual conflict without writing anything.
    Xid awaited{};
    for (Index& index : indexes_) {
      if (!decides(index) || !TRY(make_key(arena, index, batch, row, &key))) continue;
      const InsertResult found =
          TRY(index.tree->find_conflict(context_.fiber, *context_.transaction, relation_.storage,
                                        RowValues{key.values.data(), key.nulls.data()}, Tid{}));
      if (found.in_progress.v != 0) {
        awaited = found.in_progress;
        break;
      }
      if (found.conflict.is_valid()) return std::optional<Tid>(found.conflict);
    }
    if (awaited.v != 0) {
      TRY(transactions.wait_for(context_.fiber, context_.transaction->owner(), awaited));
      continue;
    }
    // Then the row goes in, but only for good once no index objects.
    TRY(transactions.assign_xid(context_.fiber, *context_.transaction));
    transactions.begin_speculation(*context_.transaction);
    Result<std::optional<Tid>> done =
        insert_speculatively(arena, batch, row, arbiters, tid, &awaited);
    transactions.end_speculation(*context_.transaction);
    if (!done.ok() || awaited.v == 0) return done;
    TRY(transactions.wait_for(context_.fiber, context_.transaction->owner(), awaited));
  }
}

// `awaited`: set when the row was taken back because of a transaction whose end must be known
// first.
Result<std::optional<Tid>> TableWriter::insert_speculatively(Arena& arena, const Batch& batch,
                                                             uint32_t row,
                                                             std::span<const Oid> arbiters,
                                                             Tid* tid, Xid* awaited) {
  const auto one = static_cast<uint16_t>(row);
  const std::span<const Vector> columns(batch.columns.data(), relation_.columns.size());
  TRY(heap_->insert_batch(context_.fiber, *context_.transaction, columns, Rows{&one, 1}, tid));
  Key key;
  *awaited = Xid{};
  for (Index& index : indexes_) {
    if (!TRY(make_key(arena, index, batch, row, &key))) continue;
    const bool arbiter =
        index.info->unique && (arbiters.empty() || std::find(arbiters.begin(), arbiters.end(),
                                                             index.info->oid) != arbiters.end());
    const UniqueCheck check = !index.info->unique ? UniqueCheck::none
                              : arbiter           ? UniqueCheck::report
                                                  : UniqueCheck::wait;
    const InsertResult done =
        TRY(index.tree->insert(context_.fiber, *context_.transaction, relation_.storage,
                               RowValues{key.values.data(), key.nulls.data()}, *tid, check));
    if (done.inserted) continue;
    if (!arbiter) return duplicate(index, key);
    TRY(heap_->kill_inserted(context_.fiber, *context_.transaction, *tid));
    *awaited = done.in_progress;
    return std::optional<Tid>(done.conflict);
  }
  return std::optional<Tid>();
}

}  // namespace orrery
