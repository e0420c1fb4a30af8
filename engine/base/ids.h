// The numbers that name things everywhere: one type each, so that the compiler keeps them apart.
#pragma once

#include "base/strong_int.h"

namespace orrery {

// A position in the log in bytes. Orders everything; 0 is "none" and no record lies there.
using Lsn = StrongPoint<struct LsnTag, uint64_t>;
// Orders transactions: the LSN of the commit record (within one group). 0 is "not committed".
using CommitTs = StrongPoint<struct CommitTsTag, uint64_t>;
// A transaction id. 64 bits, never reused; 0 invalid, 1 the bootstrap transaction, user ids from
// kFirstNormalXid.
using Xid = StrongPoint<struct XidTag, uint64_t>;
// Statement number within a transaction: a statement sees the effects of lower numbers.
using CommandId = StrongPoint<struct CommandIdTag, uint32_t>;
// Names of catalog rows, as in PostgreSQL. 0 invalid; user objects start at kFirstUserOid.
using Oid = StrongInt<struct OidTag, uint32_t>;
// A storage file; never reused. The low two bits are the fork (see storage/file_id.h).
using FileId = StrongInt<struct FileIdTag, uint64_t>;
// A page of a file.
using BlockNo = StrongPoint<struct BlockNoTag, uint32_t>;
// Raft term; a group of one counts its starts with it.
using Term = StrongPoint<struct TermTag, uint64_t>;

// Nanoseconds on a node's monotone clock; meaningful only as differences on one node.
using Instant = StrongPoint<struct InstantTag, int64_t>;
// Microseconds since 2000-01-01 00:00 UTC, PostgreSQL's epoch; may jump either way.
using WallTime = StrongPoint<struct WallTimeTag, int64_t>;

// A length of time in nanoseconds.
struct Duration {
  int64_t ns = 0;
  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
  friend constexpr Duration operator*(Duration a, int64_t n) { return {a.ns * n}; }
};
constexpr Duration nanoseconds(int64_t n) { return {n}; }
constexpr Duration microseconds(int64_t n) { return {n * 1'000}; }
constexpr Duration milliseconds(int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(int64_t n) { return {n * 1'000'000'000}; }
constexpr Instant operator+(Instant a, Duration d) { return Instant(a.v + d.ns); }

constexpr Instant kNever{INT64_MAX};
constexpr Xid kInvalidXid{0};
constexpr Xid kBootstrapXid{1};
constexpr Xid kFirstNormalXid{3};
constexpr Oid kInvalidOid{0};
constexpr Oid kFirstUserOid{16384};
constexpr BlockNo kInvalidBlock{UINT32_MAX};

// A row version's place: block and 1-based slot, as PostgreSQL's ctid. slot 0 is invalid.
struct Tid {
  BlockNo block = kInvalidBlock;
  uint16_t slot = 0;
  friend constexpr auto operator<=>(const Tid&, const Tid&) = default;
  constexpr bool is_valid() const { return slot != 0; }
};

}  // namespace orrery
