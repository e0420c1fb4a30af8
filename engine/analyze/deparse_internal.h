// One deparsing: the text so far and the queries around.
#pragma once

#include "analyze/deparse.h"

namespace orrery {

class Deparser {
 public:
  Deparser(AnalyzeContext& context, const RelationInfo* relation, const DeparseOptions& options)
      : context_(context), relation_(relation), options_(options) {}

  Status expr(const Expr& e);
  Status query(const Query& query, bool is_top);

  std::string out;

 private:
  struct Level {
    const Query* query;
    std::vector<std::string> aliases;  // of range entries, unique within the query
    bool qualify = false;              // columns need their entry's name
  };

  // Expressions.
  Status plain_expr(const Expr& e);
  Status constant(const ConstantExpr& e, bool label);
  Status var(const VarExpr& e);
  Status call(const CallExpr& e);
  Status cast(const Expr& arg, const Expr& whole);
  Status operator_call(const CallExpr& e);
  Status function_call(Oid function, std::span<Expr* const> args, bool variadic);
  Status boolean(const BooleanExpr& e);
  Status case_(const CaseNode& e);
  Status sublink(const SublinkExpr& e);
  Status aggregate(const AggregateExpr& e);
  Status window(const WindowExpr& e);
  Status subscript(const SubscriptExpr& e);
  Status row_compare(const RowCompareExpr& e);
  Status scalar_array(const ScalarArrayExpr& e);
  Status field_select(const FieldSelectExpr& e);
  Status list(std::span<Expr* const> items);
  Status in_parentheses(const Expr& e);
  // An operand: in parentheses where it needs them.
  Status child(const Expr& e, const Expr& parent);
  Status operand(const Expr& e, const Expr& parent);
  Status test(const Expr& e);
  bool stands_alone(const Expr& e, const Expr& parent) const;
  char simple_operator(const Expr& e) const;
  // The parentheses around every operation that only the pretty form leaves out.
  void open();
  void close();
  Status coerced(const Expr& arg, CallForm form, const Expr& whole);
  Status operator_name(Oid op);
  Status function_name(Oid function);
  Status type_shown(Oid type, int32_t typmod);
  Status collation_shown(Oid collation);

  // Queries.
  Status select_body(const Query& query);
  Status targets(std::span<const TargetEntry> entries);
  Status target_name(const TargetEntry& entry);
  Status from_list(const Query& query);
  Status from_item(const FromNode& node);
  Status join(const FromNode& node);
  Status range_entry(int range);
  Status relation_name(const RelationInfo& relation);
  Status set_operation(const SetOpNode& node);
  Status set_operation_side(const SetOpNode& node, bool in_parentheses);
  Status with_clause(const Query& query);
  Status group_by(const Query& query);
  Status sort_list(std::span<const TargetEntry> entries, std::span<const SortClause> items,
                   bool by_number);
  Status sort_target(std::span<const TargetEntry> entries, int ref, bool by_number);
  Status limits(const Query& query);
  Status window_frame(const WindowClause& clause);
  Status row_marks(const Query& query);
  Status window_definition(const Query& query, const WindowClause& clause);
  Status values_lists(const RangeEntry& entry);
  void enter(const Query& query);
  // A new line, indented, that begins with `word`; the level changes before and after it.
  void line(std::string_view word, int before, int after, int plus);

  AnalyzeContext& context_;
  const RelationInfo* relation_;
  const DeparseOptions& options_;
  std::vector<Level> levels_;
  const Expr* case_arg_ = nullptr;
  int indent_ = 0;
  bool show_implicit_ = false;   // of the expression that comes next
  bool implicit_shown_ = false;  // of the one that is being shown
};

}  // namespace orrery
