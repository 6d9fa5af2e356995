// compress_rows_f32 of every table.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "helpers/kept_units.h"
#include "helpers/kernel_test.h"
#include "helpers/products.h"

namespace {

using simdrop::detail::kept_ld;
using simdrop::detail::KernelTable;
using test::GuardedMatrix;
using test::KeptChoice;

struct RowBuffers {
  GuardedMatrix<float> x{std::size_t{1} << 14}, y{std::size_t{1} << 14};
  KeptChoice kept;
};

// NaN and infinities among kept elements and among dropped ones.
void scatter_special_values(GuardedMatrix<float>& x, std::uint32_t seed) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const float specials[] = {std::numeric_limits<float>::quiet_NaN(), inf, -inf, -0.0F, 1e-45F};
  for (std::size_t i = seed % 5; i < x.rows * x.cols; i += 5) {
    x(i / x.cols, i % x.cols) = specials[(i / 5 + seed) % 5];
  }
}

// Rows of y have room behind what is kept: of each nothing but that room is anybody's to write.
void check_compress(const KernelTable& table, RowBuffers& buffers, std::size_t rows, float factor,
                    std::size_t gap) {
  const KeptChoice& kept = buffers.kept;
  const std::size_t count = kept.units().count;
  INFO("rows ", rows, ", units ", kept.units().units, ", kept ", count, ", gap ", gap);
  GuardedMatrix<float>& x = buffers.x;
  GuardedMatrix<float>& y = buffers.y;
  x.place(rows, kept.units().units, kept.units().units + gap, 31);
  scatter_special_values(x, static_cast<std::uint32_t>(count));
  const std::size_t ld = kept_ld(count) + gap;
  y.place_filled(rows, ld, ld, -7.0F);
  table.compress_rows_f32(rows, kept.units(), factor, x.data(), x.ld, y.data(), y.ld);
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < count; ++i) {
      wrong += test::same_element(y(r, i), x(r, kept.unit(i)) * factor) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK((x.intact() && y.intact() && kept.intact()));
}

// check(kept) for choices of `units`: none, all, one alone, runs, and random ones.
template <class Check>
void over_choices(std::size_t units, KeptChoice& kept, Check check) {
  const auto run = [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> chosen;
    for (std::size_t u = begin; u < end; ++u) chosen.push_back(static_cast<std::uint32_t>(u));
    kept.place(units, chosen);
    check();
  };
  run(0, 0);
  run(0, units);
  run(0, 1);
  run(units - 1, units);
  run(units / 2, units / 2 + 1);
  run(units / 3, units);
  run(0, units - units / 3);
  for (std::uint32_t seed = 0; seed < 3; ++seed) {
    kept.place(units, test::choose_units(units, units * (seed + 1) / 4, seed));
    check();
  }
  kept.place_all(units);
  check();
}

}  // namespace

TEST_SUITE("compress_rows") {
  TEST_CASE("compress_rows_f32 takes the kept columns, times the factor") {
    RowBuffers buffers;
    const std::size_t stride = test::case_stride();
    test::for_each_table([&](const KernelTable& table) {
      std::size_t index = 0;
      for (std::size_t units = 1; units <= 200; ++units) {
        over_choices(units, buffers.kept, [&] {
          if (++index % stride != 0) return;
          check_compress(table, buffers, index % 4, index % 3 == 0 ? 1.0F : 1.0F / 0.7F, index % 5);
        });
      }
      for (const std::size_t units : {255U, 256U, 1031U}) {
        over_choices(units, buffers.kept,
                     [&] { check_compress(table, buffers, 2, 1.0F / 0.3F, units % 3); });
      }
    });
  }
}
