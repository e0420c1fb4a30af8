// The analyzer's machine: one Transform per statement, its methods spread over the files named
// beside them. Methods that take Scope& read names from it; results live in the context's arena.
#pragma once

#include "analyze/scope.h"

namespace orrery {

enum class CoercionContext : uint8_t { implicit, assignment, explicit_ };

// How a call's overload was chosen.
struct ResolvedCall {
  const FunctionInfo* function = nullptr;
  std::vector<Oid> parameter_types;  // after polymorphism; one per actual argument
  Oid result_type;
  bool variadic_expanded = false;  // trailing arguments go into an array
  int defaults_used = 0;
};

class Transform {
 public:
  explicit Transform(AnalyzeContext& context) : context_(context), arena_(context.arena) {}

  // select.cpp, modify.cpp
  Result<Query*> statement(const Node& node, Scope* parent);
  Result<Query*> select(const SelectStmt& stmt, Scope* parent,
                        CommonTable* recursive_self = nullptr);
  Result<Query*> insert(const InsertStmt& stmt, Scope* parent);
  Result<Query*> update(const UpdateStmt& stmt, Scope* parent);
  Result<Query*> remove(const DeleteStmt& stmt, Scope* parent);

  // expressions.cpp
  Result<Expr*> expression(Scope& scope, const Node* node, Clause clause);
  Result<Expr*> expr(Scope& scope, const Node* node);
  Result<Expr*> operator_expression(Scope& scope, const A_Expr& a);
  // Coerced to bool, with "argument of WHERE must be type boolean, not type integer".
  Result<Expr*> condition(Scope& scope, const Node* node, Clause clause);

  // columns.cpp
  Result<Expr*> column_ref(Scope& scope, const ColumnRef& ref);
  Result<Expr*> column_by_name(Scope& scope, std::string_view name, int location, bool required);
  Status expand_star(Scope& scope, const ColumnRef& ref, std::vector<TargetEntry>& targets);
  ScopeItem item_of(Scope& scope, int range, std::string_view alias);
  Expr* make_var(const RangeEntry& entry, int range, int attno, int levels_up, int location);
  Result<Expr*> whole_row(Scope& scope, const ScopeItem& item, int levels_up, int location);
  static void note_read(Scope& scope, const Expr& column);
  static Scope& scope_above(Scope& scope, int levels);

  // from.cpp
  Status from_clause(Scope& scope, NodeList items, std::vector<FromNode*>& tree);
  Result<FromNode*> from_item(Scope& scope, const Node& node, std::vector<ScopeItem>& made);
  Result<int> add_relation(Scope& scope, const RelationInfo& relation, const Alias* alias,
                           bool inherit, int lock_mode);
  Result<int> add_subquery(Scope& scope, Query* query, std::string_view alias, Names column_aliases,
                           bool lateral);
  Status with_clause(Scope& scope, const WithClause& with);
  Status recursive_query(Scope& scope, const CommonTableExpr& item, const SelectStmt& body,
                         CommonTable& cte);

  // coerce.cpp
  // Every argument can be coerced implicitly, and polymorphic parameters could agree on a type.
  Result<bool> fits(std::span<const Oid> actual, std::span<const Oid> declared);
  Result<bool> is_variadic(const FuncCall& call, const FunctionInfo& function,
                           std::span<Expr* const> args);
  Result<bool> can_coerce(Oid from, Oid to, CoercionContext how);
  // Null when there is no way.
  Result<Expr*> coerce(Scope* scope, Expr* arg, Oid to, int32_t typmod, CoercionContext how,
                       CallForm form, int location);
  Result<Expr*> coerce_to_common(Scope* scope, Expr* arg, Oid type, std::string_view what);
  Result<Expr*> assign(Scope* scope, Expr* value, Oid type, int32_t typmod, std::string_view column,
                       int location);
  // `what` is "UNION", "CASE", "ARRAY", "VALUES"...: "CASE types integer and text cannot be
  // matched".
  Result<Oid> common_type(std::span<Expr* const> exprs, std::string_view what);
  int32_t common_typmod(std::span<Expr* const> exprs, Oid type);
  Result<bool> compatible_agree(std::span<const Oid> actual, std::span<const Oid> declared);
  Result<Oid> resolve_polymorphic(std::span<const Oid> actual, std::vector<Oid>& declared,
                                  Oid result, int location);
  Result<bool> binary_coercible(Oid from, Oid to);
  Result<Expr*> apply_typmod(Expr* arg, int32_t typmod, CoercionContext how, CallForm form,
                             int location);

  // functions.cpp
  Result<Expr*> function_call(Scope& scope, const FuncCall& call);
  Result<Expr*> make_call(Scope& scope, std::string_view name, std::span<Expr*> args, int location);
  Result<Expr*> operator_call(Scope* scope, Names name, Expr* left, Expr* right, int location);
  Result<const OperatorInfo*> find_operator(Names name, Oid left, Oid right, int location,
                                            bool required);
  Result<Expr*> scalar_array(Scope& scope, Names name, bool use_or, Expr* left, Expr* array,
                             int location);
  Result<int> select_candidate(std::vector<std::vector<Oid>> candidates,
                               std::span<const Oid> actual);
  Result<Expr*> aggregate_call(Scope& scope, const FuncCall& call, const ResolvedCall& resolved,
                               std::vector<Expr*>& args);
  // container[steps]: an element, or an array of those in a slice.
  Result<SubscriptExpr*> subscript(Scope& scope, Expr* container, NodeList steps, int location);
  Result<Expr*> subscript_bound(Scope& scope, const Node* node);
  // What a value for a column, or for the part of it that `steps` name, has to be.
  Result<Oid> assigned_type(Oid column_type, NodeList steps);
  // The container with that part replaced by `value`.
  Result<Expr*> assign_subscript(Scope& scope, Expr* container, NodeList steps, Expr* value,
                                 int location);
  Status check_aggregate_call(std::string_view name, bool ordered_set, bool no_arguments,
                              const FuncCall& call);
  Status check_aggregate_argument(const Expr& arg);
  Status check_aggregate_clause(Clause where, int location);
  Result<std::vector<SortClause>> aggregate_distinct(size_t count,
                                                     std::vector<TargetEntry>& targets,
                                                     const std::vector<SortClause>& order,
                                                     int location);
  Status unify_hypothetical(Scope& scope, std::vector<Expr*>& args, size_t direct);
  Result<Expr*> window_call(Scope& scope, const FuncCall& call, const ResolvedCall& resolved,
                            std::vector<Expr*>& args);

  // targets.cpp
  Status target_list(Scope& scope, ListOf<ResTarget> list, Clause clause,
                     std::vector<TargetEntry>& targets);
  std::string_view column_label(const Node* node);
  bool names_itself(const Node* node);
  Status resolve_unknowns(std::vector<TargetEntry>& targets);
  Result<SortClause> sort_item(Scope& scope, Expr* expr, const SortBy& by);
  Status order_by(Scope& scope, ListOf<SortBy> list, std::vector<TargetEntry>& targets,
                  std::vector<SortClause>& out, Clause clause);
  Status group_by(Scope& scope, NodeList list, std::vector<TargetEntry>& targets,
                  std::vector<SortClause>& out, std::vector<GroupingColumns>& sets);
  Status distinct(Scope& scope, const SelectStmt& stmt, std::vector<TargetEntry>& targets,
                  const std::vector<SortClause>& order, std::vector<SortClause>& out);
  Result<int> find_target(Scope& scope, const Node* node, std::vector<TargetEntry>& targets,
                          Clause clause, bool sql92_names);
  Result<SortClause> group_item(Expr* expr, int ref);
  int give_ref(std::vector<TargetEntry>& targets, int index);
  Status range_offset(Scope& scope, WindowClause& window, const std::vector<TargetEntry>& targets,
                      Expr* offset, bool start, int location);
  Result<WindowClause> window_clause(Scope& scope, const WindowDef& def,
                                     std::vector<TargetEntry>& targets);

  // grouping.cpp
  Status check_grouping(Scope& scope, Query& query, bool no_from);

  // helpers
  Status error(const SqlState& code, std::string message, int location) {
    return raise(code, std::move(message)).at(error_position(context_.text, location));
  }
  // For messages: "???" when the catalog cannot be read just now.
  std::string name_of(Oid type) {
    Result<std::string> name = plain_type_name(context_, type);
    return name.ok() ? *name : "???";
  }
  Expr* make_constant(Oid type, NullableDatum value, int16_t length, bool by_reference,
                      int location);
  Expr* make_bool(bool value, int location);
  Result<Expr*> make_null(Oid type, int location);
  Expr* make_boolean(BooleanKind kind, std::span<Expr*> args, int location);
  Result<const CatalogType*> type(Oid oid);
  template <class T>
  T* node(ExprTag tag, Oid type, int location) {
    T* e = arena_.make<T>();
    e->tag = tag;
    e->type = type;
    e->location = location;
    return e;
  }

  AnalyzeContext& context_;
  Arena& arena_;
  std::vector<CommonTable*> recursions_;  // recursive queries under way, outermost first
  struct OpenView {
    Oid oid;
    const OpenView* outer;
  };
  const OpenView* views_ = nullptr;  // whose queries are under way, innermost first
  Oid check_as_;                     // whose rights count for what is named: see RangeEntry
  bool keep_unknowns_ =
      false;  // the next SELECT is a leaf of a set operation, which types its literals
};

}  // namespace orrery
