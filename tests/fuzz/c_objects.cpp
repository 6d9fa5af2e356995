#include "fuzz/c_objects.h"

#include "fuzz/c_structs.h"

namespace fuzz {

Objects::~Objects() {
  for (Predicting& predictor : predictors_) destroy(predictor);
  for (Network& network : networks_) simdrop_mlp_destroy(network.mlp);
  for (simdrop_optimizer* optimizer : optimizers_) simdrop_optimizer_destroy(optimizer);
  for (simdrop_linear_workspace* workspace : workspaces_) {
    simdrop_linear_workspace_destroy(workspace);
  }
}

void Objects::destroy(Predicting& predictor) {
  simdrop_predictor_destroy(predictor.object);
  predictor = {};
}

Network& Objects::network_of(const simdrop_predictor* predictor) {
  for (const Predicting& known : predictors_) {
    for (Network& network : networks_) {
      if (known.object == predictor && known.network == &network) return network;
    }
  }
  return networks_[0];
}

Network& Objects::made_network(Bytes& bytes) {
  Network& place = network(bytes);
  if (place.mlp != nullptr || bytes.one_in(16)) return place;
  Call call(bytes);
  simdrop_mlp* made = nullptr;
  if (simdrop_mlp_create(any_mlp_config(call), &made, nullptr) == SIMDROP_OK) put(place, made);
  return place;
}

simdrop_optimizer* Objects::made_optimizer(Bytes& bytes, const Network& network) {
  simdrop_optimizer*& place = optimizer(bytes);
  if (place != nullptr || bytes.one_in(16)) return place;
  Call call(bytes);
  (void)simdrop_optimizer_create(any_optimizer_config(call), network.mlp, &place, nullptr);
  return place;
}

simdrop_predictor* Objects::made_predictor(Bytes& bytes) {
  Predicting& place = predictors_[bytes.below(count)];
  if (place.object != nullptr || bytes.one_in(16)) return place.object;
  const Network& network = made_network(bytes);
  constexpr std::int64_t max_batch = 7;
  const auto status =
      simdrop_predictor_create(network.mlp, max_batch, nullptr, &place.object, nullptr);
  if (status == SIMDROP_OK) place.network = &network;
  return place.object;
}

void Objects::put(Network& network, simdrop_mlp* mlp) {
  for (Predicting& predictor : predictors_) {
    if (predictor.network == &network) destroy(predictor);
  }
  simdrop_mlp_destroy(network.mlp);
  network = {};
  network.mlp = mlp;
  simdrop_mlp_config config{};
  config.struct_size = sizeof(config);
  if (mlp == nullptr) return;
  require(simdrop_mlp_get_config(mlp, &config, nullptr) == SIMDROP_OK, "a network without config");
  network.widths.assign(config.widths, config.widths + config.num_widths);
  network.max_batch = config.max_batch;
}

void Objects::put(Bytes& bytes, simdrop_predictor* predictor, const Network& network) {
  Predicting& place = predictors_[bytes.below(count)];
  destroy(place);
  place = {predictor, &network};
}

}  // namespace fuzz
