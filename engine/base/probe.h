// PROBE("buffer: evicted a page dirtied during its own write") marks that a rare state was reached.
// The simulator gives each run a ProbeSet and a nightly run fails on a probe that no seed hits;
// outside the simulator a probe costs a load.
#pragma once

#include <cstdint>

namespace orrery {

// Receives probe hits; the name is a string literal and its address may serve as a key within one
// process.
class ProbeSink {
 public:
  virtual void hit(const char* name) = 0;

 protected:
  ~ProbeSink() = default;
};

// Process-wide, like the check handler: it observes, and no behaviour may depend on it.
void set_probe_sink(ProbeSink* sink);
extern ProbeSink* probe_sink;

}  // namespace orrery

#define PROBE(name)                                   \
  do {                                                \
    if (::orrery::probe_sink != nullptr) [[unlikely]] \
      ::orrery::probe_sink->hit(name);                \
  } while (false)
