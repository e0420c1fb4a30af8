// Queries back to SQL, laid out as PostgreSQL shows views.
#include <algorithm>

#include "analyze/deparse_internal.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "sql/ast.h"

namespace orrery {
namespace {

// PostgreSQL's steps of indentation.
constexpr int kStep = 8, kItem = 4, kJoin = 4;

bool needs_own_lines(const Query& query) {
  return !query.ctes.empty() || !query.order_by.empty() || !query.row_marks.empty() ||
         query.limit_offset != nullptr || query.limit_count != nullptr ||
         query.set_operations != nullptr;
}

std::string_view join_words(const FromNode& node) {
  switch (node.join_type) {
    case JoinKind::inner: return node.condition == nullptr ? " CROSS JOIN " : " JOIN ";
    case JoinKind::left:  return " LEFT JOIN ";
    case JoinKind::full:  return " FULL JOIN ";
    case JoinKind::right: return " RIGHT JOIN ";
    case JoinKind::semi:
    case JoinKind::anti:  break;
  }
  UNREACHABLE();
}

}  // namespace

void Deparser::line(std::string_view word, int before, int after, int plus) {
  indent_ += before;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  out += "\n";
  constexpr int kDeepest = 40;
  const int amount = indent_ < kDeepest ? indent_ : kDeepest + (indent_ - kDeepest) / 2 % kDeepest;
  out.append(static_cast<size_t>(std::max(0, amount) + plus), ' ');
  out += word;
  indent_ = std::max(0, indent_ + after);
}

void Deparser::enter(const Query& query) {
  Level level{.query = &query, .aliases = {}, .qualify = true};
  for (const RangeEntry* entry : query.range_table) {
    std::string wanted(entry->alias);
    if (wanted.empty() && entry->kind == RangeKind::relation) wanted = entry->relation->name;
    if (wanted.empty()) wanted = "unnamed";
    std::string name = wanted;
    for (int n = 1; std::ranges::find(level.aliases, name) != level.aliases.end(); ++n) {
      name = cat(wanted, "_", n);
    }
    level.aliases.push_back(entry->kind == RangeKind::join && entry->alias.empty() ? "" : name);
  }
  levels_.push_back(std::move(level));
}

Status Deparser::relation_name(const RelationInfo& relation) {
  if (options_.qualify_all) {
    out += cat(quote_identifier(relation.nsp_name), ".", quote_identifier(relation.name));
    return {};
  }
  const std::string name =
      TRY(relation_display_name(context_.fiber, context_.catalog, context_.path, relation));
  out += name;
  return {};
}

Status Deparser::values_lists(const RangeEntry& entry) {
  out += "VALUES ";
  for (size_t i = 0; i < entry.values.size(); ++i) {
    out += i == 0 ? "(" : ", (";
    for (size_t j = 0; j < entry.values[i].size(); ++j) {
      if (j > 0) out += ",";
      TRY(expr(*entry.values[i][j]));
    }
    out += ")";
  }
  return {};
}

Status Deparser::range_entry(int range) {
  const Level& level = levels_.back();
  const auto number = static_cast<size_t>(range - 1);
  const RangeEntry& entry = *level.query->range_table[number];
  const std::string alias = level.aliases[number];
  if (entry.lateral) out += "LATERAL ";
  bool shows_alias = true, shows_columns = false;
  switch (entry.kind) {
    case RangeKind::relation:
      if (!entry.inherit && entry.relation->has_subclass) out += "ONLY ";
      TRY(relation_name(*entry.relation));
      shows_alias = alias != entry.relation->name;
      for (size_t i = 0; i < entry.columns.size(); ++i) {
        if (!entry.relation->desc()[i].dropped &&
            entry.columns[i] != entry.relation->columns[i].name) {
          shows_columns = true;
        }
      }
      break;
    case RangeKind::subquery:
      if (entry.view != nullptr) {  // what it means is asked when the query is run
        TRY(relation_name(*entry.view));
        shows_alias = alias != entry.view->name;
        for (size_t i = 0; i < entry.columns.size(); ++i)
          shows_columns = shows_columns || entry.columns[i] != entry.view->columns[i].name;
        break;
      }
      out += "(";
      TRY(query(*entry.subquery, false));
      out += ")";
      for (size_t i = 0, shown = 0; i < entry.subquery->targets.size(); ++i) {
        if (entry.subquery->targets[i].junk) continue;
        if (entry.subquery->targets[i].name != entry.columns[shown++]) shows_columns = true;
      }
      break;
    case RangeKind::function:
      if (entry.functions.size() > 1) out += "ROWS FROM(";
      TRY(list(entry.functions));
      if (entry.functions.size() > 1) out += ")";
      if (entry.with_ordinality) out += " WITH ORDINALITY";
      shows_columns = true;
      break;
    case RangeKind::values:
      out += "(";
      TRY(values_lists(entry));
      out += ")";
      shows_columns = true;
      break;
    case RangeKind::cte: {
      const Level& home = levels_[levels_.size() - 1 - static_cast<size_t>(entry.cte_levels_up)];
      const std::string_view name = home.query->ctes[static_cast<size_t>(entry.cte)]->name;
      out += quote_identifier(name);
      shows_alias = alias != name;
      break;
    }
    case RangeKind::join:
    case RangeKind::result: UNREACHABLE();
  }
  if (shows_alias || shows_columns) out += cat(" ", quote_identifier(alias));
  if (!shows_columns) return {};
  std::vector<std::string> names;
  for (std::string_view name : entry.columns) {
    if (!name.empty()) names.push_back(quote_identifier(name));
  }
  out += cat("(", orrery::join(names, ", "), ")");
  return {};
}

Status Deparser::join(const FromNode& node) {
  const auto number = static_cast<size_t>(node.range - 1);
  const bool has_entry = node.range > 0 && number < levels_.back().aliases.size();
  const std::string alias = has_entry ? levels_.back().aliases[number] : "";
  const bool parentheses = !options_.pretty || !alias.empty();
  if (parentheses) out += "(";
  TRY(from_item(*node.left));
  line(join_words(node), -kStep, kStep, kJoin);
  const bool right_is_join = options_.pretty && node.right->is_join;
  if (right_is_join) out += "(";
  TRY(from_item(*node.right));
  if (right_is_join) out += ")";
  if (node.condition != nullptr) {
    out += " ON ";
    open();
    TRY(expr(*node.condition));
    close();
  } else if (node.join_type != JoinKind::inner) {
    out += " ON TRUE";
  }
  if (parentheses) out += ")";
  if (!alias.empty()) out += cat(" ", quote_identifier(alias));
  return {};
}

Status Deparser::from_item(const FromNode& node) {
  return node.is_join ? join(node) : range_entry(node.range);
}

Status Deparser::from_list(const Query& query) {
  bool first = true;
  for (const FromNode* node : query.from) {
    if (first) {
      line(" FROM ", -kStep, kStep, 2);
    } else {
      out += ", ";
      line("", -kStep, kStep, kItem);
    }
    first = false;
    TRY(from_item(*node));
  }
  return {};
}

Status Deparser::target_name(const TargetEntry& entry) {
  if (entry.expr->tag == ExprTag::var) {
    const auto& var = as<VarExpr>(*entry.expr);
    const Level& level = levels_[levels_.size() - 1 - static_cast<size_t>(var.levels_up)];
    const RangeEntry& from = *level.query->range_table[static_cast<size_t>(var.range - 1)];
    if (var.attno > 0 && from.columns[static_cast<size_t>(var.attno - 1)] == entry.name) return {};
  } else if (entry.name == "?column?" && !options_.qualify_all) {
    return {};  // what is stored keeps it: names are looked up in it again
  }
  out += cat(" AS ", quote_identifier(entry.name));
  return {};
}

Status Deparser::targets(std::span<const TargetEntry> entries) {
  bool first = true;
  for (const TargetEntry& entry : entries) {
    if (entry.junk) continue;
    std::string before = std::exchange(out, {});
    TRY(expr(*entry.expr));
    TRY(target_name(entry));
    const std::string item = std::exchange(out, std::move(before));
    // CASE brings its own line.
    const bool own_line = item.starts_with('\n');
    out += first ? (own_line ? "" : " ") : ",";
    if (!first && !own_line) line("", -kStep, kStep, kItem);
    first = false;
    out += item;
  }
  return {};
}

Status Deparser::sort_target(std::span<const TargetEntry> entries, int ref, bool by_number) {
  const auto entry = std::ranges::find(entries, ref, &TargetEntry::ref);
  CHECK(entry != entries.end());
  if (by_number && !entry->junk) {
    out += cat(entry->resno);
    return {};
  }
  // A bare constant would be read as a number of a column.
  const Expr& e = *entry->expr;
  if (e.tag == ExprTag::var) return expr(e);
  const bool is_call = e.tag == ExprTag::call && as<CallExpr>(e).form != CallForm::operator_ &&
                       !as<CallExpr>(e).distinct && !as<CallExpr>(e).null_if;
  const bool needs = e.tag == ExprTag::constant || options_.pretty || is_call ||
                     e.tag == ExprTag::aggregate || e.tag == ExprTag::window;
  return needs ? in_parentheses(e) : expr(e);
}

Status Deparser::sort_list(std::span<const TargetEntry> entries, std::span<const SortClause> items,
                           bool by_number) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    TRY(sort_target(entries, items[i].target, by_number));
    if (items[i].descending) out += " DESC";
    if (items[i].nulls_first != items[i].descending) {
      out += items[i].nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
  }
  return {};
}

Status Deparser::group_by(const Query& query) {
  if (query.group_by.empty() && query.grouping_sets.empty()) return {};
  line(" GROUP BY ", -kStep, kStep, 1);
  auto refs = [&](std::span<const int> numbers) -> Status {
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (i > 0) out += ", ";
      TRY(sort_target(query.targets, numbers[i], false));
    }
    return {};
  };
  if (query.grouping_sets.empty()) {
    std::vector<int> numbers;
    for (const SortClause& item : query.group_by) numbers.push_back(item.target);
    return refs(numbers);
  }
  out += "GROUPING SETS (";
  for (size_t i = 0; i < query.grouping_sets.size(); ++i) {
    out += i == 0 ? "(" : ", (";
    TRY(refs(query.grouping_sets[i].refs));
    out += ")";
  }
  out += ")";
  return {};
}

Status Deparser::limits(const Query& query) {
  if (query.limit_offset != nullptr) {
    line(" OFFSET ", -kStep, kStep, 0);
    TRY(expr(*query.limit_offset));
  }
  if (query.limit_count == nullptr) return {};
  if (query.limit_option == LimitKind::with_ties) {
    line(" FETCH FIRST ", -kStep, kStep, 0);
    TRY(in_parentheses(*query.limit_count));
    out += " ROWS WITH TIES";
    return {};
  }
  line(" LIMIT ", -kStep, kStep, 0);
  return expr(*query.limit_count);
}

Status Deparser::window_definition(const Query& query, const WindowClause& clause) {
  out += "(";
  std::string_view gap;
  if (!clause.base.empty()) {
    out += quote_identifier(clause.base);
    gap = " ";
  } else if (!clause.partition_by.empty()) {
    out += "PARTITION BY ";
    for (size_t i = 0; i < clause.partition_by.size(); ++i) {
      if (i > 0) out += ", ";
      TRY(sort_target(query.targets, clause.partition_by[i].target, false));
    }
    gap = " ";
  }
  if (!clause.order_by.empty() && !clause.base_order) {
    out += cat(gap, "ORDER BY ");
    TRY(sort_list(query.targets, clause.order_by, false));
    gap = " ";
  }
  if ((clause.frame_options & kFrameNonDefault) != 0) {
    out += gap;
    TRY(window_frame(clause));
  }
  out += ")";
  return {};
}

Status Deparser::window_frame(const WindowClause& clause) {
  const auto has = [&](int32_t option) {
    return (clause.frame_options & static_cast<uint32_t>(option)) != 0;
  };
  const auto bound = [&](bool start) -> Status {
    if (has(start ? kFrameStartUnboundedPreceding : kFrameEndUnboundedPreceding)) {
      out += "UNBOUNDED PRECEDING";
    } else if (has(start ? kFrameStartUnboundedFollowing : kFrameEndUnboundedFollowing)) {
      out += "UNBOUNDED FOLLOWING";
    } else if (has(start ? kFrameStartCurrentRow : kFrameEndCurrentRow)) {
      out += "CURRENT ROW";
    } else {
      TRY(expr(*(start ? clause.start_offset : clause.end_offset)));
      out += has(start ? kFrameStartOffsetPreceding : kFrameEndOffsetPreceding) ? " PRECEDING"
                                                                                : " FOLLOWING";
    }
    return {};
  };
  out += has(kFrameRange) ? "RANGE " : has(kFrameRows) ? "ROWS " : "GROUPS ";
  if (has(kFrameBetween)) out += "BETWEEN ";
  TRY(bound(true));
  if (has(kFrameBetween)) {
    out += " AND ";
    TRY(bound(false));
  }
  if (has(kFrameExcludeCurrentRow)) out += " EXCLUDE CURRENT ROW";
  if (has(kFrameExcludeGroup)) out += " EXCLUDE GROUP";
  if (has(kFrameExcludeTies)) out += " EXCLUDE TIES";
  return {};
}

Status Deparser::row_marks(const Query& query) {
  for (const RowMark& mark : query.row_marks) {
    std::string_view words;
    switch (mark.strength) {
      case LockStrength::key_share:     words = " FOR KEY SHARE"; break;
      case LockStrength::share:         words = " FOR SHARE"; break;
      case LockStrength::no_key_update: words = " FOR NO KEY UPDATE"; break;
      case LockStrength::update:        words = " FOR UPDATE"; break;
    }
    line(words, -kStep, kStep, 0);
    out +=
        cat(" OF ", quote_identifier(levels_.back().aliases[static_cast<size_t>(mark.range - 1)]));
    if (mark.wait == LockWait::error) out += " NOWAIT";
    if (mark.wait == LockWait::skip) out += " SKIP LOCKED";
  }
  return {};
}

Status Deparser::with_clause(const Query& query) {
  if (query.ctes.empty()) return {};
  indent_ += kStep;
  out += " ";
  out += query.recursive ? "WITH RECURSIVE " : "WITH ";
  bool first = true;
  for (const CommonTable* cte : query.ctes) {
    if (!std::exchange(first, false)) out += ", ";
    out += quote_identifier(cte->name);
    std::vector<std::string> names;
    for (std::string_view name : cte->columns) names.push_back(quote_identifier(name));
    if (!names.empty()) out += cat("(", orrery::join(names, ", "), ")");
    out += " AS ";
    if (cte->materialize == CommonTable::Materialize::always) out += "MATERIALIZED ";
    if (cte->materialize == CommonTable::Materialize::never) out += "NOT MATERIALIZED ";
    out += "(";
    line("", 0, 0, 0);
    TRY(this->query(*cte->query, false));
    line("", 0, 0, 0);
    out += ")";
  }
  indent_ -= kStep;
  line("", 0, 0, 0);
  return {};
}

Status Deparser::set_operation_side(const SetOpNode& node, bool in_parentheses) {
  if (!in_parentheses) return set_operation(node);
  out += "(";
  line("", kStep, 0, 0);
  TRY(set_operation(node));
  line(") ", -kStep, 0, 0);
  return {};
}

Status Deparser::set_operation(const SetOpNode& node) {
  if (node.is_leaf) {
    const Query& outer = *levels_.back().query;
    const Query& side = *outer.range_table[static_cast<size_t>(node.range - 1)]->subquery;
    const bool parentheses = needs_own_lines(side);
    if (parentheses) out += "(";
    TRY(query(side, false));
    if (parentheses) out += ")";
    return {};
  }
  const bool left_differs =
      !node.left->is_leaf && (node.left->kind != node.kind || node.left->all != node.all);
  TRY(set_operation_side(*node.left, left_differs));
  if (!left_differs) line("", 0, 0, 0);
  switch (node.kind) {
    case SetOpKind::union_:    out += "UNION "; break;
    case SetOpKind::intersect: out += "INTERSECT "; break;
    case SetOpKind::except:    out += "EXCEPT "; break;
  }
  if (node.all) out += "ALL ";
  const bool right_parentheses = !node.right->is_leaf;
  if (right_parentheses) out += "(";
  line("", right_parentheses ? kStep : 0, 0, 0);
  TRY(set_operation(*node.right));
  if (right_parentheses) {
    indent_ -= kStep;
    line(")", 0, 0, 0);
  }
  return {};
}

Status Deparser::select_body(const Query& query) {
  // VALUES as a query of its own.
  if (query.range_table.size() == 1 && query.range_table[0]->kind == RangeKind::values &&
      query.from.size() == 1 && query.where == nullptr && query.group_by.empty()) {
    indent_ += kStep;
    out += " ";
    return values_lists(*query.range_table[0]);
  }
  indent_ += kStep;
  out += " SELECT";
  if (!query.distinct.empty()) {
    out += " DISTINCT";
    if (query.distinct_on) {
      out += " ON (";
      for (size_t i = 0; i < query.distinct.size(); ++i) {
        if (i > 0) out += ", ";
        TRY(sort_target(query.targets, query.distinct[i].target, false));
      }
      out += ")";
    }
  }
  TRY(targets(query.targets));
  TRY(from_list(query));
  if (query.where != nullptr) {
    line(" WHERE ", -kStep, kStep, 1);
    TRY(expr(*query.where));
  }
  TRY(group_by(query));
  if (query.having != nullptr) {
    line(" HAVING ", -kStep, kStep, 0);
    TRY(expr(*query.having));
  }
  bool first = true;
  for (const WindowClause& clause : query.windows) {
    if (clause.name.empty()) continue;
    if (first) {
      line(" WINDOW ", -kStep, kStep, 1);
    } else {
      out += ", ";
    }
    first = false;
    out += cat(quote_identifier(clause.name), " AS ");
    TRY(window_definition(query, clause));
  }
  return {};
}

Status Deparser::query(const Query& query, bool is_top) {
  if (query.command != CommandType::select)
    return unsupported("showing a statement that changes rows");
  const int around = indent_;
  if (is_top) indent_ = 0;
  enter(query);
  TRY(with_clause(query));
  if (query.set_operations != nullptr) {
    TRY(set_operation(*query.set_operations));
    indent_ = around + kStep;
  } else {
    TRY(select_body(query));
  }
  if (!query.order_by.empty()) {
    line(" ORDER BY ", -kStep, kStep, 1);
    TRY(sort_list(query.targets, query.order_by, query.set_operations != nullptr));
  }
  TRY(limits(query));
  TRY(row_marks(query));
  levels_.pop_back();
  indent_ = around;
  return {};
}

}  // namespace orrery
