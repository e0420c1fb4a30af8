// What caches hold and statements point at. An entry never changes: a commit that alters what it
// tells retires it, and a new one is made on demand. Retired entries live until nobody pins them,
// so a pointer from a CatalogReader stays valid as long as that reader, whatever commits meanwhile;
// and a cached plan knows by is_retired() that it must be made anew.
#pragma once

#include <cstdint>
#include <memory>

#include "base/check.h"

namespace orrery {

class CatalogEntry {
 public:
  CatalogEntry() = default;
  CatalogEntry(const CatalogEntry&) = delete;
  CatalogEntry& operator=(const CatalogEntry&) = delete;
  virtual ~CatalogEntry() { CHECK(pins_ == 0); }

  bool is_retired() const { return retired_; }
  void pin() const { ++pins_; }
  // May delete it.
  void unpin() const {
    CHECK(pins_ > 0);
    if (--pins_ == 0 && retired_) std::unique_ptr<const CatalogEntry> gone(this);
  }
  // Its cache forgets it. May delete it.
  void retire() {
    CHECK(!retired_);
    retired_ = true;
    if (pins_ == 0) std::unique_ptr<const CatalogEntry> gone(this);
  }

 private:
  mutable uint32_t pins_ = 0;
  bool retired_ = false;
};

}  // namespace orrery
