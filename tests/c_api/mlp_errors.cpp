// Misuse of the C API's network: a status, a message that names the argument, nothing written.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>

#include "helpers/c_api_network.h"

namespace {

using c_api::Batch;
using c_api::create;
using c_api::expect_error;
using c_api::expect_invalid;
using c_api::made;
using c_api::make_config;

constexpr std::int64_t too_large = std::numeric_limits<std::int64_t>::max();

void refuses_config(std::string_view name, std::string_view value,
                    const std::function<void(simdrop_mlp_config&)>& spoil) {
  auto config = make_config();
  spoil(config);
  simdrop_mlp* mlp = nullptr;
  expect_invalid(name, value,
                 [&](simdrop_error* error) { return simdrop_mlp_create(&config, &mlp, error); });
  CHECK(mlp == nullptr);
}

void no_tasks(void*, size_t, void (*)(void*, size_t), void*) {}

}  // namespace

TEST_SUITE("C API network errors") {
  TEST_CASE("configurations out of range") {
    using C = simdrop_mlp_config;
    refuses_config("widths", "NULL", [](C& c) { c.widths = nullptr; });
    refuses_config("num_widths", "-1", [](C& c) { c.num_widths = -1; });
    refuses_config("widths.size()", "1", [](C& c) { c.num_widths = 1; });
    const std::int64_t negative[] = {5, -1, 2};
    refuses_config("width", "-1", [&](C& c) { c.widths = negative; });
    refuses_config("keep_prob", "NULL", [](C& c) { c.keep_prob = nullptr; });
    refuses_config("keep_prob.size()", "1", [](C& c) { c.num_keep_prob = 1; });
    refuses_config("input_keep_prob", "2", [](C& c) { c.input_keep_prob = 2.0; });
    refuses_config("max_batch", "-8", [](C& c) { c.max_batch = -8; });
    refuses_config("dropout_group", "-1", [](C& c) { c.dropout_group = -1; });
    refuses_config("loss", "3", [](C& c) { c.loss = 3; });
    refuses_config("init", "2", [](C& c) { c.init = 2; });
    refuses_config("dropout_unit", "2", [](C& c) { c.dropout_unit = 2; });
    refuses_config("record", "2", [](C& c) { c.record = 2; });
    refuses_config("num_threads", "-1", [](C& c) { c.num_threads = -1; });
    refuses_config("reserved", "1", [](C& c) { c.reserved = 1; });
    refuses_config("config->struct_size", "8", [](C& c) { c.struct_size = 8; });
    const std::size_t never_set = 4097;  // would be looked through for zeros, beyond its end
    refuses_config("config->struct_size", "4097", [=](C& c) { c.struct_size = never_set; });
    simdrop_executor executor{sizeof(simdrop_executor), nullptr, nullptr, 1, 0};
    refuses_config("executor->parallel_for", "NULL", [&](C& c) { c.executor = &executor; });
    executor.parallel_for = no_tasks;
    executor.max_concurrency = 0;
    refuses_config("executor->max_concurrency", "0", [&](C& c) { c.executor = &executor; });
    executor.struct_size = 0;
    refuses_config("executor->struct_size", "0", [&](C& c) { c.executor = &executor; });
  }

  TEST_CASE("a network that no memory holds") {
    // Beyond what can be counted: a sanitizer's allocator ends the program for what is merely
    // large.
    const std::int64_t huge[] = {std::int64_t{1} << 62, std::int64_t{1} << 62};
    auto config = made(simdrop_mlp_config_init);
    config.widths = huge;
    config.num_widths = 2;
    config.loss = SIMDROP_LOSS_IDENTITY_MSE;
    simdrop_mlp* mlp = nullptr;
    expect_error(SIMDROP_OUT_OF_MEMORY, "out of memory", "",
                 [&](simdrop_error* error) { return simdrop_mlp_create(&config, &mlp, error); });
    CHECK(mlp == nullptr);
  }

  TEST_CASE("NULL objects and places") {
    const auto config = make_config();
    const auto mlp = create(config);
    const auto sgd = made(simdrop_optimizer_config_init);
    simdrop_optimizer* optimizer = nullptr;
    double loss = 0.0;
    float value = 3.5F;
    simdrop_tensor tensor{sizeof(simdrop_tensor), nullptr, 0, 0, 0, 0, 0};
    using E = simdrop_error*;
    expect_invalid("mlp", "NULL", [&](E e) { return simdrop_mlp_create(&config, nullptr, e); });
    simdrop_mlp* made_none = nullptr;
    expect_invalid("config", "NULL",
                   [&](E e) { return simdrop_mlp_create(nullptr, &made_none, e); });
    expect_invalid("mlp", "NULL", [&](E e) {
      return simdrop_mlp_predict(nullptr, 1, &value, 5, &value, 3, nullptr, e);
    });
    expect_invalid("mlp", "NULL",
                   [&](E e) { return simdrop_mlp_backward(nullptr, nullptr, &loss, nullptr, e); });
    expect_invalid("mlp", "NULL", [&](E e) {
      return simdrop_mlp_tensor(nullptr, SIMDROP_TENSOR_Z, 1, &tensor, e);
    });
    expect_invalid("tensor", "NULL", [&](E e) {
      return simdrop_mlp_tensor(mlp.get(), SIMDROP_TENSOR_Z, 1, nullptr, e);
    });
    expect_invalid("mlp", "NULL",
                   [&](E e) { return simdrop_optimizer_create(&sgd, nullptr, &optimizer, e); });
    expect_invalid("optimizer", "NULL",
                   [&](E e) { return simdrop_optimizer_create(&sgd, mlp.get(), nullptr, e); });
    expect_invalid("optimizer", "NULL",
                   [&](E e) { return simdrop_optimizer_set_learning_rate(nullptr, 0.1, e); });
    CHECK(optimizer == nullptr);
    CHECK(value == 3.5F);
    simdrop_mlp_destroy(nullptr);
    simdrop_optimizer_destroy(nullptr);
    CHECK(simdrop_mlp_num_parameters(nullptr) == 0);
    CHECK(simdrop_optimizer_step_count(nullptr) == 0);
  }

  TEST_CASE("shapes, overlaps and targets of the computations") {
    const Batch batch;
    const auto config = make_config();
    const auto mlp = create(config);
    std::vector<float> out(40, 3.5F);
    using E = simdrop_error*;
    const auto predict = [&](std::int64_t rows, const float* x, std::int64_t ld, float* y,
                             std::int64_t y_ld) {
      return [=, &mlp](E e) {
        return simdrop_mlp_predict(mlp.get(), rows, x, ld, y, y_ld, nullptr, e);
      };
    };
    const float* x = batch.x.data();
    expect_invalid("rows", "-8", predict(-8, x, 5, out.data(), 3));
    expect_invalid("x_ld", "-5", predict(8, x, -5, out.data(), 3));
    expect_invalid("x.ld", "4", predict(8, x, 4, out.data(), 3));
    expect_invalid("x.data", "null", predict(8, nullptr, 5, out.data(), 3));
    expect_invalid("out.data", "null", predict(8, x, 5, nullptr, 3));
    expect_invalid("x.rows", "fits in memory", predict(too_large / 8, x, 5, out.data(), 3));
    expect_invalid("out.rows", "fits in memory", predict(8, x, 5, out.data(), too_large / 16));
    expect_invalid("out", "overlaps x", predict(4, out.data(), 5, out.data() + 1, 3));
    simdrop_targets targets = batch.targets(config.loss);
    double loss = 3.5;
    const auto backward = [&](E e) {
      return simdrop_mlp_backward(mlp.get(), &targets, &loss, nullptr, e);
    };
    expect_error(SIMDROP_INVALID_STATE, "forward()", "", backward);
    REQUIRE(simdrop_mlp_forward(mlp.get(), 8, x, 5, 0, 0, nullptr, nullptr) == SIMDROP_OK);
    targets.values = batch.values.data();
    expect_invalid("targets", "both", backward);
    targets.labels = nullptr;
    expect_invalid("targets is values", "labels", backward);
    targets.values = nullptr;
    expect_invalid("targets", "neither", backward);
    targets.struct_size = 3;
    expect_invalid("targets->struct_size", "3", backward);
    expect_invalid("x.rows", "9",
                   [&](E e) { return simdrop_mlp_forward(mlp.get(), 9, x, 5, 0, 0, nullptr, e); });
    expect_invalid("optimizer", "NULL", [&](E e) {
      const simdrop_targets good = batch.targets(config.loss);
      return simdrop_mlp_train_step(mlp.get(), 8, x, 5, &good, nullptr, 0, &loss, nullptr, e);
    });
    CHECK(loss == 3.5);
    CHECK(out == std::vector<float>(40, 3.5F));
  }

  TEST_CASE("predictors and clones") {
    const auto mlp = create(make_config());
    simdrop_predictor* predictor = nullptr;
    float value = 3.5F;
    using E = simdrop_error*;
    expect_invalid("mlp", "NULL", [&](E e) {
      return simdrop_predictor_create(nullptr, 1, nullptr, &predictor, e);
    });
    expect_invalid("max_batch", "0", [&](E e) {
      return simdrop_predictor_create(mlp.get(), 0, nullptr, &predictor, e);
    });
    expect_invalid("predictor", "NULL", [&](E e) {
      return simdrop_predictor_create(mlp.get(), 1, nullptr, nullptr, e);
    });
    simdrop_mlp* clone = nullptr;
    expect_invalid("mlp", "NULL", [&](E e) { return simdrop_mlp_clone(nullptr, &clone, e); });
    expect_invalid("clone", "NULL", [&](E e) { return simdrop_mlp_clone(mlp.get(), nullptr, e); });
    CHECK(clone == nullptr);
    CHECK(predictor == nullptr);
    expect_invalid("predictor", "NULL", [&](E e) {
      return simdrop_predictor_predict(nullptr, 1, &value, 5, &value, 3, nullptr, e);
    });
    expect_invalid("predictor", "NULL", [&](E e) {
      return simdrop_predictor_predict_monte_carlo(nullptr, 1, &value, 5, 1, 0, 0, &value, 3,
                                                   &value, 3, nullptr, e);
    });
    CHECK(value == 3.5F);
    simdrop_predictor_destroy(nullptr);
  }

  TEST_CASE("a network's own memory as a batch, as targets or for predictions") {
    const Batch batch;
    auto config = make_config();
    const std::vector<std::int64_t> square{3, 3, 3, 3};
    config.widths = square.data();
    config.loss = SIMDROP_LOSS_IDENTITY_MSE;
    const auto mlp = create(config);
    const auto sgd = create(made(simdrop_optimizer_config_init), mlp.get());
    simdrop_targets targets{sizeof(simdrop_targets), nullptr, batch.values.data(), 3};
    using E = simdrop_error*;
    const auto step = [&](const float* x) {
      return [&, x](E e) {
        return simdrop_mlp_train_step(mlp.get(), 1, x, 3, &targets, sgd.get(), 0, nullptr, nullptr,
                                      e);
      };
    };
    REQUIRE(step(batch.x.data())(nullptr) == SIMDROP_OK);
    for (simdrop_tensor_kind kind = 0; kind <= SIMDROP_TENSOR_DB; ++kind) {
      simdrop_tensor t{sizeof(simdrop_tensor), nullptr, 0, 0, 0, 0, 0};
      const std::int64_t layer = kind == SIMDROP_TENSOR_MASK ? 0 : 1;
      REQUIRE(simdrop_mlp_tensor(mlp.get(), kind, layer, &t, nullptr) == SIMDROP_OK);
      auto* own = static_cast<float*>(t.data);
      const char* said = "overlaps the network's own";
      expect_invalid("x", said, step(own));
      expect_invalid("x", said, [&](E e) {
        return simdrop_mlp_forward(mlp.get(), 1, own, 3, 0, 0, nullptr, e);
      });
      targets.values = own;
      expect_invalid("targets.values", said, step(batch.x.data()));
      expect_invalid("targets.values", said, [&](E e) {
        return simdrop_mlp_backward(mlp.get(), &targets, nullptr, nullptr, e);
      });
      targets.values = batch.values.data();
      expect_invalid("out", said, [&](E e) {
        return simdrop_mlp_predict(mlp.get(), 1, batch.x.data(), 3, own, 3, nullptr, e);
      });
    }
    CHECK(simdrop_optimizer_step_count(sgd.get()) == 1);
  }

  TEST_CASE("layers, kinds and masks that are none") {
    auto config = make_config();
    config.record = 0;
    const auto mlp = create(config);
    simdrop_tensor t{sizeof(simdrop_tensor), nullptr, -7, 0, 0, 0, 0};
    using E = simdrop_error*;
    const auto tensor = [&](simdrop_tensor_kind kind, std::int64_t layer) {
      return [=, &t, &mlp](E e) { return simdrop_mlp_tensor(mlp.get(), kind, layer, &t, e); };
    };
    expect_invalid("kind", "9", tensor(9, 1));
    expect_invalid("layer", "-1", tensor(SIMDROP_TENSOR_WEIGHTS, -1));
    expect_invalid("layer", "4", tensor(SIMDROP_TENSOR_WEIGHTS, 4));
    expect_error(SIMDROP_INVALID_STATE, "record", "", tensor(SIMDROP_TENSOR_Z, 1));
    expect_error(SIMDROP_INVALID_STATE, "backward()", "", tensor(SIMDROP_TENSOR_DW, 1));
    CHECK(t.rows == -7);
    const std::uint8_t bits[20] = {};
    expect_invalid("bits", "NULL",
                   [&](E e) { return simdrop_mlp_inject_mask(mlp.get(), 1, nullptr, 17, e); });
    expect_invalid("bits.size()", "16",
                   [&](E e) { return simdrop_mlp_inject_mask(mlp.get(), 1, bits, 16, e); });
    expect_invalid("size", "-17",
                   [&](E e) { return simdrop_mlp_inject_mask(mlp.get(), 1, bits, -17, e); });
    expect_invalid("keep_prob", "1.5",
                   [&](E e) { return simdrop_mlp_set_keep_prob(mlp.get(), 1, 1.5, e); });
    auto sgd = made(simdrop_optimizer_config_init);
    sgd.kind = 3;
    simdrop_optimizer* optimizer = nullptr;
    expect_invalid("kind", "3",
                   [&](E e) { return simdrop_optimizer_create(&sgd, mlp.get(), &optimizer, e); });
    CHECK(optimizer == nullptr);
  }
}
