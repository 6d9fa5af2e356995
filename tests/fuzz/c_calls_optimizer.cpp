#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

void config_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_optimizer_config));
  auto* const config = call.room<simdrop_optimizer_config>(size);
  call.run([&](auto* error) { return simdrop_optimizer_config_init(config, size, error); });
}

void create(Objects& objects, Call& call) {
  const auto* const config = any_optimizer_config(call);
  const Network& network = objects.made_network(call.bytes);
  simdrop_optimizer*& place = objects.optimizer(call.bytes);
  auto** const made = call.result<simdrop_optimizer*>();
  const auto status = call.run(
      [&](auto* error) { return simdrop_optimizer_create(config, network.mlp, made, error); });
  if (status != SIMDROP_OK) return;
  simdrop_optimizer_destroy(place);
  place = *made;
}

void destroy(Objects& objects, Call& call) {
  simdrop_optimizer*& place = objects.optimizer(call.bytes);
  simdrop_optimizer_destroy(place);
  place = nullptr;
}

void set_learning_rate(Objects& objects, Call& call) {
  auto* const optimizer = objects.optimizer(call.bytes);
  constexpr double usual[] = {.01, 0.0, 1e39, -1.0};
  const double rate = call.bytes.choice(usual);
  call.run(
      [&](auto* error) { return simdrop_optimizer_set_learning_rate(optimizer, rate, error); });
}

void get_config(Objects& objects, Call& call) {
  const auto* const optimizer = objects.optimizer(call.bytes);
  auto* const config = call.structure(simdrop_optimizer_config{});
  call.run([&](auto* error) { return simdrop_optimizer_get_config(optimizer, config, error); });
  (void)simdrop_optimizer_step_count(optimizer);
}

}  // namespace

std::vector<Function> optimizer_calls() {
  return {config_init, create, create, destroy, set_learning_rate, get_config};
}

}  // namespace fuzz
