// What functions over the catalog have at hand in one call.
#pragma once

#include "catalog/expression_list.h"
#include "catalog/quote.h"
#include "func/lift.h"
#include "func/session_services.h"

namespace orrery {

// 0A000 where functions run without a session.
inline Result<SessionServices*> services_of(const Call& call) {
  SessionServices* const services = call.context.session.services;
  if (services == nullptr) return unsupported("this function without a session");
  return services;
}

struct CatalogCall {
  CatalogCall(const Call& call, SessionServices& services_in, const SearchPath& path_in)
      : services(services_in),
        fiber(call.context.fiber),
        catalog(services_in.builtin(), services_in.rows()),
        path(path_in) {}

  SessionServices& services;
  Fiber& fiber;
  CatalogReader catalog;
  const SearchPath& path;
};

}  // namespace orrery
