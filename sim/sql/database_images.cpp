#include "sim/sql/database_images.h"

#include "sim/sql/sql_node.h"

namespace orrery {

void DatabaseImages::prepare() {
  for (const uint64_t segment_bytes : kSegmentBytes) {
    if (!images_.contains(segment_bytes)) {
      images_[segment_bytes] = make_database_image(segment_bytes);
    }
  }
}

}  // namespace orrery
