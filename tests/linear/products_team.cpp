// The products on a team: the chain over k that a plain loop computes, and the same bits on teams
// of 1 to 8, whose grid is cut in both dimensions.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "helpers/kernel_test.h"
#include "helpers/products.h"
#include "linear/blocking.h"
#include "linear/products.h"
#include "simdrop/mask.hpp"

namespace {

using simdrop::detail::BackwardInputProduct;
using simdrop::detail::BackwardWeightsProduct;
using simdrop::detail::ForwardProduct;
using simdrop::detail::KernelTable;
using simdrop::detail::LinearShape;
using simdrop::detail::TeamMember;
using simdrop::detail::Update;

template <class T>
struct Results {
  std::vector<T> y, dx, dw, db;

  explicit Results(const LinearShape& s)
      : y(s.batch * s.outs), dx(s.batch * s.ins), dw(s.outs * s.ins), db(s.outs) {}
};

template <class T>
class Problem {
 public:
  Problem(const KernelTable& table, const LinearShape& shape)
      : table_(table),
        shape_(shape),
        stride_(simdrop::detail::product_scratch<T>(table, shape)),
        panels_(simdrop::detail::make_buffer<T>(
            std::max(simdrop::detail::forward_panels<T>(table, shape),
                     simdrop::detail::backward_panels<T>(table, shape)))),
        scratch_(simdrop::detail::make_buffer<T>(most_threads * stride_)),
        x_(test::random_elements<T>(shape.batch * shape.ins, 91)),
        w_(test::random_elements<T>(shape.outs * shape.ins, 92)),
        dy_(test::random_elements<T>(shape.batch * shape.outs, 93)),
        bits_(test::random_bytes(
            simdrop::mask_bytes(shape.batch * shape.outs) + simdrop::detail::mask_slack, 94)) {}

  Results<T> run(int threads) {
    Results<T> results(shape_);
    on_team(threads, forward(results));
    on_team(threads, backward_input(results));
    on_team(threads, backward_weights(results));
    return results;
  }

  void check(const Results<T>& got, std::size_t stride) const {
    const reference::LinearOperand<T> x{x_.data(), shape_.ins, 1};
    const reference::LinearOperand<T> w{w_.data(), shape_.ins, 1};
    const reference::LinearOperand<T> dy{dy_.data(), shape_.outs, 1};
    const reference::LinearOperand<T> x_cols{x_.data(), 1, shape_.ins};
    const reference::LinearOperand<T> w_cols{w_.data(), 1, shape_.ins};
    const reference::LinearOperand<T> dy_cols{dy_.data(), 1, shape_.outs};
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < got.y.size(); i += stride) {
      const bool kept = (bits_[i / 8] >> (i % 8) & 1) != 0;
      const T z = test::chain(table_, x, w, i / shape_.outs, i % shape_.outs, shape_.ins);
      wrong += test::same_element(got.y[i], kept ? z * scale_factor : T{0}) ? 0 : 1;
    }
    for (std::size_t i = 0; i < got.dx.size(); i += stride) {
      const T dx = test::chain(table_, dy, w_cols, i / shape_.ins, i % shape_.ins, shape_.outs);
      wrong += test::same_element(got.dx[i], x_[i] > T{0} ? dx * scale_factor : T{0}) ? 0 : 1;
    }
    for (std::size_t i = 0; i < got.dw.size(); i += stride) {
      const T dw =
          test::chain(table_, dy_cols, x_cols, i / shape_.ins, i % shape_.ins, shape_.batch);
      wrong += test::same_element(got.dw[i], scale_factor * dw) ? 0 : 1;
    }
    CHECK(wrong == 0);
  }

 private:
  static constexpr std::size_t most_threads = 8;
  static constexpr T scale_factor{1.25};

  template <class Product>
  void on_team(int threads, const Product& product) {
    const simdrop::detail::ProductBuffers<T> buffers{panels_.get(), scratch_.get(), stride_};
    simdrop::detail::parallel_team(threads, [&](const TeamMember& member) {
      pack(table_, member, product, buffers);
      member.barrier();
      multiply(table_, member, product, buffers);
    });
  }
  ForwardProduct<T> forward(Results<T>& results) const {
    ForwardProduct<T> p{.x = {x_.data(), shape_.batch, shape_.ins},
                        .weights = {w_.data(), shape_.outs, shape_.ins},
                        .y = {results.y.data(), shape_.batch, shape_.outs}};
    p.epilogue.scale = scale_factor;
    p.epilogue.bits = bits_.data(), p.epilogue.bits_per_row = shape_.outs;
    return p;
  }
  BackwardInputProduct<T> backward_input(Results<T>& results) const {
    return {.dy = {dy_.data(), shape_.batch, shape_.outs},
            .weights = {w_.data(), shape_.outs, shape_.ins},
            .epilogue = {{x_.data(), shape_.ins}, scale_factor},
            .dx = {results.dx.data(), shape_.batch, shape_.ins}};
  }
  BackwardWeightsProduct<T> backward_weights(Results<T>& results) const {
    BackwardWeightsProduct<T> p{.dy = {dy_.data(), shape_.batch, shape_.outs},
                                .x = {x_.data(), shape_.batch, shape_.ins}};
    p.use.alpha = scale_factor;
    p.use.update = Update::store;
    p.use.dw = {results.dw.data(), nullptr, nullptr, shape_.ins};
    p.use.db = {results.db.data(), nullptr, nullptr, 0};
    return p;
  }

  const KernelTable& table_;
  const LinearShape shape_;
  const std::size_t stride_;
  simdrop::detail::Buffer<T> panels_, scratch_;
  const std::vector<T> x_, w_, dy_;
  const std::vector<std::uint8_t> bits_;
};

// Few outputs and many rows, the reverse, and few inputs; each is worth eight threads.
template <class T>
std::vector<LinearShape> shapes_of(const KernelTable& table) {
  const auto& kernels = test::products_of<T>(table);
  const std::size_t few = 2 * kernels.vector - (kernels.vector > 1 ? 1 : 0);
  const std::size_t most = 8 * 260'000;
  const auto rest = [&](std::size_t a, std::size_t b) { return most / (a * b) + 1; };
  std::vector<LinearShape> all{{rest(few, 333), 333, few}};
  if (test::case_stride() > 3) return all;
  const std::size_t two_panels = kernels.nr + 3;
  all.push_back({two_panels, 333, rest(two_panels, 333)});
  all.push_back({rest(two_panels, 201), two_panels, 201});
  return all;
}

}  // namespace

TEST_SUITE("products team") {
  TEST_CASE("choose_grid cuts both dimensions where one is too short") {
    const auto grid = simdrop::detail::choose_grid(2, 100, 8);
    CHECK(grid.m_parts == 2);
    CHECK(grid.n_parts == 4);
  }

  TEST_CASE_TEMPLATE("the same bits on teams of 1 to 8", T, float, double) {
    test::for_each_table([](const KernelTable& table) {
      for (const LinearShape& shape : shapes_of<T>(table)) {
        INFO("batch ", shape.batch, ", ins ", shape.ins, ", outs ", shape.outs);
        Problem<T> problem(table, shape);
        const Results<T> one = problem.run(1);
        problem.check(one, test::case_stride());
        for (int threads = 2; threads <= 8; ++threads) {
          CAPTURE(threads);
          const Results<T> got = problem.run(threads);
          CHECK(test::first_difference(std::span<const T>(got.y), one.y) == test::no_difference);
          CHECK(test::first_difference(std::span<const T>(got.dx), one.dx) == test::no_difference);
          CHECK(test::first_difference(std::span<const T>(got.dw), one.dw) == test::no_difference);
          CHECK(test::first_difference(std::span<const T>(got.db), one.db) == test::no_difference);
        }
      }
    });
  }
}
