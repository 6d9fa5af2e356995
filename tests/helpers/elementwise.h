// One call of an elementwise kernel, run on every table, streaming and not, between guard pages and
// compared bit for bit with an expected output, padding between rows included.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "helpers/compare.h"
#include "helpers/element.h"
#include "helpers/guarded_buffer.h"
#include "helpers/kernel_test.h"
#include "helpers/mask_cases.h"
#include "reference/mask_reference.h"

namespace test {

enum class MaskUse { drawn, written, given };  // no bits, bits_out, bits_in

struct ElementwiseCase {
  std::size_t rows = 1;
  std::size_t cols = 0;
  std::size_t pad_in = 0;  // ld - cols
  std::size_t pad_out = 0;
  Edge edge_in = Edge::end;
  Edge edge_out = Edge::end;
  std::size_t offset_in = 0;  // elements from the edge
  std::size_t offset_out = 0;
  bool in_place = false;
  bool with_bias = false;
  MaskUse mask_use = MaskUse::drawn;
  reference::MaskSpec mask{};

  [[nodiscard]] std::size_t size() const { return rows * cols; }
  [[nodiscard]] simdrop::detail::Shape2D shape(bool streaming = false) const {
    return {rows, cols, cols + pad_in, cols + pad_out, streaming};
  }
};

// Elements from the first to the last element, padding between rows counted.
inline std::size_t extent(std::size_t rows, std::size_t cols, std::size_t ld) {
  return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
}

inline void randomize(ElementwiseCase& c, std::mt19937& engine) {
  c.edge_in = engine() % 2 == 0 ? Edge::end : Edge::start;
  c.edge_out = engine() % 2 == 0 ? Edge::end : Edge::start;
  c.offset_out = engine() % 32;
  c.in_place = engine() % 4 == 0;
  if (c.in_place) c.pad_out = c.pad_in;
  c.with_bias = engine() % 3 != 0;
  c.mask_use = static_cast<MaskUse>(engine() % 3);
  c.mask = random_spec(engine);
}

inline constexpr std::size_t max_elements = std::size_t{1} << 17;

template <class T>
struct Buffers {
  GuardedBuffer<T> in{max_elements};
  GuardedBuffer<T> other{max_elements};
  GuardedBuffer<T> out{max_elements};
  GuardedBuffer<T> bias{max_elements};
  GuardedBuffer<std::uint8_t> bits_in{max_elements / 8};
  GuardedBuffer<std::uint8_t> bits_out{max_elements / 8};

  [[nodiscard]] bool intact() const {
    return in.intact() && other.intact() && out.intact() && bias.intact() && bits_in.intact() &&
           bits_out.intact();
  }
};

// Stands in the padding of outputs before a call, and must after it.
inline constexpr float padding_value = -12345.5F;
template <class T>
T padding() {
  return narrow<T>(padding_value);
}

struct MaskBits {
  std::vector<std::uint8_t> expected;  // unused bits 0
  std::vector<std::uint8_t> given;     // unused bits 1; empty if drawn
};

inline MaskBits mask_bits(const ElementwiseCase& c) {
  MaskBits bits;
  bits.expected = reference::mask(c.mask, c.size());
  if (c.mask_use != MaskUse::given) return bits;
  bits.given = bits.expected;
  if (c.size() % 8 != 0) {
    bits.given.back() = static_cast<std::uint8_t>(bits.given.back() | (0xFFU << (c.size() % 8)));
  }
  return bits;
}

inline bool bit_at(const std::vector<std::uint8_t>& bits, std::size_t i) {
  return ((bits[i / 8] >> (i % 8)) & 1) != 0;
}

// Whole output storage after a call: element(r, c, index in x) where there are elements.
template <class T, class Element>
std::vector<T> expected_output(const ElementwiseCase& c, std::span<const T> x, Element element) {
  const auto shape = c.shape();
  std::vector<T> y(extent(c.rows, c.cols, shape.ld_out), padding<T>());
  if (c.in_place) y.assign(x.begin(), x.end());
  for (std::size_t row = 0; row < c.rows; ++row) {
    for (std::size_t col = 0; col < c.cols; ++col) {
      y[row * shape.ld_out + col] = element(row, col, x[row * shape.ld_in + col]);
    }
  }
  return y;
}

// Where a call of a table finds its arguments.
template <class T>
struct Placed {
  simdrop::detail::MaskSource mask;
  simdrop::detail::Shape2D shape;
  T* x;
  T* y;
  T* bias;                 // null without
  std::uint8_t* bits_out;  // null if not written
};

// Calls fn(table, streaming) for each table.
template <class Fn>
void for_each_table_and_store(Fn fn) {
  for_each_table([&](const simdrop::detail::KernelTable& table) {
    for (const bool streaming : {false, true}) {
      CAPTURE(streaming);
      fn(table, streaming);
    }
  });
}

// Runs call(kernels, placed) on every table. x and bias: contents of the inputs; y: expected
// output.
template <class T, class Call>
void run_on_tables(const ElementwiseCase& c, Buffers<T>& buffers, std::span<const T> x,
                   std::span<const T> bias, const MaskBits& bits, std::span<const T> y, Call call) {
  INFO_SPEC(c.mask);
  INFO("rows ", c.rows, ", cols ", c.cols, ", pads ", c.pad_in, " ", c.pad_out, ", offsets ",
       c.offset_in, " ", c.offset_out, ", edges ", static_cast<int>(c.edge_in), " ",
       static_cast<int>(c.edge_out), ", in place ", c.in_place, ", bias ", c.with_bias,
       ", mask use ", static_cast<int>(c.mask_use));
  for_each_table_and_store([&](const simdrop::detail::KernelTable& table, bool streaming) {
    const auto in = buffers.in.place(x, c.edge_in, c.offset_in);
    auto out = in;
    if (!c.in_place) {
      out = buffers.out.place(y.size(), c.edge_out, c.offset_out);
      std::fill(out.begin(), out.end(), padding<T>());
    }
    const auto bias_copy = buffers.bias.place(bias, c.edge_out, c.offset_in);
    const auto given = buffers.bits_in.place(bits.given, c.edge_in, c.offset_out);
    const bool written = c.mask_use == MaskUse::written;
    const auto bits_out =
        buffers.bits_out.place(written ? bits.expected.size() : 0, c.edge_out, c.offset_in);
    call(kernels_of<T>(table),
         Placed<T>{mask_source(c.mask, bits.given.empty() ? nullptr : given.data()),
                   c.shape(streaming), in.data(), out.data(),
                   c.with_bias ? bias_copy.data() : nullptr, written ? bits_out.data() : nullptr});
    CHECK(first_difference(out, y) == no_difference);
    if (!c.in_place) CHECK(first_difference(in, x) == no_difference);
    if (written) CHECK(first_difference<std::uint8_t>(bits_out, bits.expected) == no_difference);
    CHECK(buffers.intact());
  });
}

}  // namespace test
