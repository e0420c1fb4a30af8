// VACUUM and ANALYZE: their options, which tables, one after the other. A table's lock is given
// back when it is done, so that a whole database can be vacuumed without stopping its owners.

#include "base/text.h"
#include "catalog/acl.h"
#include "catalog/columns.h"
#include "catalog/relation_info.h"
#include "command/analyze_table.h"
#include "command/helpers.h"
#include "command/vacuum_relation.h"
#include "session/session.h"
#include "sql/parser.h"

namespace orrery {

struct VacuumRequest {
  bool vacuum = false;
  bool analyze = false;
  bool verbose = false;
  bool skip_locked = false;
  bool toast = true;
  std::string_view text;  // of the statement
};

namespace {

Result<VacuumRequest> read_request(const VacuumStmt& statement, std::string_view text) {
  const std::string_view verb = statement.is_vacuumcmd ? "VACUUM" : "ANALYZE";
  VacuumRequest request{
      .vacuum = statement.is_vacuumcmd, .analyze = !statement.is_vacuumcmd, .text = text};
  bool full = false;
  bool skips_no_page = false;
  for (const DefElem* option : statement.options) {
    const std::string_view name = option->defname;
    if (name == "verbose") {
      request.verbose = TRY(option_boolean(*option));
    } else if (name == "skip_locked") {
      request.skip_locked = TRY(option_boolean(*option));
    } else if (!statement.is_vacuumcmd) {
      return raise(sqlstate::syntax_error, cat("unrecognized ", verb, " option \"", name, "\""))
          .at(character_position(text, option->location));
    } else if (name == "analyze") {
      request.analyze = TRY(option_boolean(*option));
    } else if (name == "full") {
      full = TRY(option_boolean(*option));
    } else if (name == "disable_page_skipping") {
      skips_no_page = TRY(option_boolean(*option));
    } else if (name == "process_toast") {
      request.toast = TRY(option_boolean(*option));
    } else if (name == "freeze" || name == "truncate") {
      // Nothing needs freezing here, and pages at the end stay: both say how hard to try.
      TRY(option_boolean(*option));
    } else if (name == "index_cleanup") {
      const std::string given = TRY(option_text(*option));
      const std::string word = to_lower(given);
      if (word == "auto" || parse_bool_word(word) == true) continue;
      if (parse_bool_word(word) == false) return unsupported("VACUUM (INDEX_CLEANUP off)");
      return raise(sqlstate::invalid_parameter_value,
                   cat("index_cleanup requires a Boolean value"));
    } else if (name == "parallel") {
      if (option->arg == nullptr) {
        return raise(sqlstate::syntax_error, "parallel option requires a value between 0 and 1024")
            .at(character_position(text, option->location));
      }
      const int64_t workers = TRY(option_integer(*option));
      if (workers < 0 || workers > 1024) {
        return raise(sqlstate::syntax_error,
                     "parallel workers for vacuum must be between 0 and 1024")
            .at(character_position(text, option->location));
      }
    } else {
      return raise(sqlstate::syntax_error, cat("unrecognized ", verb, " option \"", name, "\""))
          .at(character_position(text, option->location));
    }
  }
  if (full && skips_no_page) {
    return raise(sqlstate::feature_not_supported,
                 "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL");
  }
  if (full) return unsupported("VACUUM FULL");
  if (skips_no_page) return unsupported("VACUUM (DISABLE_PAGE_SKIPPING)");
  if (!request.analyze) {
    for (const VacuumRelation* relation : statement.rels) {
      if (!relation->va_cols.empty()) {
        return raise(sqlstate::feature_not_supported,
                     "ANALYZE option must be specified when a column list is provided");
      }
    }
  }
  return request;
}

Result<std::vector<int16_t>> analyzed_columns(const RelationInfo& relation, Names names) {
  std::vector<int16_t> numbers;
  for (const Name name : names) {
    const int16_t number = relation.column_number(name);
    if (number <= 0) {
      return raise(sqlstate::undefined_column,
                   cat("column \"", name, "\" of relation \"", relation.name, "\" does not exist"));
    }
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end()) {
      return raise(sqlstate::duplicate_column, cat("column \"", name, "\" of relation \"",
                                                   relation.name, "\" appears more than once"));
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::string refusal(const RelationInfo& relation, std::string_view verb) {
  const std::string_view who = relation.shared                       ? "superuser"
                               : relation.nsp == kPgCatalogNamespace ? "superuser or database owner"
                                                                     : "table or database owner";
  return cat("skipping \"", relation.name, "\" --- only ", who, " can ", verb, " it");
}

bool has_rows_to_clean(char kind) { return kind == 'r' || kind == 'm' || kind == 't'; }

}  // namespace

Result<std::vector<Oid>> Session::vacuum_targets(Fiber& fiber, const VacuumStmt& statement,
                                                 AnalyzeContext& analysis) {
  std::vector<Oid> oids;
  for (const VacuumRelation* named : statement.rels) {
    RangeVar name = *named->relation;
    name.location = -1;  // utility statements do not point at names
    const RelationInfo* relation = TRY(resolve_relation(analysis, name, 0));
    oids.push_back(relation->oid);
  }
  if (!statement.rels.empty()) return oids;
  TRY(store_->scan(fiber, pg_class::kRelation, kInvalidOid, {},
                   [&](const CatalogRow& row, Tid) -> Status {
                     const char kind = row.get<char>(pg_class::relkind);
                     const bool own = row.get<char>(pg_class::relpersistence) != 't' ||
                                      row.get<Oid>(pg_class::relnamespace) == temporary_schema_;
                     if ((kind == 'r' || kind == 'm') && own)
                       oids.push_back(row.get<Oid>(pg_class::oid));
                     return {};
                   }));
  std::sort(oids.begin(), oids.end());
  return oids;
}

// Whether the role may, and the relation can, be cleaned; a WARNING says why not.
Result<bool> Session::may_vacuum(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                                 std::string_view verb) {
  const bool own = TRY(catalog.is_member(fiber, current_user_, relation.owner));
  const DatabaseInfo* database = TRY(catalog.database(fiber, identity_.database));
  const bool governs = TRY(catalog.is_member(fiber, current_user_, database->owner));
  if (!own && !(governs && !relation.shared)) {
    warning(raise(sqlstate::warning, refusal(relation, verb)).error());
    return false;
  }
  if (has_rows_to_clean(relation.kind)) return true;
  warning(raise(sqlstate::warning, cat("skipping \"", relation.name, "\" --- cannot ", verb,
                                       " non-tables or special system tables"))
              .error());
  return false;
}

// A TOAST table is a table of its own: the background vacuum may be in it.
Status Session::clean_toast(Fiber& fiber, CatalogReader& catalog, Oid oid,
                            const VacuumRequest& request, const VacuumOptions& options) {
  const LockTag tag = LockTag::relation(identity_.database, oid);
  const auto mode = LockMode::share_update_exclusive;
  LockTable& locks = node_.transactions.locks();
  const WaitPolicy policy = request.skip_locked ? WaitPolicy::no_wait : WaitPolicy::wait;
  const LockResult taken = TRY(locks.acquire(fiber, owner_, tag, mode, policy, LockScope::session));
  if (taken == LockResult::not_available) return {};
  auto work = [&]() -> Status {
    const RelationInfo* toast = TRY(catalog.relation(fiber, oid));
    CHECK(toast != nullptr);
    return vacuum_relation(fiber, *store_, *toast, options).status().clone();
  };
  Status status = work();
  locks.release(owner_, tag, mode, LockScope::session);
  return status;
}

Status Session::clean_relation(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                               const VacuumRequest& request) {
  const std::string name = cat(identity_.database_name, ".", relation.nsp_name, ".", relation.name);
  auto say = [&](std::string text) {
    if (!request.verbose) return;
    notice(Severity::info, raise(sqlstate::successful_completion, std::move(text)).error());
  };
  say(cat("vacuuming \"", name, "\""));
  const VacuumOptions options{.dead_tids_max = view_.maintenance_memory_bytes / sizeof(Tid)};
  const VacuumResult result = TRY(vacuum_relation(fiber, *store_, relation, options));
  if (relation.toast && request.toast)
    TRY(clean_toast(fiber, catalog, relation.toast, request, options));
  say(cat("finished vacuuming \"", name, "\": index scans: ", result.index_passes,
          "\npages: 0 removed, ", result.pages, " remain, ", result.pages - result.pages_skipped,
          " scanned\ntuples: ", result.rows_removed, " removed, ", result.rows_live, " remain"));
  return {};
}

Status Session::analyze_relation(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                                 Names names, const VacuumRequest& request) {
  TRY(block_.transaction().next_command());
  const std::vector<int16_t> columns = TRY(analyzed_columns(relation, names));
  if (request.verbose) {
    notice(Severity::info, raise(sqlstate::successful_completion,
                                 cat("analyzing \"", relation.nsp_name, ".", relation.name, "\""))
                               .error());
  }
  Arena arena(&memory_);
  CommandContext context = command_context(fiber, arena, catalog, request.text);
  const TableCounts counts =
      TRY(analyze_table(context, relation, columns,
                        settings_.get_int(SettingId::default_statistics_target), random_));
  TRY(store_relation_size(fiber, *store_, relation.oid,
                          {.pages = counts.pages, .rows = counts.rows}));
  return store_index_sizes(fiber, *store_, relation, counts.rows);
}

Status Session::vacuum_one(Fiber& fiber, Oid oid, Names names, const VacuumRequest& request) {
  const LockTag tag = LockTag::relation(identity_.database, oid);
  const auto mode = LockMode::share_update_exclusive;
  LockTable& locks = node_.transactions.locks();
  const std::string_view verb = request.vacuum ? "vacuum" : "analyze";
  const WaitPolicy policy = request.skip_locked ? WaitPolicy::no_wait : WaitPolicy::wait;
  const LockResult taken = TRY(locks.acquire(fiber, owner_, tag, mode, policy, LockScope::session));
  auto work = [&]() -> Status {
    const std::unique_ptr<CatalogReader> catalog = new_reader();
    const RelationInfo* relation = TRY(catalog->relation(fiber, oid));
    if (relation == nullptr) return {};
    if (taken == LockResult::not_available) {
      warning(raise(sqlstate::lock_not_available,
                    cat("skipping ", verb, " of \"", relation->name, "\" --- lock not available"))
                  .error());
      return {};
    }
    const bool may = TRY(may_vacuum(fiber, *catalog, *relation, verb));
    if (!may) return {};
    if (request.vacuum) TRY(clean_relation(fiber, *catalog, *relation, request));
    if (!request.analyze) return {};
    return analyze_relation(fiber, *catalog, *relation, names, request);
  };
  Status status = work();
  if (taken == LockResult::granted) locks.release(owner_, tag, mode, LockScope::session);
  return status;
}

Result<std::string> Session::vacuum(Fiber& fiber, const PlannedStatement& outer,
                                    const VacuumStmt& statement) {
  const VacuumRequest request = TRY(read_request(statement, outer.text));
  if (request.vacuum) TRY(block_.check_alone("VACUUM"));
  Arena arena(&memory_);
  TRY(refresh_path(fiber));
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  AnalyzeContext analysis = analyze_context(fiber, arena, *catalog, outer.text, nullptr);
  const std::vector<Oid> oids = TRY(vacuum_targets(fiber, statement, analysis));
  for (size_t i = 0; i < oids.size(); ++i) {
    const Names columns = statement.rels.empty() ? Names() : statement.rels[i]->va_cols;
    TRY(vacuum_one(fiber, oids[i], columns, request));
    TRY(fiber.check_interrupts());
  }
  return std::string(request.vacuum ? "VACUUM" : "ANALYZE");
}

}  // namespace orrery
