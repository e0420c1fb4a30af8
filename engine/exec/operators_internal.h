// One maker per plan node type, for make_operator's switch; each lives in the file named after its
// operators.
#pragma once

#include "exec/operator.h"

namespace orrery {

OperatorPtr make_result(ExecContext& context, const ResultPlan& plan);
OperatorPtr make_project_set(ExecContext& context, const ProjectSetPlan& plan);
OperatorPtr make_append(ExecContext& context, const AppendPlan& plan);
OperatorPtr make_limit(ExecContext& context, const LimitPlan& plan);
OperatorPtr make_values_scan(ExecContext& context, const ValuesScanPlan& plan);
OperatorPtr make_subquery_scan(ExecContext& context, const SubqueryScanPlan& plan);
OperatorPtr make_function_scan(ExecContext& context, const FunctionScanPlan& plan);
OperatorPtr make_material(ExecContext& context, const MaterialPlan& plan);
OperatorPtr make_cte_scan(ExecContext& context, const CteScanPlan& plan);
OperatorPtr make_recursive_union(ExecContext& context, const RecursiveUnionPlan& plan);
OperatorPtr make_work_table_scan(ExecContext& context, const WorkTableScanPlan& plan);
OperatorPtr make_sort(ExecContext& context, const SortPlan& plan);
OperatorPtr make_aggregate(ExecContext& context, const AggregatePlan& plan);
OperatorPtr make_unique(ExecContext& context, const UniquePlan& plan);
OperatorPtr make_set_op(ExecContext& context, const SetOpPlan& plan);
OperatorPtr make_window(ExecContext& context, const WindowPlan& plan);
OperatorPtr make_nested_loop(ExecContext& context, const NestedLoopPlan& plan);
OperatorPtr make_hash_join(ExecContext& context, const HashJoinPlan& plan);
OperatorPtr make_seq_scan(ExecContext& context, const SeqScanPlan& plan);
OperatorPtr make_index_scan(ExecContext& context, const IndexScanPlan& plan);
OperatorPtr make_bitmap_heap_scan(ExecContext& context, const BitmapHeapScanPlan& plan);
OperatorPtr make_merge_join(ExecContext& context, const MergeJoinPlan& plan);
OperatorPtr make_index_only_scan(ExecContext& context, const IndexScanPlan& plan);
OperatorPtr make_lock_rows(ExecContext& context, const LockRowsPlan& plan);
OperatorPtr make_modify_table(ExecContext& context, const ModifyTablePlan& plan);

// EXPLAIN ANALYZE's wrapper (measured_operator.cpp).
OperatorPtr measured(ExecContext& context, OperatorPtr inner);

}  // namespace orrery
