// A host that has set a locale: what the library says, writes and reads is the same.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "helpers/foreign_locale.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/temporary_directory.h"
#include "simdrop/checkpoint.hpp"
#include "simdrop/dropout.hpp"
#include "simdrop/linear.hpp"
#include "simdrop/simdrop.h"
#include "threading/cpus.h"

namespace {

using namespace simdrop;
using test::Texts;

constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

// Of configurations, arrays, targets, positions and files, in C++ and in C.
Texts messages() {
  std::vector<float> x(4000);
  std::vector<std::uint8_t> labels{0, 200};
  const ConstMatrix in(x.data(), 2, 2000);
  Mlp net({.widths = {3, 4, 2}, .max_batch = 1024});
  Optimizer optimizer({}, net);
  Mlp regression({.widths = {3, 4, 2}, .loss = Loss::sigmoid_bce});
  const std::vector<float> values{0.5F, 1234.5F, 0.5F, 0.5F};
  Mlp groups({.widths = {3, 4, 2},
              .keep_prob = {0.5},
              .dropout_unit = DropoutUnit::neuron,
              .dropout_group = 2});
  const ConstMatrix good(x.data(), 2, 3);
  Texts texts{
      error_of([&] { net.forward(in, 0); }),
      error_of([&] { dropout_forward({.keep_prob = 1234.5}, in, Matrix(x.data(), 2, 2000)); }),
      error_of([&] { dropout_forward({}, in, Matrix(x.data(), 1234, 2)); }),
      error_of([&] { (void)ConstMatrix(x, 2000, 3000); }),
      error_of([&] {
        (void)Mlp({.widths = {1234, 0, 5678}});
      }),
      error_of([&] {
        (void)Mlp({.widths = {1234, 5678}, .keep_prob = {0.5, 0.5}});
      }),
      error_of([&] {
        (void)Mlp({.widths = {12, 56}, .input_keep_prob = 1234.5});
      }),
      error_of([&] { (void)Optimizer({.momentum = 0.99999999}, {}); }),
      error_of([&] { (void)Optimizer({.learning_rate = 1e39}, {}); }),
      error_of([&] { (void)Optimizer({.beta2 = 0.9999999999}, {}); }),
      error_of([&] { (void)Optimizer({.weight_decay = -1234567.25}, {}); }),
      error_of([&] { net.train_step(good, labels, optimizer); }),
      error_of(
          [&] { regression.forward(good, 0), regression.backward(ConstMatrix(values, 2, 2)); }),
      error_of([&] { groups.forward(good, 0, largest); }),
      error_of([&] { (void)net.weights(1234567); }),
      error_of([&] { (void)load_checkpoint("/dev/null/x", {}); })};
  simdrop_error error = SIMDROP_ERROR_INIT;
  auto dropout = simdrop_dropout{};
  simdrop_dropout_init(&dropout, sizeof dropout, nullptr);
  simdrop_dropout_forward(&dropout, SIMDROP_F32, 2000, 3000, x.data(), 2999, x.data(), 3000,
                          nullptr, nullptr, &error);
  texts.emplace_back(error.message);
  return texts;
}

// A file's bytes, and what is read from it.
Texts files() {
  const test::TemporaryDirectory directory;
  const std::string path = directory.name("net");
  const Mlp net({.widths = {1234, 5, 2},
                 .keep_prob = {0.123456789},
                 .input_keep_prob = 0.75,
                 .seed = 12345678901234567890U});
  const Optimizer optimizer({.learning_rate = 1.25e-7, .momentum = 0.9}, net);
  save_checkpoint(path, net, &optimizer, {{"key", "1234.5"}});
  const Checkpoint loaded = load_checkpoint(path, {});
  const MlpConfig& config = loaded.mlp.config();
  const bool same = config.widths == net.config().widths && config.seed == net.config().seed &&
                    config.keep_prob == net.config().keep_prob && config.input_keep_prob == 0.75 &&
                    loaded.optimizer->config().learning_rate == 1.25e-7 &&
                    loaded.optimizer->config().momentum == 0.9 &&
                    loaded.metadata.at("key") == "1234.5";
  std::string bytes = test::read_file(path);
  // A file that is wrong, and the numbers in its error.
  const std::string short_file = directory.write("short", bytes.substr(0, bytes.size() - 4));
  std::string error = error_of([&] { (void)load_checkpoint(short_file, {}); });
  error = error.substr(error.find(": "), std::string::npos);
  return {same ? "same" : "not the same", std::move(bytes), error.substr(error.find("has "))};
}

Texts all() {
  Texts texts = messages();
  for (std::string& text : files()) texts.push_back(std::move(text));
  return texts;
}

}  // namespace

TEST_CASE("locale: messages and files are the same in every one") {
  const Texts want = all();
  CHECK(want[0].find("x.cols is 2000") != std::string::npos);
  for (const std::string& text : want) CHECK(text != "no error");
  CHECK(want[want.size() - 3] == "same");
  test::check_same_in_foreign_locales(all);
}

TEST_CASE("locale: files of control groups are read as they are written") {
  const test::TemporaryDirectory directory;
  std::filesystem::create_directories(directory.path() / "proc/self");
  std::filesystem::create_directories(directory.path() / "sys/fs/cgroup");
  directory.write("proc/self/cgroup", "0::/\n");
  directory.write("sys/fs/cgroup/cpu.max", "250000 100000\n");
  const std::string root = directory.path().string();
  const std::size_t want = detail::read_cpu_quota(root);
  const test::ForeignCppLocale blanks(' ');
  CHECK(detail::read_cpu_quota(root) == want);
}
