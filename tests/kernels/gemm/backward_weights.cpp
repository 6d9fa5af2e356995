// backward_weights of every table: gradients, each one chain over the batch, and what an update in
// the epilogue leaves, which is what the table's own optimisers leave of the stored gradients.
#include <cmath>
#include <cstddef>
#include <vector>

#include "helpers/gradient_targets.h"
#include "helpers/kernel_test.h"
#include "helpers/linear_compare.h"
#include "helpers/products.h"

namespace {

using simdrop::detail::AdamParams;
using simdrop::detail::BackwardWeightsPart;
using simdrop::detail::KernelTable;
using simdrop::detail::SgdParams;
using simdrop::detail::Update;
using test::Edge;
using test::GuardedBuffer;
using test::GuardedMatrix;
using test::Target;
using test::target_of;

struct Case {
  std::size_t batch, outs, ins;
  std::size_t index;  // picks options and padding
};

template <class T>
struct Buffers {
  GuardedMatrix<T> dy, x;
  Target<T> weights, bias, want_weights, want_bias;
  GuardedBuffer<T> panels{std::size_t{1} << 17}, scratch{std::size_t{1} << 17};

  [[nodiscard]] bool intact() const {
    return dy.intact() && x.intact() && weights.intact() && bias.intact() && panels.intact() &&
           scratch.intact();
  }
};

template <class T>
BackwardWeightsPart<T> place(const KernelTable& table, Buffers<T>& buffers, const Case& c,
                             bool gaps) {
  const auto& kernels = test::products_of<T>(table);
  buffers.dy.place(c.batch, c.outs, c.outs + c.index % 3, 81);
  buffers.x.place(c.batch, c.ins, c.ins, 82);
  for (Target<T>* t : {&buffers.weights, &buffers.want_weights}) {
    t->place(c.outs, c.ins, c.ins + (gaps ? c.index % 4 : 0), 83);
  }
  for (Target<T>* t : {&buffers.bias, &buffers.want_bias}) t->place(1, c.outs, c.outs, 86);
  BackwardWeightsPart<T> p{};
  p.batch = c.batch, p.outs = c.outs, p.ins = c.ins;
  p.dy = {buffers.dy.data(), buffers.dy.ld};
  p.x.data = test::write_panels(buffers.x, true, kernels.nr, buffers.panels).data();
  p.use.alpha = T(0.37);
  p.scratch = test::place_scratch(kernels, buffers.scratch, 1, c.ins, c.batch).data();
  return p;
}

// What target holds after Update::store or Update::add.
template <class T>
void expect_gradients(const KernelTable& table, const BackwardWeightsPart<T>& p,
                      Buffers<T>& buffers) {
  using W = test::Textbook<T>;
  const auto a = buffers.dy.cols_as_operand();
  const auto b = buffers.x.cols_as_operand();
  const W gamma = test::linear_gamma<T>(test::linear_roundings(p.batch));
  const T alpha = p.use.alpha;
  const bool add = p.use.update == Update::add;
  std::size_t far = 0;
  for (std::size_t o = 0; o < p.outs; ++o) {
    T sum{0};
    for (std::size_t r = 0; r < p.batch; ++r) sum = sum + buffers.dy(r, o);
    T& db = buffers.want_bias.target(0, o);
    db = add ? db + alpha * sum : alpha * sum;
    for (std::size_t i = 0; i < p.ins; ++i) {
      T& dw = buffers.want_weights.target(o, i);
      const T before = add ? dw : T{0};
      const T gradient = alpha * test::chain(table, a, b, o, i, p.batch);
      dw = add ? dw + gradient : gradient;
      const auto product = reference::inner_product<W>(a, b, o, i, p.batch);
      const auto want = reference::linear_backward_weights(product, static_cast<W>(alpha),
                                                           static_cast<W>(before));
      far += test::within(dw, want, gamma) ? 0 : 1;
    }
  }
  CHECK(far == 0);
}

template <class T>
void check_gradients(const KernelTable& table, Buffers<T>& buffers, const Case& c) {
  INFO("batch ", c.batch, ", outs ", c.outs, ", ins ", c.ins, ", index ", c.index);
  auto p = place(table, buffers, c, true);
  const Update update = c.index % 2 == 0 ? Update::store : Update::add;
  p.use.update = update;
  p.use.dw = target_of(buffers.weights, update, false);
  p.use.db = target_of(buffers.bias, update, false);
  expect_gradients(table, p, buffers);
  if (c.index % 5 == 0) {  // no bias, which stays as it is
    p.use.db.data = nullptr;
    buffers.want_bias.place(1, c.outs, c.outs, 86);
  }
  test::products_of<T>(table).backward_weights(p);
  test::check_equal(buffers.weights, buffers.want_weights);
  test::check_equal(buffers.bias, buffers.want_bias);
  CHECK(buffers.intact());
}

// step(n, gradient, weights, first, second) is the table's own, on what Update::store stores.
template <class Step>
void check_update(const KernelTable& table, Buffers<float>& buffers, const Case& c, Update update,
                  const SgdParams& sgd, const AdamParams& adam, double max_norm, Step step) {
  INFO("batch ", c.batch, ", outs ", c.outs, ", ins ", c.ins, ", index ", c.index, ", max_norm ",
       max_norm);
  auto p = place(table, buffers, c, max_norm == 0.0);
  std::vector<float> dw(c.outs * c.ins);
  std::vector<float> db(c.outs);
  p.use.update = Update::store;
  p.use.dw = {dw.data(), nullptr, nullptr, c.ins};
  p.use.db = {db.data(), nullptr, nullptr, 0};
  table.products_f32.backward_weights(p);

  Target<float>& want = buffers.want_weights;
  for (std::size_t o = 0; o < c.outs; ++o) {
    step(c.ins, dw.data() + o * c.ins, &want.target(o, 0), &want.first(o, 0), &want.second(o, 0));
  }
  Target<float>& want_bias = buffers.want_bias;
  step(c.outs, db.data(), want_bias.target.data(), want_bias.first.data(), want_bias.second.data());
  if (max_norm != 0.0) table.limit_norms_f32(max_norm, c.outs, c.ins, want.target.data());

  p.use.update = update;
  p.use.dw = target_of(buffers.weights, update, sgd.momentum != 0.0F);
  p.use.db = target_of(buffers.bias, update, sgd.momentum != 0.0F);
  p.use.step = {sgd, adam, max_norm, false};
  table.products_f32.backward_weights(p);
  test::check_equal(buffers.weights, want);
  test::check_equal(buffers.bias, want_bias);
  CHECK(buffers.intact());
}

// Every remainder of a tile in outs and in ins, and a few large ones.
template <class Check>
void over_cases(std::size_t mr, std::size_t nr, std::size_t stride, Check check) {
  std::size_t index = 0;
  const auto sweep = [&](std::size_t batch, std::size_t outs, std::size_t ins) {
    if (++index % stride == 0) check(Case{batch, outs, ins, index / stride});
  };
  for (std::size_t outs = 1; outs <= 2 * mr + 2; ++outs) {
    for (std::size_t i = 0; i < 12; ++i) sweep((outs * 7 + i * 5) % 50 + 1, outs, i * 9 + 1);
  }
  for (std::size_t ins = 1; ins <= 2 * nr + 2; ++ins) {
    for (std::size_t i = 0; i < 6; ++i) sweep((ins * 5 + i) % 33 + 1, i * 4 + 1, ins);
  }
  index = 0;
  for (const std::size_t batch : {1U, 2U, 511U, 513U, 1300U}) {
    check(Case{batch, mr, nr + 1, ++index * 3});
    check(Case{batch, 3, 2 * nr, ++index});
  }
  check(Case{9, 2 * mr + 1, 600, 1});  // more inputs than are finished together
}

}  // namespace

TEST_SUITE("linear_backward_weights") {
  TEST_CASE_TEMPLATE("backward_weights: gradients", T, float, double) {
    Buffers<T> buffers;
    test::for_each_table([&](const KernelTable& table) {
      const auto& kernels = test::products_of<T>(table);
      over_cases(kernels.mr, kernels.nr, test::case_stride(),
                 [&](const Case& c) { check_gradients(table, buffers, c); });
    });
  }

  // About half of the rows are above the norm.
  TEST_CASE("backward_weights: updates are those of the optimisers, bit for bit") {
    Buffers<float> buffers;
    test::for_each_table([&](const KernelTable& table) {
      const auto& kernels = table.products_f32;
      over_cases(kernels.mr, kernels.nr, test::case_stride() + 4, [&](const Case& c) {
        for (const double limit : {0.0, 1.15 * std::sqrt(static_cast<double>(c.ins))}) {
          for (const SgdParams& sgd : test::sgd_cases) {
            const auto step = [&](std::size_t n, const float* g, float* w, float* m, float*) {
              table.sgd_f32(sgd, n, g, w, sgd.momentum == 0.0F ? nullptr : m);
            };
            check_update(table, buffers, c, Update::sgd, sgd, AdamParams{}, limit, step);
          }
          for (const AdamParams& adam : test::adam_cases) {
            const auto step = [&](std::size_t n, const float* g, float* w, float* m, float* v) {
              table.adam_f32(adam, n, g, w, m, v);
            };
            check_update(table, buffers, c, Update::adam, SgdParams{}, adam, limit, step);
          }
        }
      });
    });
  }
}
