// backward_weights of every table on the kept units of two layers: what it leaves of all weights is
// what the table's own optimisers leave of the compact gradient, spread out by hand; and `lazy`
// leaves everything else as it was. Bit for bit.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "helpers/gradient_targets.h"
#include "helpers/kept_units.h"
#include "helpers/kernel_test.h"
#include "helpers/products.h"

namespace {

using simdrop::detail::AdamParams;
using simdrop::detail::BackwardWeightsPart;
using simdrop::detail::KernelTable;
using simdrop::detail::SgdParams;
using simdrop::detail::Update;
using test::GuardedBuffer;
using test::GuardedMatrix;
using test::KeptChoice;
using test::Target;

struct Case {
  std::size_t batch, outs, kept_outs, ins, kept_ins;
  std::size_t index;  // picks options, padding and parts
};

struct Buffers {
  GuardedMatrix<float> dy, x;
  KeptChoice outs, ins;
  Target<float> weights, bias, want_weights, want_bias;
  GuardedMatrix<float> dw, db;  // of kept units, close together
  GuardedBuffer<float> panels{std::size_t{1} << 17}, scratch{std::size_t{1} << 17};

  [[nodiscard]] bool intact() const {
    return dy.intact() && x.intact() && weights.intact() && bias.intact() && outs.intact() &&
           ins.intact() && panels.intact() && scratch.intact();
  }
};

void place(Buffers& b, const Case& c, bool gaps) {
  b.outs.place(c.outs, test::choose_units(c.outs, c.kept_outs, 6));
  b.ins.place(c.ins, test::choose_units(c.ins, c.kept_ins, 7));
  if (c.kept_outs == c.outs && c.index % 3 != 0) b.outs.place_all(c.outs);
  if (c.kept_ins == c.ins && c.index % 3 != 1) b.ins.place_all(c.ins);
  b.dy.place(c.batch, c.kept_outs, c.kept_outs + c.index % 3, 81);
  b.x.place(c.batch, c.kept_ins, c.kept_ins, 82);
  for (Target<float>* t : {&b.weights, &b.want_weights}) {
    t->place(c.outs, c.ins, c.ins + (gaps ? c.index % 4 : 0), 83);
  }
  for (Target<float>* t : {&b.bias, &b.want_bias}) t->place(1, c.outs, c.outs, 86);
}

BackwardWeightsPart<float> product(const KernelTable& table, Buffers& b, const Case& c) {
  const auto& kernels = table.products_f32;
  BackwardWeightsPart<float> p{};
  p.batch = c.batch, p.outs = c.kept_outs, p.ins = c.kept_ins;
  p.dy = {b.dy.data(), b.dy.ld};
  if (c.kept_ins % kernels.vector == 0 && c.index % 2 == 0) {
    p.x = {b.x.data(), b.x.ld};
  } else {
    p.x.data = test::write_panels(b.x, true, kernels.nr, b.panels).data();
  }
  p.use.alpha = 0.37F;
  p.scratch = test::place_scratch(kernels, b.scratch, 1, p.ins, c.batch).data();
  return p;
}

// The gradient of kept units alone, by the product that knows of no others.
void compact_gradient(const KernelTable& table, Buffers& b, const Case& c) {
  auto p = product(table, b, c);
  b.dw.place_filled(c.kept_outs, c.kept_ins, c.kept_ins, 0.0F);
  b.db.place_filled(1, c.kept_outs, c.kept_outs, 0.0F);
  p.use.update = Update::store;
  p.use.dw = {b.dw.data(), nullptr, nullptr, b.dw.ld};
  p.use.db = {b.db.data(), nullptr, nullptr, 0};
  table.products_f32.backward_weights(p);
}

struct Optimiser {
  Update update;
  SgdParams sgd;
  AdamParams adam;
  double max_norm;

  // n weights and their state, by the table's own kernel.
  void step(const KernelTable& table, std::size_t n, const float* g, float* w, float* m,
            float* v) const {
    if (update == Update::sgd) {
      table.sgd_f32(sgd, n, g, w, sgd.momentum == 0.0F ? nullptr : m);
    } else if (update == Update::adam) {
      table.adam_f32(adam, n, g, w, m, v);
    } else {
      std::copy_n(g, n, w);
    }
  }
};

// One row of parameters, of which the columns in `columns` have the gradients in `compact`, or no
// gradients if that is null.
void update_row(const KernelTable& table, const Optimiser& o, bool lazy, const KeptChoice& columns,
                const float* compact, Target<float>& t, std::size_t row) {
  const std::size_t n = t.target.cols;
  std::vector<float> g(n, 0.0F);
  for (std::size_t i = 0; compact != nullptr && i < columns.units().count; ++i) {
    g[columns.unit(i)] = compact[i];
  }
  if (!lazy) {
    o.step(table, n, g.data(), &t.target(row, 0), &t.first(row, 0), &t.second(row, 0));
    return;
  }
  for (std::size_t i = 0; compact != nullptr && i < columns.units().count; ++i) {
    const std::size_t u = columns.unit(i);
    o.step(table, 1, &g[u], &t.target(row, u), &t.first(row, u), &t.second(row, u));
  }
}

void expect_update(const KernelTable& table, Buffers& b, const Optimiser& o, bool lazy) {
  std::size_t kept = 0;
  for (std::size_t u = 0; u < b.want_weights.target.rows; ++u) {
    const bool has = b.outs.has(u);
    const float* compact = has ? b.dw.data() + kept * b.dw.ld : nullptr;
    if (has) ++kept;
    update_row(table, o, lazy, b.ins, compact, b.want_weights, u);
    const bool touched = !lazy || (has && b.ins.units().count != 0);
    if (o.max_norm != 0.0 && touched) {
      table.limit_norms_f32(o.max_norm, 1, b.ins.units().units, &b.want_weights.target(u, 0));
    }
  }
  update_row(table, o, lazy, b.outs, b.db.data(), b.want_bias, 0);
}

// Calls kernel for parts of the outputs and of the inputs, which are all together.
void run_parts(const KernelTable& table, const BackwardWeightsPart<float>& whole,
               std::size_t out_parts, std::size_t in_parts) {
  const std::size_t nr = table.products_f32.nr;
  const auto cut = [](std::size_t n, std::size_t part, std::size_t parts, std::size_t unit) {
    return part == parts ? n : n / unit * part / parts * unit;
  };
  for (std::size_t i = 0; i < out_parts; ++i) {
    for (std::size_t j = 0; j < in_parts; ++j) {
      BackwardWeightsPart<float> p = whole;
      p.first_out = cut(whole.outs, i, out_parts, 1);
      p.outs = cut(whole.outs, i + 1, out_parts, 1) - p.first_out;
      p.first_in = cut(whole.ins, j, in_parts, nr);
      p.ins = cut(whole.ins, j + 1, in_parts, nr) - p.first_in;
      if ((p.outs == 0 && whole.outs != 0) || (p.ins == 0 && whole.ins != 0)) continue;
      p.dy.data += p.first_out;
      p.x.data += p.first_in * (p.x.ld != 0 ? 1 : p.batch);
      if (p.first_in != 0) p.use.db.data = nullptr;
      table.products_f32.backward_weights(p);
    }
  }
}

void check_case(const KernelTable& table, Buffers& b, const Case& c, const Optimiser& o,
                bool lazy) {
  INFO("batch ", c.batch, ", ", c.kept_outs, " of ", c.outs, " outputs, ", c.kept_ins, " of ",
       c.ins, " inputs, index ", c.index, ", lazy ", lazy, ", update ", static_cast<int>(o.update),
       ", max_norm ", o.max_norm);
  place(b, c, o.max_norm == 0.0);
  compact_gradient(table, b, c);
  expect_update(table, b, o, lazy);
  auto p = product(table, b, c);
  p.use.update = o.update;
  p.use.dw = test::target_of(b.weights, o.update, o.sgd.momentum != 0.0F);
  p.use.db = test::target_of(b.bias, o.update, o.sgd.momentum != 0.0F);
  p.use.step = {o.sgd, o.adam, o.max_norm, lazy};
  p.kept = {true, b.outs.units(), b.ins.units(), {}};
  if (c.index % 5 == 0) {  // no bias, which stays as it is
    p.use.db.data = nullptr;
    b.want_bias.place(1, c.outs, c.outs, 86);
  }
  const std::size_t out_parts = p.outs == 0 ? 1 : c.index % 3 + 1;
  const std::size_t in_parts = o.max_norm != 0.0 || p.ins == 0 ? 1 : c.index % 4 / 2 + 1;
  run_parts(table, p, out_parts, in_parts);
  test::check_equal(b.weights, b.want_weights);
  test::check_equal(b.bias, b.want_bias);
  CHECK(b.intact());
}

// Every optimiser, as a step uses it and lazily; about half of the rows are above the norm.
void check_updates(const KernelTable& table, Buffers& b, const Case& c) {
  for (const bool lazy : {false, true}) {
    for (const double limit : {0.0, 1.15 * std::sqrt(static_cast<double>(c.ins))}) {
      for (const SgdParams& sgd : test::sgd_cases) {
        check_case(table, b, c, {Update::sgd, sgd, {}, limit}, lazy);
      }
      for (const AdamParams& adam : test::adam_cases) {
        check_case(table, b, c, {Update::adam, {}, adam, limit}, lazy);
      }
    }
  }
}

// Every remainder of a tile in kept outputs and in kept inputs, every remainder of a vector in all
// of them, and a few large ones.
template <class Check>
void over_cases(std::size_t mr, std::size_t nr, std::size_t stride, Check check) {
  std::size_t index = 0;
  const auto sweep = [&](std::size_t batch, std::size_t kept_outs, std::size_t kept_ins) {
    if (++index % stride != 0) return;
    const std::size_t i = index / stride;
    check({batch, kept_outs + i * 5 % 9, kept_outs, kept_ins + i * 7 % 23, kept_ins, i});
  };
  for (std::size_t n = 0; n <= 2 * mr + 2; ++n) {
    for (std::size_t i = 0; i < 12; ++i) sweep((n * 7 + i * 5) % 50 + 1, n, i * 9 % 71);
  }
  for (std::size_t n = 0; n <= 2 * nr + 2; ++n) {
    for (std::size_t i = 0; i < 6; ++i) sweep((n * 5 + i) % 33 + 1, i * 4 + 1, n);
  }
  for (std::size_t ins = 1; ins <= 80; ++ins) sweep(3, ins % 7 + 1, ins / 2);
}

template <class Check>
void over_large_cases(std::size_t mr, std::size_t nr, Check check) {
  for (const std::size_t batch : {1U, 511U, 513U}) {
    check(Case{batch, 2 * mr, mr + 1, 2 * nr, nr + 1, batch % 7});
    check(Case{batch, 5, 3, 3 * nr, 2 * nr, batch % 4});
  }
  check(Case{9, 2 * mr + 30, 2 * mr + 1, 1100, 600, 3});
  check(Case{5, 37, 20, 900, 7, 2});  // whole vectors that nothing is kept of
  check(Case{5, 300, 3, 70, 33, 4});
  for (const std::size_t outs : {1U, 23U, 70U}) {
    for (const std::size_t ins : {1U, 40U, 129U}) {
      check(Case{6, outs, 0, ins, ins / 2, 1});
      check(Case{6, outs, outs / 2, ins, 0, 2});
      check(Case{6, outs, 0, ins, 0, 3});
      check(Case{6, outs, outs, ins, 0, 4});
      check(Case{6, outs, 0, ins, ins, 6});
      check(Case{6, outs, outs, ins, ins, 7});
    }
  }
}

}  // namespace

TEST_SUITE("linear_backward_weights") {
  TEST_CASE("backward_weights of kept units: gradients, and zeros for the others") {
    Buffers buffers;
    test::for_each_table([&](const KernelTable& table) {
      const auto& kernels = table.products_f32;
      const auto check = [&](const Case& c) {
        check_case(table, buffers, c, {Update::store, {}, {}, 0.0}, false);
      };
      over_cases(kernels.mr, kernels.nr, test::case_stride(), check);
      over_large_cases(kernels.mr, kernels.nr, check);
    });
  }

  TEST_CASE("backward_weights of kept units: updates are those of the optimisers") {
    Buffers buffers;
    test::for_each_table([&](const KernelTable& table) {
      const auto& kernels = table.products_f32;
      const auto check = [&](const Case& c) { check_updates(table, buffers, c); };
      over_cases(kernels.mr, kernels.nr, test::case_stride() + 4, check);
      over_large_cases(kernels.mr, kernels.nr, check);
    });
  }
}
