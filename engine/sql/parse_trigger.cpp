// CREATE TRIGGER, EVENT TRIGGER, RULE, POLICY.
#include "sql/parser_internal.h"

namespace orrery {

// At [after CONSTRAINT] TRIGGER.
const Node* Parser::create_trigger(bool replace, bool constraint) {
  CreateTrigStmt* const create = make<CreateTrigStmt>();
  expect(kw_trigger);
  create->replace = replace;
  create->isconstraint = constraint;
  create->trigname = col_id();
  if (accept(kw_after)) {
    create->timing = TriggerTiming::after;
  } else if (!constraint && accept(kw_before)) {
    create->timing = TriggerTiming::before;
  } else if (!constraint && accept(kw_instead)) {
    expect(kw_of);
    create->timing = TriggerTiming::instead;
  } else {
    syntax_error();
  }
  trigger_events(create);
  expect(kw_on);
  create->relation = qualified_name();
  if (constraint) {
    if (accept(kw_from)) create->constrrel = qualified_name();
    Constraint marks;
    marks.contype = ConstrType::unique;  // may be deferred, may not be NOT VALID
    constraint_attributes(&marks, "TRIGGER");
    create->deferrable = marks.deferrable;
    create->initdeferred = marks.initdeferred;
    expect_all({kw_for, kw_each, kw_row});
    create->row = true;
  } else {
    if (accept(kw_referencing)) {
      NodeListBuilder<TriggerTransition> transitions(arena_);
      do {
        TriggerTransition* const transition = make<TriggerTransition>();
        transition->is_new = accept(kw_new);
        if (!transition->is_new) expect(kw_old);
        transition->is_table = accept(kw_table);
        if (!transition->is_table) expect(kw_row);
        accept(kw_as);
        transition->name = col_id();
        transitions.push(transition);
      } while (at_any(kw_new, kw_old));
      create->transition_rels = transitions.span();
    }
    if (accept(kw_for)) {
      accept(kw_each);
      create->row = accept(kw_row);
      if (!create->row) expect(kw_statement);
    }
  }
  if (accept(kw_when)) {
    expect('(');
    create->when_clause = a_expr();
    expect(')');
  }
  expect(kw_execute);
  if (!accept(kw_function)) expect(kw_procedure);
  create->funcname = func_name();
  expect('(');
  ListBuilder<Name> args(arena_);
  const bool comma = accept(',');  // as PostgreSQL's grammar has it
  if (comma || !at(')')) {
    do {
      if (at_any(tok_iconst, tok_fconst, tok_sconst)) {
        args.push(at(tok_iconst) ? copy(cat(cur().ival)) : cur().text);
        advance();
      } else {
        args.push(col_label());
      }
    } while (accept(','));
  }
  expect(')');
  create->args = args.span();
  if (constraint && replace && !failed_) {
    not_implemented("CREATE OR REPLACE CONSTRAINT TRIGGER is not supported", -1);
  }
  return create;
}

void Parser::trigger_events(CreateTrigStmt* create) {
  do {
    uint32_t event = 0;
    if (accept(kw_insert)) {
      event = kTriggerInsert;
    } else if (accept(kw_delete)) {
      event = kTriggerDelete;
    } else if (accept(kw_truncate)) {
      event = kTriggerTruncate;
    } else {
      expect(kw_update);
      event = kTriggerUpdate;
      if (accept(kw_of)) create->columns = name_list();
    }
    if (failed_) return;
    if ((create->events & event) !=
        0) {  // PostgreSQL has read on only after UPDATE, for OF or a comma
      if (event == kTriggerUpdate) {
        syntax_error("duplicate trigger events specified");
      } else {
        fail(lexer_.syntax_error("duplicate trigger events specified", previous_start_,
                                 previous_end_));
      }
    }
    create->events |= event;
  } while (accept(kw_or));
}

const Node* Parser::create_event_trigger() {
  CreateEventTrigStmt* const create = make<CreateEventTrigStmt>();
  expect_all({kw_event, kw_trigger});
  create->trigname = col_id();
  expect(kw_on);
  create->eventname = col_label();
  if (accept(kw_when)) {
    NodeListBuilder<DefElem> filters(arena_);
    do {
      const int location = loc();
      const Name variable = col_id();
      expect(kw_in);
      const NodeList values =
          paren_list<Node>([this]() -> const Node* { return string_node(sconst()); });
      filters.push(def(variable, list_node(values), location));
    } while (accept(kw_and));
    create->whenclause = filters.span();
  }
  expect(kw_execute);
  if (!accept(kw_function)) expect(kw_procedure);
  create->funcname = func_name();
  expect('(');
  expect(')');
  return create;
}

const Node* Parser::create_rule(bool replace) {
  RuleStmt* const rule = make<RuleStmt>();
  rule->replace = replace;
  expect(kw_rule);
  rule->rulename = col_id();
  expect_all({kw_as, kw_on});
  switch (kind()) {
    case kw_select: rule->event = CmdType::select; break;
    case kw_update: rule->event = CmdType::update; break;
    case kw_delete: rule->event = CmdType::delete_; break;
    case kw_insert: rule->event = CmdType::insert; break;
    default:        syntax_error(); return rule;
  }
  advance();
  expect(kw_to);
  rule->relation = qualified_name();
  rule->where_clause = opt_where();
  expect(kw_do);
  rule->instead = accept(kw_instead);
  if (!rule->instead) accept(kw_also);
  if (accept(kw_nothing)) return rule;
  if (!at('(')) {
    rule->actions = one(rule_action());
    return rule;
  }
  advance();
  NodeListBuilder<Node> actions(arena_);
  do {
    if (!at(';') && !at(')')) actions.push(rule_action());
  } while (accept(';'));
  expect(')');
  rule->actions = actions.span();
  return rule;
}

const Node* Parser::rule_action() {
  if (at(kw_notify)) return notify_stmt();
  if (at(kw_merge)) {
    syntax_error();
    return null_const(-1);
  }
  return preparable_stmt();
}

const Node* Parser::create_policy() {
  CreatePolicyStmt* const policy = make<CreatePolicyStmt>();
  expect(kw_policy);
  policy->policy_name = col_id();
  expect(kw_on);
  policy->table = qualified_name();
  policy->cmd_name = "all";
  if (accept(kw_as)) {
    const int location = loc();
    const Name word = cur().text;
    expect(tok_ident);
    if (word == "restrictive") {
      policy->permissive = false;
    } else if (word != "permissive") {
      error(sqlstate::syntax_error, cat("unrecognized row security option \"", word, "\""),
            location, "Only PERMISSIVE or RESTRICTIVE policies are supported currently.");
    }
  }
  if (accept(kw_for)) {
    policy->cmd_name = cur().text;
    if (!at_any(kw_all, kw_select, kw_insert, kw_update, kw_delete)) syntax_error();
    advance();
  }
  if (accept(kw_to)) {
    policy->roles = role_list();
  } else {
    RoleSpec* const everybody = make<RoleSpec>();
    everybody->roletype = RoleSpecType::public_;
    policy->roles = one<RoleSpec>(everybody);
  }
  policy_expressions(policy->qual, policy->with_check);
  return policy;
}

void Parser::policy_expressions(const Node*& qual, const Node*& with_check) {
  if (accept(kw_using)) {
    expect('(');
    qual = a_expr();
    expect(')');
  }
  if (accept(kw_with)) {
    expect_all({kw_check, '('});
    with_check = a_expr();
    expect(')');
  }
}

}  // namespace orrery
