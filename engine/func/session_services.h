// What functions ask of the session that runs them, beyond the settings of SessionView: catalog,
// sequences, settings by name, definitions back as SQL, sizes, who is connected. Declared here,
// implemented by the session, injected through SessionView::services.
//
// Kernels that look into the catalog make a CatalogReader for the batch at hand:
//
//   CatalogReader catalog(services->builtin(), services->rows());
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/function.h"
#include "catalog/catalog.h"
#include "types/datum.h"

namespace orrery {

// The SQL of an object. `column`: of an index, one key's expression alone; 0 is the whole.
enum class DefinitionKind : uint8_t { index, constraint, view, rule };
struct DefinitionRequest {
  DefinitionKind kind;
  Oid object;
  int column = 0;
  bool pretty = false;
};

// Sources of rows that no table holds: what system views show. Their columns are those of the
// function of the same name in pg_proc.
enum class SystemRows : uint8_t { settings, activity, locks, prepared_statements, cursors };

class SessionServices {
 public:
  virtual ~SessionServices() = default;

  virtual BuiltinCatalog& builtin() = 0;
  virtual CatalogSource& rows() = 0;
  // search_path as it is now. Suspends.
  virtual Result<const SearchPath*> path(Fiber& fiber) = 0;
  // The session's own; 0 until it has one.
  virtual Oid temporary_schema() = 0;

  // 42501 without the rights; 42809 when it is no sequence; 55000 when there is no value yet.
  virtual Result<int64_t> next_value(Fiber& fiber, Oid sequence) = 0;
  virtual Result<int64_t> current_value(Fiber& fiber, Oid sequence) = 0;
  virtual Result<int64_t> last_value(Fiber& fiber) = 0;
  virtual Status set_value(Fiber& fiber, Oid sequence, int64_t value, bool is_called) = 0;

  // What the sequence gave last, to anybody; nothing when it has given nothing yet.
  virtual Result<std::optional<int64_t>> sequence_position(Fiber& fiber, Oid sequence) = 0;

  // As SHOW; 42704 when there is none.
  virtual Result<std::string> show_setting(std::string_view name) = 0;
  // As SET; no text: as RESET. Returns what SHOW then shows.
  virtual Result<std::string> change_setting(Fiber& fiber, std::string_view name,
                                             const std::optional<std::string>& text,
                                             bool is_local) = 0;

  // Nothing when the object does not exist.
  virtual Result<std::optional<std::string>> definition(Fiber& fiber,
                                                        const DefinitionRequest& request) = 0;
  // A stored expression over a relation (0: over none), as pg_get_expr shows it.
  virtual Result<std::optional<std::string>> expression(Fiber& fiber, std::string_view stored,
                                                        Oid relation, bool pretty) = 0;
  // format_type(). Without `has_typmod`, types that need a length are shown as SQL names them.
  virtual Result<std::string> type_shown(Fiber& fiber, Oid type, int32_t typmod,
                                         bool has_typmod) = 0;

  // Bytes of a file; 0 when there is none.
  virtual Result<int64_t> file_size(Fiber& fiber, FileId file) = 0;
  // The transaction's id, given now if `assign`; 0: it has none.
  virtual Result<Xid> transaction_id(Fiber& fiber, bool assign) = 0;
  // The catalog rows of any database; null when it has no files.
  virtual Result<std::unique_ptr<CatalogSource>> rows_of(Fiber& fiber, Oid database) = 0;
  // Position of the log's end.
  virtual Lsn log_end() = 0;

  // Hands over each row; its values lie in `arena`.
  virtual Status system_rows(Fiber& fiber, SystemRows which, Arena& arena,
                             FunctionRef<void(std::span<const NullableDatum>)> add) = 0;
  // pg_cancel_backend, pg_terminate_backend.
  virtual Result<bool> signal_backend(Fiber& fiber, int32_t process_id, bool terminate) = 0;
};

}  // namespace orrery
