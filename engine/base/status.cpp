#include "base/status.h"

namespace orrery {

bool Error::is_deterministic() const {
  // Resource, operator and system errors (classes 53, 57, 58, XX) and our own halt depend on the
  // machine.
  const std::string_view kind = code.class_text();
  return kind != "53" && kind != "57" && kind != "58" && kind != "XX" && kind != "OR";
}

Status Status::context(std::string_view line) && {
  if (!error_->context.empty()) error_->context += '\n';
  error_->context += line;
  return std::move(*this);
}

Status Status::table(std::string_view schema, std::string_view name) && {
  error_->schema = schema;
  error_->table = name;
  return std::move(*this);
}

Status Status::constraint(std::string_view schema, std::string_view table,
                          std::string_view name) && {
  error_->schema = schema;
  error_->table = table;
  error_->constraint = name;
  return std::move(*this);
}

Status Status::clone() const { return ok() ? Status() : Status(std::make_unique<Error>(*error_)); }

Status raise(const SqlState& code, std::string message, std::source_location where) {
  auto error = std::make_unique<Error>();
  error->code = code;
  error->message = std::move(message);
  error->raised_at = where;
  return Status(std::move(error));
}

Status raise_halted() { return raise(sqlstate::halted, "machine halted"); }

Status unsupported(std::string_view what, std::source_location where) {
  return raise(sqlstate::feature_not_supported, std::string(what) + " is not supported", where);
}

}  // namespace orrery
