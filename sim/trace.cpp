#include "sim/trace.h"

#include "base/hash.h"
#include "base/text.h"

namespace orrery {

std::string TraceHash::text() const {
  std::string out;
  append_hex(out, high, 16);
  append_hex(out, low, 16);
  return out;
}

void Trace::event(const TraceEvent& event) {
  ++events_;
  fold(static_cast<uint64_t>(event.time.v));
  fold(hash_text(event.what, event.machine));
  if (!event.name.empty()) fold(hash_text(event.name));
  fold(event.a);
  fold(event.b);
  if (event.content != 0) fold(event.content);
  if (sink_ != nullptr) sink_->event(event, hash_);
}

std::string trace_line(const TraceEvent& event) {
  std::string millis = cat(event.time.v / 1'000'000);
  std::string fraction = cat(event.time.v % 1'000'000);
  fraction.insert(0, 6 - std::min<size_t>(6, fraction.size()), '0');
  std::string time = cat(millis, ".", fraction);
  if (time.size() < 14) time.insert(0, 14 - time.size(), ' ');
  std::string line = cat(time, "  m", event.machine, "  ", event.what);
  if (!event.name.empty()) line += cat("  ", event.name);
  if (event.a != 0 || event.b != 0) line += cat("  ", event.a, " ", event.b);
  if (event.content != 0) {
    line += "  #";
    append_hex(line, event.content, 16);
  }
  return line;
}

}  // namespace orrery
