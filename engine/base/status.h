// Errors as values. A Status is one pointer: null is success, otherwise it owns an Error with the
// fields of PostgreSQL's ErrorResponse. A Result<T> is a value or an Error. There are no exceptions
// in engine/.
//
//   Status f() {
//     const Page* page = TRY(read(fiber, block));        // the value, or leave with the error
//     TRY(page->accept());                               // a Status works too
//     if (bad) return raise(sqlstate::data_corrupted, "invalid page").detail("...");
//     return {};
//   }
//
// TRY stands only as a statement, as the whole initialiser of a variable, or after `return`: g++ 12
// leaks temporaries when TRY leaves from inside a braced initialiser (tidy checks).
#pragma once

#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/sqlstate.h"

namespace orrery {

struct Error {
  SqlState code;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;        // innermost frame first, lines joined by '\n'
  int position = 0;           // 1-based character of the statement text; 0 is none
  int internal_position = 0;  // the same within internal_query
  std::string internal_query;
  std::string schema, table, column, data_type, constraint;
  std::source_location raised_at;

  // True when a replica that applies the same input must meet the same error.
  bool is_deterministic() const;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  explicit Status(std::unique_ptr<Error> error) : error_(std::move(error)) {}

  Status detail(std::string text) && {
    error_->detail = std::move(text);
    return std::move(*this);
  }
  Status hint(std::string text) && {
    error_->hint = std::move(text);
    return std::move(*this);
  }
  // Keeps a position already set: the innermost caller knows best.
  Status at(int position) && {
    if (error_ && error_->position == 0) error_->position = position;
    return std::move(*this);
  }
  Status context(std::string_view line) &&;
  Status schema(std::string_view name) && {
    error_->schema = name;
    return std::move(*this);
  }
  Status table(std::string_view schema, std::string_view name) &&;
  Status column(std::string_view name) && {
    error_->column = name;
    return std::move(*this);
  }
  Status data_type(std::string_view name) && {
    error_->data_type = name;
    return std::move(*this);
  }
  Status constraint(std::string_view schema, std::string_view table, std::string_view name) &&;

  bool ok() const { return error_ == nullptr; }
  bool is(const SqlState& code) const { return error_ != nullptr && error_->code == code; }
  bool is_halted() const { return is(sqlstate::halted); }
  const Error& error() const {
    CHECK(error_ != nullptr);
    return *error_;
  }
  Error& error() {
    CHECK(error_ != nullptr);
    return *error_;
  }
  Status clone() const;

  Status take_error() && { return std::move(*this); }
  void take_value() && {}

 private:
  std::unique_ptr<Error> error_;
};
static_assert(sizeof(Status) == sizeof(void*));

// Makes an error; chain .detail() .hint() .at() and so on.
Status raise(const SqlState& code, std::string message,
             std::source_location where = std::source_location::current());
// What every suspension point returns once the machine is dead.
Status raise_halted();
// 0A000: "<what> is not supported".
Status unsupported(std::string_view what,
                   std::source_location where = std::source_location::current());

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: a value is a result
  Result(Status error) : error_(std::move(error)) {
    CHECK(!error_.ok());
  }  // NOLINT: so is an error

  bool ok() const { return value_.has_value(); }
  T& value() & {
    CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    CHECK(ok());
    return *value_;
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*value_);
  }
  T* operator->() { return &value(); }
  T& operator*() & { return value(); }
  const Status& status() const& { return error_; }
  Status status() && { return std::move(error_); }

  Status take_error() && { return std::move(error_); }
  T take_value() && { return std::move(*value_); }

 private:
  std::optional<T> value_;
  Status error_;
};

}  // namespace orrery

#define TRY(expression)                            \
  ({                                               \
    auto orrery_tried = (expression);              \
    if (!orrery_tried.ok()) [[unlikely]]           \
      return std::move(orrery_tried).take_error(); \
    std::move(orrery_tried).take_value();          \
  })
