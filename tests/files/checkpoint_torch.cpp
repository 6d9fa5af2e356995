// Files of PyTorch: one that it wrote, and forms that its users' models have.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <utility>
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

MlpConfig loading(std::size_t max_batch = 12) {
  MlpConfig config;
  config.max_batch = max_batch;
  return config;
}

LoadOptions relu_and(Loss loss) {
  return {.activation = Activation::relu, .loss = loss};
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
  Mlp mlp = load_checkpoint(torch_file, loading(max_batch), relu_and(loss)).mlp;
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

std::string error_of(const std::string& bytes,
                     const LoadOptions& options = relu_and(Loss::identity_mse)) {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", bytes);
  const std::string message =
      test::file_error([&] { (void)load_checkpoint(path, loading(), options); });
  const std::string start = "simdrop: " + path + ": ";
  if (message == "no error") return message;
  CHECK(message.starts_with(start));
  return message.substr(std::min(start.size(), message.size()));
}

void check_error(const std::string& bytes, const std::string& part,
                 const LoadOptions& options = relu_and(Loss::identity_mse)) {
  const std::string message = error_of(bytes, options);
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
  const Checkpoint loaded = load_checkpoint(torch_file, loading(), relu_and(Loss::softmax_ce));
  CHECK(loaded.metadata.empty());
  CHECK(!loaded.optimizer);
}

TEST_CASE("checkpoint: names of a Sequential, alone or inside a module") {
  CHECK(error_of(two_layers("0", "2")) == "no error");
  CHECK(error_of(two_layers("9", "11")) == "no error");  // by number, not by text
  CHECK(error_of(two_layers("net.layers.0", "net.layers.7")) == "no error");
  CHECK(error_of(two_layers("fc1", "fc2")) == "no error");
  check_error(two_layers("2", "0"), "do not fit together");
  check_error(two_layers("a.0", "b.2"), "are not of one Sequential");
  check_error(two_layers("a.5", "b.2"), "are not of one Sequential");
  check_error(two_layers("1", "net1"), "are not of one Sequential");
  check_error(two_layers("1", "01"), "tensor \"01.bias\": no layer's number begins with 0");
  check_error(two_layers("00", "2"), "tensor \"00.bias\": no layer's number begins with 0");
  check_error(two_layers("0", "x"), "tensor \"x.bias\" is not a Linear layer's");
  CHECK(error_of(two_layers("0", "18446744073709551615")) == "no error");
  check_error(two_layers("0", "18446744073709551616"), "its number is larger than any layer's");
  check_error(two_layers("0", "99999999999999999999"), "its number is larger than any layer's");
  check_error(two_layers("0", "optimizer.exp_avg.0"), "are not of one Sequential");
}

TEST_CASE("checkpoint: numbers without a gap leave no place for ReLU") {
  for (const auto& names :
       {std::pair("0", "1"), std::pair("9", "10"), std::pair("net.layers.3", "net.layers.4"),
        std::pair("18446744073709551614", "18446744073709551615")}) {
    CAPTURE(names.first);
    check_error(two_layers(names.first, names.second),
                "numbered as if nothing lay between their layers");
  }
  // A prefix that is no module's says nothing.
  CHECK(error_of(two_layers("fc1", "fc2")) == "no error");
  CHECK(error_of(two_layers("net.fc1", "net.fc2")) == "no error");
}

TEST_CASE("checkpoint: a file of others tells its activation and its loss, or the caller does") {
  const std::string tensors = layer("0", 1, 2, 0) + ',' + layer("2", 1, 1, 12);
  const auto file = [&](const std::string& metadata) {
    return test::safetensors_file("{\"__metadata__\":{" + metadata + "}," + tensors + '}',
                                  std::string(20, '\0'));
  };
  const std::string relu = R"("activation":"relu")", mse = R"("loss":"identity_mse")";
  const std::string both =
      "does not tell its activation (relu) and loss (sigmoid_bce, softmax_ce, "
      "identity_mse): say it in LoadOptions (C: simdrop_mlp_load_args), or in "
      "the file's metadata";
  check_error(file(""), both, {});
  check_error(file(R"("format":"pt")"), both, {});
  check_error(file(relu), "does not tell its loss (sigmoid_bce, softmax_ce, identity_mse): say",
              {});
  check_error(file(mse), "does not tell its activation (relu): say", {});
  check_error(file(""), "does not tell its loss", {.activation = Activation::relu});
  check_error(file(""), "does not tell its activation (relu): say", {.loss = Loss::identity_mse});
  CHECK(error_of(file(relu + ',' + mse), {}) == "no error");
  CHECK(error_of(file(relu), {.loss = Loss::identity_mse}) == "no error");
  CHECK(error_of(file(mse), {.activation = Activation::relu}) == "no error");
  CHECK(error_of(file(relu + ',' + mse)) == "no error");
  check_error(file(mse), "its loss is identity_mse, but the caller says sigmoid_bce",
              relu_and(Loss::sigmoid_bce));
  for (const char* other : {"gelu", "tanh", "leaky_relu", "identity", "ReLU", ""}) {
    const std::string message =
        std::string("its metadata \"activation\" is \"") + other + "\"; allowed: relu";
    check_error(file(std::string(R"("activation":")") + other + R"(",)" + mse), message);
  }
  check_error(file(R"("loss":"mse")"),
              "its metadata \"loss\" is \"mse\"; allowed: sigmoid_bce, "
              "softmax_ce, identity_mse");
  // One output: softmax would always be 1.
  const std::string softmax = R"("loss":"softmax_ce")";
  check_error(file(softmax), "has 1 outputs; allowed: 2 ... 256 with Loss::softmax_ce",
              {.activation = Activation::relu});
  check_error(file(""), "has 1 outputs; allowed: 2 ... 256", relu_and(Loss::softmax_ce));

  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", file(relu + ',' + mse + R"(,"note":"n")"));
  const Checkpoint loaded = load_checkpoint(path, loading());
  CHECK(loaded.mlp.config().loss == Loss::identity_mse);
  CHECK(loaded.metadata ==
        Metadata{{"activation", "relu"}, {"loss", "identity_mse"}, {"note", "n"}});
}

TEST_CASE("checkpoint: one layer has nothing between it and another") {
  const std::string bytes =
      test::safetensors_file('{' + layer("0", 1, 2, 0) + '}', std::string(12, '\0'));
  CHECK(error_of(bytes, {.loss = Loss::identity_mse}) == "no error");
  check_error(bytes, "does not tell its loss (sigmoid_bce", {});
}

TEST_CASE("checkpoint: defaults.loss does not say what a file of others computes") {
  MlpConfig config = loading();
  config.loss = Loss::identity_mse;
  const std::string message = test::file_error([&] { (void)load_checkpoint(torch_file, config); });
  CHECK(message.find("does not tell its activation (relu) and loss") != std::string::npos);
}

TEST_CASE("checkpoint: every other kind of network is an error") {
  const std::string good = two_layers("0", "2");
  check_error(test::safetensors_file("{}", ""), "holds no Linear layer");
  check_error(test::edited(good, "2.bias", "3.bias"),
              "tensor \"2.weight\": it has no bias, as Linear(bias=False)");
  check_error(test::edited(good, "2.weight", "3.weight"), "tensor \"2.bias\" has no weight");
  check_error(test::edited(good, "2.bias", "2.running_mean"),
              "\"2.running_mean\" looks like one of BatchNorm");
  check_error(test::edited(good, "[1,2]", "[2]"),
              "\"0.weight\" is F32 of 2, which looks like one of BatchNorm or LayerNorm");
  check_error(test::edited(good, "[1,2]", "[1,2,1]"),
              "\"0.weight\" is F32 of 1 x 2 x 1, which looks like one of a convolution");
  check_error(test::edited(good, "[1,2]", "[1,2,1,1]"), "1 x 2 x 1 x 1, which looks like one of a");
  check_error(test::edited(good, "[1,2]", "[1,2,1,1,1,1]"), "of 1 x 2 x 1 x 1 x ..., which looks");
  check_error(test::edited(good, "\"shape\":[1],\"data_offsets\":[8",
                           "\"shape\":[1,1],\"data_offsets\":[8"),
              "\"0.bias\" is F32 of 1 x 1; allowed: F32 of 1 dim");
  check_error(test::edited(good, "[1,2]", "[2,1]"), "\"0.weight\", F32 of 2 x 1, and \"0.bias\"");
  check_error(test::edited(good, "F32", "I32"), "\"0.weight\" is I32 of 1 x 2; allowed: F32");
  const std::string empty = test::safetensors_file('{' + layer("0", 1, 0, 0) + '}', "1234");
  check_error(empty, "\"0.weight\" is empty");
}

TEST_CASE("checkpoint: what PyTorch does not tell is the caller's") {
  MlpConfig config = loading();
  config.keep_prob = {0.5, 0.25};
  config.input_keep_prob = 0.75;
  config.seed = 9;
  const LoadOptions options = relu_and(Loss::identity_mse);
  const Checkpoint loaded = load_checkpoint(torch_file, config, options);
  CHECK(loaded.mlp.config().keep_prob == config.keep_prob);
  CHECK(loaded.mlp.config().input_keep_prob == 0.75);
  CHECK(loaded.mlp.config().seed == 9);
  config.keep_prob = {0.5};
  test::expect_invalid("keep_prob.size()", "1",
                       [&] { (void)load_checkpoint(torch_file, config, options); });
}
