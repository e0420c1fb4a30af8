#include "command/sequence.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/quote.h"
#include "command/relation_storage.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// What a list of options asks for; on ALTER on top of what is.
struct SequenceOptions {
  SequenceInfo info;
  std::optional<int64_t> restart;
  bool restart_at_start = false;
  std::optional<ObjectAddress> owner;  // OWNED BY a column
  bool owned_by_none = false;
};

int64_t type_max(Oid type) {
  return type == type_oid::int2 ? INT16_MAX : type == type_oid::int4 ? INT32_MAX : INT64_MAX;
}
int64_t type_min(Oid type) {
  return type == type_oid::int2 ? INT16_MIN : type == type_oid::int4 ? INT32_MIN : INT64_MIN;
}

class OptionReader {
 public:
  OptionReader(CommandContext& context, bool is_new) : context_(context), is_new_(is_new) {}
  Status read(ListOf<DefElem> options, bool is_identity, SequenceOptions& out);

 private:
  Status read_one(const DefElem& option, SequenceOptions& out);
  Status read_type(const DefElem& option, SequenceOptions& out);
  Status read_owner(const DefElem& option, SequenceOptions& out);
  Status check(SequenceOptions& out);

  CommandContext& context_;
  const bool is_new_;
  bool has_min_ = false, has_max_ = false, has_start_ = false, default_min_ = false,
       default_max_ = false, has_increment_ = false;
};

Status OptionReader::read_type(const DefElem& option, SequenceOptions& out) {
  const auto* name = as_if<TypeName>(option.arg);
  CHECK(name != nullptr);
  AnalyzeContext analysis = context_.analysis();
  const TypeAndMod type = TRY(resolve_type_name(analysis, *name));
  if (type.type != type_oid::int2 && type.type != type_oid::int4 && type.type != type_oid::int8) {
    return raise(sqlstate::invalid_parameter_value,
                 "sequence type must be smallint, integer, or bigint");
  }
  if (!is_new_) {
    // Bounds that were the old type's become the new one's.
    if (out.info.max == type_max(out.info.type)) default_max_ = true;
    if (out.info.min == type_min(out.info.type)) default_min_ = true;
  }
  out.info.type = type.type;
  return {};
}

Status OptionReader::read_owner(const DefElem& option, SequenceOptions& out) {
  const auto* list = as_if<List>(option.arg);
  CHECK(list != nullptr);
  std::vector<std::string_view> names;
  for (const Node* node : list->items) names.push_back(as<String>(*node).sval);
  if (names.size() == 1) {
    if (names[0] != "none") {
      return raise(sqlstate::syntax_error, "invalid OWNED BY option")
          .hint("Specify OWNED BY table.column or OWNED BY NONE.");
    }
    out.owned_by_none = true;
    return {};
  }
  RangeVar range;
  range.relname = names[names.size() - 2];
  if (names.size() > 2) range.schemaname = names[names.size() - 3];
  AnalyzeContext analysis = context_.analysis();
  const RelationInfo* table = TRY(resolve_relation(analysis, range, kAccessShareLock));
  const int16_t column = table->column_number(names.back());
  if (column <= 0) {
    return raise(sqlstate::undefined_column, cat("column \"", names.back(), "\" of relation \"",
                                                 table->name, "\" does not exist"));
  }
  out.owner = ObjectAddress{pg_class::kRelation, table->oid, column};
  return {};
}

Status OptionReader::read_one(const DefElem& option, SequenceOptions& out) {
  const std::string_view name = option.defname;
  if (name == "as") return read_type(option, out);
  if (name == "owned_by") return read_owner(option, out);
  if (name == "increment") {
    out.info.increment = TRY(option_integer(option));
    has_increment_ = true;
    if (out.info.increment == 0) {
      return raise(sqlstate::invalid_parameter_value, "INCREMENT must not be zero");
    }
  } else if (name == "start") {
    out.info.start = TRY(option_integer(option));
    has_start_ = true;
  } else if (name == "restart") {
    if (option.arg == nullptr) {
      out.restart_at_start = true;
    } else {
      out.restart = TRY(option_integer(option));
    }
  } else if (name == "maxvalue") {
    default_max_ = option.arg == nullptr;
    has_max_ = !default_max_;
    if (has_max_) out.info.max = TRY(option_integer(option));
  } else if (name == "minvalue") {
    default_min_ = option.arg == nullptr;
    has_min_ = !default_min_;
    if (has_min_) out.info.min = TRY(option_integer(option));
  } else if (name == "cache") {
    out.info.cache = TRY(option_integer(option));
    if (out.info.cache <= 0) {
      return raise(sqlstate::invalid_parameter_value,
                   cat("CACHE (", out.info.cache, ") must be greater than zero"));
    }
  } else if (name == "cycle") {
    out.info.cycle = TRY(option_boolean(option));
  } else {
    return raise(sqlstate::syntax_error, cat("option \"", name, "\" not recognized"));
  }
  return {};
}

Status OptionReader::check(SequenceOptions& out) {
  SequenceInfo& info = out.info;
  const bool up = info.increment > 0;
  if (default_max_ || (is_new_ && !has_max_)) info.max = up ? type_max(info.type) : -1;
  if (default_min_ || (is_new_ && !has_min_)) info.min = up ? 1 : type_min(info.type);
  const std::string shown = TRY([&]() -> Result<std::string> {
    AnalyzeContext analysis = context_.analysis();
    return type_name(analysis, info.type);
  }());
  if (info.max > type_max(info.type) || info.max < type_min(info.type)) {
    return raise(sqlstate::invalid_parameter_value,
                 cat("MAXVALUE (", info.max, ") is out of range for sequence data type ", shown));
  }
  if (info.min > type_max(info.type) || info.min < type_min(info.type)) {
    return raise(sqlstate::invalid_parameter_value,
                 cat("MINVALUE (", info.min, ") is out of range for sequence data type ", shown));
  }
  if (info.min >= info.max) {
    return raise(sqlstate::invalid_parameter_value,
                 cat("MINVALUE (", info.min, ") must be less than MAXVALUE (", info.max, ")"));
  }
  if (is_new_ && !has_start_) info.start = up ? info.min : info.max;
  if (info.start < info.min) {
    return raise(
        sqlstate::invalid_parameter_value,
        cat("START value (", info.start, ") cannot be less than MINVALUE (", info.min, ")"));
  }
  if (info.start > info.max) {
    return raise(
        sqlstate::invalid_parameter_value,
        cat("START value (", info.start, ") cannot be greater than MAXVALUE (", info.max, ")"));
  }
  if (out.restart_at_start) out.restart = info.start;
  if (out.restart && (*out.restart < info.min || *out.restart > info.max)) {
    const bool below = *out.restart < info.min;
    return raise(sqlstate::invalid_parameter_value,
                 cat("RESTART value (", *out.restart, ") cannot be ",
                     below ? "less than MINVALUE (" : "greater than MAXVALUE (",
                     below ? info.min : info.max, ")"));
  }
  return {};
}

Status OptionReader::read(ListOf<DefElem> options, bool is_identity, SequenceOptions& out) {
  for (size_t i = 0; i < options.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (options[i]->defname == options[j]->defname) {
        return raise(sqlstate::syntax_error, "conflicting or redundant options")
            .at(error_position(context_.text, options[i]->location));
      }
    }
    if (is_identity && options[i]->defname == "sequence_name") {
      return unsupported("SEQUENCE NAME of an identity column");
    }
    TRY(read_one(*options[i], out));
  }
  return check(out);
}

NewColumn state_column(std::string_view name, Oid type) {
  NewColumn column;
  column.name = name;
  column.type = type;
  column.not_null = true;
  return column;
}

Status insert_pg_sequence(CommandContext& context, Oid sequence, const SequenceInfo& info) {
  using namespace pg_sequence;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(seqrelid, sequence).set(seqtypid, info.type).set(seqstart, info.start);
  row.set(seqincrement, info.increment).set(seqmax, info.max).set(seqmin, info.min);
  row.set(seqcache, info.cache).set(seqcycle, info.cycle);
  TRY(context.store.insert(context.fiber, kRelation, row.values()));
  return {};
}

struct NewSequence {
  std::string name;
  Oid nsp, owner;
  char persistence = 'p';
  SequenceOptions options;
};

Result<Oid> make_sequence(CommandContext& context, const NewSequence& sequence) {
  NewRelation relation;
  relation.oid = TRY(context.store.new_oid(context.fiber));
  relation.name = sequence.name;
  relation.nsp = sequence.nsp;
  relation.owner = sequence.owner;
  relation.kind = 'S';
  relation.persistence = sequence.persistence;
  relation.has_row_type = false;
  relation.file = TRY(make_file(context));
  relation.columns = {state_column("last_value", type_oid::int8),
                      state_column("log_cnt", type_oid::int8),
                      state_column("is_called", type_oid::bool_)};
  CatalogWriter writer(context.store, context.catalog);
  TRY(writer.create_relation(context.fiber, relation));
  TRY(insert_pg_sequence(context, relation.oid, sequence.options.info));
  const RelationInfo* made = TRY(context.catalog.relation(context.fiber, relation.oid));
  CHECK(made != nullptr);
  const SequenceState state{.last_value =
                                sequence.options.restart.value_or(sequence.options.info.start)};
  TRY(create_sequence_row(context.fiber, context.store.access(), *context.store.transaction(),
                          made->storage, state));
  if (sequence.options.owner) {
    TRY(record_dependency(context.fiber, context.store, {pg_class::kRelation, relation.oid},
                          *sequence.options.owner, DependencyType::automatic));
  }
  return relation.oid;
}

}  // namespace

Result<std::string> create_sequence(CommandContext& context, const CreateSeqStmt& statement) {
  NewSequence sequence;
  sequence.nsp = TRY(creation_schema(context, *statement.sequence));
  sequence.name = truncate_name(statement.sequence->relname);
  sequence.owner = current_role(context);
  if (statement.sequence->relpersistence == RelPersistence::temp) sequence.persistence = 't';
  const Oid taken = TRY(context.catalog.relation_oid(context.fiber, sequence.nsp, sequence.name));
  if (taken) {
    if (!statement.if_not_exists) {
      return raise(sqlstate::duplicate_table,
                   cat("relation \"", sequence.name, "\" already exists"));
    }
    notice(context, cat("relation \"", sequence.name, "\" already exists, skipping"));
    return std::string("CREATE SEQUENCE");
  }
  sequence.options.info.type = type_oid::int8;
  TRY(OptionReader(context, true).read(statement.options, false, sequence.options));
  TRY(make_sequence(context, sequence));
  return std::string("CREATE SEQUENCE");
}

Result<std::string> alter_sequence(CommandContext& context, const AlterSeqStmt& statement) {
  const RelationInfo* info = TRY(own_relation(context, *statement.sequence, "S",
                                              kShareRowExclusiveLock, statement.missing_ok));
  if (info == nullptr) return std::string("ALTER SEQUENCE");
  SequenceOptions options;
  options.info = *info->sequence;
  TRY(OptionReader(context, false).read(statement.options, false, options));
  SequenceState state = TRY(read_sequence(context.fiber, context.store.access(), info->storage));
  if (options.restart) state = {.last_value = *options.restart, .is_called = false};
  if (state.last_value < options.info.min || state.last_value > options.info.max) {
    const bool below = state.last_value < options.info.min;
    return raise(sqlstate::invalid_parameter_value,
                 cat("RESTART value (", state.last_value, ") cannot be ",
                     below ? "less than MINVALUE (" : "greater than MAXVALUE (",
                     below ? options.info.min : options.info.max, ")"));
  }
  CatalogWriter writer(context.store, context.catalog);
  const Datum keys[] = {Datum::of(info->oid)};
  TRY(writer.update_row(context.fiber, pg_sequence::kRelation, kPgSequenceSeqrelidIndex, keys,
                        [&](RowBuilder& row, const CatalogRow&) {
                          using namespace pg_sequence;
                          row.set(seqtypid, options.info.type).set(seqstart, options.info.start);
                          row.set(seqincrement, options.info.increment);
                          row.set(seqmax, options.info.max).set(seqmin, options.info.min);
                          row.set(seqcache, options.info.cache).set(seqcycle, options.info.cycle);
                        }));
  // The new state lies in a new file, so that rolling back brings the old one back.
  const Oid file = TRY(make_file(context));
  drop_file(context, info->storage.file);
  TRY(writer.update_class(context.fiber, info->oid, [&](RowBuilder& row, const CatalogRow&) {
    row.set(pg_class::relfilenode, file);
  }));
  const RelationInfo* now = TRY(context.catalog.relation(context.fiber, info->oid));
  TRY(create_sequence_row(context.fiber, context.store.access(), *context.store.transaction(),
                          now->storage, state));
  if (options.owner || options.owned_by_none) {
    const ObjectAddress self{pg_class::kRelation, info->oid};
    std::vector<Tid> rows;
    const Datum depend_keys[] = {Datum::of(self.catalog), Datum::of(self.object)};
    TRY(context.store.scan(context.fiber, pg_depend::kRelation, kPgDependDependerIndex, depend_keys,
                           [&](const CatalogRow& row, Tid tid) -> Status {
                             if (row.get<char>(pg_depend::deptype) == 'a') rows.push_back(tid);
                             return {};
                           }));
    for (Tid tid : rows) TRY(context.store.remove(context.fiber, pg_depend::kRelation, tid));
    if (options.owner) {
      TRY(record_dependency(context.fiber, context.store, self, *options.owner,
                            DependencyType::automatic));
    }
  }
  return std::string("ALTER SEQUENCE");
}

Status make_column_sequence(CommandContext& context, Oid table, int16_t column, Oid type,
                            ListOf<DefElem> options, bool is_identity) {
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, table));
  CHECK(info != nullptr);
  if (type != type_oid::int2 && type != type_oid::int4 && type != type_oid::int8) {
    return raise(sqlstate::invalid_parameter_value,
                 "identity column type must be smallint, integer, or bigint");
  }
  CatalogWriter writer(context.store, context.catalog);
  NewSequence sequence;
  sequence.nsp = info->nsp;
  sequence.owner = info->owner;
  sequence.persistence = info->persistence;
  const std::string column_name = info->column(column).name;
  sequence.name =
      TRY(writer.choose_relation_name(context.fiber, info->name, column_name, "seq", info->nsp));
  sequence.options.info.type = type;
  TRY(OptionReader(context, true).read(options, is_identity, sequence.options));
  const Oid oid = TRY(make_sequence(context, sequence));
  const ObjectAddress self{pg_class::kRelation, oid}, of{pg_class::kRelation, table, column};
  TRY(record_dependency(context.fiber, context.store, self, of,
                        is_identity ? DependencyType::internal : DependencyType::automatic));
  if (is_identity) return {};
  const std::string name =
      cat(quote_identifier(info->nsp_name), ".", quote_identifier(sequence.name));
  const ObjectAddress needs[] = {self};
  return writer.set_default(context.fiber, table, column,
                            cat("nextval(", quote_literal(name), "::regclass)"), needs);
}

}  // namespace orrery
