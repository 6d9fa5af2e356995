// Files of PyTorch: one that it wrote, and forms that its users' models have.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "simdrop/checkpoint.hpp"

namespace {

using namespace simdrop;

const std::string torch_file = SIMDROP_TEST_DATA "/torch_sequential.safetensors";

struct Table {
  std::size_t rows = 0, cols = 0;
  std::vector<double> values;
};

Table read_table(std::istream& in, const std::string& name) {
  std::string found;
  Table table;
  in >> found >> table.rows >> table.cols;
  REQUIRE(found == name);
  table.values.resize(table.rows * table.cols);
  for (double& value : table.values) in >> value;
  REQUIRE(in.good());
  return table;
}

MlpConfig loading(Loss loss, std::size_t max_batch = 12) {
  MlpConfig config;
  config.loss = loss;
  config.max_batch = max_batch;
  return config;
}

// The largest difference from PyTorch's outputs, relative to each of them.
double worst(Loss loss, std::size_t max_batch) {
  std::ifstream in(SIMDROP_TEST_DATA "/torch_sequential.txt");
  const Table inputs = read_table(in, "inputs");
  const Table identity = read_table(in, "identity");
  const Table softmax = read_table(in, "softmax");
  const Table& expected = loss == Loss::softmax_ce ? softmax : identity;
  const std::vector<float> x(inputs.values.begin(), inputs.values.end());
  std::vector<float> out(expected.values.size());
  Mlp mlp = load_checkpoint(torch_file, loading(loss, max_batch)).mlp;
  CHECK(mlp.config().widths == std::vector<std::size_t>{20, 32, 16, 5});
  mlp.predict(ConstMatrix(x.data(), inputs.rows, inputs.cols),
              Matrix(out.data(), expected.rows, expected.cols));
  double largest = 0.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double difference = std::abs(static_cast<double>(out[i]) - expected.values[i]);
    largest = std::max(largest, difference / std::abs(expected.values[i]));
  }
  return largest;
}

std::string layer(const std::string& name, std::size_t outs, std::size_t ins, std::size_t begin) {
  const auto number = [](std::size_t n) { return std::to_string(n); };
  const std::size_t middle = begin + 4 * outs * ins;
  return '"' + name + R"(.weight":{"dtype":"F32","shape":[)" + number(outs) + "," + number(ins) +
         R"(],"data_offsets":[)" + number(begin) + "," + number(middle) + "]},\"" + name +
         R"(.bias":{"dtype":"F32","shape":[)" + number(outs) + R"(],"data_offsets":[)" +
         number(middle) + "," + number(middle + 4 * outs) + "]}";
}

// Networks 2-1-1 of the two names.
std::string two_layers(const std::string& first, const std::string& second) {
  std::string header = "{";
  header += layer(first, 1, 2, 0) + ',' + layer(second, 1, 1, 12) + '}';
  return test::safetensors_file(header, std::string(20, '\0'));
}

std::string error_of(const std::string& bytes) {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", bytes);
  const std::string message =
      test::file_error([&] { (void)load_checkpoint(path, loading(Loss::identity_mse)); });
  const std::string start = "simdrop: " + path + ": ";
  if (message == "no error") return message;
  CHECK(message.starts_with(start));
  return message.substr(std::min(start.size(), message.size()));
}

void check_error(const std::string& bytes, const std::string& part) {
  const std::string message = error_of(bytes);
  CAPTURE(message);
  CAPTURE(part);
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("checkpoint: a model that PyTorch saved predicts what it predicts there") {
  for (const std::size_t max_batch : {1U, 5U, 12U, 200U}) {
    CAPTURE(max_batch);
    CHECK(worst(Loss::softmax_ce, max_batch) <= 1e-5);
    CHECK(worst(Loss::identity_mse, max_batch) <= 1e-5);
  }
  const Checkpoint loaded = load_checkpoint(torch_file, loading(Loss::softmax_ce));
  CHECK(loaded.metadata.empty());
  CHECK(!loaded.optimizer);
}

TEST_CASE("checkpoint: names of a Sequential, alone or inside a module") {
  CHECK(error_of(two_layers("0", "2")) == "no error");
  CHECK(error_of(two_layers("9", "10")) == "no error");  // by number, not by text
  CHECK(error_of(two_layers("net.layers.0", "net.layers.7")) == "no error");
  CHECK(error_of(two_layers("fc1", "fc2")) == "no error");
  check_error(two_layers("2", "0"), "do not fit together");
  check_error(two_layers("a.0", "b.2"), "are not of one Sequential");
  check_error(two_layers("1", "01"), "are not of one Sequential");
  check_error(two_layers("0", "x"), "tensor \"x.bias\" is not a Linear layer's");
  check_error(two_layers("0", "99999999999999999999"), "is not a Linear layer's");
  check_error(two_layers("0", "optimizer.exp_avg.0"), "are not of one Sequential");
}

TEST_CASE("checkpoint: every other kind of network is an error") {
  const std::string good = two_layers("0", "2");
  check_error(test::safetensors_file("{}", ""), "holds no Linear layer");
  check_error(test::edited(good, "2.bias", "3.bias"), "tensor \"2.weight\" has no bias");
  check_error(test::edited(good, "2.weight", "3.weight"), "tensor \"2.bias\" has no weight");
  check_error(test::edited(good, "2.bias", "2.running_mean"), "\"2.running_mean\" is not a Linear");
  check_error(test::edited(good, "[1,2]", "[2]"),
              "\"0.weight\" is F32 of 2; allowed: F32 of 2 dim");
  check_error(test::edited(good, "[1,2]", "[1,2,1]"), "\"0.weight\" is F32 of 1 x 2 x 1; allowed");
  check_error(test::edited(good, "\"shape\":[1],\"data_offsets\":[8",
                           "\"shape\":[1,1],\"data_offsets\":[8"),
              "\"0.bias\" is F32 of 1 x 1; allowed: F32 of 1 dim");
  check_error(test::edited(good, "[1,2]", "[2,1]"), "\"0.weight\", F32 of 2 x 1, and \"0.bias\"");
  check_error(test::edited(good, "F32", "I32"), "\"0.weight\" is I32 of 1 x 2; allowed: F32");
  const std::string empty = test::safetensors_file('{' + layer("0", 1, 0, 0) + '}', "1234");
  check_error(empty, "\"0.weight\" is empty");
}

TEST_CASE("checkpoint: what PyTorch does not tell is the caller's") {
  MlpConfig config = loading(Loss::identity_mse);
  config.keep_prob = {0.5, 0.25};
  config.input_keep_prob = 0.75;
  config.seed = 9;
  const Checkpoint loaded = load_checkpoint(torch_file, config);
  CHECK(loaded.mlp.config().keep_prob == config.keep_prob);
  CHECK(loaded.mlp.config().input_keep_prob == 0.75);
  CHECK(loaded.mlp.config().seed == 9);
  config.keep_prob = {0.5};
  test::expect_invalid("keep_prob.size()", "1", [&] { (void)load_checkpoint(torch_file, config); });
}
