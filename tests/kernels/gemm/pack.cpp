// pack_rows and pack_cols of every table: the layout of a panel, and nothing beside it.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>

#include "helpers/kernel_test.h"
#include "helpers/products.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;
using test::GuardedBuffer;
using test::GuardedMatrix;

template <class T>
struct Buffers {
  GuardedMatrix<T> source{std::size_t{1} << 14};
  GuardedBuffer<T> got{std::size_t{1} << 14}, want{std::size_t{1} << 14};
};

template <class T>
void check_pack(const KernelTable& table, Buffers<T>& buffers, bool transposed, std::size_t rows,
                std::size_t k, std::size_t width, std::size_t pad) {
  GuardedMatrix<T>& source = buffers.source;
  if (transposed) {
    source.place(k, rows, rows + pad, 71);
  } else {
    source.place(rows, k, k + pad, 71);
  }
  const auto want = buffers.want.place(width * k, Edge::end);
  test::write_panel(source, transposed, 0, rows, width, want.data());
  const auto got = buffers.got.place(width * k, (rows + k) % 2 == 0 ? Edge::end : Edge::start);
  std::ranges::fill(got, T{-1});
  const auto& kernels = test::products_of<T>(table);
  const auto pack = transposed ? kernels.pack_cols : kernels.pack_rows;
  pack(rows, k, source.data(), source.ld, width, got.data());
  CAPTURE(rows);
  CAPTURE(k);
  CAPTURE(width);
  CAPTURE(pad);
  // Vectors without a row of the source are left as they are.
  const std::size_t vector_rows = kernels.vector;
  const std::size_t written = std::min(width, (rows + vector_rows - 1) / vector_rows * vector_rows);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const T expected = i % width < written ? want[i] : T{-1};
    wrong += got[i] == expected && std::signbit(got[i]) == std::signbit(expected) ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(source.intact());
  CHECK(buffers.got.intact());
}

template <class T>
void check_packs(bool transposed) {
  Buffers<T> buffers;
  const std::size_t stride = test::case_stride();
  test::for_each_table([&](const KernelTable& table) {
    const auto& kernels = test::products_of<T>(table);
    std::set<std::size_t> widths{kernels.nr};
    for (std::size_t width = 1; width <= kernels.mr; ++width) widths.insert(width);
    std::size_t index = 0;
    for (const std::size_t width : widths) {
      for (std::size_t rows = 0; rows <= width; ++rows) {
        for (std::size_t k = 0; k <= 70; ++k, ++index) {
          if (index % stride != 0) continue;
          check_pack(table, buffers, transposed, rows, k, width, index % 3);
        }
      }
    }
  });
}

}  // namespace

TEST_SUITE("pack_rows") {
  TEST_CASE_TEMPLATE("pack_rows transposes rows into a panel", T, float, double) {
    check_packs<T>(false);
  }
}

TEST_SUITE("pack_cols") {
  TEST_CASE_TEMPLATE("pack_cols copies columns into a panel", T, float, double) {
    check_packs<T>(true);
  }
}
