// forward of every table on the kept units of two layers: the product of gathered weights.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/gradient_targets.h"
#include "helpers/kept_units.h"
#include "helpers/kernel_test.h"
#include "helpers/linear_compare.h"
#include "helpers/products.h"

namespace {

using simdrop::detail::ForwardPart;
using simdrop::detail::kept_ld;
using simdrop::detail::KernelTable;
using test::GuardedBuffer;
using test::GuardedMatrix;
using test::KeptChoice;

struct Buffers {
  GuardedMatrix<float> a, gathered, bias, y, z, want_y, want_z;
  GuardedMatrix<float> w{std::size_t{1} << 18}, kept_w{std::size_t{1} << 18};
  KeptChoice rows, columns;
  GuardedBuffer<float> panels{std::size_t{1} << 17}, scratch{std::size_t{1} << 19};

  [[nodiscard]] bool intact() const {
    return a.intact() && w.intact() && kept_w.intact() && bias.intact() && y.intact() &&
           z.intact() && rows.intact() && columns.intact() && panels.intact() && scratch.intact();
  }
};

struct Case {
  std::size_t batch, rows, kept_rows, columns, kept_columns;
  std::size_t index;  // picks options and padding
};

void gather(Buffers& buffers) {
  const std::size_t k = buffers.columns.units().count;
  const std::size_t outs = buffers.rows.units().count;
  buffers.gathered.place_filled(outs, k, k, 0.0F);
  for (std::size_t o = 0; o < outs; ++o) {
    for (std::size_t i = 0; i < k; ++i) {
      buffers.gathered(o, i) = buffers.w(buffers.rows.unit(o), buffers.columns.unit(i));
    }
  }
}

// The product of gathered weights, but for the weights.
ForwardPart<float> place(const KernelTable& table, Buffers& b, const Case& c) {
  const auto& kernels = table.products_f32;
  const std::size_t k = b.columns.units().count;
  const std::size_t outs = b.rows.units().count;
  b.a.place(c.batch, k, k, 72);
  b.w.place(c.rows, c.columns, c.columns + c.index % 3, 73);
  b.bias.place(1, outs, outs, 74);
  gather(b);
  for (auto* m : {&b.y, &b.want_y}) m->place_filled(c.batch, outs, outs + c.index % 4, -7.0F);
  for (auto* m : {&b.z, &b.want_z}) m->place_filled(c.batch, outs, outs + c.index % 5, -7.0F);
  ForwardPart<float> p{};
  p.batch = c.batch, p.outs = outs, p.ins = k;
  p.x = test::write_panels(b.a, false, kernels.nr, b.panels).data();
  if ((c.index & 1) != 0) p.epilogue.bias = b.bias.data();
  p.epilogue.relu = (c.index & 2) != 0;
  p.epilogue.scale = 1.0F / 0.7F;
  p.y.ld = b.y.ld, p.epilogue.z.ld = b.z.ld;
  p.scratch = test::place_scratch(kernels, b.scratch, c.batch, k, c.batch).data();
  return p;
}

// z as near to the wide sum over kept units as rounding allows, and y from it.
void check_against_oracle(const Buffers& b, const ForwardPart<float>& p) {
  const double gamma = test::linear_gamma<float>(test::linear_roundings(p.ins));
  const auto a = b.a.rows_as_operand();
  const auto w = b.gathered.rows_as_operand();
  std::size_t far = 0;
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < p.batch; ++r) {
    for (std::size_t o = 0; o < p.outs; ++o) {
      const auto& e = p.epilogue;
      const double bias = e.bias != nullptr ? static_cast<double>(e.bias[o]) : 0.0;
      const auto sum = reference::inner_product<double>(a, w, r, o, p.ins);
      const float z = b.z(r, o);
      far += test::within(z, reference::linear_forward(sum, bias, false, 1.0), gamma) ? 0 : 1;
      const float y = e.relu ? (z <= 0.0F ? 0.0F : z * e.scale) : z;
      wrong += test::same_element(b.y(r, o), y) ? 0 : 1;
    }
  }
  CHECK(far == 0);
  CHECK(wrong == 0);
}

void check_forward(const KernelTable& table, Buffers& b, const Case& c) {
  INFO("batch ", c.batch, ", ", c.kept_rows, " of ", c.rows, " outputs, ", c.kept_columns, " of ",
       c.columns, " inputs, options ", c.index % 24);
  const bool all_rows = c.kept_rows == c.rows && c.index % 3 != 0;
  const bool all_columns = c.kept_columns == c.columns && c.index % 3 == 0;
  b.rows.place(c.rows, test::choose_units(c.rows, c.kept_rows, 3));
  b.columns.place(c.columns, test::choose_units(c.columns, c.kept_columns, 4));
  if (all_rows) b.rows.place_all(c.rows);
  if (all_columns) b.columns.place_all(c.columns);
  ForwardPart<float> p = place(table, b, c);
  p.weights = {b.gathered.data(), b.gathered.ld};
  p.y.data = b.want_y.data(), p.epilogue.z.data = b.want_z.data();
  table.products_f32.forward(p);

  p.weights = {b.w.data(), b.w.ld};
  p.kept.drops_units = true;
  p.kept.outs = b.rows.units(), p.kept.ins = b.columns.units();
  const bool leaves = (c.index & 4) != 0;
  const std::size_t ld = kept_ld(p.ins) + c.index % 2;
  b.kept_w.place_filled(leaves ? p.outs : 0, ld, ld, -7.0F);
  p.kept.weights = {leaves ? b.kept_w.data() : nullptr, ld};
  p.y.data = b.y.data(), p.epilogue.z.data = b.z.data();
  p.scratch = test::place_scratch(table.products_f32, b.scratch, c.batch, p.ins, c.batch).data();
  table.products_f32.forward(p);
  CHECK(test::differences(b.y, b.want_y) == 0);
  CHECK(test::differences(b.z, b.want_z) == 0);
  if (leaves) CHECK(test::differences(b.kept_w, b.gathered) == 0);
  check_against_oracle(b, p);
  CHECK(b.intact());
}

// Every remainder of a tile of examples, of outputs and of kept inputs; then several blocks over k.
template <class Check>
void over_cases(std::size_t mr, std::size_t nr, Check check) {
  const std::size_t stride = test::case_stride();
  std::size_t index = 0;
  const auto sweep = [&](std::size_t batch, std::size_t rows, std::size_t columns) {
    ++index;
    if (index % stride != 0) return;
    const std::size_t at = index / stride;
    const std::size_t kept_rows = at % 4 == 0 ? rows : (rows * (at % 5) + 4) / 5;
    const std::size_t kept_columns = at % 4 == 1 ? columns : (columns * (at % 7) + 3) / 6;
    check({batch, rows, kept_rows, columns, std::min(columns, kept_columns), at});
  };
  for (std::size_t n = 1; n <= 2 * nr + 3; ++n) {
    for (std::size_t i = 0; i < 5; ++i) {
      sweep(n, (n * 7 + i * 3) % 61 + 1, (n * 5 + i) % 37 + 1);
      sweep((n * 5 + i * 3) % 43 + 1, n, (n * 11 + i) % 29 + 1);
      sweep((n * 3 + i) % 19 + 1, (n + i) % (2 * mr) + 1, n + 16 * i);
    }
  }
  for (const std::size_t k : {0U, 1U, 511U, 512U, 513U, 1024U, 1300U}) {
    check({nr + 2, 11, 5, 2 * k + 9, k, 7});
    check({3, 2 * nr + 40, 2 * nr + 1, k + 40, k, 6});
    check({nr - 1, mr + 1, mr + 1, k + 1, k, 13});
  }
  check({70, 200, 130, 90, 33, 15});
  check({70, 200, 0, 90, 33, 15});
}

}  // namespace

TEST_SUITE("linear_forward") {
  TEST_CASE("forward on kept rows and columns is the product of gathered weights") {
    Buffers buffers;
    test::for_each_table([&](const KernelTable& table) {
      over_cases(table.products_f32.mr, table.products_f32.nr,
                 [&](const Case& c) { check_forward(table, buffers, c); });
    });
  }
}
