// The C API's network and optimisers: the bits of the C++ API.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "helpers/c_api_network.h"

namespace {

using c_api::Batch;
using c_api::create;
using c_api::made;
using c_api::make_config;
using c_api::same;
using simdrop::ConstMatrix;

void check_intermediates(simdrop_mlp* mlp, const simdrop::Mlp& want) {
  CHECK(same(mlp, SIMDROP_TENSOR_A, 0, want.a(0)));
  for (std::size_t l = 1; l <= 3; ++l) {
    CHECK(same(mlp, SIMDROP_TENSOR_Z, l, want.z(l)));
    CHECK(same(mlp, SIMDROP_TENSOR_A, l, want.a(l)));
    CHECK(same(mlp, SIMDROP_TENSOR_DZ, l, want.dz(l)));
    CHECK(same(mlp, SIMDROP_TENSOR_DW, l, want.dw(l)));
    CHECK(same(mlp, SIMDROP_TENSOR_DB, l, want.db(l)));
    if (l < 3) CHECK(same(mlp, SIMDROP_TENSOR_DA, l, want.da(l)));
    simdrop_tensor mask{sizeof(simdrop_tensor), nullptr, 0, 0, 0, -1, -1};
    const auto layer = static_cast<std::int64_t>(l - 1);
    REQUIRE(simdrop_mlp_tensor(mlp, SIMDROP_TENSOR_MASK, layer, &mask, nullptr) == SIMDROP_OK);
    const auto bits = want.mask(l - 1);
    CHECK(mask.dtype == SIMDROP_U8);
    REQUIRE(static_cast<std::size_t>(mask.cols) == bits.size());
    CHECK(std::memcmp(mask.data, bits.data(), bits.size()) == 0);
  }
}

// Runs tasks on threads of its own, and counts them.
struct Pool {
  std::size_t tasks = 0;

  static void run(void* context, size_t count, void (*task)(void*, size_t), void* task_context) {
    static_cast<Pool*>(context)->tasks += count;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back(task, task_context, i);
    for (std::thread& thread : threads) thread.join();
  }
  simdrop_executor executor() { return {sizeof(simdrop_executor), this, &Pool::run, 2, 0}; }
};

}  // namespace

TEST_SUITE("C API network") {
  TEST_CASE("defaults are those of the C++ structures") {
    const auto config = made(simdrop_mlp_config_init);
    const simdrop::MlpConfig want;
    CHECK(config.input_keep_prob == want.input_keep_prob);
    CHECK(config.seed == want.seed);
    CHECK(config.loss == static_cast<simdrop_loss>(want.loss));
    CHECK(config.init == static_cast<simdrop_init>(want.init));
    CHECK(config.dropout_unit == static_cast<simdrop_dropout_unit>(want.dropout_unit));
    CHECK(config.num_threads == want.num_threads);
    CHECK(config.record == 0);
    CHECK(config.keep_gradients == 0);
    CHECK(config.lazy_updates == 0);
    CHECK(config.max_batch == static_cast<std::int64_t>(want.max_batch));
    const auto optimizer = made(simdrop_optimizer_config_init);
    const simdrop::OptimizerConfig wanted;
    CHECK(optimizer.learning_rate == wanted.learning_rate);
    CHECK(optimizer.beta1 == wanted.beta1);
    CHECK(optimizer.beta2 == wanted.beta2);
    CHECK(optimizer.epsilon == wanted.epsilon);
    CHECK(optimizer.kind == SIMDROP_SGD);
  }

  TEST_CASE("forward and backward of every loss and unit, with all intermediates") {
    const Batch batch;
    for (const simdrop_loss loss :
         {SIMDROP_LOSS_SIGMOID_BCE, SIMDROP_LOSS_SOFTMAX_CE, SIMDROP_LOSS_IDENTITY_MSE}) {
      for (const simdrop_dropout_unit unit : {SIMDROP_UNIT_ELEMENT, SIMDROP_UNIT_NEURON}) {
        Batch b = batch;
        for (float& y : b.values) y = y > 0.0F ? 1.0F : 0.0F;
        auto config = make_config();
        config.loss = loss;
        config.dropout_unit = unit;
        const auto mlp = create(config);
        simdrop::Mlp want(c_api::same_config(config));
        CHECK(c_api::same_parameters(mlp.get(), want));
        REQUIRE(simdrop_mlp_forward(mlp.get(), 8, b.x.data(), 5, 3, 100, nullptr, nullptr) ==
                SIMDROP_OK);
        want.forward(b.inputs(), 3, 100);
        double got_loss = -1.0;
        const simdrop_targets targets = b.targets(loss);
        REQUIRE(simdrop_mlp_backward(mlp.get(), &targets, &got_loss, nullptr, nullptr) ==
                SIMDROP_OK);
        CHECK(got_loss == want.backward(b.same_targets(loss)));
        check_intermediates(mlp.get(), want);
      }
    }
  }

  TEST_CASE("training steps, predictions and losses, whoever runs them") {
    const Batch batch;
    const auto config = make_config();
    Pool pool;
    const simdrop_executor executor = pool.executor();
    auto on_pool = c_api::make_exec(2), on_two = c_api::make_exec(2);
    on_pool.executor = &executor;
    for (const simdrop_exec* exec :
         {static_cast<const simdrop_exec*>(nullptr), static_cast<const simdrop_exec*>(&on_two),
          static_cast<const simdrop_exec*>(&on_pool)}) {
      const auto mlp = create(config);
      simdrop::Mlp want(c_api::same_config(config));
      auto adam = made(simdrop_optimizer_config_init);
      adam.kind = SIMDROP_ADAM;
      const auto optimizer = create(adam, mlp.get());
      simdrop::Optimizer wanted({.kind = simdrop::OptimizerKind::adam}, want.parameter_sizes());
      const simdrop_targets targets = batch.targets(config.loss);
      for (int step = 0; step < 3; ++step) {
        double loss = -1.0;
        REQUIRE(simdrop_mlp_train_step(mlp.get(), 8, batch.x.data(), 5, &targets, optimizer.get(),
                                       16, &loss, exec, nullptr) == SIMDROP_OK);
        CHECK(loss == want.train_step(batch.inputs(), batch.same_targets(config.loss), wanted, 16));
        REQUIRE(simdrop_optimizer_set_learning_rate(optimizer.get(), 0.1, nullptr) == SIMDROP_OK);
        wanted.set_learning_rate(0.1);
      }
      CHECK(c_api::same_parameters(mlp.get(), want));
      CHECK(simdrop_optimizer_step_count(optimizer.get()) == 3);

      std::vector<float> got(24), mean(24), variance(24), expected(24), means(24), variances(24);
      REQUIRE(simdrop_mlp_predict(mlp.get(), 8, batch.x.data(), 5, got.data(), 3, exec, nullptr) ==
              SIMDROP_OK);
      want.predict(batch.inputs(), {expected.data(), 8, 3});
      CHECK(got == expected);
      REQUIRE(simdrop_mlp_predict_monte_carlo(mlp.get(), 8, batch.x.data(), 5, 4, 7, 16,
                                              mean.data(), 3, variance.data(), 3, exec,
                                              nullptr) == SIMDROP_OK);
      want.predict_monte_carlo(batch.inputs(), 4, {means.data(), 8, 3}, {variances.data(), 8, 3}, 7,
                               16);
      CHECK(mean == means);
      CHECK(variance == variances);
      double loss = -1.0;
      REQUIRE(simdrop_mlp_loss(mlp.get(), 8, got.data(), 3, &targets, &loss, nullptr) ==
              SIMDROP_OK);
      CHECK(loss == want.loss_of(ConstMatrix{got.data(), 8, 3}, batch.same_targets(config.loss)));
    }
  }

  TEST_CASE("an executor runs what is worth sharing, per call and per object") {
    Pool pool;
    const simdrop_executor executor = pool.executor();
    auto exec = c_api::make_exec(0);
    exec.executor = &executor;
    const std::int64_t n = 1 << 18;
    std::vector<std::uint8_t> got(n / 8), want(n / 8);
    const simdrop_dropout dropout = c_api::make_dropout(0.5);
    REQUIRE(simdrop_bernoulli_mask(&dropout, n, got.data(), &exec, nullptr) == SIMDROP_OK);
    REQUIRE(simdrop_bernoulli_mask(&dropout, n, want.data(), nullptr, nullptr) == SIMDROP_OK);
    CHECK(got == want);
    CHECK(pool.tasks == 2);

    pool.tasks = 0;
    const std::vector<std::int64_t> widths{256, 512, 10};
    auto config = made(simdrop_mlp_config_init);
    config.widths = widths.data();
    config.num_widths = 3;
    config.max_batch = 64;
    config.num_threads = 0;
    const auto alone = create(config);
    config.executor = &executor;
    const auto shared = create(config);
    const std::vector<float> x = test::random_floats(64 * 256, 1);
    std::vector<float> a(640), b(640);
    const simdrop_exec one = c_api::make_exec(1);
    CHECK(simdrop_mlp_predict(shared.get(), 64, x.data(), 256, a.data(), 10, nullptr, nullptr) ==
          SIMDROP_OK);
    CHECK(pool.tasks > 0);
    CHECK(simdrop_mlp_predict(alone.get(), 64, x.data(), 256, b.data(), 10, &one, nullptr) ==
          SIMDROP_OK);
    CHECK(a == b);
  }

  TEST_CASE("injected masks and changed probabilities") {
    const Batch batch;
    const auto config = make_config();
    const auto mlp = create(config);
    simdrop::Mlp want(c_api::same_config(config));
    const auto bits = test::random_bytes((8 * 17 + 7) / 8, 9);
    const auto size = static_cast<std::int64_t>(bits.size());
    REQUIRE(simdrop_mlp_inject_mask(mlp.get(), 1, bits.data(), size, nullptr) == SIMDROP_OK);
    want.inject_mask(1, bits);
    REQUIRE(simdrop_mlp_set_keep_prob(mlp.get(), 2, 0.25, nullptr) == SIMDROP_OK);
    want.set_keep_prob(2, 0.25);
    REQUIRE(simdrop_mlp_forward(mlp.get(), 8, batch.x.data(), 5, 0, 0, nullptr, nullptr) ==
            SIMDROP_OK);
    CHECK(same(mlp.get(), SIMDROP_TENSOR_A, 3, want.forward(batch.inputs(), 0)));
    // Without bits, back to drawn ones, wherever they would lie.
    REQUIRE(simdrop_mlp_inject_mask(mlp.get(), 1, bits.data(), 0, nullptr) == SIMDROP_OK);
    want.inject_mask(1, {});
    REQUIRE(simdrop_mlp_forward(mlp.get(), 8, batch.x.data(), 5, 0, 0, nullptr, nullptr) ==
            SIMDROP_OK);
    CHECK(same(mlp.get(), SIMDROP_TENSOR_A, 3, want.forward(batch.inputs(), 0)));
    REQUIRE(simdrop_mlp_inject_mask(mlp.get(), 1, nullptr, 0, nullptr) == SIMDROP_OK);
    REQUIRE(simdrop_mlp_forward(mlp.get(), 8, batch.x.data(), 5, 0, 0, nullptr, nullptr) ==
            SIMDROP_OK);
    CHECK(same(mlp.get(), SIMDROP_TENSOR_A, 3, want.forward(batch.inputs(), 0)));
    simdrop_mlp_config told = made(simdrop_mlp_config_init);
    REQUIRE(simdrop_mlp_get_config(mlp.get(), &told, nullptr) == SIMDROP_OK);
    CHECK(told.num_widths == 4);
    CHECK(told.widths[1] == 17);
    CHECK(told.keep_prob[1] == 0.25);
    CHECK(told.seed == 42);
    CHECK(told.executor == nullptr);
  }

  TEST_CASE("every field of a configuration arrives, and is told as it was given") {
    auto config = make_config();
    config.max_batch = 16;
    config.dropout_group = 4;
    config.dropout_unit = SIMDROP_UNIT_NEURON;
    config.loss = SIMDROP_LOSS_IDENTITY_MSE;
    config.init = SIMDROP_INIT_XAVIER;
    config.num_threads = 2;
    config.keep_gradients = 1;
    for (const bool lazy : {false, true}) {
      config.lazy_updates = lazy;
      if (lazy) config.dropout_group = 0;
      const auto mlp = create(config);
      auto told = made(simdrop_mlp_config_init);
      REQUIRE(simdrop_mlp_get_config(mlp.get(), &told, nullptr) == SIMDROP_OK);
      told.widths = config.widths;
      told.keep_prob = config.keep_prob;
      CHECK(std::memcmp(&told, &config, sizeof(config)) == 0);
    }
    const auto mlp = create(config);
    auto rule = made(simdrop_optimizer_config_init);
    rule.learning_rate = 0.25;
    rule.momentum = 0.5;
    rule.weight_decay = 0.125;
    rule.beta1 = 0.75;
    rule.beta2 = 0.875;
    rule.epsilon = 1e-3;
    rule.max_norm = 2.0;
    rule.kind = SIMDROP_ADAMW;
    rule.nesterov = 1;
    const auto optimizer = create(rule, mlp.get());
    auto told = made(simdrop_optimizer_config_init);
    REQUIRE(simdrop_optimizer_get_config(optimizer.get(), &told, nullptr) == SIMDROP_OK);
    CHECK(std::memcmp(&told, &rule, sizeof(rule)) == 0);
  }

  TEST_CASE("a clone is the network as it was, also when that is gone") {
    const Batch batch;
    Pool pool;
    const simdrop_executor executor = pool.executor();
    auto config = make_config();
    config.executor = &executor;
    config.num_threads = 0;
    auto mlp = create(config);
    const simdrop::Mlp want(c_api::same_config(config));
    simdrop_mlp* made_one = nullptr;
    REQUIRE(simdrop_mlp_clone(mlp.get(), &made_one, nullptr) == SIMDROP_OK);
    const c_api::Handle<simdrop_mlp> clone(made_one);
    const simdrop_targets targets = batch.targets(config.loss);
    auto optimizer = create(made(simdrop_optimizer_config_init), mlp.get());
    REQUIRE(simdrop_mlp_train_step(mlp.get(), 8, batch.x.data(), 5, &targets, optimizer.get(), 0,
                                   nullptr, nullptr, nullptr) == SIMDROP_OK);
    CHECK(!c_api::same_parameters(mlp.get(), want));
    mlp.reset();
    CHECK(c_api::same_parameters(clone.get(), want));
    REQUIRE(simdrop_mlp_train_step(clone.get(), 8, batch.x.data(), 5, &targets, optimizer.get(), 0,
                                   nullptr, nullptr, nullptr) == SIMDROP_OK);
    simdrop_mlp_config told = made(simdrop_mlp_config_init);
    REQUIRE(simdrop_mlp_get_config(clone.get(), &told, nullptr) == SIMDROP_OK);
    REQUIRE(told.executor != nullptr);
    CHECK(told.executor->context == &pool);
  }

  TEST_CASE("an executor of a larger size is remembered as one of the known size") {
    Pool pool;
    struct {
      simdrop_executor known;
      char more[32];
    } larger{pool.executor(), {}};
    larger.known.struct_size = sizeof(larger);
    auto config = make_config();
    config.executor = &larger.known;
    const auto mlp = create(config);
    auto told = made(simdrop_mlp_config_init);
    REQUIRE(simdrop_mlp_get_config(mlp.get(), &told, nullptr) == SIMDROP_OK);
    CHECK(told.executor->struct_size == sizeof(simdrop_executor));
    simdrop_mlp* clone = nullptr;
    REQUIRE(simdrop_mlp_clone(mlp.get(), &clone, nullptr) == SIMDROP_OK);
    const c_api::Handle<simdrop_mlp> owner(clone);
  }

  TEST_CASE("predictors share one network among threads") {
    const Batch batch;
    const auto mlp = create(make_config());
    std::vector<float> want(24), means(24), variances(24);
    REQUIRE(simdrop_mlp_predict(mlp.get(), 8, batch.x.data(), 5, want.data(), 3, nullptr,
                                nullptr) == SIMDROP_OK);
    REQUIRE(simdrop_mlp_predict_monte_carlo(mlp.get(), 8, batch.x.data(), 5, 4, 1, 2, means.data(),
                                            3, variances.data(), 3, nullptr,
                                            nullptr) == SIMDROP_OK);
    std::vector<int> good(4, 0);
    const auto work = [&](int& result) {
      simdrop_predictor* made_one = nullptr;
      const simdrop_exec exec = c_api::make_exec(1);
      if (simdrop_predictor_create(mlp.get(), 8, &exec, &made_one, nullptr) != SIMDROP_OK) return;
      const c_api::Handle<simdrop_predictor> predictor(made_one);
      std::vector<float> out(24), mean(24), variance(24);
      for (int i = 0; i < 20; ++i) {
        simdrop_predictor_predict(made_one, 8, batch.x.data(), 5, out.data(), 3, nullptr, nullptr);
        simdrop_predictor_predict_monte_carlo(made_one, 8, batch.x.data(), 5, 4, 1, 2, mean.data(),
                                              3, variance.data(), 3, &exec, nullptr);
        result += out == want && mean == means && variance == variances;
      }
    };
    std::vector<std::thread> threads;
    for (int& result : good) threads.emplace_back(work, std::ref(result));
    for (std::thread& thread : threads) thread.join();
    CHECK(good == std::vector<int>(4, 20));
  }

  TEST_CASE("what says how large a network is, and which streams it draws") {
    const auto mlp = create(make_config());
    CHECK(simdrop_mlp_num_parameters(mlp.get()) == 5 * 17 + 17 + 17 * 9 + 9 + 9 * 3 + 3);
    CHECK(simdrop_mlp_workspace_bytes(mlp.get()) > 0);
    std::uint64_t id = 0;
    REQUIRE(simdrop_mlp_mask_stream_id(2, 77, &id, nullptr) == SIMDROP_OK);
    CHECK(id == simdrop::Mlp::mask_stream_id(2, 77));
    REQUIRE(simdrop_mlp_sample_stream_id(2, 77, &id, nullptr) == SIMDROP_OK);
    CHECK(id == simdrop::Mlp::sample_stream_id(2, 77));
  }
}
