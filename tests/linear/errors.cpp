// Misuse of the linear layer: std::invalid_argument that names the argument, and outputs untouched.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "helpers/element.h"
#include "helpers/expect_invalid.h"
#include "simdrop/linear.hpp"

namespace {

using simdrop::Activation;
using simdrop::Dropout;
using simdrop::MatrixView;
using test::expect_invalid;

struct BadProb {
  double value;
  std::string_view text;
};
constexpr BadProb bad_keep_probs[] = {{std::numeric_limits<double>::quiet_NaN(), "nan"},
                                      {-0.1, "-0.1"},
                                      {1.5, "1.5"},
                                      {std::numeric_limits<double>::infinity(), "inf"}};

// Every argument of the three calls, for a layer of 4 inputs and 5 outputs and a batch of 3. A test
// spoils one of them.
template <class T>
struct Calls {
  std::vector<T> memory = test::random_elements<T>(200, 61);
  std::vector<T> before = memory;
  std::vector<std::uint8_t> bits = std::vector<std::uint8_t>(8, 0x3C);
  MatrixView<T> x{at(0), 3, 4, 4}, weights{at(20), 5, 4, 4}, y{at(40), 3, 5, 5};
  MatrixView<T> dy{at(60), 3, 5, 5}, stored{at(80), 3, 4, 4}, dx{at(100), 3, 4, 4};
  MatrixView<T> dw{at(120), 5, 4, 4};
  std::span<T> bias{at(140), 5}, db{at(160), 5};
  std::span<std::uint8_t> mask{bits.data(), 2};
  Activation activation = Activation::relu;
  Dropout dropout{.keep_prob = 0.5};
  double keep_prob = 0.5;
  int num_threads = 1;
  simdrop::LinearWorkspace workspace;

  T* at(std::size_t i) { return memory.data() + i; }
  void forward() {
    simdrop::linear_forward(MatrixView<const T>(x), MatrixView<const T>(weights),
                            std::span<const T>(bias), activation, dropout, y, workspace, mask,
                            num_threads);
  }
  void backward_input() {
    simdrop::linear_backward_input(MatrixView<const T>(dy), MatrixView<const T>(weights),
                                   MatrixView<const T>(stored), keep_prob, dx, workspace,
                                   num_threads);
  }
  void backward_weights() {
    simdrop::linear_backward_weights(MatrixView<const T>(dy), MatrixView<const T>(x), 1.0, false,
                                     dw, db, workspace, num_threads);
  }
};

template <class T>
using Call = void (Calls<T>::*)();

// After spoil(calls) the call must fail with an error that names `name` and tells `value`.
template <class T>
void check_misuse(Call<T> call, std::string_view name, std::string_view value,
                  const std::function<void(Calls<T>&)>& spoil) {
  Calls<T> calls;
  spoil(calls);
  expect_invalid(name, value, [&] { (calls.*call)(); });
  CHECK(calls.memory == calls.before);
  CHECK(calls.bits == std::vector<std::uint8_t>(8, 0x3C));
}

// What can be wrong with a matrix by itself or beside the others.
template <class T>
void check_matrix(Call<T> call, const std::string& name, MatrixView<T> Calls<T>::*matrix) {
  const auto spoiled = [&](std::string_view value, auto spoil) {
    check_misuse<T>(call, name, value, [&](Calls<T>& c) { spoil(c.*matrix); });
  };
  spoiled("null", [](MatrixView<T>& m) { m.data = nullptr; });
  spoiled("ld is 2", [](MatrixView<T>& m) { m.ld = 2; });
  spoiled("ld is 0", [](MatrixView<T>& m) { m.ld = 0; });
  constexpr std::size_t too_many = ~std::size_t{0} / 8;
  spoiled(std::to_string(too_many), [](MatrixView<T>& m) { m.rows = too_many; });
}

}  // namespace

TEST_CASE_TEMPLATE("linear: views that are null, too narrow or too large", T, float, double) {
  using C = Calls<T>;
  check_matrix<T>(&C::forward, "x", &C::x);
  check_matrix<T>(&C::forward, "weights", &C::weights);
  check_matrix<T>(&C::forward, "y", &C::y);
  check_matrix<T>(&C::backward_input, "dy", &C::dy);
  check_matrix<T>(&C::backward_input, "weights", &C::weights);
  check_matrix<T>(&C::backward_input, "stored", &C::stored);
  check_matrix<T>(&C::backward_input, "dx", &C::dx);
  check_matrix<T>(&C::backward_weights, "dy", &C::dy);
  check_matrix<T>(&C::backward_weights, "x", &C::x);
  check_matrix<T>(&C::backward_weights, "dw", &C::dw);
}

TEST_CASE_TEMPLATE("linear: shapes that do not fit", T, float, double) {
  using C = Calls<T>;
  check_misuse<T>(&C::forward, "weights", "3", [](C& c) { c.weights.cols = 3; });
  check_misuse<T>(&C::forward, "y shape", "2 x 5", [](C& c) { c.y.rows = 2; });
  check_misuse<T>(&C::forward, "y shape", "3 x 4", [](C& c) { c.y.cols = 4; });
  check_misuse<T>(&C::forward, "y shape", "0 x 0", [](C& c) { c.y = {}; });
  check_misuse<T>(&C::forward, "bias", "4", [](C& c) { c.bias = c.bias.first(4); });
  check_misuse<T>(&C::forward, "mask", "1", [](C& c) { c.mask = c.mask.first(1); });
  check_misuse<T>(&C::forward, "mask", "3", [](C& c) { c.mask = {c.bits.data(), 3}; });
  check_misuse<T>(&C::backward_input, "weights", "4", [](C& c) { c.weights.rows = 4; });
  check_misuse<T>(&C::backward_input, "stored shape", "2 x 4", [](C& c) { c.stored.rows = 2; });
  check_misuse<T>(&C::backward_input, "stored shape", "3 x 3", [](C& c) { c.stored.cols = 3; });
  check_misuse<T>(&C::backward_input, "stored shape", "0 x 4", [](C& c) { c.stored.rows = 0; });
  check_misuse<T>(&C::backward_input, "dx shape", "2 x 4", [](C& c) { c.dx.rows = 2; });
  check_misuse<T>(&C::backward_input, "dx shape", "3 x 5", [](C& c) { c.dx.cols = 5; });
  check_misuse<T>(&C::backward_weights, "x", "2", [](C& c) { c.x.rows = 2; });
  check_misuse<T>(&C::backward_weights, "dw shape", "4 x 4", [](C& c) { c.dw.rows = 4; });
  check_misuse<T>(&C::backward_weights, "dw shape", "5 x 3", [](C& c) { c.dw.cols = 3; });
  check_misuse<T>(&C::backward_weights, "db", "3", [](C& c) { c.db = c.db.first(3); });
}

TEST_CASE_TEMPLATE("linear: values out of range", T, float, double) {
  using C = Calls<T>;
  for (const auto& [value, text] : bad_keep_probs) {
    const double p = value;
    check_misuse<T>(&C::forward, "keep_prob", text, [p](C& c) { c.dropout.keep_prob = p; });
    check_misuse<T>(&C::backward_input, "keep_prob", text, [p](C& c) { c.keep_prob = p; });
    check_misuse<T>(&C::backward_input, "keep_prob", text, [p](C& c) {
      c.keep_prob = p;
      c.stored = {};
    });
  }
  for (const int bad : {2, -1}) {
    const std::string text = std::to_string(bad);
    check_misuse<T>(&C::forward, "activation", text,
                    [bad](C& c) { c.activation = static_cast<Activation>(bad); });
    check_misuse<T>(&C::forward, "rule", text,
                    [bad](C& c) { c.dropout.rule = static_cast<simdrop::MaskRule>(bad); });
    check_misuse<T>(&C::forward, "rounds", text,
                    [bad](C& c) { c.dropout.rounds = static_cast<simdrop::PhiloxRounds>(bad); });
  }
  for (const int bad : {-1, -3}) {
    const std::string text = std::to_string(bad);
    for (const Call<T> call : {&C::forward, &C::backward_input, &C::backward_weights}) {
      check_misuse<T>(call, "threads.count", text, [bad](C& c) { c.num_threads = bad; });
    }
  }
}

TEST_CASE_TEMPLATE("linear: outputs that overlap another argument", T, float, double) {
  using C = Calls<T>;
  const auto bytes = [](T* p) { return reinterpret_cast<std::uint8_t*>(p); };
  check_misuse<T>(&C::forward, "y", "overlaps x", [](C& c) { c.y.data = c.x.data; });
  check_misuse<T>(&C::forward, "y", "overlaps x", [](C& c) { c.y.data = c.x.data + 11; });
  check_misuse<T>(&C::forward, "y", "overlaps x", [](C& c) { c.x.data = c.y.data + 14; });
  check_misuse<T>(&C::forward, "y", "overlaps weights",
                  [](C& c) { c.weights.data = c.y.data + 14; });
  check_misuse<T>(&C::forward, "y", "overlaps bias", [](C& c) { c.bias = {c.y.data + 14, 5}; });
  check_misuse<T>(&C::forward, "mask", "overlaps x", [&](C& c) {
    c.mask = {bytes(c.x.data + 11), 2};
  });
  check_misuse<T>(&C::forward, "mask", "overlaps y", [&](C& c) {
    c.mask = {bytes(c.y.data) + 1, 2};
  });
  check_misuse<T>(&C::forward, "mask", "overlaps bias", [&](C& c) {
    c.mask = {bytes(&c.bias[4]) + 1, 2};
  });
  check_misuse<T>(&C::forward, "mask", "overlaps weights", [&](C& c) {
    c.mask = {bytes(c.weights.data) - 1, 2};
  });
  check_misuse<T>(&C::backward_input, "dx", "overlaps dy",
                  [](C& c) { c.dy.data = c.dx.data + 11; });
  check_misuse<T>(&C::backward_input, "dx", "overlaps weights",
                  [](C& c) { c.dx.data = c.weights.data; });
  check_misuse<T>(&C::backward_input, "dx", "overlaps stored",
                  [](C& c) { c.dx.data = c.stored.data; });
  check_misuse<T>(&C::backward_weights, "dw", "overlaps dy", [](C& c) { c.dw.data = c.dy.data; });
  check_misuse<T>(&C::backward_weights, "dw", "overlaps x",
                  [](C& c) { c.x.data = c.dw.data + 19; });
  check_misuse<T>(&C::backward_weights, "db", "overlaps dy", [](C& c) {
    c.db = {c.dy.data + 14, 5};
  });
  check_misuse<T>(&C::backward_weights, "db", "overlaps x", [](C& c) {
    c.db = {c.x.data + 11, 5};
  });
  check_misuse<T>(&C::backward_weights, "db", "overlaps dw", [](C& c) {
    c.db = {c.dw.data + 19, 5};
  });
}

TEST_CASE_TEMPLATE("linear: arguments side by side are no overlap", T, float, double) {
  Calls<T> c;
  // Columns 0 ... 3, 4 ... 8 and 9 ... 12 of one matrix of three rows; the bias behind the first.
  c.x = {c.at(0), 3, 4, 20};
  c.y = {c.at(4), 3, 5, 20};
  c.dx = {c.at(9), 3, 4, 20};
  c.bias = {c.at(13), 5};
  c.stored = {c.at(53), 3, 4, 4};  // right behind the last element of dx
  c.weights = {c.at(180), 5, 4, 4};
  CHECK_NOTHROW(c.forward());
  CHECK_NOTHROW(c.backward_input());
  c.db = {c.dw.data - 5, 5};
  CHECK_NOTHROW(c.backward_weights());
  CHECK(c.memory != c.before);
  // Rows of other lengths fall into step somewhere.
  c.y = {c.at(4), 3, 5, 19};
  expect_invalid("y", "overlaps x", [&] { c.forward(); });
  c.y = {c.at(4), 3, 5, 20};
  // Wrapping around into the next row is one.
  c.y.data = c.at(17);
  expect_invalid("y", "overlaps x", [&] { c.forward(); });
}
