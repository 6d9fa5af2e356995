// scale of every table and type.
#include <algorithm>
#include <vector>

#include "helpers/elementwise.h"
#include "helpers/kernel_test.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

constexpr std::size_t large_sizes[] = {4095, 4097, 65537, 100003};

template <class T>
void check_scale(test::Buffers<T>& buffers, std::size_t n, std::size_t offset, Edge edge,
                 bool in_place) {
  constexpr auto factor = static_cast<test::Arithmetic<T>>(1.7);
  const auto x = test::random_elements<T>(n, 41);
  std::vector<T> want(n);
  std::transform(x.begin(), x.end(), want.begin(),
                 [](T v) { return test::narrow<T>(test::widen(v) * factor); });
  CAPTURE(n);
  CAPTURE(offset);
  test::for_each_table([&](const KernelTable& table) {
    const auto in = buffers.in.place(x, edge, offset);
    const auto out = in_place ? in : buffers.out.place(n, edge, (offset * 7) % 32);
    test::kernels_of<T>(table).scale(factor, in.data(), out.data(), n);
    CHECK(test::first_difference(out, want) == test::no_difference);
    CHECK(buffers.intact());
  });
}

}  // namespace

TEST_SUITE("scale") {
  TEST_CASE_TEMPLATE("scale", T, float, double, test::bfloat16, test::float16) {
    test::Buffers<T> buffers;
    for (std::size_t n = 0; n <= 257; ++n) {
      for (std::size_t offset = 0; offset < 32; ++offset) {
        check_scale<T>(buffers, n, offset, Edge::start, offset % 3 == 0);
      }
      check_scale<T>(buffers, n, 0, Edge::end, false);
      check_scale<T>(buffers, n, 0, Edge::end, true);
    }
    for (const std::size_t n : large_sizes) check_scale<T>(buffers, n, 0, Edge::end, false);
  }
}
