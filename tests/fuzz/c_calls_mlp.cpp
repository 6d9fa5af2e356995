#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

void config_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_mlp_config));
  auto* const config = call.room<simdrop_mlp_config>(size);
  call.run([&](auto* error) { return simdrop_mlp_config_init(config, size, error); });
}

void create(Objects& objects, Call& call) {
  const auto* const config = any_mlp_config(call);
  auto** const made = call.result<simdrop_mlp*>();
  const auto status =
      call.run([&](auto* error) { return simdrop_mlp_create(config, made, error); });
  if (status == SIMDROP_OK) objects.put(objects.network(call.bytes), *made);
}

void clone(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  auto** const made = call.result<simdrop_mlp*>();
  const auto status =
      call.run([&](auto* error) { return simdrop_mlp_clone(network.mlp, made, error); });
  if (status == SIMDROP_OK) objects.put(objects.network(call.bytes), *made);
}

void destroy(Objects& objects, Call& call) {
  objects.put(objects.network(call.bytes), nullptr);
  simdrop_mlp_destroy(nullptr);
}

void get_config(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  auto* const config = call.structure(simdrop_mlp_config{});
  call.run([&](auto* error) { return simdrop_mlp_get_config(network.mlp, config, error); });
  require(simdrop_mlp_num_parameters(network.mlp) >= 0, "negative parameters");
  require(simdrop_mlp_workspace_bytes(network.mlp) >= 0, "negative bytes");
}

// Reads all that it shows; weights and biases are written too.
void tensor(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const simdrop_tensor_kind kind = call.bytes.one_in(32)
                                       ? call.bytes.any<simdrop_tensor_kind>()
                                       : static_cast<simdrop_tensor_kind>(call.bytes.below(9));
  const std::int64_t layer =
      call.bytes.one_in(16) ? call.bytes.size() : static_cast<std::int64_t>(call.bytes.below(6));
  auto* const shown = call.structure(simdrop_tensor{});
  const auto status = call.run(
      [&](auto* error) { return simdrop_mlp_tensor(network.mlp, kind, layer, shown, error); });
  if (status != SIMDROP_OK) return;
  const std::size_t element = element_size(shown->dtype);
  const auto row_bytes = static_cast<std::size_t>(shown->cols) * element;
  unsigned sum = 0;
  for (std::int64_t r = 0; r < shown->rows; ++r) {
    auto* const row = static_cast<unsigned char*>(shown->data) +
                      static_cast<std::size_t>(r * shown->ld) * element;
    for (std::size_t i = 0; i < row_bytes; ++i) sum += row[i];
    const bool parameter = kind == SIMDROP_TENSOR_WEIGHTS || kind == SIMDROP_TENSOR_BIAS;
    if (parameter && row_bytes != 0) row[row_bytes - 1] = static_cast<unsigned char>(sum);
  }
}

void set_keep_prob(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const std::int64_t layer =
      call.bytes.one_in(16) ? call.bytes.size() : static_cast<std::int64_t>(call.bytes.below(5));
  const double keep_prob = call.bytes.keep_prob();
  call.run(
      [&](auto* error) { return simdrop_mlp_set_keep_prob(network.mlp, layer, keep_prob, error); });
}

// Of a size that may be right for some kind of network.
void inject_mask(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const std::size_t layer = call.bytes.below(6);
  const std::int64_t width = network.widths[layer % network.widths.size()];
  const std::int64_t rows =
      call.bytes.one_in(2) ? network.max_batch : static_cast<std::int64_t>(call.bytes.below(20));
  const std::int64_t size =
      call.bytes.one_in(16) ? call.bytes.size() : simdrop_mask_bytes(rows * width);
  const auto* const bits = call.array_of<std::uint8_t>(size);
  call.run([&](auto* error) {
    return simdrop_mlp_inject_mask(network.mlp, static_cast<std::int64_t>(layer), bits,
                                   bits == nullptr && !call.bytes.one_in(4) ? 0 : size, error);
  });
}

struct Input {
  std::int64_t rows;
  std::int64_t ld;
  const float* x;
};
// As many rows as a batch may have, as a rule; at times memory of the network itself.
Input any_input(const Network& network, Call& call) {
  std::int64_t rows = call.bytes.size();
  if (!call.bytes.one_in(16)) rows = rows < 1 ? 1 : (rows - 1) % network.max_batch + 1;
  if (network.mlp != nullptr && call.bytes.one_in(32)) {
    simdrop_tensor own{};
    own.struct_size = sizeof(own);
    const auto layer = static_cast<std::int64_t>(network.widths.size()) - 1;
    if (simdrop_mlp_tensor(network.mlp, SIMDROP_TENSOR_A, layer, &own, nullptr) == SIMDROP_OK &&
        network.in() <= own.cols && rows <= own.rows) {
      return {rows, own.ld, static_cast<const float*>(own.data)};
    }
  }
  const std::int64_t ld = call.ld(network.in());
  return {rows, ld, static_cast<float*>(call.matrix(rows, network.in(), ld, sizeof(float)))};
}

// A forward keeps its x for the backward, also if it was broken off.
void keep_input(Network& network, const std::shared_ptr<Block>& block, simdrop_status status) {
  if (status == SIMDROP_OK) network.inputs.clear();
  if (status == SIMDROP_OK || status == SIMDROP_INTERNAL) network.inputs.push_back(block);
}

void forward(Objects& objects, Call& call) {
  Network& network = objects.made_network(call.bytes);
  const Input in = any_input(network, call);
  const auto input = call.last_array();
  const std::uint64_t step = call.bytes.position(), first_row = call.bytes.position();
  const auto* const exec = any_exec(call);
  const auto status = call.run([&](auto* error) {
    return simdrop_mlp_forward(network.mlp, in.rows, in.x, in.ld, step, first_row, exec, error);
  });
  keep_input(network, input, status);
}

std::int64_t last_rows(const Network& network) {
  simdrop_tensor output{};
  output.struct_size = sizeof(output);
  const auto layer = static_cast<std::int64_t>(network.widths.size()) - 1;
  const auto status = simdrop_mlp_tensor(network.mlp, SIMDROP_TENSOR_A, layer, &output, nullptr);
  return status == SIMDROP_OK ? output.rows : 1;
}

void backward(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const auto* const targets = any_targets(call, last_rows(network), network.out());
  auto* const loss = call.result<double>();
  const auto* const exec = any_exec(call);
  call.run(
      [&](auto* error) { return simdrop_mlp_backward(network.mlp, targets, loss, exec, error); });
}

void train_step(Objects& objects, Call& call) {
  Network& network = objects.made_network(call.bytes);
  const Input in = any_input(network, call);
  const auto input = call.last_array();
  const auto* const targets = any_targets(call, in.rows, network.out());
  auto* const optimizer = objects.made_optimizer(call.bytes, network);
  const std::uint64_t first_row = call.bytes.position();
  auto* const loss = call.result<double>();
  const auto* const exec = any_exec(call);
  const auto status = call.run([&](auto* error) {
    return simdrop_mlp_train_step(network.mlp, in.rows, in.x, in.ld, targets, optimizer, first_row,
                                  loss, exec, error);
  });
  keep_input(network, input, status);
}

void predict(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const Input in = any_input(network, call);
  const std::int64_t ld = call.ld(network.out());
  auto* const out = static_cast<float*>(call.matrix(in.rows, network.out(), ld, sizeof(float)));
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_mlp_predict(network.mlp, in.rows, in.x, in.ld, out, ld, exec, error);
  });
}

void predict_monte_carlo(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const Input in = any_input(network, call);
  const std::int64_t ld = call.ld(network.out());
  auto* const mean = static_cast<float*>(call.matrix(in.rows, network.out(), ld, sizeof(float)));
  auto* const variance =
      static_cast<float*>(call.matrix(in.rows, network.out(), ld, sizeof(float)));
  const std::int64_t samples = std::min<std::int64_t>(call.bytes.size(), 9);
  const std::uint64_t first_sample = call.bytes.position(), first_row = call.bytes.position();
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_mlp_predict_monte_carlo(network.mlp, in.rows, in.x, in.ld, samples, first_sample,
                                           first_row, mean, ld, variance, ld, exec, error);
  });
}

void loss_of(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const std::int64_t rows = call.bytes.size(), ld = call.ld(network.out());
  const auto* const predictions =
      static_cast<float*>(call.matrix(rows, network.out(), ld, sizeof(float)));
  const auto* const targets = any_targets(call, rows, network.out());
  auto* const loss = call.result<double>();
  call.run([&](auto* error) {
    return simdrop_mlp_loss(network.mlp, rows, predictions, ld, targets, loss, error);
  });
}

void stream_ids(Objects& /*objects*/, Call& call) {
  const std::int64_t layer = call.bytes.size();
  const std::uint64_t number = call.bytes.position();
  auto* const id = call.result<std::uint64_t>();
  call.run([&](auto* error) { return simdrop_mlp_mask_stream_id(layer, number, id, error); });
  call.run([&](auto* error) { return simdrop_mlp_sample_stream_id(layer, number, id, error); });
}

}  // namespace

std::vector<Function> mlp_calls() {
  return {config_init, create,        create,      clone,      destroy, get_config,
          tensor,      set_keep_prob, inject_mask, forward,    forward, backward,
          backward,    train_step,    train_step,  train_step, predict, predict_monte_carlo,
          loss_of,     stream_ids};
}

}  // namespace fuzz
