// EXPLAIN's answer: a plan tree with its expressions as SQL, costs, and what was measured, as
// PostgreSQL lays it out in text and in JSON.
#pragma once

#include <string>
#include <vector>

#include "analyze/deparse.h"
#include "exec/measure.h"
#include "plan/plan.h"

namespace orrery {

struct ExplainOptions {
  bool analyze = false;
  bool verbose = false;
  bool costs = true;
  bool timing = true;
  bool summary = false;
  enum class Format : uint8_t { text, json } format = Format::text;
};

// A fact about a node: shown in text as "label: value", in JSON under its label.
struct ExplainFact {
  std::string label;
  std::string value;
  bool quoted = true;              // a string in JSON; else a number, true or false
  std::vector<std::string> items;  // a list, when not empty
  bool in_text = true, in_json = true;
};

struct ExplainNode {
  std::string title;               // the first line in text, without costs: "Seq Scan on t"
  std::string type;                // "Node Type" in JSON
  std::string relationship;        // "Outer", "Inner", "InitPlan", "SubPlan", "Member"; of a child
  std::string subplan_name;        // "SubPlan 1", "CTE x"
  std::vector<ExplainFact> first;  // in JSON before the costs
  std::vector<ExplainFact> facts;
  const PlanNode* plan = nullptr;
  std::vector<ExplainNode> children;  // in order: init plans, children, subplans
};

// Numbers the nodes of a plan, so that measurements find them. Returns how many there are.
int number_plan_nodes(Plan& plan);

Result<ExplainNode> explain_plan(AnalyzeContext& context, const Plan& plan,
                                 const ExplainOptions& options);

// `measures`: by node number; empty without ANALYZE.
void append_explain_text(const ExplainNode& node, const ExplainOptions& options,
                         std::span<const NodeMeasure> measures, int indent, std::string& out);
void append_explain_json(const ExplainNode& node, const ExplainOptions& options,
                         std::span<const NodeMeasure> measures, int indent, std::string& out);
// Of the column that the answer stands in.
Oid explain_type(bool json);
// Milliseconds with three digits, from nanoseconds.
std::string explain_milliseconds(int64_t nanoseconds);

}  // namespace orrery
