// The trace: every event of a run, folded into 128 bits. Two runs of one seed that end with equal
// hashes took the same steps, moved the same bytes and made the same decisions; two that do not,
// differ, and the first event whose running hash differs names the place. Printing is optional and
// never changes the hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"

namespace orrery {

struct TraceHash {
  uint64_t high = 0x6a09e667f3bcc908ULL;
  uint64_t low = 0xbb67ae8584caa73bULL;
  friend bool operator==(const TraceHash&, const TraceHash&) = default;
  std::string text() const;  // 32 hexadecimal digits
};

struct TraceEvent {
  Instant time;  // of the world
  uint16_t machine = 0;
  const char* what = "";  // a literal: "disk write", "crash"
  std::string_view name;  // what it concerns: a file, a peer, a fiber
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t content = 0;  // hash of the bytes moved; 0 when none
};

class TraceSink {
 public:
  virtual void event(const TraceEvent& event, const TraceHash& after) = 0;

 protected:
  ~TraceSink() = default;
};

class Trace {
 public:
  void fold(uint64_t value) {
    const auto product = static_cast<unsigned __int128>(hash_.low ^ value ^ 0x2d358dccaa6c78a5ULL) *
                         (hash_.high ^ 0x8bb84b93962eacc9ULL);
    const uint64_t old = hash_.low;
    hash_.low = static_cast<uint64_t>(product) ^ (hash_.high << 29 | hash_.high >> 35);
    hash_.high = static_cast<uint64_t>(product >> 64) + old + value;
  }
  void event(const TraceEvent& event);
  // The same as the sink sees it, but not part of the hash.
  void remark(const TraceEvent& event) {
    if (sink_ != nullptr) sink_->event(event, hash_);
  }

  const TraceHash& hash() const { return hash_; }
  uint64_t events() const { return events_; }
  void set_sink(TraceSink* sink) { sink_ = sink; }
  bool is_watched() const { return sink_ != nullptr; }

 private:
  TraceHash hash_;
  uint64_t events_ = 0;
  TraceSink* sink_ = nullptr;
};

// One line of a printed trace: "    12.345678 ms  node1  disk write  base/3 8192 8192".
std::string trace_line(const TraceEvent& event);

}  // namespace orrery
