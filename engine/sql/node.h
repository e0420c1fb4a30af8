// The parse tree's ground: every node is a plain struct in an Arena, with a tag and the place in
// the text it came from.
//
//   switch (node->tag) {                               // no default: a forgotten node is a warning, hence an error
//     case NodeTag::ColumnRef: { const auto& column = as<ColumnRef>(*node); ... }
//
// Nodes are trivially destructible and are never changed once parse() has returned. Text inside
// them points into the statement's text or into the arena; both must outlive the tree. Names and
// shapes follow PostgreSQL's raw parse nodes, so that both sources can be read side by side; lists
// of names are arrays of text instead of lists of String nodes.
//
// Invariant: a pointer field may be null only where its comment says so; a list field may be empty,
// never null-with-size.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/check.h"

namespace orrery {

enum class NodeTag : uint16_t {
#define NODE(name) name,
#include "sql/nodes.def"
#undef NODE
};

// "SelectStmt".
std::string_view node_tag_name(NodeTag tag);

struct Node {
  NodeTag tag;
  int32_t location = -1;  // byte offset into the text; -1 where PostgreSQL records none
};

template <NodeTag T>
struct NodeOf : Node {
  static constexpr NodeTag kTag = T;
  NodeOf() : Node{T} {}
};

// The node as its own type. REQUIRES: the tag agrees.
template <class T>
const T& as(const Node& node) {
  CHECK(node.tag == T::kTag);
  return static_cast<const T&>(node);
}
// The same, or null when the node is null or of another type.
template <class T>
const T* as_if(const Node* node) {
  return node != nullptr && node->tag == T::kTag ? static_cast<const T*>(node) : nullptr;
}

using Name = std::string_view;                    // empty where optional and absent
using Names = std::span<const std::string_view>;  // a qualified name, or a list of column names
template <class T>
using ListOf = std::span<const T* const>;
using NodeList = ListOf<Node>;

}  // namespace orrery
