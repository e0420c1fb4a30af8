#include "sql/node.h"

namespace orrery {

std::string_view node_tag_name(NodeTag tag) {
  switch (tag) {
#define NODE(name) \
  case NodeTag::name: return #name;
#include "sql/nodes.def"
#undef NODE
  }
  UNREACHABLE();
}

}  // namespace orrery
