// scratch_size of every table. That a product stays within it, the guard pages of the products'
// tests tell.
#include <algorithm>
#include <cstddef>

#include "helpers/kernel_test.h"
#include "helpers/products.h"

namespace {

// A product may have fewer rows, examples and terms than its scratch was made for.
template <class T>
void check_grows(const simdrop::detail::ProductKernels<T>& kernels, std::size_t rows, std::size_t k,
                 std::size_t batch) {
  CAPTURE(rows);
  CAPTURE(k);
  CAPTURE(batch);
  const std::size_t size = kernels.scratch_size(rows, k, batch);
  CHECK(kernels.scratch_size(rows + 1, k, batch) >= size);
  CHECK(kernels.scratch_size(rows, k + 1, batch) >= size);
  CHECK(kernels.scratch_size(rows, k, batch + 1) >= size);
}

}  // namespace

TEST_SUITE("scratch_size") {
  TEST_CASE_TEMPLATE("scratch for a product suffices for every smaller one", T, float, double) {
    const std::size_t stride = test::case_stride();
    test::for_each_table([&](const simdrop::detail::KernelTable& table) {
      const auto& kernels = test::products_of<T>(table);
      for (std::size_t i = 0; i <= 600; i += stride) {
        check_grows(kernels, i, 1, 1);
        check_grows(kernels, 1, i, 1);
        check_grows(kernels, 1, 1, i);
        check_grows(kernels, i, 2 * i, 3 * i);
        check_grows(kernels, 1300 - i, 2 * i, 1300 - i);
      }
    });
  }
}
