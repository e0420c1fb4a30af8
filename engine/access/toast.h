// Oversized values: compressed in line with LZ4, or moved in chunks to the TOAST table, as
// PostgreSQL does. A value travels as its pointer until somebody needs the bytes; then detoast()
// gives a plain varlena.
#pragma once

#include "access/heap.h"

namespace orrery {

constexpr uint32_t kToastThreshold =
    2032;  // rows longer than this are toasted, down to this length
constexpr uint32_t kToastChunkBytes = 1988;  // four chunk rows fill a page

// A plain varlena with the value's content, in `arena` unless it is plain already. `value` is a
// varlena in any form. XX001 when stored data does not decompress or chunks are missing; 53200 when
// the arena's budget refuses.
Result<Datum> detoast(Fiber& fiber, Access& access, const ToastTable* toast, Datum value,
                      Arena& arena);
// Bytes [offset, offset + length) of the content only, reading no more chunks than it takes
// (uncompressed values).
Result<Datum> detoast_slice(Fiber& fiber, Access& access, const ToastTable* toast, Datum value,
                            uint32_t offset, uint32_t length, Arena& arena);
// Without I/O: size of the content.
uint32_t toast_raw_size(Datum value);
// Compressed and in-line values only, no fiber needed. REQUIRES: not external.
Result<Datum> decompress_inline(Datum value, Arena& arena);
inline bool needs_detoast(Datum value) { return !varlena_is_plain(value.as<const char*>()); }

// Makes a row short enough to be stored: compresses values and moves them out, in `arena`. Returns
// the values to store. `old_row`: of the version an update replaces; of its pointers, those that
// the new row has too are left alone and the others' chunks are deleted.
Result<RowValues> toast_row(Fiber& fiber, Access& access, const TableInfo& table,
                            Transaction& transaction, RowValues row, const RowValues* old_row,
                            Arena& arena);

// How access sees a TOAST table and its index.
TableInfo toast_table_info(const ToastTable& toast);
IndexInfo toast_index_info(const ToastTable& toast);

}  // namespace orrery
