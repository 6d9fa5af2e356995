// One call of an output kernel (softmax_ce_f32, sigmoid_bce_f32, identity_mse_f32) between guard
// pages.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

#include "helpers/compare.h"
#include "helpers/elementwise.h"
#include "helpers/guarded_buffer.h"
#include "kernels/kernel_table.h"

namespace test::loss {

using simdrop::detail::KernelTable;
using simdrop::detail::OutputRows;

inline constexpr float untouched = -12345.5F;

enum class Kind { softmax, sigmoid, identity };
inline constexpr Kind all_kinds[] = {Kind::softmax, Kind::sigmoid, Kind::identity};

struct Case {
  Kind kind = Kind::softmax;
  std::size_t rows = 1, cols = 1;
  std::size_t pad = 0, pad_y = 0;  // ld - cols
  bool with_bias = false;
  std::vector<float> z{}, bias{}, y{};  // z and y with their padding
  std::vector<std::uint8_t> labels{};

  [[nodiscard]] std::size_t ld() const { return cols + pad; }
  [[nodiscard]] std::size_t ld_y() const { return cols + pad_y; }
};

struct Outcome {
  std::vector<float> z, a, dz;
  std::vector<double> losses;
};

struct Buffers {
  static constexpr std::size_t capacity = std::size_t{1} << 15;
  test::GuardedBuffer<float> z{capacity}, a{capacity}, dz{capacity}, bias{capacity}, y{capacity};
  test::GuardedBuffer<double> losses{capacity};
  test::GuardedBuffer<std::uint8_t> labels{capacity};
};

inline void call(const KernelTable& table, const Case& c, const OutputRows& out, const float* y,
                 const std::uint8_t* labels) {
  if (c.kind == Kind::softmax) {
    table.softmax_ce_f32(out, labels);
  } else if (c.kind == Kind::sigmoid) {
    table.sigmoid_bce_f32(out, y, c.ld_y());
  } else {
    table.identity_mse_f32(out, y, c.ld_y());
  }
}

// Between guard pages, with targets.
inline Outcome train(const KernelTable& table, const Case& c, Buffers& b, Edge edge) {
  const std::vector<float> blank(c.z.size(), untouched);
  const auto z = b.z.place(c.z, edge);
  const auto a = b.a.place(blank, edge);
  const auto dz = b.dz.place(blank, edge);
  const auto bias = b.bias.place(c.bias, edge);
  const auto y = b.y.place(c.y, edge);
  const auto labels = b.labels.place(c.labels, edge);
  const auto losses = b.losses.place(c.rows, edge);
  call(table, c,
       {c.rows, c.cols, c.ld(), c.with_bias ? bias.data() : nullptr, z.data(), a.data(), dz.data(),
        losses.data()},
       y.data(), labels.data());
  CHECK((b.z.intact() && b.a.intact() && b.dz.intact() && b.losses.intact()));
  CHECK((b.bias.intact() && b.y.intact() && b.labels.intact()));
  return {{z.begin(), z.end()},
          {a.begin(), a.end()},
          {dz.begin(), dz.end()},
          {losses.begin(), losses.end()}};
}

// Without targets, in place.
inline std::vector<float> predict(const KernelTable& table, const Case& c, Buffers& b, Edge edge) {
  const auto z = b.z.place(c.z, edge);
  const auto bias = b.bias.place(c.bias, edge);
  call(table, c,
       {c.rows, c.cols, c.ld(), c.with_bias ? bias.data() : nullptr, z.data(), z.data(), nullptr,
        nullptr},
       nullptr, nullptr);
  CHECK((b.z.intact() && b.bias.intact()));
  return {z.begin(), z.end()};
}

// Logits of about `scale`, of which some are ends of float's or exp's range if `extremes`.
inline Case make_case(Kind kind, std::size_t rows, std::size_t cols, std::uint32_t seed,
                      float scale, bool extremes) {
  Case c{.kind = kind,
         .rows = rows,
         .cols = cols,
         .pad = seed % 3,
         .pad_y = seed / 3 % 2,
         .with_bias = seed / 6 % 3 != 0};
  constexpr float range_ends[] = {88.0F, -88.0F,  104.0F, -104.0F, 103.97F, -103.98F, 87.4F,
                                  0.0F,  -87.4F,  1e30F,  -1e30F,  3.4e38F, -3.4e38F, 1e-40F,
                                  -0.0F, -1e-45F, 17.0F,  -16.64F, 1e-38F,  -1000.0F, 1000.0F};
  std::mt19937 engine(seed);
  c.z = test::random_floats(test::extent(rows, cols, c.ld()), seed);
  for (float& v : c.z) {
    v *= scale;
    if (extremes && engine() % 3 == 0) v = range_ends[engine() % std::size(range_ends)];
  }
  c.bias = test::random_floats(cols, seed + 1);
  c.y = test::random_floats(test::extent(rows, cols, c.ld_y()), seed + 2);
  for (float& v : c.y) {
    if (kind == Kind::sigmoid) v = std::clamp(0.5F + v / 2.0F, 0.0F, 1.0F);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    c.labels.push_back(static_cast<std::uint8_t>(engine() % std::min<std::size_t>(cols, 256)));
  }
  return c;
}

// One output a row, a column of logits.
inline Case column_case(const std::vector<float>& z, float target) {
  Case c{.kind = Kind::sigmoid, .rows = z.size(), .cols = 1};
  c.z = z;
  c.bias = {0.0F};
  c.y.assign(z.size(), target);
  c.labels.assign(z.size(), 0);
  return c;
}

}  // namespace test::loss
