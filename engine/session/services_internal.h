// Session::Services: what functions may ask of the session (func/session_services.h), and names of
// catalog objects for text input and output. For the files that implement Session.
#pragma once

#include "func/session_services.h"
#include "session/session.h"

namespace orrery {

class Session::Services final : public SessionServices, public NameResolver {
 public:
  explicit Services(Session& session) : session_(session) {}

  // A statement begins: search_path is looked at anew. `fiber` is the one it runs on.
  void begin_statement(Fiber& fiber);
  // The types that were asked for are no longer needed.
  void end_transaction() { types_.reset(); }
  void forget_sequences();

  // NameResolver
  Result<Oid> resolve(Oid reg_type, std::string_view text) const override;
  Status append_name(Oid reg_type, Oid object, std::string& out) const override;
  const TypeInfo* find_type(Oid type) const override;

  // SessionServices
  BuiltinCatalog& builtin() override { return session_.database_.builtin; }
  CatalogSource& rows() override { return *session_.store_; }
  Result<std::unique_ptr<CatalogSource>> rows_of(Fiber& fiber, Oid database) override;
  Result<const SearchPath*> path(Fiber& fiber) override;
  Oid temporary_schema() override { return session_.temporary_schema_; }
  Result<int64_t> next_value(Fiber& fiber, Oid sequence) override;
  Result<int64_t> current_value(Fiber& fiber, Oid sequence) override;
  Result<int64_t> last_value(Fiber& fiber) override;
  Status set_value(Fiber& fiber, Oid sequence, int64_t value, bool is_called) override;
  Result<std::optional<int64_t>> sequence_position(Fiber& fiber, Oid sequence) override;
  Result<std::string> show_setting(std::string_view name) override;
  Result<std::string> change_setting(Fiber& fiber, std::string_view name,
                                     const std::optional<std::string>& text,
                                     bool is_local) override;
  Result<std::optional<std::string>> definition(Fiber& fiber,
                                                const DefinitionRequest& request) override;
  Result<std::optional<std::string>> expression(Fiber& fiber, std::string_view stored, Oid relation,
                                                bool pretty) override;
  Result<std::string> type_shown(Fiber& fiber, Oid type, int32_t typmod, bool has_typmod) override;
  Result<int64_t> file_size(Fiber& fiber, FileId file) override;
  Result<Xid> transaction_id(Fiber& fiber, bool assign) override;
  Lsn log_end() override;
  Status system_rows(Fiber& fiber, SystemRows which, Arena& arena,
                     FunctionRef<void(std::span<const NullableDatum>)> add) override;
  Result<bool> signal_backend(Fiber& fiber, int32_t process_id, bool terminate) override;

 private:
  class Gatherer;  // system_rows.cpp
  // The sequence, locked against being changed, with one of `rights`; `reader` keeps it.
  Result<const RelationInfo*> sequence(Fiber& fiber, CatalogReader& reader, Oid oid,
                                       AclMode rights);
  Status check_may_write(std::string_view function);

  Session& session_;
  Fiber* fiber_ = nullptr;
  bool has_path_ = false;                         // since the statement began
  mutable std::unique_ptr<CatalogReader> types_;  // keeps what find_type() gave away
  std::map<Oid, int64_t> current_values_;         // by sequence: currval()
  Oid last_sequence_;                             // lastval()
};

}  // namespace orrery
