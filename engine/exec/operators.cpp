#include "exec/operators_internal.h"

namespace orrery {
namespace {

template <class T>
const T& node_as(const PlanNode& plan) {
  return static_cast<const T&>(plan);
}

// Null for a node type that has no operator.
OperatorPtr construct(ExecContext& context, const PlanNode& plan) {
  switch (plan.tag) {
    case PlanTag::result:       return make_result(context, node_as<ResultPlan>(plan));
    case PlanTag::project_set:  return make_project_set(context, node_as<ProjectSetPlan>(plan));
    case PlanTag::modify_table: return make_modify_table(context, node_as<ModifyTablePlan>(plan));
    case PlanTag::append:       return make_append(context, node_as<AppendPlan>(plan));
    case PlanTag::recursive_union:
      return make_recursive_union(context, node_as<RecursiveUnionPlan>(plan));
    case PlanTag::seq_scan:   return make_seq_scan(context, node_as<SeqScanPlan>(plan));
    case PlanTag::index_scan: return make_index_scan(context, node_as<IndexScanPlan>(plan));
    case PlanTag::subquery_scan:
      return make_subquery_scan(context, node_as<SubqueryScanPlan>(plan));
    case PlanTag::function_scan:
      return make_function_scan(context, node_as<FunctionScanPlan>(plan));
    case PlanTag::values_scan: return make_values_scan(context, node_as<ValuesScanPlan>(plan));
    case PlanTag::cte_scan:    return make_cte_scan(context, node_as<CteScanPlan>(plan));
    case PlanTag::work_table_scan:
      return make_work_table_scan(context, node_as<WorkTableScanPlan>(plan));
    case PlanTag::nested_loop: return make_nested_loop(context, node_as<NestedLoopPlan>(plan));
    case PlanTag::hash_join:   return make_hash_join(context, node_as<HashJoinPlan>(plan));
    case PlanTag::material:    return make_material(context, node_as<MaterialPlan>(plan));
    case PlanTag::sort:        return make_sort(context, node_as<SortPlan>(plan));
    case PlanTag::aggregate:   return make_aggregate(context, node_as<AggregatePlan>(plan));
    case PlanTag::unique:      return make_unique(context, node_as<UniquePlan>(plan));
    case PlanTag::set_op:      return make_set_op(context, node_as<SetOpPlan>(plan));
    case PlanTag::limit:       return make_limit(context, node_as<LimitPlan>(plan));
    case PlanTag::lock_rows:   return make_lock_rows(context, node_as<LockRowsPlan>(plan));
    case PlanTag::window:      return make_window(context, node_as<WindowPlan>(plan));
    case PlanTag::bitmap_heap_scan:
      return make_bitmap_heap_scan(context, node_as<BitmapHeapScanPlan>(plan));
    case PlanTag::merge_join: return make_merge_join(context, node_as<MergeJoinPlan>(plan));
    case PlanTag::index_only_scan:
      return make_index_only_scan(context, node_as<IndexScanPlan>(plan));
    case PlanTag::bitmap_index_scan:
    case PlanTag::bitmap_and:
    case PlanTag::bitmap_or:
    case PlanTag::tid_scan:
    case PlanTag::group:
    case PlanTag::hash:
    case PlanTag::memoize:           return nullptr;
  }
  UNREACHABLE();
}

}  // namespace

Result<OperatorPtr> make_operator(ExecContext& context, const PlanNode& plan) {
  OperatorPtr made = construct(context, plan);
  if (made == nullptr) {
    return unsupported("this kind of plan node");
  }
  if (context.measures != nullptr) made = measured(context, std::move(made));
  TRY(made->open());
  return made;
}

}  // namespace orrery
