// FunctionRef: a callable passed down, never kept. UniqueFunction: one that is kept, move-only.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace orrery {

template <class Signature>
class FunctionRef;
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  FunctionRef(R (*function)(Args...))  // NOLINT: implicit on purpose
      : object_(reinterpret_cast<void*>(function)), call_([](void* o, Args... args) -> R {
          return reinterpret_cast<R (*)(Args...)>(o)(std::forward<Args>(args)...);
        }) {}
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
             !std::is_function_v<std::remove_reference_t<F>>)
  FunctionRef(F&& f)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* o, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(o))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

template <class Signature>
class UniqueFunction;
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction>)
  UniqueFunction(F f)
      : held_(std::make_unique<Holder<F>>(std::move(f))) {}  // NOLINT: implicit on purpose
  R operator()(Args... args) { return held_->call(std::forward<Args>(args)...); }
  explicit operator bool() const { return held_ != nullptr; }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Holder final : Held {
    explicit Holder(F f) : function(std::move(f)) {}
    R call(Args... args) override { return function(std::forward<Args>(args)...); }
    F function;
  };
  std::unique_ptr<Held> held_;
};

}  // namespace orrery
