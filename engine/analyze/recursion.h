// Where a recursive query may name itself: once, in the FROM of its recursive term, and not where
// missing rows would mean something (a subquery, an outer join's far side, EXCEPT).
#pragma once

#include "analyze/transform.h"

namespace orrery {

// While it lives, what is analyzed is such a place for every recursive query under way.
class RecursionPlace {
 public:
  RecursionPlace(Transform& transform, std::string_view place) : transform_(transform) {
    for (CommonTable* cte : transform_.recursions_) {
      before_.push_back(cte->refused_place);
      if (!place.empty()) cte->refused_place = place;
    }
  }
  RecursionPlace(const RecursionPlace&) = delete;
  ~RecursionPlace() {
    for (size_t i = 0; i < before_.size(); ++i)
      transform_.recursions_[i]->refused_place = before_[i];
  }

 private:
  Transform& transform_;
  std::vector<std::string_view> before_;
};

}  // namespace orrery
