#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

void create(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const std::int64_t max_batch = std::min<std::int64_t>(call.bytes.size(), 256);
  const auto* const exec = any_exec(call);
  auto** const made = call.result<simdrop_predictor*>();
  const auto status = call.run([&](auto* error) {
    return simdrop_predictor_create(network.mlp, max_batch, exec, made, error);
  });
  if (status == SIMDROP_OK) objects.put(call.bytes, *made, network);
}

void destroy(Objects& objects, Call& call) {
  objects.put(call.bytes, nullptr, objects.network(call.bytes));
  simdrop_predictor_destroy(nullptr);
}

void predict(Objects& objects, Call& call) {
  auto* const predictor = objects.made_predictor(call.bytes);
  const Network& network = objects.network_of(predictor);
  const std::int64_t rows = call.bytes.size();
  const std::int64_t x_ld = call.ld(network.in()), out_ld = call.ld(network.out());
  const auto* const x = static_cast<float*>(call.matrix(rows, network.in(), x_ld, sizeof(float)));
  auto* const out = static_cast<float*>(call.matrix(rows, network.out(), out_ld, sizeof(float)));
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_predictor_predict(predictor, rows, x, x_ld, out, out_ld, exec, error);
  });
}

void predict_monte_carlo(Objects& objects, Call& call) {
  auto* const predictor = objects.made_predictor(call.bytes);
  const Network& network = objects.network_of(predictor);
  const std::int64_t rows = call.bytes.size();
  const std::int64_t samples = std::min<std::int64_t>(call.bytes.size(), 9);
  const std::int64_t x_ld = call.ld(network.in()), ld = call.ld(network.out());
  const auto* const x = static_cast<float*>(call.matrix(rows, network.in(), x_ld, sizeof(float)));
  auto* const mean = static_cast<float*>(call.matrix(rows, network.out(), ld, sizeof(float)));
  auto* const variance = static_cast<float*>(call.matrix(rows, network.out(), ld, sizeof(float)));
  const std::uint64_t first_sample = call.bytes.position(), first_row = call.bytes.position();
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_predictor_predict_monte_carlo(predictor, rows, x, x_ld, samples, first_sample,
                                                 first_row, mean, ld, variance, ld, exec, error);
  });
}

}  // namespace

std::vector<Function> predictor_calls() {
  return {create, create, destroy, predict, predict, predict_monte_carlo};
}

}  // namespace fuzz
