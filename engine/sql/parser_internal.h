// The parser's one class; its methods are spread over parse_*.cpp by subject.
//
// Errors are sticky: the first one is kept, and from then on the current token is tok_error, which
// nothing accepts. So every loop ends, every function returns some node, and only run() looks at
// the error. A method named after a rule of PostgreSQL's grammar parses that rule.
//
// The error belongs at the first token no statement could go on with. LR parsers find that token by
// themselves; here each method must not look past it: decide on the current token first.
#pragma once

#include "base/text.h"
#include "sql/ast.h"
#include "sql/lexer.h"
#include "sql/parser.h"

namespace orrery {

// A list that grows in the arena.
template <class T>
class ListBuilder {
 public:
  explicit ListBuilder(Arena& arena) : arena_(arena) {}
  void push(T item) {
    if (size_ == capacity_) grow();
    data_[size_++] = item;
  }
  void append(std::span<const T> items) {
    for (const T& item : items) push(item);
  }
  std::span<const T> span() const { return {data_, size_}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void grow() {
    const size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
    T* const data = static_cast<T*>(arena_.allocate(capacity * sizeof(T), alignof(T)));
    for (size_t i = 0; i < size_; ++i) data[i] = data_[i];
    data_ = data;
    capacity_ = capacity;
  }
  Arena& arena_;
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};
template <class T>
using NodeListBuilder = ListBuilder<const T*>;

// Operator precedence, lowest first, as PostgreSQL declares it.
enum Precedence : int {
  kLowest = 0,
  kOr,
  kAnd,
  kNot,
  kIs,
  kComparison,
  kBetweenLike,
  kEscape,
  kOperator,
  kAdditive,
  kMultiplicative,
  kPower,
  kAtTimeZone,
  kCollate,
  kUnaryMinus,
  kTypecast,
};

class Parser {
 public:
  Parser(Arena& arena, std::string_view text, const ParseOptions& options);
  Result<std::span<const RawStmt* const>> run();

 private:
  struct Depth;

  // Tokens.
  const Token& cur() const { return tokens_[head_]; }
  int kind() const { return tokens_[head_].kind; }
  int loc() const { return static_cast<int>(tokens_[head_].start); }
  const Token& peek(int n);
  int peek_kind(int n) { return peek(n).kind; }
  void advance();
  bool at(int wanted) const { return kind() == wanted; }
  template <class... Kinds>
  bool at_any(Kinds... kinds) const {
    return ((kind() == static_cast<int>(kinds)) || ...);
  }
  bool accept(int wanted) {
    if (!at(wanted)) return false;
    advance();
    return true;
  }
  bool accept2(int first, int second) {
    if (!at(first) || peek_kind(1) != second) return false;
    advance();
    advance();
    return true;
  }
  void expect(int wanted) {
    if (!accept(wanted)) syntax_error();
  }
  void expect_all(std::initializer_list<int> kinds) {
    for (const int wanted : kinds) expect(wanted);
  }
  bool at_word(std::string_view identifier) const;  // an unquoted-like identifier of that text

  // Errors.
  bool failed() const { return failed_; }
  void fail(Status error);
  void syntax_error() { syntax_error("syntax error"); }
  void syntax_error(std::string_view message);
  void error(const SqlState& code, std::string message, int location, const char* hint = nullptr);
  void not_implemented(std::string message, int location);

  // Nodes.
  template <class T>
  T* make(int location = -1) {
    T* node = arena_.make<T>();
    node->location = location;
    return node;
  }
  template <class T, class F>
  ListOf<T> comma_list(F item) {
    NodeListBuilder<T> list(arena_);
    do list.push(item());
    while (accept(','));
    return list.span();
  }
  template <class T, class F>
  ListOf<T> paren_list(F item) {
    expect('(');
    const ListOf<T> list = comma_list<T>(item);
    expect(')');
    return list;
  }
  template <class T>
  ListOf<T> one(const T* item) {
    const T* const items[1] = {item};
    return arena_.copy_array(items);
  }
  template <class T>
  ListOf<T> two(const T* first, const T* second) {
    const T* const items[2] = {first, second};
    return arena_.copy_array(items);
  }
  Names one_name(Name name) {
    const Name names[1] = {name};
    return arena_.copy_array(names);
  }
  Names system_name(Name name) {
    const Name names[2] = {"pg_catalog", name};
    return arena_.copy_array(names);
  }
  const String* string_node(std::string_view text);
  const Integer* integer_node(int32_t value);
  const Boolean* boolean_node(bool value);
  const List* list_node(NodeList items);
  const List* name_list_node(Names names);
  const DefElem* def(Name name, const Node* arg, int location);
  const A_Const* string_const(std::string_view text, int location);
  const A_Const* integer_const(int32_t value, int location);
  const A_Const* null_const(int location);
  std::string_view copy(const std::string& text) { return arena_.copy(text); }

  // Names (parse_names.cpp).
  static bool is_col_id(int kind);
  bool at_col_id() const;
  bool at_type_function_name() const;
  bool at_non_reserved_word() const;
  bool at_col_label() const;
  bool at_bare_label() const;
  Name col_id();
  Name col_label();
  Name non_reserved_word();
  Name type_function_name();
  Name sconst();
  int32_t iconst();
  int32_t signed_iconst();
  Names any_name();
  Names name_list();        // columns: ColId, ...
  Names opt_column_list();  // ( ColId, ... ) or nothing
  ListOf<List> any_name_list();
  Names attrs(Name first);
  const RangeVar* qualified_name();
  const RangeVar* range_var_of(Names names, int location);
  const RangeVar* relation_expr();
  ListOf<RangeVar> qualified_name_list();
  const RangeVar* relation_expr_opt_alias(bool set_follows);
  const RangeVar* opt_temp_table_name();
  bool opt_temp(RelPersistence& persistence);
  Names func_name();
  Names any_operator();
  Name all_op();
  bool at_all_op() const;
  Names qual_op();                                // Op or OPERATOR(...)
  bool indirection(NodeListBuilder<Node>& list);  // true if anything was read
  void check_indirection(NodeList list);
  const Node* numeric_only();
  std::string_view boolean_or_string();
  const RoleSpec* role_spec();
  Name role_id();
  ListOf<RoleSpec> role_list();
  bool opt_if_exists();
  bool opt_if_not_exists();
  DropBehavior opt_drop_behavior();

  // Types (parse_types.cpp).
  const TypeName* type_name();
  const TypeName* simple_type_name();
  const TypeName* func_type();
  ListOf<TypeName> type_list();
  TypeName* system_type(Name name, int location);
  TypeName* generic_type(int location);
  TypeName* numeric_type();
  TypeName* bit_type();
  TypeName* character_type();
  TypeName* datetime_type();
  NodeList opt_type_modifiers();
  NodeList opt_interval();
  const Node* interval_second(int location);
  std::span<const int32_t> opt_array_bounds();

  // Expressions (parse_expression.cpp, parse_primary.cpp, parse_function_call.cpp).
  const Node* a_expr() { return expression(kLowest, false); }
  const Node* b_expr() { return expression(kLowest, true); }
  const Node* expression(int lowest, bool restricted);
  const Node* operators(const Node* left, int lowest, bool restricted);
  const Node* prefix(bool restricted);
  bool operator_is_label();
  int infix_precedence(bool restricted);
  const Node* infix(const Node* left, int precedence, bool restricted, bool& ends_in_operand);
  const Node* logical(const Node* left, int precedence, bool may_be_label);
  const Node* is_test(const Node* left, bool restricted, bool& ends_in_operand);
  const Node* between(const Node* left, bool negated, int location);
  const Node* in_list(const Node* left, bool negated, int location);
  const Node* like(const Node* left, bool negated, int location, bool& ends_in_operand);
  const Node* quantified(const Node* left, Names op, int location);
  const Node* is_normalized(const Node* left, int location);
  const Node* unary_minus(const Node* operand, int location);
  const Node* make_not(const Node* arg, int location);
  const Node* make_op(A_ExprKind kind, Name op, const Node* left, const Node* right, int location);
  const FuncCall* system_call(Name name, NodeList args, CoercionForm form, int location);
  const Node* c_expr(bool restricted);
  const Node* keyword_primary();
  const Node* typed_constant();
  const Node* interval_constant();
  const Node* name_primary();
  const Node* column_ref(Name first, NodeList rest, int location);
  const Node* paren_primary(bool restricted);
  const Node* finish_paren(const Node* first, int location, bool restricted);
  const Node* after_row(const RowExpr* row, bool restricted);
  const Node* opt_indirection(const Node* arg);
  const Node* case_expr();
  const Node* array_primary();
  const Node* array_expr();
  const RowExpr* explicit_row();
  const RowExpr* row();
  const Node* sublink(SubLinkType type, const SelectStmt* select, int location);
  NodeList expr_list();
  NodeList paren_expr_list();
  bool can_start_expr() const;
  const Node* func_arg_expr();
  FuncCall* func_application(Names name, int location);
  const Node* func_expr(FuncCall* call);
  const Node* func_expr_common();  // null: the current token starts none
  const Node* func_expr_windowless();
  const Node* sql_value_function(SqlValueFunctionOp op, SqlValueFunctionOp with_typmod);
  const Node* extract_call();
  const Node* overlay_call();
  const Node* substring_call();
  const Node* trim_call();
  const Node* xml_call();
  ListOf<ResTarget> xml_attribute_list();
  ListOf<SortBy> opt_sort_clause();
  ListOf<SortBy> sort_clause();
  const SortBy* sort_by();
  SortByNulls opt_nulls_order();
  const WindowDef* window_specification();
  void opt_frame_clause(WindowDef* window);
  int32_t frame_bound(const Node*& offset);

  // Queries (parse_select.cpp, parse_from.cpp).
  bool starts_select(int token) const;
  bool at_select_start();
  const SelectStmt* select_stmt();  // with or without parentheses
  SelectStmt* select_no_parens();
  SelectStmt* select_with_parens();
  SelectStmt* select_clause(int lowest);
  SelectStmt* set_operations(SelectStmt* left, int lowest);
  SelectStmt* select_options(SelectStmt* select, const WithClause* with);
  SelectStmt* simple_select();
  SelectStmt* values_clause();
  bool at_select_continuation() const;
  // A parenthesis that opens onto a query: either it is one, and closed; or what follows shows the
  // query to be only an operand (of an expression, or of a join), and the parenthesis is still
  // open.
  struct Paren {
    SelectStmt* select = nullptr;
    const Node* operand = nullptr;
  };
  Paren parenthesised(bool in_from);
  void limit_clauses(SelectStmt* into, bool& any);
  const WithClause* with_clause();
  const CommonTableExpr* common_table_expr();
  ListOf<ResTarget> target_list();
  const ResTarget* target_el();
  const IntoClause* into_clause();
  NodeList from_clause();
  NodeList from_list();
  const Node* table_ref();
  const Node* table_ref_primary();
  bool at_join() const;
  const Node* joins(const Node* left);
  const Node* paren_table_ref();
  const Node* finish_join_paren(const Node* first);
  const Node* subselect_ref(const SelectStmt* select, bool lateral, int location);
  const Node* function_ref(bool lateral);
  const Node* xmltable(bool lateral);
  const Alias* opt_alias_clause();
  const Alias* alias_clause();
  void func_alias_clause(RangeFunction* function);
  ListOf<ColumnDef> table_func_element_list();
  const Node* opt_where();
  const Node* where_or_current();
  NodeList group_clause(bool& distinct);
  const Node* group_by_item();
  ListOf<WindowDef> window_clause();
  ListOf<LockingClause> locking_clauses();

  // Changes of rows (parse_modify.cpp).
  const Node* with_statement();  // WITH ... SELECT|INSERT|UPDATE|DELETE|MERGE
  const Node* insert_stmt(const WithClause* with, int location);
  const Node* update_stmt(const WithClause* with);
  const Node* delete_stmt(const WithClause* with);
  const Node* merge_stmt(const WithClause* with);
  const MergeWhenClause* merge_when_clause();
  const OnConflictClause* opt_on_conflict();
  OverridingKind opt_overriding();
  ListOf<ResTarget> insert_column_list();
  ListOf<ResTarget> set_clause_list();
  void set_clause(NodeListBuilder<ResTarget>& list);
  ResTarget* set_target();
  ListOf<ResTarget> returning_clause();
  const Node* preparable_stmt();

  // Statements (parse_statement.cpp dispatches).
  const Node* statement();
  const Node* statement_by_keyword();
  const Node* create_stmt();
  bool at_schema_element();
  const Node* alter_stmt();
  const Node* drop_stmt();
  const Node* aexpr_const();
  int expression_location(const Node* node);
  const Node* finish_relation(const RangeVar* relation);
  const Node* finish_function(RangeFunction* function);
  bool at_function_start();
  const CollateClause* opt_collate_clause();
  const RangeTableFuncCol* xmltable_column();

  // Tables and what hangs on them (parse_table.cpp, parse_constraint.cpp).
  const Node* create_table(RelPersistence persistence, bool foreign);
  const Node* finish_create_as(IntoClause* into, bool if_not_exists);
  void finish_create_table(CreateStmt* create);
  bool opt_with_data();
  NodeList opt_typed_table_elements();
  const Node* table_element();
  const Node* typed_table_element();
  const ColumnDef* column_def();
  const Node* table_like();
  void column_qualifiers(ColumnDef* column);
  const CollateClause* column_qualifier_list(NodeListBuilder<Constraint>& list);
  Constraint* column_constraint();
  Constraint* generated_constraint(int location);
  const Constraint* table_constraint();
  bool at_table_constraint();
  Constraint* constraint_elem();
  void constraint_attributes(Constraint* constraint, Name kind_name);
  void references(Constraint* constraint);
  FkAction key_action(Names& columns);
  bool opt_unique_null_treatment();
  Names opt_include_columns();
  ListOf<DefElem> opt_definition();
  Name opt_constraint_tablespace();
  ListOf<DefElem> opt_with_reloptions();
  OnCommitAction opt_on_commit();
  Name opt_tablespace();
  const PartitionSpec* opt_partition_spec();
  const PartitionElem* partition_elem();
  const PartitionBoundSpec* partition_bound();
  ListOf<DefElem> reloptions();
  const DefElem* reloption_elem();
  ListOf<DefElem> definition();
  const DefElem* def_elem();
  const Node* def_arg();
  ListOf<DefElem> opt_generic_options();
  const DefElem* generic_option();
  ListOf<DefElem> alter_generic_options();
  const IndexElem* index_elem();
  ListOf<IndexElem> index_params();
  const Node* create_index();
  const Node* create_view(bool replace, RelPersistence persistence);
  const SelectStmt* recursive_view_query(Name name, Names columns, const SelectStmt* query);
  const Node* create_matview(RelPersistence persistence);
  const Node* create_sequence(RelPersistence persistence);
  ListOf<DefElem> seq_options();
  const DefElem* seq_option();
  bool at_seq_option();
  ListOf<DefElem> opt_paren_seq_options();

  // ALTER (parse_alter*.cpp).
  const Node* alter_relation(ObjectType type);
  const AlterTableCmd* alter_table_cmd();
  bool at_alter_seq_option();
  const List* def_list(ListOf<DefElem> options);
  const AlterTableCmd* alter_column_type(AlterTableCmd* cmd, int location);
  Constraint* generated_identity();
  const AlterTableCmd* alter_column_cmd(AlterTableCmd* cmd);
  const AlterTableCmd* alter_identity(AlterTableCmd* cmd);
  const AlterTableCmd* add_cmd(AlterTableCmd* cmd);
  const AlterTableCmd* drop_cmd(AlterTableCmd* cmd);
  const AlterTableCmd* trigger_or_rule_cmd(AlterTableCmd* cmd);
  const AlterTableCmd* set_cmd(AlterTableCmd* cmd);
  const Node* replica_identity();
  const AlterTableCmd* partition_cmd(ObjectType type);
  const Node* alter_move_all(ObjectType type);
  const Node* alter_type();
  const Node* alter_enum_value(Names type);
  const AlterTableCmd* alter_attribute_cmd();
  const Node* alter_domain();
  const Node* alter_function(ObjectType type);
  const Node* alter_operator();
  const Node* alter_named(ObjectType type, const Node* object, bool may_move);
  const Node* alter_simple(ObjectType type, Name name);
  ListOf<DefElem> operator_definition();
  const Node* alter_database();
  const Node* alter_role();
  const Node* alter_extension();
  const Node* alter_event_trigger();
  const Node* alter_trigger();
  const Node* alter_policy();
  const Node* alter_rule();
  const Node* alter_publication();
  const Node* alter_subscription();
  const Node* alter_statistics();
  const Node* alter_text_search();
  const Node* alter_ts_configuration(Names name);
  const Node* alter_tablespace();
  const Node* alter_server();
  const Node* alter_foreign();
  const Node* alter_system();
  const Node* alter_default_privileges();
  const Node* alter_collation();
  const Node* rename(ObjectType type, const Node* object, Name subname);
  const Node* finish_rename(ObjectType type, ObjectType relation_type, const RangeVar* relation,
                            Name subname, bool missing_ok);
  const Node* owner_to(ObjectType type, const Node* object);
  const Node* set_schema(ObjectType type, const RangeVar* relation, const Node* object,
                         bool missing_ok);
  const Node* depends(ObjectType type, const RangeVar* relation, const Node* object);

  // CREATE of everything else (parse_create.cpp, parse_function.cpp, parse_trigger.cpp).
  const Node* create_function(bool replace, bool procedure);
  const FunctionParameter* func_arg(bool with_default);
  ListOf<FunctionParameter> func_args(bool with_default);
  ListOf<DefElem> create_func_options();
  const DefElem* create_func_option();
  const DefElem* common_func_option();
  const Node* opt_routine_body();
  const Node* routine_body_statement();
  const ObjectWithArgs* function_with_args(ObjectType type);
  const ObjectWithArgs* aggregate_with_args();
  const ObjectWithArgs* operator_with_args();
  ListOf<FunctionParameter> aggr_args(int32_t& ordered, bool& star);
  const Node* create_aggregate(bool replace);
  const Node* create_operator();
  const Node* create_op_class();
  ListOf<CreateOpClassItem> op_class_items(bool drop);
  const CreateOpClassItem* op_class_item(bool drop);
  const Node* create_type();
  const Node* create_domain();
  const Node* create_collation();
  const Node* create_text_search();
  const Node* create_cast();
  const Node* create_transform(bool replace);
  const Node* create_conversion(bool is_default);
  const Node* create_language(bool replace);
  const Node* create_trigger(bool replace, bool constraint);
  const Node* create_event_trigger();
  const Node* create_rule(bool replace);
  const Node* create_policy();
  const Node* create_schema();
  const Node* create_database();
  const Node* create_role(RoleStmtType type);
  const DefElem* role_option(bool creating);
  ListOf<DefElem> role_options(bool creating);
  const Node* create_user_mapping();
  const Node* create_tablespace();
  const Node* create_extension();
  const Node* create_foreign();
  const Node* create_server();
  const Node* import_foreign_schema();
  const Node* create_access_method();
  const Node* create_publication();
  ListOf<PublicationObjSpec> publication_objects();
  void refuse_publication_objects();
  const Node* create_subscription();
  const Node* create_statistics();
  ListOf<DefElem> database_options();
  ListOf<DefElem> fdw_options();
  Names handler_name();
  const RoleSpec* auth_ident();
  const ObjectWithArgs* operator_args(Names name);
  void trigger_events(CreateTrigStmt* create);
  const Node* rule_action();
  void policy_expressions(const Node*& qual, const Node*& with_check);

  // DROP, COMMENT, SECURITY LABEL, GRANT (parse_drop.cpp, parse_grant.cpp).
  const Node* drop_special();
  const Node* drop_role();
  const List* method_qualified_name();
  const List* cast_signature();
  const List* transform_signature();
  const List* name_on_any_name();
  bool at_commentable();
  const Node* drop_objects(ObjectType type, NodeList objects, bool missing_ok, int location);
  bool object_type_any_name(ObjectType& type);
  bool drop_type_name(ObjectType& type);
  bool object_type_name(ObjectType& type);
  const Node* commented_object(ObjectType& type);
  const Node* comment_stmt();
  const Node* security_label();
  const Node* grant_stmt(bool is_grant);
  ListOf<AccessPriv> privileges();
  ListOf<AccessPriv> privilege_list();
  void privilege_target(GrantStmt* grant);
  void default_privilege_target(GrantStmt* grant);

  // The running database (parse_utility.cpp, parse_settings.cpp).
  const Node* transaction_stmt();
  ListOf<DefElem> transaction_modes(bool required);
  bool at_transaction_mode();
  const Node* set_stmt();
  const VariableSetStmt* set_rest(bool is_local, bool only_more);
  const VariableSetStmt* generic_set(bool is_local);
  Name var_name();
  NodeList var_list();
  const Node* var_value();
  const Node* zone_value();
  const Node* var_value_number();
  const VariableSetStmt* reset_rest();
  const VariableSetStmt* set_or_reset();
  const Node* constraints_set();
  const Node* show_stmt();
  const Node* explain_stmt();
  ListOf<DefElem> utility_options();
  const DefElem* utility_option();
  const Node* explainable_stmt();
  const Node* copy_stmt();
  ListOf<DefElem> copy_options();
  const DefElem* copy_old_option();
  const Node* prepare_stmt();
  const Node* execute_stmt();
  const Node* deallocate_stmt();
  const Node* declare_cursor();
  const Node* fetch_stmt(bool move);
  const Node* close_stmt();
  const Node* vacuum_stmt();
  const Node* analyze_stmt();
  ListOf<VacuumRelation> opt_vacuum_relations();
  const Node* cluster_stmt();
  const Node* reindex_stmt();
  const Node* truncate_stmt();
  const Node* lock_stmt();
  const Node* refresh_stmt();
  const Node* notify_stmt();
  const Node* listen_stmt();
  const Node* do_stmt();
  const Node* call_stmt();
  const Node* discard_stmt();
  const Node* reassign_stmt();

  Arena& arena_;
  std::string_view text_;
  const ParseOptions& options_;
  Lexer lexer_;
  static constexpr int kLookahead = 8;
  Token tokens_[kLookahead];  // a ring; [head_] is the current token
  int head_ = 0;
  int count_ = 0;                // tokens read into the ring, the current one included
  uint32_t previous_start_ = 0;  // of the token before the current one
  uint32_t previous_end_ = 0;
  int depth_ = 0;
  int similar_needs_to_ = 0;  // inside SUBSTRING(: SIMILAR may stand without TO
  bool failed_ = false;
  struct PublicationError {
    const char* message = nullptr;
    const char* detail = nullptr;
    int location = -1;
  };
  PublicationError publication_error_;
  enum class CreateContext : uint8_t { statement, explained, schema_element };
  CreateContext create_context_ = CreateContext::statement;
  bool may_be_label_ = false;  // the expression about to begin is a target's
  bool last_simple_ = false;   // the last expression was a c_expr or a signed number
  Status error_;
};

// Counts a level of nesting for as long as it lives.
struct Parser::Depth {
  explicit Depth(Parser& parser) : parser(parser) {
    if (++parser.depth_ > parser.options_.max_depth) {
      parser.fail(raise(sqlstate::statement_too_complex, "stack depth limit exceeded")
                      .hint("Increase the configuration parameter \"max_stack_depth\", after "
                            "ensuring the platform's stack depth limit is adequate."));
    }
  }
  Depth(const Depth&) = delete;
  ~Depth() { --parser.depth_; }
  Parser& parser;
};

}  // namespace orrery
