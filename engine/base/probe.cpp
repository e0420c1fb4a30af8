#include "base/probe.h"

namespace orrery {

ProbeSink* probe_sink = nullptr;
void set_probe_sink(ProbeSink* sink) { probe_sink = sink; }

}  // namespace orrery
