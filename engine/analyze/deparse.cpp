#include "analyze/deparse.h"

#include <algorithm>

#include "analyze/deparse_internal.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "catalog/columns.h"

namespace orrery {
namespace {

// Gathers the objects a tree names.
class Needs {
 public:
  explicit Needs(const RelationInfo* relation) : relation_(relation) {}

  void expr(const Expr& e);
  void query(const Query& query);
  std::vector<ObjectAddress> take();

 private:
  void add(Oid catalog, Oid object, int32_t column = 0) {
    if (object >= kFirstUserOid) found_.push_back({catalog, object, column});
  }
  void constant(const ConstantExpr& e);
  void var(const VarExpr& e);
  void from(const FromNode& node);

  const RelationInfo* relation_;
  std::vector<const Query*> levels_;
  std::vector<ObjectAddress> found_;
};

// 'x'::regclass needs x, 'x'::regtype the type.
void Needs::constant(const ConstantExpr& e) {
  constexpr Oid kRegclass{2205}, kRegtype{2206};
  if (e.value.is_null) return;
  if (e.type == kRegclass) add(pg_class::kRelation, e.value.value.as<Oid>());
  if (e.type == kRegtype) add(pg_type::kRelation, e.value.value.as<Oid>());
}

void Needs::var(const VarExpr& e) {
  if (levels_.empty()) {
    if (relation_ != nullptr && e.attno > 0) add(pg_class::kRelation, relation_->oid, e.attno);
    return;
  }
  if (static_cast<size_t>(e.levels_up) >= levels_.size()) return;
  const Query& query = *levels_[levels_.size() - 1 - static_cast<size_t>(e.levels_up)];
  const RangeEntry& entry = *query.range_table[static_cast<size_t>(e.range - 1)];
  if (entry.kind == RangeKind::relation && e.attno > 0) {
    add(pg_class::kRelation, entry.relation->oid, e.attno);
  }
  if (entry.view != nullptr && e.attno > 0) add(pg_class::kRelation, entry.view->oid, e.attno);
  if (entry.kind == RangeKind::join && e.attno > 0) {
    expr(*entry.join_columns[static_cast<size_t>(e.attno - 1)]);
  }
}

void Needs::expr(const Expr& e) {
  add(pg_type::kRelation, e.type);
  if (e.tag == ExprTag::constant) constant(as<ConstantExpr>(e));
  if (e.tag == ExprTag::var) var(as<VarExpr>(e));
  if (e.tag == ExprTag::call) add(pg_proc::kRelation, as<CallExpr>(e).function);
  if (e.tag == ExprTag::aggregate) add(pg_proc::kRelation, as<AggregateExpr>(e).function);
  if (e.tag == ExprTag::window) add(pg_proc::kRelation, as<WindowExpr>(e).function);
  if (e.tag == ExprTag::sublink) query(*as<SublinkExpr>(e).subquery);
  for_each_child(e, [&](const Expr& child) { expr(child); });
}

void Needs::from(const FromNode& node) {
  if (!node.is_join) return;
  from(*node.left);
  from(*node.right);
  if (node.condition != nullptr) expr(*node.condition);
}

void Needs::query(const Query& query) {
  levels_.push_back(&query);
  for (const CommonTable* cte : query.ctes) this->query(*cte->query);
  for (const RangeEntry* entry : query.range_table) {
    if (entry->kind == RangeKind::relation) add(pg_class::kRelation, entry->relation->oid);
    if (entry->view != nullptr) {  // what the view needs is its own affair
      add(pg_class::kRelation, entry->view->oid);
    } else if (entry->subquery != nullptr) {
      this->query(*entry->subquery);
    }
    for (const Expr* function : entry->functions) expr(*function);
    for (std::span<Expr*> row : entry->values) {
      for (const Expr* value : row) expr(*value);
    }
  }
  for (const FromNode* node : query.from) from(*node);
  for (const TargetEntry& target : query.targets) expr(*target.expr);
  for (const Expr* part : {query.where, query.having, query.limit_offset, query.limit_count}) {
    if (part != nullptr) expr(*part);
  }
  for (const WindowClause& clause : query.windows) {
    for (const Expr* offset : {clause.start_offset, clause.end_offset}) {
      if (offset != nullptr) expr(*offset);
    }
  }
  levels_.pop_back();
}

std::vector<ObjectAddress> Needs::take() {
  std::ranges::sort(found_);
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  // Needing a column is needing its table.
  std::vector<ObjectAddress> out;
  for (const ObjectAddress& need : found_) {
    const bool has_columns =
        need.column == 0 && std::ranges::any_of(found_, [&](const auto& other) {
          return other.catalog == need.catalog && other.object == need.object && other.column != 0;
        });
    if (!has_columns) out.push_back(need);
  }
  return out;
}

}  // namespace

Result<std::string> deparse_expression(AnalyzeContext& context, const Expr& expr,
                                       const RelationInfo* relation,
                                       const DeparseOptions& options) {
  Deparser deparser(context, relation, options);
  TRY(deparser.expr(expr));
  return std::move(deparser.out);
}

Result<std::string> deparse_query(AnalyzeContext& context, const Query& query,
                                  const DeparseOptions& options) {
  Deparser deparser(context, nullptr, options);
  TRY(deparser.query(query, true));
  return std::move(deparser.out);
}

namespace {

// As if nothing but pg_catalog were searched: so that regclass constants, types and tables are
// written with their schemas.
SearchPath catalog_only() {
  SearchPath path;
  path.namespaces = {kPgCatalogNamespace};
  return path;
}

AnalyzeContext with_path(AnalyzeContext& context, const SearchPath& path) {
  return {.fiber = context.fiber,
          .arena = context.arena,
          .catalog = context.catalog,
          .path = path,
          .session = context.session,
          .locker = nullptr,
          .text = context.text};
}

}  // namespace

Result<StoredExpression> store_expression(AnalyzeContext& context, const Expr& expr,
                                          const RelationInfo* relation) {
  StoredExpression out;
  const SearchPath path = catalog_only();
  AnalyzeContext plain = with_path(context, path);
  out.sql = TRY(deparse_expression(plain, expr, relation, {.qualify_all = true}));
  Needs needs(relation);
  needs.expr(expr);
  out.needs = needs.take();
  return out;
}

Result<StoredExpression> store_query(AnalyzeContext& context, const Query& query) {
  StoredExpression out;
  const SearchPath path = catalog_only();
  AnalyzeContext plain = with_path(context, path);
  out.sql = TRY(deparse_query(plain, query, {.qualify_all = true}));
  Needs needs(nullptr);
  needs.query(query);
  out.needs = needs.take();
  return out;
}

Status check_stored_expression(AnalyzeContext& context, const Expr& expr, std::string_view where,
                               bool must_be_immutable) {
  Status problem;
  auto refuse = [&](const SqlState& code, std::string message, const Expr& e) {
    if (problem.ok()) {
      problem = raise(code, std::move(message)).at(error_position(context.text, e.location));
    }
    return true;
  };
  const std::string_view singular = where.substr(0, where.size() - 1);
  std::vector<Oid> functions;
  any_expr(expr, [&](const Expr& e) {
    if (e.tag == ExprTag::aggregate) {
      return refuse(sqlstate::grouping_error, cat("aggregate functions are not allowed in ", where),
                    e);
    }
    if (e.tag == ExprTag::window) {
      return refuse(sqlstate::windowing_error, cat("window functions are not allowed in ", where),
                    e);
    }
    if (e.tag == ExprTag::sublink) {
      return refuse(sqlstate::feature_not_supported, cat("cannot use subquery in ", singular), e);
    }
    if (e.tag == ExprTag::call && as<CallExpr>(e).returns_set) {
      return refuse(sqlstate::feature_not_supported,
                    cat("set-returning functions are not allowed in ", where), e);
    }
    if (e.tag == ExprTag::call) functions.push_back(as<CallExpr>(e).function);
    if (e.tag == ExprTag::sql_value && must_be_immutable) {
      return refuse(sqlstate::invalid_object_definition,
                    cat("functions in ", singular, " must be marked IMMUTABLE"), e);
    }
    return false;
  });
  TRY(std::move(problem));
  if (!must_be_immutable) return {};
  for (Oid function : functions) {
    const FunctionInfo* info = TRY(context.catalog.function(context.fiber, function));
    if (info != nullptr && info->volatility != Volatility::immutable) {
      return raise(sqlstate::invalid_object_definition,
                   cat("functions in ", singular, " must be marked IMMUTABLE"));
    }
  }
  return {};
}

}  // namespace orrery
