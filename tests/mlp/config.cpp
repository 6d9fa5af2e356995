// The lists of a configuration's fields, and what a configuration allows without being told.
#include <doctest/doctest.h>

#include <limits>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "mlp/config_fields.h"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace {

using namespace simdrop;

struct Anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

// How many fields an aggregate has: with how many values it can be initialised.
template <class T, class... Values>
consteval std::size_t count_fields() {
  if constexpr (requires { T{Values{}..., Anything{}}; }) {
    return count_fields<T, Values..., Anything>();
  } else {
    return sizeof...(Values);
  }
}

// Notes what a list calls it with.
struct Seen {
  std::set<std::string>& names;
  std::set<const void*>& members;

  template <class Config, class T>
  void operator()(const detail::Field<Config>& field, const T& member) const {
    names.insert(field.name);
    members.insert(&member);
  }
};

}  // namespace

TEST_CASE("config: the lists have every field, once") {
  std::set<std::string> names;
  std::set<const void*> members;
  const MlpConfig network;
  detail::visit_mlp_fields(Seen{names, members}, network);
  CHECK(names.size() == count_fields<MlpConfig>());
  CHECK(members.size() == count_fields<MlpConfig>());
  names.clear();
  members.clear();
  const OptimizerConfig optimizer;
  detail::visit_optimizer_fields(Seen{names, members}, optimizer);
  CHECK(names.size() == count_fields<OptimizerConfig>());
  CHECK(members.size() == count_fields<OptimizerConfig>());
}

TEST_CASE("config: max_batch has a default, and a larger batch is told what limits it") {
  Mlp mlp({.widths = {3, 2}});
  CHECK(mlp.config().max_batch == 256);
  const std::vector<float> x(257 * std::size_t{3});
  CHECK(mlp.forward({x.data(), 256, 3}, 0).rows == 256);
  test::expect_invalid("x.rows", "257; allowed: 1 ... 256 = MlpConfig::max_batch", [&] {
    mlp.forward({x.data(), 257, 3}, 0);
  });
}

// What is computed in float is tested as a float too, and the message tells what was tested.
TEST_CASE("config: a value that float rounds out of its range is an error that says so") {
  const auto message = [](auto OptimizerConfig::*field, double value) {
    OptimizerConfig config;
    config.*field = value;
    return test::invalid_message([&] { Optimizer optimizer(config, {1}); });
  };
  using C = OptimizerConfig;
  CHECK(message(&C::momentum, 0.99999999) ==
        "simdrop: momentum is 0.99999998999999995, rounded to float 1; allowed: 0 <= momentum < 1, "
        "also when rounded to float");
  CHECK(message(&C::beta1, 0.9999999999).find("9, rounded to float 1;") != std::string::npos);
  CHECK(message(&C::beta2, 0.9999999999).find("9, rounded to float 1;") != std::string::npos);
  CHECK(message(&C::learning_rate, 1e39).find("e+38, rounded to float inf;") != std::string::npos);
  CHECK(message(&C::weight_decay, 1e300).find("rounded to float inf;") != std::string::npos);
  CHECK(message(&C::epsilon, 1e-60).find("rounded to float 0;") != std::string::npos);
  CHECK(message(&C::max_norm, 1e-60).find("rounded to float 0;") != std::string::npos);
  // Others are out of range as they are.
  CHECK(message(&C::momentum, 1.0).starts_with("simdrop: momentum is 1; allowed: "));
  CHECK(message(&C::momentum, -0.1).find("rounded to float 0") == std::string::npos);
  CHECK(message(&C::beta1, 1.1).find("rounded to float 1.1") == std::string::npos);
  CHECK(message(&C::learning_rate, std::numeric_limits<double>::infinity())
            .starts_with("simdrop: learning_rate is inf; allowed: "));
  // These are in their ranges: max_norm is used in double.
  CHECK(message(&C::max_norm, 1e39).empty());
  CHECK(message(&C::max_norm, 1e-45).empty());
  CHECK(message(&C::momentum, 0.9999999).empty());
  CHECK(message(&C::learning_rate, 3e38).empty());
  CHECK(message(&C::learning_rate, 1e-300).empty());
}

TEST_CASE("config: softmax has as many outputs as labels can tell apart") {
  const auto with = [](std::size_t outputs, Loss loss) {
    return [=] { Mlp mlp({.widths = {3, outputs}, .loss = loss}); };
  };
  const std::string allowed = "allowed: 2 ... 256 with Loss::softmax_ce";
  for (const std::size_t outputs : {1U, 257U, 1000U}) {
    CAPTURE(outputs);
    const std::string message = test::invalid_message(with(outputs, Loss::softmax_ce));
    CHECK(message == "simdrop: widths.back() is " + std::to_string(outputs) + "; " + allowed);
    CHECK_NOTHROW(with(outputs, Loss::sigmoid_bce)());
    CHECK_NOTHROW(with(outputs, Loss::identity_mse)());
  }
  CHECK_NOTHROW(with(2, Loss::softmax_ce)());
  CHECK_NOTHROW(with(256, Loss::softmax_ce)());
}

TEST_CASE("config: sizes that no memory holds are std::bad_alloc") {
  // Beyond what can be counted: a sanitizer's allocator ends the program for what is merely large.
  for (const std::size_t rows : {~std::size_t{0}, std::size_t{1} << 63, std::size_t{1} << 62}) {
    for (const std::size_t group : {0U, 1U, 2U}) {
      MlpConfig config{.widths = {1, 1, 2}, .max_batch = rows};
      config.dropout_unit = DropoutUnit::neuron;
      config.dropout_group = group;
      CAPTURE(rows);
      CAPTURE(group);
      CHECK_THROWS_AS(Mlp{config}, std::bad_alloc);
    }
    CHECK_THROWS_AS(Mlp({.widths = {1, 2}, .max_batch = rows}), std::bad_alloc);
    CHECK_THROWS_AS(Mlp({.widths = {rows, 2}}), std::bad_alloc);
    CHECK_THROWS_AS(Mlp({.widths = {3, rows, rows, 2}}), std::bad_alloc);
    CHECK_THROWS_AS(Optimizer({.kind = OptimizerKind::adam}, {1, rows}), std::bad_alloc);
    CHECK_THROWS_AS(Optimizer({.momentum = 0.9}, {rows, 1}), std::bad_alloc);
  }
  // Products that are small, or 0, where they wrap.
  const auto power = [](unsigned exponent) { return std::size_t{1} << exponent; };
  const std::vector<std::vector<std::size_t>> widths{{power(32), power(32)},
                                                     {power(33), power(32)},
                                                     {power(31), power(31) + 1},
                                                     {power(62) + 1, 4},
                                                     {4, power(62) + 1, 4}};
  for (const auto& w : widths) {
    CHECK_THROWS_AS(Mlp({.widths = w, .loss = Loss::identity_mse}), std::bad_alloc);
  }
  CHECK_THROWS_AS(Mlp({.widths = {4, 4}, .max_batch = power(62) + 1}), std::bad_alloc);
  CHECK_THROWS_AS(Mlp({.widths = {784, 4}, .max_batch = power(60) + 1}), std::bad_alloc);
}
