// A structure of zeros: where 0 is no value that a member can have, it means the default.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "helpers/c_api_network.h"

namespace {

using c_api::Batch;
using c_api::create;
using c_api::made;
using c_api::make_config;

template <class S>
S zeros() {
  S value{};
  value.struct_size = sizeof(S);
  return value;
}

}  // namespace

TEST_SUITE("C API zeros") {
  TEST_CASE("rounds") {
    auto given = zeros<simdrop_dropout>();
    given.keep_prob = 0.7;
    auto wanted = made(simdrop_dropout_init);
    wanted.keep_prob = 0.7;
    std::vector<std::uint8_t> mask(126), want(126);
    REQUIRE(simdrop_bernoulli_mask(&given, 1001, mask.data(), nullptr, nullptr) == SIMDROP_OK);
    REQUIRE(simdrop_bernoulli_mask(&wanted, 1001, want.data(), nullptr, nullptr) == SIMDROP_OK);
    CHECK(mask == want);
    for (const std::int32_t rounds : {1, -10, 11}) {
      given.rounds = rounds;
      c_api::expect_invalid("rounds", std::to_string(rounds), [&](simdrop_error* error) {
        return simdrop_bernoulli_mask(&given, 1001, mask.data(), nullptr, error);
      });
    }
  }

  TEST_CASE("max_batch") {
    const std::vector<std::int64_t> widths{5, 3};
    auto config = zeros<simdrop_mlp_config>();
    config.widths = widths.data();
    config.num_widths = 2;
    const auto mlp = create(config);
    auto told = made(simdrop_mlp_config_init);
    REQUIRE(simdrop_mlp_get_config(mlp.get(), &told, nullptr) == SIMDROP_OK);
    CHECK(told.max_batch == 256);
    CHECK(told.input_keep_prob == 0.0);  // which is a value
  }

  TEST_CASE("epsilon") {
    const auto mlp = create(make_config());
    auto config = zeros<simdrop_optimizer_config>();
    config.kind = SIMDROP_ADAM;
    const auto optimizer = create(config, mlp.get());
    auto told = made(simdrop_optimizer_config_init);
    REQUIRE(simdrop_optimizer_get_config(optimizer.get(), &told, nullptr) == SIMDROP_OK);
    CHECK(told.epsilon == 1e-8);
    CHECK(told.learning_rate == 0.0);
    CHECK(told.beta1 == 0.0);
  }

  TEST_CASE("values_ld") {
    auto config = make_config();
    config.loss = SIMDROP_LOSS_IDENTITY_MSE;
    const auto mlp = create(config);
    const Batch batch;
    simdrop_targets targets = batch.targets(config.loss);
    std::vector<double> losses;
    for (const std::int64_t ld : {std::int64_t{3}, std::int64_t{0}}) {
      targets.values_ld = ld;
      double loss = -1.0;
      REQUIRE(simdrop_mlp_loss(mlp.get(), 8, batch.values.data(), 3, &targets, &loss, nullptr) ==
              SIMDROP_OK);
      losses.push_back(loss);
    }
    CHECK(losses[0] == losses[1]);
    targets.values_ld = 2;
    c_api::expect_invalid("targets", "2", [&](simdrop_error* error) {
      double loss = 0.0;
      return simdrop_mlp_loss(mlp.get(), 8, batch.values.data(), 3, &targets, &loss, error);
    });
  }
}
