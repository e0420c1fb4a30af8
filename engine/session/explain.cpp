// From a plan to ExplainNodes: what each node is called, and its expressions. A column of a child
// is shown as what it stands for further down, parameters as what they are set from.
#include "session/explain.h"

#include <algorithm>

#include "analyze/walk.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "catalog/relation_info.h"

namespace orrery {
namespace {

template <class T>
const T& node_as(const PlanNode& plan) {
  return static_cast<const T&>(plan);
}

std::string_view join_words(JoinKind kind) {
  switch (kind) {
    case JoinKind::inner: return "";
    case JoinKind::left:  return " Left";
    case JoinKind::full:  return " Full";
    case JoinKind::right: return " Right";
    case JoinKind::semi:  return " Semi";
    case JoinKind::anti:  return " Anti";
  }
  UNREACHABLE();
}
std::string_view join_type(JoinKind kind) {
  return kind == JoinKind::inner ? "Inner" : join_words(kind).substr(1);
}

std::string_view sort_type(const SortPlan& plan) {
  return plan.presorted > 0 ? "Incremental Sort" : "Sort";
}

std::string_view type_of(const PlanNode& plan) {
  switch (plan.tag) {
    case PlanTag::result:            return "Result";
    case PlanTag::project_set:       return "ProjectSet";
    case PlanTag::modify_table:      return "ModifyTable";
    case PlanTag::append:            return "Append";
    case PlanTag::recursive_union:   return "Recursive Union";
    case PlanTag::seq_scan:          return "Seq Scan";
    case PlanTag::index_scan:        return "Index Scan";
    case PlanTag::index_only_scan:   return "Index Only Scan";
    case PlanTag::bitmap_index_scan: return "Bitmap Index Scan";
    case PlanTag::bitmap_heap_scan:  return "Bitmap Heap Scan";
    case PlanTag::bitmap_and:        return "BitmapAnd";
    case PlanTag::bitmap_or:         return "BitmapOr";
    case PlanTag::tid_scan:          return "Tid Scan";
    case PlanTag::subquery_scan:     return "Subquery Scan";
    case PlanTag::function_scan:     return "Function Scan";
    case PlanTag::values_scan:       return "Values Scan";
    case PlanTag::cte_scan:          return "CTE Scan";
    case PlanTag::work_table_scan:   return "WorkTable Scan";
    case PlanTag::nested_loop:       return "Nested Loop";
    case PlanTag::merge_join:        return "Merge Join";
    case PlanTag::hash_join:         return "Hash Join";
    case PlanTag::material:          return "Materialize";
    case PlanTag::sort:              return sort_type(node_as<SortPlan>(plan));
    case PlanTag::group:             return "Group";
    case PlanTag::aggregate:         return "Aggregate";
    case PlanTag::window:            return "WindowAgg";
    case PlanTag::unique:            return "Unique";
    case PlanTag::set_op:            return "SetOp";
    case PlanTag::lock_rows:         return "LockRows";
    case PlanTag::limit:             return "Limit";
    case PlanTag::hash:              return "Hash";
    case PlanTag::memoize:           return "Memoize";
  }
  UNREACHABLE();
}

bool is_scan(PlanTag tag) {
  return (tag >= PlanTag::seq_scan && tag <= PlanTag::bitmap_heap_scan) ||
         (tag >= PlanTag::tid_scan && tag <= PlanTag::work_table_scan);
}
bool is_index_scan(PlanTag tag) {
  return tag == PlanTag::index_scan || tag == PlanTag::index_only_scan ||
         tag == PlanTag::bitmap_index_scan;
}

void for_each_node(const PlanNode* node, FunctionRef<void(const PlanNode&)> visit) {
  if (node == nullptr) return;
  visit(*node);
  for_each_node(node->left, visit);
  for_each_node(node->right, visit);
  if (node->tag == PlanTag::append) {
    for (const PlanNode* input : node_as<AppendPlan>(*node).inputs) for_each_node(input, visit);
  }
  if (node->tag == PlanTag::bitmap_and || node->tag == PlanTag::bitmap_or) {
    for (const PlanNode* input : node_as<BitmapCombinePlan>(*node).inputs)
      for_each_node(input, visit);
  }
}

// Conditions that all hold.
std::string all_of(std::span<const std::string> conditions) {
  const std::string list = join(conditions, " AND ");
  return conditions.size() > 1 ? cat("(", list, ")") : list;
}

class PlanExplainer {
 public:
  PlanExplainer(AnalyzeContext& context, const Plan& plan, const ExplainOptions& options)
      : context_(context), plan_(plan), options_(options) {
    name_ranges();
  }

  Result<ExplainNode> explain(const PlanNode& plan, std::string_view relationship);

 private:
  // Shows leaves as seen from one node.
  class Leaves final : public LeafPrinter {
   public:
    Leaves(PlanExplainer& explainer, const PlanNode& node) : explainer_(explainer), node_(node) {}
    Result<bool> print(const Expr& expr, std::string& out) const override {
      return explainer_.leaf(node_, expr, out);
    }

   private:
    PlanExplainer& explainer_;
    const PlanNode& node_;
  };
  // Where a parameter's value comes from: an expression over a node above.
  struct Source {
    int slot;
    const PlanNode* node;
    const Expr* value;
  };

  Result<bool> leaf(const PlanNode& node, const Expr& expr, std::string& out);
  Result<bool> variable(const PlanNode& node, const VarExpr& var, std::string& out);
  Result<std::string> sql(const PlanNode& node, const Expr& expr);
  Result<std::string> conjunction(const PlanNode& node, std::span<Expr* const> conditions);
  Status add(ExplainNode& out, std::string_view label, const PlanNode& node, const Expr* expr);
  Status add_titles(ExplainNode& out, const PlanNode& plan);
  Status add_scan_title(ExplainNode& out, const PlanNode& plan);
  Status add_output(ExplainNode& out, const PlanNode& plan);
  Status add_facts(ExplainNode& out, const PlanNode& plan);
  Status add_index_condition(ExplainNode& out, const IndexScanPlan& plan);
  Status add_join(ExplainNode& out, const PlanNode& plan);
  Status add_sort_keys(ExplainNode& out, const SortPlan& plan);
  Status add_grouping_sets(ExplainNode& out, const AggregatePlan& plan);
  Status add_group_keys(ExplainNode& out, const PlanNode& plan,
                        std::span<const GroupColumn> groups);
  Status add_children(ExplainNode& out, const PlanNode& plan);
  std::string_view cte_name(int subplan) const;
  void name_ranges();
  void note_sources(const PlanNode& plan);
  void note_sub_plans(const PlanNode& plan, const Expr* expr);
  std::string relation_title(int range) const;

  AnalyzeContext& context_;
  const Plan& plan_;
  const ExplainOptions& options_;
  // By range entry: the name it goes by, unique among those that the plan reads.
  std::vector<std::string> aliases_;
  bool several_ = false;         // range entries
  bool prefix_ = false;          // columns are shown with their entry's name
  std::vector<Source> sources_;  // of exec parameters in sight
  std::vector<std::pair<int, const SubPlanExpr*>> found_;  // subplans of the node at hand
  std::vector<int> shown_;                                 // subplans shown already
};

Result<bool> PlanExplainer::variable(const PlanNode& node, const VarExpr& var, std::string& out) {
  if (var.range == kOuterVar || var.range == kInnerVar) {
    const PlanNode* child = var.range == kInnerVar ? node.right : node.left;
    if (child == nullptr && node.tag == PlanTag::append) {
      const auto& inputs = node_as<AppendPlan>(node).inputs;
      if (!inputs.empty()) child = inputs[0];
    }
    if (child == nullptr || static_cast<size_t>(var.attno) > child->targets.size()) {
      out += "NULL";  // a column that no plan computes: of an empty input
      return true;
    }
    const Expr& below = *child->targets[static_cast<size_t>(var.attno - 1)].expr;
    const std::string text = TRY(sql(*child, below));
    const Expr* end = &below;
    const PlanNode* at = child;
    while (end->tag == ExprTag::var && as<VarExpr>(*end).range < 0) {
      const auto& next = as<VarExpr>(*end);
      at = next.range == kInnerVar ? at->right : at->left;
      if (at == nullptr || static_cast<size_t>(next.attno) > at->targets.size()) break;
      end = at->targets[static_cast<size_t>(next.attno - 1)].expr;
    }
    // Whoever asks takes it for a simple name.
    const bool wrapped = &below != end || below.tag == ExprTag::var;
    out += wrapped ? text : cat("(", text, ")");
    return true;
  }
  int number = var.range;
  if (is_scan(node.tag)) number = node_as<ScanPlan>(node).range;
  if (node.tag == PlanTag::modify_table) number = node_as<ModifyTablePlan>(node).range;
  const RangeEntry& entry = *plan_.range_table[static_cast<size_t>(number - 1)];
  const std::string& alias = aliases_[static_cast<size_t>(number - 1)];
  if (prefix_ && !alias.empty()) out += cat(quote_identifier(alias), ".");
  constexpr std::string_view kSystem[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
  if (var.attno == 0) {
    out += "*";
  } else if (var.attno < 0) {
    out += kSystem[-var.attno - 1];
  } else {
    out += quote_identifier(entry.columns[static_cast<size_t>(var.attno - 1)]);
  }
  return true;
}

Result<bool> PlanExplainer::leaf(const PlanNode& node, const Expr& expr, std::string& out) {
  if (expr.tag == ExprTag::var) return variable(node, as<VarExpr>(expr), out);
  if (expr.tag == ExprTag::param) {
    const auto& param = as<ParamExpr>(expr);
    if (param.kind == ParamKind::external) return false;
    for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
      if (source->slot != param.id || source->node == nullptr) continue;
      const bool before = std::exchange(prefix_, true);  // it is of another node
      const std::string text = TRY(sql(*source->node, *source->value));
      prefix_ = before;
      out += source->value->tag == ExprTag::var ? text : cat("(", text, ")");
      return true;
    }
    out += cat("$", param.id);
    return true;
  }
  if (expr.tag == ExprTag::sub_plan) {
    const auto& sub = as<SubPlanExpr>(expr);
    if (sub.is_init_plan) {
      out += cat("$", sub.result_param);
    } else {
      out += cat("(", sub.hashed ? "hashed " : "", "SubPlan ", sub.plan + 1, ")");
    }
    return true;
  }
  return false;
}

Result<std::string> PlanExplainer::sql(const PlanNode& node, const Expr& expr) {
  const Leaves leaves(*this, node);
  const DeparseOptions options{.leaves = &leaves};
  return deparse_expression(context_, expr, nullptr, options);
}

Result<std::string> PlanExplainer::conjunction(const PlanNode& node,
                                               std::span<Expr* const> conditions) {
  std::vector<std::string> texts;
  for (Expr* condition : conditions) {
    std::string text = TRY(sql(node, *condition));
    texts.push_back(std::move(text));
  }
  return all_of(texts);
}

Status PlanExplainer::add(ExplainNode& out, std::string_view label, const PlanNode& node,
                          const Expr* expr) {
  if (expr == nullptr) return {};
  std::string text = TRY(sql(node, *expr));
  out.facts.push_back({.label = std::string(label), .value = std::move(text)});
  return {};
}

void PlanExplainer::name_ranges() {
  aliases_.resize(plan_.range_table.size());
  several_ = plan_.range_table.size() > 1;
  std::vector<bool> read(aliases_.size());
  auto look = [&](const PlanNode& node) {
    int range = is_scan(node.tag) ? node_as<ScanPlan>(node).range : 0;
    if (node.tag == PlanTag::modify_table) range = node_as<ModifyTablePlan>(node).range;
    if (range > 0) read[static_cast<size_t>(range - 1)] = true;
  };
  for_each_node(plan_.root, look);
  for (const PlanNode* sub : plan_.subplans) for_each_node(sub, look);
  for (size_t i = 0; i < aliases_.size(); ++i) {
    const std::string_view alias = plan_.range_table[i]->alias;
    if (!read[i] || alias.empty()) continue;
    aliases_[i] = alias;
    for (int n = 1; std::find(aliases_.begin(), aliases_.begin() + static_cast<ptrdiff_t>(i),
                              aliases_[i]) != aliases_.begin() + static_cast<ptrdiff_t>(i);
         ++n) {
      aliases_[i] = cat(alias, "_", n);
    }
  }
}

std::string PlanExplainer::relation_title(int range) const {
  const RangeEntry& entry = *plan_.range_table[static_cast<size_t>(range - 1)];
  const std::string& alias = aliases_[static_cast<size_t>(range - 1)];
  std::string name;
  switch (entry.kind) {
    case RangeKind::relation:
      name = options_.verbose ? cat(quote_identifier(entry.relation->nsp_name), ".",
                                    quote_identifier(entry.relation->name))
                              : quote_identifier(entry.relation->name);
      if (alias == entry.relation->name) return name;
      break;
    case RangeKind::function:
    case RangeKind::subquery:
    case RangeKind::join:
    case RangeKind::values:
    case RangeKind::cte:
    case RangeKind::result:   break;
  }
  if (entry.kind == RangeKind::values && alias == "*VALUES*") return "\"*VALUES*\"";
  if (alias.empty()) return name;
  return name.empty() ? quote_identifier(alias) : cat(name, " ", quote_identifier(alias));
}

namespace {

// Sets without columns are no work for a hash table.
AggStrategy shown_strategy(const AggregatePlan& plan) {
  const auto whole =
      std::ranges::count_if(plan.grouping_sets, [](std::span<int> set) { return set.empty(); });
  if (whole == 0) return plan.strategy;
  const bool all = static_cast<size_t>(whole) == plan.grouping_sets.size();
  return all ? AggStrategy::plain : AggStrategy::mixed;
}

}  // namespace

Status PlanExplainer::add_titles(ExplainNode& out, const PlanNode& plan) {
  out.type = type_of(plan);
  out.title = out.type;
  auto fact = [&](std::string_view label, std::string value) {
    out.first.push_back({.label = std::string(label), .value = std::move(value)});
  };
  if (plan.tag == PlanTag::aggregate) {
    const auto& aggregate = node_as<AggregatePlan>(plan);
    constexpr std::string_view kTitles[] = {"Aggregate", "GroupAggregate", "HashAggregate",
                                            "MixedAggregate"};
    constexpr std::string_view kStrategies[] = {"Plain", "Sorted", "Hashed", "Mixed"};
    const auto strategy = static_cast<int>(shown_strategy(aggregate));
    out.title = kTitles[strategy];
    fact("Strategy", std::string(kStrategies[strategy]));
    fact("Partial Mode", "Simple");
  }
  if (plan.tag == PlanTag::set_op) {
    const auto& set = node_as<SetOpPlan>(plan);
    const std::string command =
        cat(set.kind == SetOpKind::intersect ? "Intersect" : "Except", set.all ? " All" : "");
    out.title = cat(set.hashed ? "HashSetOp " : "SetOp ", command);
    fact("Strategy", set.hashed ? "Hashed" : "Sorted");
    fact("Command", command);
  }
  if (plan.tag == PlanTag::modify_table) {
    const auto& modify = node_as<ModifyTablePlan>(plan);
    constexpr std::string_view kWords[] = {"Select", "Insert", "Update", "Delete"};
    const std::string_view word = kWords[static_cast<int>(modify.command)];
    const RangeEntry& entry = *plan_.range_table[static_cast<size_t>(modify.range - 1)];
    out.title = cat(word, " on ", relation_title(modify.range));
    fact("Operation", std::string(word));
    fact("Relation Name", entry.relation->name);
    fact("Alias", std::string(entry.alias));
    return {};
  }
  if (plan.tag == PlanTag::nested_loop || plan.tag == PlanTag::hash_join ||
      plan.tag == PlanTag::merge_join) {
    const auto& join = node_as<JoinPlan>(plan);
    const std::string_view base = plan.tag == PlanTag::nested_loop ? "Nested Loop"
                                  : plan.tag == PlanTag::hash_join ? "Hash"
                                                                   : "Merge";
    const bool bare = join.join_type == JoinKind::inner && plan.tag == PlanTag::nested_loop;
    out.title = cat(base, join_words(join.join_type), bare ? "" : " Join");
    fact("Join Type", std::string(join_type(join.join_type)));
    return {};
  }
  return is_scan(plan.tag) ? add_scan_title(out, plan) : Status();
}

Status PlanExplainer::add_scan_title(ExplainNode& out, const PlanNode& plan) {
  auto fact = [&](std::string_view label, std::string value) {
    out.first.push_back({.label = std::string(label), .value = std::move(value)});
  };
  const auto& scan = node_as<ScanPlan>(plan);
  const RangeEntry& entry = *plan_.range_table[static_cast<size_t>(scan.range - 1)];
  if (is_index_scan(plan.tag)) {
    const auto& index = node_as<IndexScanPlan>(plan);
    const std::string name = quote_identifier(index.index->name);
    if (plan.tag == PlanTag::bitmap_index_scan) {
      out.title = cat(out.title, " on ", name);
      fact("Index Name", index.index->name);
      return {};
    }
    out.title = cat(out.title, index.backward ? " Backward" : "", " using ", name);
    fact("Scan Direction", index.backward ? "Backward" : "Forward");
    fact("Index Name", index.index->name);
  }
  if (plan.tag == PlanTag::function_scan && entry.functions.size() == 1 &&
      entry.functions[0]->tag == ExprTag::call) {
    const Oid oid = as<CallExpr>(*entry.functions[0]).function;
    const FunctionInfo* function = TRY(context_.catalog.function(context_.fiber, oid));
    const std::string name = function == nullptr ? "" : quote_identifier(function->name);
    out.title += cat(" on ", options_.verbose ? "pg_catalog." : "", name,
                     entry.alias == name ? "" : cat(" ", quote_identifier(entry.alias)));
    fact("Function Name", name);
    fact("Alias", std::string(entry.alias));
    return {};
  }
  if (plan.tag == PlanTag::cte_scan || plan.tag == PlanTag::work_table_scan) {
    out.title += cat(" on ", relation_title(scan.range));
    fact("CTE Name", std::string(entry.alias));
    fact("Alias", std::string(entry.alias));
    return {};
  }
  out.title += cat(" on ", relation_title(scan.range));
  if (entry.kind == RangeKind::relation) {
    fact("Relation Name", entry.relation->name);
    if (options_.verbose) fact("Schema", entry.relation->nsp_name);
  }
  fact("Alias", std::string(entry.alias));
  return {};
}

Status PlanExplainer::add_index_condition(ExplainNode& out, const IndexScanPlan& plan) {
  std::vector<Expr*> conditions;
  for (const IndexCondition& condition : plan.conditions) {
    if (condition.original != nullptr) conditions.push_back(condition.original);
  }
  if (conditions.empty()) return {};
  std::string text = TRY(conjunction(plan, conditions));
  out.facts.push_back({.label = "Index Cond", .value = std::move(text)});
  return {};
}

Status PlanExplainer::add_join(ExplainNode& out, const PlanNode& plan) {
  const auto& join = node_as<JoinPlan>(plan);
  out.facts.push_back({.label = "Inner Unique",
                       .value = join.inner_unique ? "true" : "false",
                       .quoted = false,
                       .in_text = options_.verbose && join.inner_unique});
  auto key_text = [&](const Expr& outer, const Expr& inner, Oid op) -> Result<std::string> {
    const OperatorInfo* info = TRY(context_.catalog.op(context_.fiber, op));
    const std::string left = TRY(sql(plan, outer));
    const std::string right = TRY(sql(plan, inner));
    return cat("(", left, " ", info == nullptr ? "=" : info->name, " ", right, ")");
  };
  std::vector<std::string> keys;
  if (plan.tag == PlanTag::hash_join) {
    for (const HashKey& key : node_as<HashJoinPlan>(plan).keys) {
      std::string text = TRY(key_text(*key.outer, *key.inner, key.equality_op));
      keys.push_back(std::move(text));
    }
  } else if (plan.tag == PlanTag::merge_join) {
    for (const MergeKey& key : node_as<MergeJoinPlan>(plan).keys) {
      std::string text = TRY(key_text(*key.outer, *key.inner, key.equality_op));
      keys.push_back(std::move(text));
    }
  }
  if (!keys.empty()) {
    out.facts.push_back({.label = plan.tag == PlanTag::hash_join ? "Hash Cond" : "Merge Cond",
                         .value = all_of(keys)});
  }
  return add(out, "Join Filter", plan, join.join_condition);
}

Status PlanExplainer::add_sort_keys(ExplainNode& out, const SortPlan& plan) {
  ExplainFact keys{.label = "Sort Key"};
  ExplainFact presorted{.label = "Presorted Key"};
  for (const SortKey& key : plan.keys) {
    const Expr& target = *plan.targets[static_cast<size_t>(key.column - 1)].expr;
    std::string text = TRY(sql(plan, target));
    if (keys.items.size() < static_cast<size_t>(plan.presorted)) presorted.items.push_back(text);
    if (key.descending) text += " DESC";
    if (key.nulls_first != key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    keys.items.push_back(std::move(text));
  }
  out.facts.push_back(std::move(keys));
  if (!presorted.items.empty()) out.facts.push_back(std::move(presorted));
  return {};
}

Status PlanExplainer::add_group_keys(ExplainNode& out, const PlanNode& plan,
                                     std::span<const GroupColumn> groups) {
  if (groups.empty()) return {};
  ExplainFact keys{.label = "Group Key"};
  for (const GroupColumn& group : groups) {
    const Expr& target = *plan.left->targets[static_cast<size_t>(group.column - 1)].expr;
    std::string text = TRY(sql(*plan.left, target));
    keys.items.push_back(std::move(text));
  }
  out.facts.push_back(std::move(keys));
  return {};
}

// The sets with columns are hashed; the others need no key.
Status PlanExplainer::add_grouping_sets(ExplainNode& out, const AggregatePlan& plan) {
  const bool hashes = plan.grouping_sets.size() > 1;
  for (const bool whole : {false, true}) {
    for (const std::span<int> set : plan.grouping_sets) {
      if (set.empty() != whole) continue;
      ExplainFact keys{.label = hashes && !whole ? "Hash Key" : "Group Key"};
      for (const int number : set) {
        const GroupColumn& group = plan.groups[static_cast<size_t>(number)];
        const Expr& target = *plan.left->targets[static_cast<size_t>(group.column - 1)].expr;
        std::string text = TRY(sql(*plan.left, target));
        keys.items.push_back(std::move(text));
      }
      if (whole) keys.items.push_back("()");
      out.facts.push_back(std::move(keys));
    }
  }
  return {};
}

Status PlanExplainer::add_output(ExplainNode& out, const PlanNode& plan) {
  if (options_.verbose && !plan.targets.empty() && plan.tag != PlanTag::modify_table) {
    ExplainFact output{.label = "Output"};
    for (const TargetEntry& target : plan.targets) {
      std::string text = TRY(sql(plan, *target.expr));
      output.items.push_back(std::move(text));
    }
    out.facts.push_back(std::move(output));
  }
  return {};
}

Status PlanExplainer::add_facts(ExplainNode& out, const PlanNode& plan) {
  prefix_ = several_;
  TRY(add_output(out, plan));
  // A scan's own conditions need no names of tables.
  prefix_ = options_.verbose || (is_scan(plan.tag) ? plan.tag == PlanTag::subquery_scan : several_);
  switch (plan.tag) {
    case PlanTag::result:
      TRY(add(out, "One-Time Filter", plan, node_as<ResultPlan>(plan).one_time_filter));
      break;
    case PlanTag::index_scan:
    case PlanTag::index_only_scan:
    case PlanTag::bitmap_index_scan:
      TRY(add_index_condition(out, node_as<IndexScanPlan>(plan)));
      break;
    case PlanTag::bitmap_heap_scan:
      TRY(add(out, "Recheck Cond", plan, node_as<BitmapHeapScanPlan>(plan).recheck));
      break;
    case PlanTag::tid_scan: {
      std::vector<Expr*> tids(node_as<TidScanPlan>(plan).tids.begin(),
                              node_as<TidScanPlan>(plan).tids.end());
      if (tids.empty()) break;
      std::string text = TRY(conjunction(plan, tids));
      out.facts.push_back({.label = "TID Cond", .value = std::move(text)});
      break;
    }
    case PlanTag::nested_loop:
    case PlanTag::hash_join:
    case PlanTag::merge_join:  TRY(add_join(out, plan)); break;
    case PlanTag::sort:        TRY(add_sort_keys(out, node_as<SortPlan>(plan))); break;
    case PlanTag::aggregate:   {
      const auto& aggregate = node_as<AggregatePlan>(plan);
      if (aggregate.grouping_sets.empty())
        TRY(add_group_keys(out, plan, aggregate.groups));
      else
        TRY(add_grouping_sets(out, aggregate));
      break;
    }
    case PlanTag::group:        return add_group_keys(out, plan, node_as<GroupPlan>(plan).groups);
    case PlanTag::modify_table: {
      const OnConflict* conflict = node_as<ModifyTablePlan>(plan).on_conflict;
      if (conflict == nullptr) break;
      out.facts.push_back(
          {.label = "Conflict Resolution", .value = conflict->do_update ? "UPDATE" : "NOTHING"});
      break;
    }
    case PlanTag::project_set:
    case PlanTag::append:
    case PlanTag::recursive_union:
    case PlanTag::seq_scan:
    case PlanTag::bitmap_and:
    case PlanTag::bitmap_or:
    case PlanTag::subquery_scan:
    case PlanTag::function_scan:
    case PlanTag::values_scan:
    case PlanTag::cte_scan:
    case PlanTag::work_table_scan:
    case PlanTag::material:
    case PlanTag::window:
    case PlanTag::unique:
    case PlanTag::set_op:
    case PlanTag::lock_rows:
    case PlanTag::limit:
    case PlanTag::hash:
    case PlanTag::memoize:         break;
  }
  return add(out, "Filter", plan, plan.filter);
}

void PlanExplainer::note_sub_plans(const PlanNode& plan, const Expr* expr) {
  if (expr == nullptr) return;
  if (expr->tag == ExprTag::sub_plan) {
    const auto& sub = as<SubPlanExpr>(*expr);
    for (size_t i = 0; i < sub.param_slots.size() && i < sub.param_values.size(); ++i)
      sources_.push_back({sub.param_slots[i], &plan, sub.param_values[i]});
    for (const int slot : sub.test_params) sources_.push_back({slot, nullptr, nullptr});
    const bool known = std::find(shown_.begin(), shown_.end(), sub.plan) != shown_.end();
    if (!known) {
      shown_.push_back(sub.plan);
      found_.emplace_back(sub.plan, &sub);
    }
  }
  for_each_child(*expr, [&](const Expr& child) { note_sub_plans(plan, &child); });
}

// Parameters that this node sets for those below it, and the subplans that its expressions name.
void PlanExplainer::note_sources(const PlanNode& plan) {
  for (const TargetEntry& target : plan.targets) note_sub_plans(plan, target.expr);
  note_sub_plans(plan, plan.filter);
  if (plan.tag == PlanTag::result) note_sub_plans(plan, node_as<ResultPlan>(plan).one_time_filter);
  if (is_index_scan(plan.tag)) {
    for (const IndexCondition& condition : node_as<IndexScanPlan>(plan).conditions)
      note_sub_plans(plan, condition.original);
  }
  if (plan.tag == PlanTag::nested_loop || plan.tag == PlanTag::hash_join ||
      plan.tag == PlanTag::merge_join) {
    note_sub_plans(plan, node_as<JoinPlan>(plan).join_condition);
  }
  if (plan.tag == PlanTag::limit) {
    note_sub_plans(plan, node_as<LimitPlan>(plan).count);
    note_sub_plans(plan, node_as<LimitPlan>(plan).offset);
  }
  if (plan.tag != PlanTag::nested_loop) return;
  const auto& loop = node_as<NestedLoopPlan>(plan);
  for (size_t i = 0; i < loop.param_slots.size(); ++i)
    sources_.push_back({loop.param_slots[i], &plan, loop.param_values[i]});
}

// The WITH query that a subplan computes; empty for other subplans.
std::string_view PlanExplainer::cte_name(int subplan) const {
  std::string_view name;
  auto look = [&](const PlanNode& node) {
    if (node.tag != PlanTag::cte_scan || node_as<CteScanPlan>(node).subplan != subplan) return;
    name = plan_.range_table[static_cast<size_t>(node_as<CteScanPlan>(node).range - 1)]->alias;
  };
  for_each_node(plan_.root, look);
  for (const PlanNode* sub : plan_.subplans) for_each_node(sub, look);
  return name;
}

Status PlanExplainer::add_children(ExplainNode& out, const PlanNode& plan) {
  // What this node's expressions name, before its children add theirs.
  std::vector<std::pair<int, const SubPlanExpr*>> found = std::move(found_);
  found_.clear();
  auto sub_plan = [&](int number, const SubPlanExpr* sub) -> Status {
    const PlanNode& root = *plan_.subplans[static_cast<size_t>(number)];
    const bool init = sub != nullptr && sub->is_init_plan;
    ExplainNode child = TRY(explain(root, init ? "InitPlan" : "SubPlan"));
    child.subplan_name = init ? cat("InitPlan ", number + 1, " (returns $", sub->result_param, ")")
                              : cat("SubPlan ", number + 1);
    out.children.push_back(std::move(child));
    return {};
  };
  if (&plan == plan_.root) {
    // WITH queries that are computed once: shown at the top.
    for (size_t i = 0; i < plan_.subplans.size(); ++i) {
      const std::string_view name = cte_name(static_cast<int>(i));
      if (name.empty()) continue;
      shown_.push_back(static_cast<int>(i));
      ExplainNode child = TRY(explain(*plan_.subplans[i], "InitPlan"));
      child.subplan_name = cat("CTE ", name);
      out.children.push_back(std::move(child));
    }
  }
  for (const auto& [number, sub] : found) {
    if (sub->is_init_plan) TRY(sub_plan(number, sub));
  }
  auto child = [&](const PlanNode* below, std::string_view relationship) -> Status {
    if (below == nullptr) return {};
    ExplainNode made = TRY(explain(*below, relationship));
    out.children.push_back(std::move(made));
    return {};
  };
  TRY(child(plan.left, plan.tag == PlanTag::subquery_scan ? "Subquery" : "Outer"));
  TRY(child(plan.right, "Inner"));
  if (plan.tag == PlanTag::append) {
    for (const PlanNode* input : node_as<AppendPlan>(plan).inputs) TRY(child(input, "Member"));
  }
  if (plan.tag == PlanTag::bitmap_and || plan.tag == PlanTag::bitmap_or) {
    for (const PlanNode* input : node_as<BitmapCombinePlan>(plan).inputs)
      TRY(child(input, "Member"));
  }
  for (const auto& [number, sub] : found) {
    if (!sub->is_init_plan) TRY(sub_plan(number, sub));
  }
  return {};
}

Result<ExplainNode> PlanExplainer::explain(const PlanNode& plan, std::string_view relationship) {
  ExplainNode out;
  out.plan = &plan;
  out.relationship = relationship;
  const size_t sources = sources_.size();
  note_sources(plan);
  TRY(add_titles(out, plan));
  TRY(add_facts(out, plan));
  TRY(add_children(out, plan));
  sources_.resize(sources);
  return out;
}

void number_nodes(PlanNode* node, int& next) {
  if (node == nullptr) return;
  node->id = next++;
  number_nodes(node->left, next);
  number_nodes(node->right, next);
  if (node->tag == PlanTag::append) {
    for (PlanNode* input : static_cast<AppendPlan*>(node)->inputs) number_nodes(input, next);
  }
  if (node->tag == PlanTag::bitmap_and || node->tag == PlanTag::bitmap_or) {
    for (PlanNode* input : static_cast<BitmapCombinePlan*>(node)->inputs) number_nodes(input, next);
  }
}

}  // namespace

int number_plan_nodes(Plan& plan) {
  int next = 0;
  number_nodes(plan.root, next);
  for (PlanNode* sub : plan.subplans) number_nodes(sub, next);
  return next;
}

Result<ExplainNode> explain_plan(AnalyzeContext& context, const Plan& plan,
                                 const ExplainOptions& options) {
  return PlanExplainer(context, plan, options).explain(*plan.root, "");
}

}  // namespace orrery
