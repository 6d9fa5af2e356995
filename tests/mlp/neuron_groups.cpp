// DropoutUnit::neuron with a mask for each group of examples: which masks, and what becomes of
// them.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/unit_masks.h"

namespace {

using namespace simdrop;

const std::vector<double> keep_probs{0.8, 0.5, 0.7};

MlpConfig config_of(std::size_t group, std::size_t rows, Loss loss = Loss::softmax_ce) {
  auto config = fixture::make_config({5, 33, 20, 3}, loss, keep_probs, rows);
  config.dropout_unit = DropoutUnit::neuron;
  config.dropout_group = group;
  config.seed = 77;
  return config;
}

// By the documentation: row r of a layer is masked by elements (first_row + r) / group * width
// onwards of the stream.
reference::Masks documented_masks(const MlpConfig& config, std::uint64_t step,
                                  std::uint64_t first_row, std::size_t rows) {
  reference::Masks masks;
  for (std::size_t l = 0; l + 1 < config.widths.size(); ++l) {
    const std::size_t width = config.widths[l];
    masks.emplace_back();
    for (std::size_t r = 0; r < rows; ++r) {
      const std::uint64_t group =
          config.dropout_group == 0 ? 0 : (first_row + r) / config.dropout_group;
      std::vector<std::uint8_t> bits(mask_bytes(width));
      bernoulli_mask({.keep_prob = keep_probs[l],
                      .stream = {config.seed, Mlp::mask_stream_id(l, step)},
                      .first = group * width},
                     width, bits);
      for (std::size_t i = 0; i < width; ++i) masks.back().push_back(mask_bit(bits, i));
    }
  }
  return masks;
}

// z of a dropped unit is not computed, but by the oracle.
reference::Tensor without_dropped(reference::Tensor z, const std::vector<bool>& kept) {
  for (std::size_t i = 0; i < z.values.size(); ++i) {
    if (!kept[i]) z.values[i] = {};
  }
  return z;
}

void check_pass(const Mlp& mlp, const reference::Pass& want, const reference::Masks& masks) {
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    const std::string layer = " of layer " + std::to_string(l);
    fixture::check_close(mlp.a(l), want.a[l], "a" + layer);
    if (l == 0) continue;
    fixture::check_close(mlp.z(l), without_dropped(want.z[l], masks[l]), "z" + layer);
    fixture::check_close(mlp.da(l), want.da[l], "da" + layer);
    fixture::check_close(mlp.dz(l), want.dz[l], "dz" + layer);
  }
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const std::string layer = " of layer " + std::to_string(l);
    fixture::check_close(mlp.dw(l), want.dw[l], "dw" + layer);
    fixture::check_close(mlp.db(l), want.db[l], "db" + layer);
  }
}

struct Training {
  std::vector<float> parameters;
  std::vector<double> losses;
  bool operator==(const Training& other) const {
    return fixture::same_bits(parameters, other.parameters) && losses == other.losses;
  }
};

Training train(const MlpConfig& config, const OptimizerConfig& optimizer_config) {
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  Training out;
  for (std::uint32_t step = 0; step < 5; ++step) {
    const auto batch = fixture::make_batch(config, config.max_batch - step, step);
    out.losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 3 * step));
  }
  out.parameters = fixture::parameters(mlp);
  return out;
}

const OptimizerConfig momentum{.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.01};
const OptimizerConfig constrained{
    .kind = OptimizerKind::adam, .learning_rate = 0.01, .max_norm = 0.9};

}  // namespace

TEST_CASE("mlp neuron groups: the textbook under the documented masks") {
  for (const std::size_t group :
       {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{40}}) {
    for (const std::uint64_t first_row : {std::uint64_t{0}, std::uint64_t{5}}) {
      for (const Loss loss : fixture::all_losses) {
        CAPTURE(group);
        CAPTURE(first_row);
        Mlp mlp(config_of(group, 23, loss));
        fixture::randomise(mlp, 12);
        const auto batch = fixture::make_batch(mlp.config(), 21, 37);
        const auto masks = documented_masks(mlp.config(), 2, first_row, 21);
        const auto want = fixture::oracle_pass(mlp, batch, masks);
        REQUIRE(want.ambiguous_gates == 0);
        mlp.forward(batch.inputs(), 2, first_row);
        const double got = mlp.backward(batch.targets());
        CHECK(std::abs(got - want.loss.value) <= want.loss.bound);
        check_pass(mlp, want, masks);
      }
    }
  }
}

TEST_CASE("mlp neuron groups: mask() has a mask for each group, one after the other") {
  const std::size_t rows = 21;
  for (const std::size_t group : {std::size_t{1}, std::size_t{4}, std::size_t{30}}) {
    for (const std::uint64_t first_row :
         {std::uint64_t{0}, std::uint64_t{6}, std::uint64_t{1} << 63, std::uint64_t{0} - rows}) {
      Mlp mlp(config_of(group, rows));
      const auto batch = fixture::make_batch(mlp.config(), rows, 1);
      mlp.forward(batch.inputs(), 3, first_row);
      const auto masks = documented_masks(mlp.config(), 3, first_row, rows);
      const std::uint64_t groups = (first_row + rows - 1) / group - first_row / group + 1;
      for (std::size_t l = 0; l < 3; ++l) {
        const std::size_t width = mlp.config().widths[l];
        REQUIRE(mlp.mask(l).size() == mask_bytes(groups * width));
        for (std::size_t r = 0; r < rows; ++r) {
          const std::uint64_t at = ((first_row + r) / group - first_row / group) * width;
          for (std::size_t i = 0; i < width; ++i) {
            CHECK(mask_bit(mlp.mask(l), at + i) == masks[l][r * width + i]);
          }
        }
      }
    }
  }
}

TEST_CASE("mlp neuron groups: groups of one draw what elements do") {
  auto config = config_of(1, 24);
  Mlp neuron(config);
  config.dropout_group = 0;
  Mlp element(fixture::with_unit(config, DropoutUnit::element));
  const auto batch = fixture::make_batch(config, 24, 1);
  // By ==: what elements drop adds zeros, which may change the sign of a zero.
  CHECK(fixture::copy_of(neuron.forward(batch.inputs(), 4, 9)) ==
        fixture::copy_of(element.forward(batch.inputs(), 4, 9)));
}

TEST_CASE("mlp neuron groups: a batch split over calls is the whole batch") {
  Mlp mlp(config_of(6, 24));
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  const auto whole = fixture::copy_of(mlp.forward(batch.inputs(), 9, 100));
  for (const std::size_t part : {std::size_t{1}, std::size_t{5}, std::size_t{8}}) {
    std::vector<float> joined;
    for (std::size_t first = 0; first < 24; first += part) {
      const auto slice = batch.slice(first, std::min(part, 24 - first));
      const auto out = fixture::copy_of(mlp.forward(slice.inputs(), 9, 100 + first));
      joined.insert(joined.end(), out.begin(), out.end());
    }
    CHECK(fixture::same_bits(joined, whole));
  }
}

TEST_CASE("mlp neuron groups: a step is forward, backward and an update") {
  for (const OptimizerConfig& optimizer_config : {momentum, constrained}) {
    const auto config = config_of(4, 19);
    Mlp mlp(config);
    Mlp by_hand(config);
    Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
    Optimizer same(optimizer_config, mlp.parameter_sizes());
    for (std::uint32_t step = 0; step < 4; ++step) {
      const auto batch = fixture::make_batch(config, 19, step);
      const double loss = mlp.train_step(batch.inputs(), batch.targets(), optimizer, 2);
      by_hand.forward(batch.inputs(), step, 2);
      CHECK(by_hand.backward(batch.targets()) == loss);
      same.begin_step();
      for (std::size_t l = 1; l <= 3; ++l) {
        const Matrix w = by_hand.weights(l);
        const ConstMatrix dw = by_hand.dw(l);
        same.update(2 * l - 2, {w.data, w.size()}, {dw.data, dw.size()}, 1, w.cols);
        same.update(2 * l - 1, by_hand.bias(l), by_hand.db(l));
      }
    }
    CHECK(fixture::same_bits(fixture::parameters(mlp), fixture::parameters(by_hand)));
  }
}

// Where nothing is dropped groups are not computed one by one; masks of ones, which are dropout to
// the network, show what they would give.
TEST_CASE("mlp neuron groups: a batch that drops nothing is that of its groups, bit for bit") {
  for (const OptimizerConfig& optimizer_config : {momentum, constrained}) {
    for (const std::size_t group : {std::size_t{1}, std::size_t{4}, std::size_t{7}}) {
      for (const bool record : {false, true}) {
        auto config = config_of(group, 37);
        config.widths = {5, 90, 70, 3};
        config.input_keep_prob = 1.0;
        config.keep_prob = {1.0, 1.0};
        config.record = record;
        Mlp mlp(config);
        Mlp grouped(config);
        for (std::size_t l = 0; l < 3; ++l) {
          const std::size_t groups = 1 + 36 / group + (36 % group != 0 ? 1 : 0);
          const std::size_t bits = groups * config.widths[l];
          grouped.inject_mask(l, std::vector<std::uint8_t>(mask_bytes(bits), 0xFF));
        }
        Optimizer optimizer(optimizer_config, mlp);
        Optimizer same(optimizer_config, grouped);
        for (std::uint32_t step = 0; step < 4; ++step) {
          const auto batch = fixture::make_batch(config, 37 - step, step);
          const TrainStepOptions options{.first_row = 2 * std::uint64_t{step},
                                         .threads = 1 + static_cast<int>(step % 2)};
          const double loss = mlp.train_step(batch.inputs(), batch.targets(), optimizer, options);
          CHECK(loss == grouped.train_step(batch.inputs(), batch.targets(), same, options));
        }
        CHECK(fixture::same_bits(fixture::parameters(mlp), fixture::parameters(grouped)));
        if (!record) continue;
        CHECK(fixture::same_bits(fixture::gradients(mlp), fixture::gradients(grouped)));
        for (std::size_t l = 1; l < 3; ++l) {
          CHECK(fixture::same_bits(fixture::copy_of(mlp.dz(l)), fixture::copy_of(grouped.dz(l))));
          CHECK(fixture::same_bits(fixture::copy_of(mlp.da(l)), fixture::copy_of(grouped.da(l))));
          CHECK(fixture::same_bits(fixture::copy_of(mlp.z(l)), fixture::copy_of(grouped.z(l))));
        }
      }
    }
  }
}

TEST_CASE("mlp neuron groups: threads, records and a single group change no bit") {
  for (const OptimizerConfig& optimizer : {momentum, constrained}) {
    for (const std::size_t group : {std::size_t{1}, std::size_t{8}}) {
      auto config = config_of(group, 37);
      config.widths = {5, 90, 70, 3};
      const Training want = train(config, optimizer);
      config.record = false;
      CHECK(train(config, optimizer) == want);
      for (const int threads : {2, 3, 8}) {
        config.num_threads = threads;
        CHECK(train(config, optimizer) == want);
      }
    }
    auto one = config_of(1000, 37);
    one.record = false;
    auto batch = one;
    batch.dropout_group = 0;
    CHECK(train(one, optimizer) == train(batch, optimizer));
  }
}

TEST_CASE("mlp neuron groups: injected masks, one of them without a unit") {
  Mlp mlp(config_of(8, 20));
  fixture::randomise(mlp, 5);
  const auto batch = fixture::make_batch(mlp.config(), 20, 1);
  // Rows 0 ... 19 from row 5 on are 3, 8, 8 and 1 of groups 0, 1, 2 and 3.
  const std::size_t groups = 4;
  reference::Masks masks;
  for (std::size_t l = 0; l < 3; ++l) {
    const std::size_t width = mlp.config().widths[l];
    auto bits = fixture::random_bits(groups * width, 0.6, static_cast<std::uint32_t>(l));
    masks.emplace_back();
    for (std::size_t r = 0; r < 20; ++r) {
      const std::size_t group = (5 + r) / 8;
      for (std::size_t i = 0; i < width; ++i) {
        if (l == 1 && group == 2) {
          const std::size_t at = group * width + i;
          bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] & ~(1U << (at % 8)));
        }
        masks[l].push_back(mask_bit(bits, group * width + i));
      }
    }
    mlp.inject_mask(l, bits);
  }
  const auto want = fixture::oracle_pass(mlp, batch, masks);
  REQUIRE(want.ambiguous_gates == 0);
  mlp.forward(batch.inputs(), 0, 5);
  mlp.backward(batch.targets());
  check_pass(mlp, want, masks);
}

TEST_CASE("mlp neuron groups: misuse is an error that names the argument") {
  auto config = config_of(8, 20);
  config.lazy_updates = true;
  test::expect_invalid("lazy_updates", "1", [&] { Mlp mlp(config); });
  config.lazy_updates = false;
  config.dropout_unit = DropoutUnit::element;
  test::expect_invalid("dropout_group", "8", [&] { Mlp mlp(config); });
  Mlp mlp(config_of(8, 20));  // 1 + 19 / 8, rounded up: 4 groups
  const std::vector<std::uint8_t> bits(mask_bytes(3 * 33));
  test::expect_invalid("bits.size()", std::to_string(mask_bytes(4 * 33)),
                       [&] { mlp.inject_mask(1, bits); });
}
