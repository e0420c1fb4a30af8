// Which rule a statement follows, by its first keywords. The list is PostgreSQL's whole grammar.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::statement() {
  switch (kind()) {
    case kw_select:
    case kw_values:
    case kw_table:
    case '(':         return select_no_parens();
    case kw_with:
    case tok_with_la: return with_statement();
    case kw_insert:   return insert_stmt(nullptr, loc());
    case kw_update:   return update_stmt(nullptr);
    case kw_delete:   return delete_stmt(nullptr);
    case kw_merge:    return merge_stmt(nullptr);
    case kw_create:   return create_stmt();
    case kw_alter:    return alter_stmt();
    case kw_drop:     return drop_stmt();
    default:          return statement_by_keyword();
  }
}

const Node* Parser::statement_by_keyword() {
  switch (kind()) {
    case kw_abort:
    case kw_begin:
    case kw_commit:
    case kw_end:
    case kw_release:
    case kw_rollback:
    case kw_savepoint:
    case kw_start:      return transaction_stmt();
    case kw_analyse:
    case kw_analyze:    return analyze_stmt();
    case kw_call:       return call_stmt();
    case kw_checkpoint: advance(); return make<CheckPointStmt>();
    case kw_close:      return close_stmt();
    case kw_cluster:    return cluster_stmt();
    case kw_comment:    return comment_stmt();
    case kw_copy:       return copy_stmt();
    case kw_deallocate: return deallocate_stmt();
    case kw_declare:    return declare_cursor();
    case kw_discard:    return discard_stmt();
    case kw_do:         return do_stmt();
    case kw_execute:    return execute_stmt();
    case kw_explain:    return explain_stmt();
    case kw_fetch:      return fetch_stmt(false);
    case kw_grant:      return grant_stmt(true);
    case kw_import:     return import_foreign_schema();
    case kw_listen:
    case kw_unlisten:   return listen_stmt();
    case kw_load:       {
      advance();
      LoadStmt* const load = make<LoadStmt>();
      load->filename = sconst();
      return load;
    }
    case kw_lock:     return lock_stmt();
    case kw_move:     return fetch_stmt(true);
    case kw_notify:   return notify_stmt();
    case kw_prepare:  return prepare_stmt();
    case kw_reassign: return reassign_stmt();
    case kw_refresh:  return refresh_stmt();
    case kw_reindex:  return reindex_stmt();
    case kw_reset:    {
      advance();
      return reset_rest();
    }
    case kw_revoke:   return grant_stmt(false);
    case kw_security: return security_label();
    case kw_set:      return set_stmt();
    case kw_show:     return show_stmt();
    case kw_truncate: return truncate_stmt();
    case kw_vacuum:   return vacuum_stmt();
    default:          syntax_error(); return null_const(-1);
  }
}

// CREATE SCHEMA takes some statements along.
bool Parser::at_schema_element() {
  return at_any(kw_or, kw_temp, kw_temporary, kw_local, kw_global, kw_unlogged, kw_table, kw_view,
                kw_recursive, kw_sequence, kw_unique, kw_index, kw_constraint, kw_trigger);
}

// After CREATE, the words that say what: each alone decides, as PostgreSQL's tables do.
const Node* Parser::create_stmt() {
  expect(kw_create);
  RelPersistence persistence = RelPersistence::permanent;
  if (create_context_ == CreateContext::explained &&
      !at_any(kw_temp, kw_temporary, kw_local, kw_global, kw_unlogged, kw_table, kw_materialized)) {
    syntax_error();
  }
  if (create_context_ == CreateContext::schema_element && !at_schema_element()) syntax_error();
  if (accept(kw_or)) {
    expect(kw_replace);
    if (create_context_ == CreateContext::schema_element && !at_schema_element()) syntax_error();
    if (opt_temp(persistence)) return create_view(true, persistence);
    switch (kind()) {
      case kw_view:
      case kw_recursive:  return create_view(true, persistence);
      case kw_function:   advance(); return create_function(true, false);
      case kw_procedure:  advance(); return create_function(true, true);
      case kw_aggregate:  return create_aggregate(true);
      case kw_rule:       return create_rule(true);
      case kw_transform:  return create_transform(true);
      case kw_constraint: advance(); return create_trigger(true, true);
      case kw_trigger:    return create_trigger(true, false);
      default:            return create_language(true);
    }
  }
  if (at_any(kw_temp, kw_temporary, kw_local, kw_global, kw_unlogged)) {
    const bool unlogged = at(kw_unlogged);
    if (!opt_temp(persistence)) {
      advance();
      syntax_error();
      return null_const(-1);
    }
    if (accept(kw_table)) return create_table(persistence, false);
    if (at(kw_sequence)) return create_sequence(persistence);
    if (at_any(kw_view, kw_recursive)) return create_view(false, persistence);
    if (unlogged && at(kw_materialized)) return create_matview(persistence);
    syntax_error();
    return null_const(-1);
  }
  switch (kind()) {
    case kw_table:        advance(); return create_table(persistence, false);
    case kw_view:
    case kw_recursive:    return create_view(false, persistence);
    case kw_materialized: return create_matview(persistence);
    case kw_sequence:     return create_sequence(persistence);
    case kw_unique:
    case kw_index:        return create_index();
    case kw_schema:       return create_schema();
    case kw_database:     return create_database();
    case kw_role:         return create_role(RoleStmtType::role);
    case kw_user:
      if (peek_kind(1) == kw_mapping && (peek_kind(2) == kw_for || peek_kind(2) == kw_if)) {
        return create_user_mapping();
      }
      return create_role(RoleStmtType::user);
    case kw_group:      return create_role(RoleStmtType::group);
    case kw_tablespace: return create_tablespace();
    case kw_extension:  return create_extension();
    case kw_foreign:    return create_foreign();
    case kw_server:     return create_server();
    case kw_access:     return create_access_method();
    case kw_function:   advance(); return create_function(false, false);
    case kw_procedure:  advance(); return create_function(false, true);
    case kw_aggregate:  return create_aggregate(false);
    case kw_operator:   return create_operator();
    case kw_type:       return create_type();
    case kw_domain:     return create_domain();
    case kw_collation:  return create_collation();
    case kw_cast:       return create_cast();
    case kw_default:
      advance();
      if (!at(kw_conversion)) {
        syntax_error();
        return null_const(-1);
      }
      return create_conversion(true);
    case kw_conversion:   return create_conversion(false);
    case kw_trusted:
    case kw_procedural:
    case kw_language:     return create_language(false);
    case kw_constraint:   advance(); return create_trigger(false, true);
    case kw_trigger:      return create_trigger(false, false);
    case kw_event:        return create_event_trigger();
    case kw_rule:         return create_rule(false);
    case kw_policy:       return create_policy();
    case kw_publication:  return create_publication();
    case kw_subscription: return create_subscription();
    case kw_statistics:   return create_statistics();
    case kw_text:         return create_text_search();
    case kw_transform:    return create_transform(false);
    case kw_assertion:    {
      advance();
      any_name();
      expect_all({kw_check, '('});
      a_expr();
      expect(')');
      not_implemented("CREATE ASSERTION is not yet implemented", -1);
      return null_const(-1);
    }
    default: syntax_error(); return null_const(-1);
  }
}

}  // namespace orrery
