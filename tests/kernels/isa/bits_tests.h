// Tests of the operations that choose and move lanes: by the bits of a mask, and by where they are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "rows.h"

namespace simdrop::detail {
namespace {

inline bool has_bit(std::uint64_t bits, std::size_t i) {
  return (bits >> i & 1) != 0;
}

// Calls test(bits) with every pattern of `lanes` bits, and any above them, until one fails.
template <std::size_t lanes, class Test>
inline const char* for_all_bits(Random& random, Test test) {
  static_assert(lanes <= 16);
  for (std::uint64_t pattern = 0; pattern >> lanes == 0; ++pattern) {
    const char* failure = test(pattern | random.next() << lanes);
    if (failure != nullptr) return failure;
  }
  return nullptr;
}

template <class T>
const char* test_select_bits() {
  Random random;
  return for_all_bits<lanes_of<T>>(random, [&](std::uint64_t bits) -> const char* {
    const auto v = any<RowOf<T>>(random);
    RowOf<T> want{};
    for (std::size_t i = 0; i < lanes_of<T>; ++i) {
      if (has_bit(bits, i)) want.lane[i] = v.lane[i];
    }
    SIMDROP_EXPECT(same(row(select_bits(bits, vec(v))), want));
    return nullptr;
  });
}

inline const char* test_blend_bits() {
  Random random;
  return for_all_bits<lanes_f32>(random, [&](std::uint64_t bits) -> const char* {
    const auto a = any<RowF>(random);
    const auto b = any<RowF>(random);
    RowF want;
    for (std::size_t i = 0; i < lanes_f32; ++i) {
      want.lane[i] = has_bit(bits, i) ? a.lane[i] : b.lane[i];
    }
    SIMDROP_EXPECT(same(row(blend_bits(bits, vec(a), vec(b))), want));
    return nullptr;
  });
}

inline const char* test_compress() {
  Random random;
  return for_all_bits<lanes_f32>(random, [&](std::uint64_t bits) -> const char* {
    const auto v = any<RowF>(random);
    RowF got = row(compress(bits, vec(v)));
    RowF want = got;
    std::size_t set = 0;
    for (std::size_t i = 0; i < lanes_f32; ++i) {
      if (has_bit(bits, i)) want.lane[set++] = v.lane[i];
    }
    SIMDROP_EXPECT(same(got, want));
    return nullptr;
  });
}

inline const char* test_expand() {
  Random random;
  return for_all_bits<lanes_f32>(random, [&](std::uint64_t bits) -> const char* {
    const auto v = any<RowF>(random);
    RowF want{};
    std::size_t set = 0;
    for (std::size_t i = 0; i < lanes_f32; ++i) {
      if (has_bit(bits, i)) want.lane[i] = v.lane[set++];
    }
    SIMDROP_EXPECT(same(row(expand(bits, vec(v))), want));
    return nullptr;
  });
}

template <class T>
const char* test_transpose() {
  constexpr std::size_t n = lanes_of<T>;
  Random random;
  for (int i = 0; i < many / 10; ++i) {
    RowOf<T> want[n];
    VecOf<T> rows[n];
    for (std::size_t r = 0; r < n; ++r) {
      const auto v = any<RowOf<T>>(random);
      rows[r] = vec(v);
      for (std::size_t c = 0; c < n; ++c) want[c].lane[r] = v.lane[c];
    }
    transpose(rows);
    for (std::size_t r = 0; r < n; ++r) SIMDROP_EXPECT(same(row(rows[r]), want[r]));
  }
  return nullptr;
}
inline const char* test_transposes() {
  const char* failure = test_transpose<float>();
  return failure != nullptr ? failure : test_transpose<double>();
}

#if !defined(SIMDROP_ISA_SCALAR)
template <class T>
bool selects_lanes(const MaskBits& mask, std::uint64_t bits, const RowOf<T>& v) {
  bool all = true;
  unrolled<64 / lanes_of<T>>([&]<int K>() {
    RowOf<T> want{};
    for (std::size_t i = 0; i < lanes_of<T>; ++i) {
      if (has_bit(bits, lanes_of<T> * K + i)) want.lane[i] = v.lane[i];
    }
    all = all && same(row(mask.template select<K>(vec(v))), want);
  });
  return all;
}

inline const char* test_mask_bits() {
  Random random;
  for (int i = 0; i < many; ++i) {
    std::uint64_t bits;
    draw(random, bits);
    std::uint8_t memory[8];
    for (int byte = 0; byte < 8; ++byte) memory[byte] = static_cast<std::uint8_t>(bits >> 8 * byte);
    const auto floats = any<RowF>(random);
    const auto doubles = any<RowD>(random);
    SIMDROP_EXPECT(selects_lanes<float>(MaskBits(bits), bits, floats));
    SIMDROP_EXPECT(selects_lanes<float>(MaskBits(memory), bits, floats));
    SIMDROP_EXPECT(selects_lanes<double>(MaskBits(bits), bits, doubles));
    SIMDROP_EXPECT(selects_lanes<double>(MaskBits(memory), bits, doubles));
  }
  return nullptr;
}

template <class T, VecOf<T> (*zip)(VecOf<T>, VecOf<T>), std::size_t from>
const char* test_zip() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowOf<T>>(random);
    const auto b = any<RowOf<T>>(random);
    RowOf<T> want;
    for (std::size_t lane = 0; lane < lanes_of<T>; ++lane) {
      want.lane[lane] = (lane % 2 == 0 ? a : b).lane[from + lane / 2];
    }
    SIMDROP_EXPECT(same(row(zip(vec(a), vec(b))), want));
  }
  return nullptr;
}

inline const char* test_in_register() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto floats = any<RowF>(random);
    const auto doubles = any<RowD>(random);
    SIMDROP_EXPECT(same(row(in_register(vec(floats))), floats));
    SIMDROP_EXPECT(same(row(in_register(vec(doubles))), doubles));
  }
  return nullptr;
}

inline const char* test_loaded_once() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowF>(random);
    SIMDROP_EXPECT(same(row(loaded_once(vec(v))), v));
  }
  return nullptr;
}
#endif

}  // namespace
}  // namespace simdrop::detail
