// An integer with a meaning: two of different kinds neither convert nor compare, so that units live
// in types.
#pragma once

#include <compare>
#include <cstdint>

namespace orrery {

template <class Tag, class Rep>
struct StrongInt {
  using rep = Rep;
  Rep v = 0;

  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : v(value) {}

  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;
  constexpr explicit operator bool() const { return v != 0; }

  constexpr StrongInt& operator++() {
    ++v;
    return *this;
  }
  constexpr StrongInt next() const { return StrongInt(static_cast<Rep>(v + 1)); }
};

// A point on a line: differences are plain numbers of the unit, sums of two points do not exist.
template <class Tag, class Rep>
struct StrongPoint : StrongInt<Tag, Rep> {
  using StrongInt<Tag, Rep>::StrongInt;
  friend constexpr auto operator<=>(StrongPoint, StrongPoint) = default;
  friend constexpr StrongPoint operator+(StrongPoint a, Rep n) {
    return StrongPoint(static_cast<Rep>(a.v + n));
  }
  friend constexpr StrongPoint operator-(StrongPoint a, Rep n) {
    return StrongPoint(static_cast<Rep>(a.v - n));
  }
  friend constexpr Rep operator-(StrongPoint a, StrongPoint b) {
    return static_cast<Rep>(a.v - b.v);
  }
  constexpr StrongPoint& operator+=(Rep n) {
    this->v = static_cast<Rep>(this->v + n);
    return *this;
  }
  constexpr StrongPoint next() const { return StrongPoint(static_cast<Rep>(this->v + 1)); }
};

}  // namespace orrery
