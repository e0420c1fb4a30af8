// What the sessions of a node share. Made and owned by DatabaseNode.
#pragma once

#include "access/access.h"
#include "catalog/node_catalog.h"
#include "fiber/sync.h"
#include "session/activity.h"
#include "session/settings.h"

namespace orrery {

struct NodeParts {
  Host& host;
  Access& access;
  TransactionManager& transactions;
  NodeCatalog& catalog;
  Settings& settings;    // the node's: defaults, then its configuration
  MemoryBudget& memory;  // of all sessions together
  Activity& activity;    // who is connected and what they do
  Mutex& configuration;  // held while ALTER SYSTEM rewrites the file
};

}  // namespace orrery
