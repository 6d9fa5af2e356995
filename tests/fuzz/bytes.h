// A fuzzer's input as a sequence of choices; behind its end each of them is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  [[nodiscard]] bool empty() const { return left_ == 0; }

  // Any value of T.
  template <class T>
  T any() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    const std::size_t n = std::min(sizeof(T), left_);
    std::memcpy(&value, data_, n);
    data_ += n;
    left_ -= n;
    return value;
  }
  std::size_t below(std::size_t n) { return any<std::uint8_t>() % n; }
  // Once in n; never behind the end.
  bool one_in(std::size_t n) { return below(n) == n - 1; }

  // One of the values, or at times any of T.
  template <class T, std::size_t n>
  T choice(const T (&values)[n]) {
    const std::size_t i = below(n + 1);
    return i < n ? values[i] : any<T>();
  }

  // A size or a count: small as a rule, at times negative, or so large that a product overflows.
  std::int64_t size() {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const std::size_t kind = any<std::uint8_t>();
    if (kind < 200) return static_cast<std::int64_t>(kind % 40);
    if (kind < 248) return static_cast<std::int64_t>(any<std::uint8_t>()) + 1;
    constexpr std::int64_t unusual[] = {-1, std::numeric_limits<std::int64_t>::min(), most,
                                        most / 4 + 1, most / 8 + 1};
    return unusual[kind % 5];
  }

  double keep_prob() {
    constexpr double usual[] = {.5, 1.0, .8, .3, 0.0};
    constexpr double unusual[] = {1.0 - 0x1p-53, 0x1p-32, 0x1p-33, 1e-310, -0.0, -.5, 1.5};
    return one_in(6) ? choice(unusual) : usual[below(5)];
  }

  // A number of an element, a row or a step: any, or near the end.
  std::uint64_t position() {
    const std::uint64_t near = below(64);
    if (one_in(3)) return any<std::uint64_t>();
    return one_in(3) ? ~near : near;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

}  // namespace fuzz
