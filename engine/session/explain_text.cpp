// The two forms of EXPLAIN's answer.
#include <cmath>

#include "base/text.h"
#include "session/explain.h"

namespace orrery {
namespace {

// Rounded to so many digits behind the point.
std::string decimal(double value, int digits) {
  char buffer[64];
  const int length = std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return std::string(buffer, static_cast<size_t>(length));
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':  out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u";
          append_hex(out, static_cast<unsigned char>(c), 4);
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

// A node that is no operator of its own (a hash table) has its child's figures.
const NodeMeasure* measure_of(const PlanNode& plan, std::span<const NodeMeasure> measures) {
  const PlanNode* node = &plan;
  while (node->tag == PlanTag::hash && node->left != nullptr) node = node->left;
  const auto at = static_cast<size_t>(node->id);
  return at < measures.size() ? &measures[at] : nullptr;
}

struct Figures {
  double rows = 0, first_ms = 0, total_ms = 0, loops = 0;
};
Figures figures_of(const NodeMeasure& measure) {
  const double loops = measure.ran() ? static_cast<double>(measure.loops) : 1;
  return {.rows = static_cast<double>(measure.rows) / loops,
          .first_ms = static_cast<double>(measure.first_ns) / 1e6 / loops,
          .total_ms = static_cast<double>(measure.total_ns) / 1e6 / loops,
          .loops = static_cast<double>(measure.loops)};
}

std::string list_of(const ExplainFact& fact) {
  return fact.items.empty() ? fact.value : join(fact.items, ", ");
}

}  // namespace

std::string explain_milliseconds(int64_t nanoseconds) {
  return decimal(static_cast<double>(nanoseconds) / 1e6, 3);
}

// Indents count pairs of blanks: a child stands three pairs right of its parent, facts one pair
// right of their node.
void append_explain_text(const ExplainNode& node, const ExplainOptions& options,
                         std::span<const NodeMeasure> measures, int indent, std::string& out) {
  auto blanks = [](int pairs) { return std::string(static_cast<size_t>(pairs) * 2, ' '); };
  if (!node.subplan_name.empty()) out += cat(blanks(indent++), node.subplan_name, "\n");
  if (indent > 0) {
    out += cat(blanks(indent), "->  ");
    indent += 2;
  }
  out += node.title;
  const PlanNode& plan = *node.plan;
  if (options.costs) {
    out += cat("  (cost=", decimal(plan.startup_cost, 2), "..", decimal(plan.total_cost, 2),
               " rows=", decimal(plan.rows, 0), " width=", plan.width, ")");
  }
  const NodeMeasure* measure = measure_of(plan, measures);
  if (measure != nullptr && !measure->ran()) {
    out += " (never executed)";
  } else if (measure != nullptr) {
    const Figures actual = figures_of(*measure);
    out += " (actual ";
    if (options.timing)
      out += cat("time=", decimal(actual.first_ms, 3), "..", decimal(actual.total_ms, 3), " ");
    out += cat("rows=", decimal(actual.rows, 0), " loops=", decimal(actual.loops, 0), ")");
  }
  out += '\n';
  ++indent;
  for (const ExplainFact& fact : node.facts) {
    if (fact.in_text) out += cat(blanks(indent), fact.label, ": ", list_of(fact), "\n");
  }
  for (const ExplainNode& child : node.children)
    append_explain_text(child, options, measures, indent, out);
}

void append_explain_json(const ExplainNode& node, const ExplainOptions& options,
                         std::span<const NodeMeasure> measures, int indent, std::string& out) {
  const std::string blanks(static_cast<size_t>(indent) * 2, ' ');
  bool first = true;
  auto key = [&](std::string_view name) {
    out += cat(first ? "" : ",", "\n", blanks, "  ", json_string(name), ": ");
    first = false;
  };
  auto add = [&](const ExplainFact& fact) {
    if (!fact.in_json) return;
    key(fact.label);
    if (fact.items.empty()) {
      out += fact.quoted ? json_string(fact.value) : fact.value;
      return;
    }
    std::vector<std::string> items;
    for (const std::string& item : fact.items) items.push_back(json_string(item));
    out += cat("[", join(items, ", "), "]");
  };
  auto number = [&](std::string_view name, const std::string& value) {
    key(name);
    out += value;
  };
  out += "{";
  key("Node Type");
  out += json_string(node.type);
  if (!node.relationship.empty()) {
    key("Parent Relationship");
    out += json_string(node.relationship);
  }
  if (!node.subplan_name.empty()) {
    key("Subplan Name");
    out += json_string(node.subplan_name);
  }
  number("Parallel Aware", "false");
  number("Async Capable", "false");
  for (const ExplainFact& fact : node.first) add(fact);
  const PlanNode& plan = *node.plan;
  if (options.costs) {
    number("Startup Cost", decimal(plan.startup_cost, 2));
    number("Total Cost", decimal(plan.total_cost, 2));
    number("Plan Rows", decimal(plan.rows, 0));
    number("Plan Width", cat(plan.width));
  }
  if (const NodeMeasure* measure = measure_of(plan, measures); measure != nullptr) {
    const Figures actual = figures_of(*measure);
    if (options.timing) {
      number("Actual Startup Time", decimal(actual.first_ms, 3));
      number("Actual Total Time", decimal(actual.total_ms, 3));
    }
    number("Actual Rows", decimal(actual.rows, 0));
    number("Actual Loops", decimal(actual.loops, 0));
  }
  for (const ExplainFact& fact : node.facts) add(fact);
  if (!node.children.empty()) {
    key("Plans");
    out += "[";
    for (size_t i = 0; i < node.children.size(); ++i) {
      out += cat(i > 0 ? "," : "", "\n", blanks, "    ");
      append_explain_json(node.children[i], options, measures, indent + 2, out);
    }
    out += cat("\n", blanks, "  ]");
  }
  out += cat("\n", blanks, "}");
}

}  // namespace orrery
