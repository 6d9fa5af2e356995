// Checkpoints: what is saved comes back to the last bit, and a run goes on as if it had not
// stopped.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "io/checkpoint_config.h"
#include "simdrop/checkpoint.hpp"

namespace {

using namespace simdrop;

MlpConfig loading(int num_threads = 1) {
  MlpConfig config;
  config.max_batch = 32;
  config.num_threads = num_threads;
  return config;
}

MlpConfig network_config(DropoutUnit unit, bool lazy, std::size_t group) {
  auto config = fixture::make_config({13, 40, 21, 4}, Loss::softmax_ce, {0.8, 0.5, 0.7}, 32);
  config.record = false;
  config.seed = 0xfedcba9876543210;
  config.dropout_unit = unit;
  config.lazy_updates = lazy;
  config.dropout_group = group;
  return config;
}

void train(Mlp& mlp, Optimizer& optimizer, int begin, int end, std::vector<double>& losses) {
  for (int step = begin; step < end; ++step) {
    optimizer.set_learning_rate(0.05 / (1.0 + step / 3.0));
    const auto rows = static_cast<std::size_t>(step % 3 == 0 ? 32 : 19);
    const auto batch =
        fixture::make_batch(mlp.config(), rows, static_cast<std::uint32_t>(5 * (step % 4)));
    losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 32));
  }
}

void check_resume(const MlpConfig& config, const OptimizerConfig& optimizer_config) {
  constexpr int steps = 20;
  constexpr int cut = 9;
  const test::TemporaryDirectory dir;
  std::vector<double> whole_losses, losses;
  Mlp whole(config);
  Optimizer whole_optimizer(optimizer_config, whole.parameter_sizes());
  train(whole, whole_optimizer, 0, steps, whole_losses);
  save_checkpoint(dir.name("whole"), whole, &whole_optimizer);

  Mlp first(config);
  Optimizer optimizer(optimizer_config, first.parameter_sizes());
  train(first, optimizer, 0, cut, losses);
  save_checkpoint(dir.name("cut"), first, &optimizer, {{"a", "b"}});
  Checkpoint loaded = load_checkpoint(dir.name("cut"), loading(2));
  CHECK(loaded.metadata == Metadata{{"a", "b"}});
  REQUIRE(loaded.optimizer);
  CHECK(loaded.optimizer->step_count() == static_cast<std::uint64_t>(cut));
  CHECK(loaded.optimizer->config().learning_rate == optimizer.config().learning_rate);
  CHECK(loaded.mlp.config().num_threads == 2);
  train(loaded.mlp, *loaded.optimizer, cut, steps, losses);
  save_checkpoint(dir.name("resumed"), loaded.mlp, &*loaded.optimizer);

  CHECK(losses == whole_losses);
  CHECK(fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(whole)));
  // State, step count and configuration, too.
  CHECK(test::read_file(dir.name("resumed")) == test::read_file(dir.name("whole")));
}

std::string header_of(const std::vector<double>& keep_probs, std::vector<std::size_t> widths) {
  const test::TemporaryDirectory dir;
  const Mlp mlp(fixture::make_config(std::move(widths), Loss::softmax_ce, keep_probs, 2));
  save_checkpoint(dir.name("f"), mlp);
  return test::header_text(test::read_file(dir.name("f")));
}

bool names(const std::string& header, const std::vector<std::string>& layers) {
  bool all = true;
  std::size_t found = 0;
  for (std::size_t at = 0; (at = header.find("weight\":", at)) != std::string::npos; ++at) ++found;
  for (const std::string& layer : layers) {
    all = all && header.find('"' + layer + ".weight\":") != std::string::npos &&
          header.find('"' + layer + ".bias\":") != std::string::npos;
  }
  return all && found == layers.size();
}

}  // namespace

TEST_CASE("checkpoint: a run that is saved, loaded and resumed is the run that was not") {
  const OptimizerConfig optimizers[] = {
      {.learning_rate = 0.05},
      {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3},
      {.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .max_norm = 0.7},
      {.kind = OptimizerKind::adam, .learning_rate = 0.01},
      {.kind = OptimizerKind::adamw, .learning_rate = 0.01, .weight_decay = 0.01, .max_norm = 1.1}};
  for (const OptimizerConfig& optimizer : optimizers) {
    CAPTURE(static_cast<int>(optimizer.kind));
    CAPTURE(optimizer.momentum);
    check_resume(network_config(DropoutUnit::element, false, 0), optimizer);
    check_resume(network_config(DropoutUnit::neuron, false, 0), optimizer);
    check_resume(network_config(DropoutUnit::neuron, true, 0), optimizer);
    check_resume(network_config(DropoutUnit::neuron, false, 8), optimizer);
  }
}

TEST_CASE("checkpoint: every field of the configuration comes back exactly") {
  const test::TemporaryDirectory dir;
  auto config = fixture::make_config({3, 5, 2, 4}, Loss::identity_mse,
                                     {1.0 / 3.0, 0x1.fffffffffffffp-1, 5e-324}, 7);
  config.init = Init::xavier;
  config.seed = ~std::uint64_t{0};
  Mlp mlp(config);
  mlp.set_keep_prob(2, 0.1);
  OptimizerConfig given{.kind = OptimizerKind::adamw, .learning_rate = 0.1 + 0.2};
  given.weight_decay = 1e-17;
  given.beta1 = 2.0 / 3.0;
  given.beta2 = 0.99999;
  given.epsilon = 1.2345678901234567e-9;
  given.max_norm = 1.0 / 7.0;
  const Optimizer optimizer(given, mlp.parameter_sizes());
  save_checkpoint(dir.name("f"), mlp, &optimizer);
  const Checkpoint loaded = load_checkpoint(dir.name("f"), loading());
  const MlpConfig& network = loaded.mlp.config();
  CHECK(network.widths == config.widths);
  CHECK(network.keep_prob == std::vector<double>{0x1.fffffffffffffp-1, 0.1});
  CHECK(network.input_keep_prob == 1.0 / 3.0);
  CHECK(network.loss == Loss::identity_mse);
  CHECK(network.init == Init::xavier);
  CHECK(network.seed == config.seed);
  CHECK(network.max_batch == 32);
  const OptimizerConfig& read = loaded.optimizer->config();
  CHECK(read.kind == given.kind);
  CHECK(read.learning_rate == given.learning_rate);
  CHECK(read.weight_decay == given.weight_decay);
  CHECK(read.beta1 == given.beta1);
  CHECK(read.beta2 == given.beta2);
  CHECK(read.epsilon == given.epsilon);
  CHECK(read.max_norm == given.max_norm);
}

TEST_CASE("checkpoint: the configuration's text is that of version 0.2.0, byte for byte") {
  MlpConfig network{.widths = {3, 5, 2, 4},
                    .keep_prob = {0x1.fffffffffffffp-1, 1.0 / 3.0},
                    .input_keep_prob = 0.1,
                    .dropout_unit = DropoutUnit::neuron,
                    .dropout_group = 3,
                    .loss = Loss::identity_mse,
                    .init = Init::xavier,
                    .seed = ~std::uint64_t{0}};
  OptimizerConfig rule{.kind = OptimizerKind::adamw,
                       .learning_rate = 0.1 + 0.2,
                       .momentum = 0.5,
                       .nesterov = true,
                       .weight_decay = 1e-17,
                       .beta1 = 2.0 / 3.0,
                       .beta2 = 0.99999,
                       .epsilon = 1.2345678901234567e-9,
                       .max_norm = 1.0 / 7.0};
  const auto check = [&](const std::string& text) {
    Optimizer optimizer(rule, {});
    optimizer.begin_step();
    CHECK(detail::config_text(network, &optimizer) == text);
    const detail::SavedConfig read = detail::parse_config(text, {});
    Optimizer again(*read.optimizer, {});
    again.begin_step();
    CHECK(detail::config_text(read.network, &again) == text);
    CHECK(read.step_count == 1);
  };
  check(R"({"version":1,"network":{"widths":[3,5,2,4],"keep_prob":[0.9999999999999999,)"
        R"(0.3333333333333333],"input_keep_prob":0.1,"dropout_unit":"neuron","lazy_updates":false,)"
        R"("dropout_group":3,"loss":"identity_mse","init":"xavier","seed":18446744073709551615},)"
        R"("optimizer":{"kind":"adamw","learning_rate":0.30000000000000004,"momentum":0.5,)"
        R"("nesterov":true,"weight_decay":1e-17,"beta1":0.6666666666666666,"beta2":0.99999,)"
        R"("epsilon":1.2345678901234566e-09,"max_norm":0.14285714285714285,"step_count":1}})");
  network = {.widths = {2, 2}, .dropout_unit = DropoutUnit::neuron, .lazy_updates = true};
  network.loss = Loss::sigmoid_bce;
  rule = {};
  check(R"({"version":1,"network":{"widths":[2,2],"keep_prob":[],"input_keep_prob":1,)"
        R"("dropout_unit":"neuron","lazy_updates":true,"dropout_group":0,"loss":"sigmoid_bce",)"
        R"("init":"he","seed":0},"optimizer":{"kind":"sgd","learning_rate":0.01,"momentum":0.0,)"
        R"("nesterov":false,"weight_decay":0.0,"beta1":0.9,"beta2":0.999,"epsilon":1e-08,)"
        R"("max_norm":0.0,"step_count":1}})");
  network = {.widths = {2, 2}};
  rule.kind = OptimizerKind::adam;
  check(R"({"version":1,"network":{"widths":[2,2],"keep_prob":[],"input_keep_prob":1,)"
        R"("dropout_unit":"element","lazy_updates":false,"dropout_group":0,"loss":"softmax_ce",)"
        R"("init":"he","seed":0},"optimizer":{"kind":"adam","learning_rate":0.01,"momentum":0.0,)"
        R"("nesterov":false,"weight_decay":0.0,"beta1":0.9,"beta2":0.999,"epsilon":1e-08,)"
        R"("max_norm":0.0,"step_count":1}})");
}

TEST_CASE("checkpoint: tensors have the names of a Sequential with the dropout that acts") {
  CHECK(names(header_of({1.0}, {3, 2}), {"0"}));
  CHECK(names(header_of({0.5}, {3, 2}), {"1"}));
  CHECK(names(header_of({1.0, 1.0, 1.0}, {3, 2, 2, 2}), {"0", "2", "4"}));
  CHECK(names(header_of({1.0, 0.5, 0.0}, {3, 2, 2, 2}), {"0", "3", "6"}));
  CHECK(names(header_of({0.9, 1.0, 0.5}, {3, 2, 2, 2}), {"1", "3", "6"}));
  const std::string header = header_of({1.0}, {3, 2});
  CHECK(header.find("\"format\":\"pt\"") != std::string::npos);
  CHECK(header.find("optimizer") == std::string::npos);
  CHECK(header.find(R"("0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})") !=
        std::string::npos);
}

TEST_CASE("checkpoint: NaN, infinities and -0 are weights; metadata is any text") {
  const test::TemporaryDirectory dir;
  Mlp mlp(fixture::make_config({2, 2}, Loss::identity_mse, {1.0}, 1));
  const Matrix w = mlp.weights(1);
  w(0, 0) = std::numeric_limits<float>::quiet_NaN();
  w(0, 1) = -std::numeric_limits<float>::infinity();
  w(1, 0) = -0.0F;
  const Metadata metadata{{"", ""}, {"k\"\\\n\x01", "\xf0\x9f\x98\x80 \x7f"}};
  save_checkpoint(dir.name("f"), mlp, nullptr, metadata);
  const Checkpoint loaded = load_checkpoint(dir.name("f"), loading());
  CHECK(fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(mlp)));
  CHECK(loaded.metadata == metadata);
  CHECK(!loaded.optimizer);
}

TEST_CASE("checkpoint: misuse") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("f");
  const Mlp mlp(fixture::make_config({2, 2}, Loss::identity_mse, {1.0}, 1));
  const Optimizer other({}, {4, 3});
  using test::expect_invalid;
  expect_invalid("optimizer.sizes()", "", [&] { save_checkpoint(path, mlp, &other); });
  for (const char* taken : {"format", "simdrop"}) {
    expect_invalid("metadata key", taken, [&] {
      save_checkpoint(path, mlp, nullptr, {{taken, "x"}});
    });
  }
  for (const char* bad : {"\xff", "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xe2\x82", "\xe0\x80\x80", "\xc3("}) {
    expect_invalid("metadata key", "", [&] { save_checkpoint(path, mlp, nullptr, {{bad, ""}}); });
    expect_invalid("metadata value of \"k\"", "", [&] {
      save_checkpoint(path, mlp, nullptr, {{"k", bad}});
    });
  }
  CHECK(dir.entries() == 0);

  save_checkpoint(path, mlp);
  MlpConfig config = loading();
  config.max_batch = 0;
  expect_invalid("max_batch", "0", [&] { (void)load_checkpoint(path, config); });
  config = loading();
  config.num_threads = -1;
  expect_invalid("num_threads", "-1", [&] { (void)load_checkpoint(path, config); });
  // What the file tells is not looked at.
  config = loading();
  config.keep_prob = {0.5, 7.0};
  config.widths = {0};
  CHECK(load_checkpoint(path, config).mlp.config().keep_prob.empty());
}
