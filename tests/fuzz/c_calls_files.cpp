#include <unistd.h>

#include <string>

#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

// Of a file in memory as a rule; of none, of a folder.
const char* any_path(Call& call) {
  static const std::string folder = "/dev/shm/fuzz_c_api." + std::to_string(getpid());
  static const std::string paths[] = {folder + ".0", folder + ".1", folder + ".0/none", "/dev/shm",
                                      ""};
  static const struct Remove {
    ~Remove() {
      unlink(paths[0].c_str());
      unlink(paths[1].c_str());
    }
  } remove;
  if (call.bytes.one_in(16)) return nullptr;
  return paths[call.bytes.one_in(8) ? call.bytes.below(5) : call.bytes.below(2)].c_str();
}

void save(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  const auto* const optimizer = call.bytes.one_in(3) ? nullptr : objects.optimizer(call.bytes);
  const char* const path = any_path(call);
  call.run([&](auto* error) { return simdrop_mlp_save(path, network.mlp, optimizer, error); });
}

void load(Objects& objects, Call& call) {
  const char* const path = any_path(call);
  const auto* const defaults = any_mlp_config(call);
  auto** const mlp = call.result<simdrop_mlp*>();
  auto** const optimizer = call.result<simdrop_optimizer*>();
  const auto status = call.run(
      [&](auto* error) { return simdrop_mlp_load(path, defaults, mlp, optimizer, error); });
  if (status != SIMDROP_OK) return;
  objects.put(objects.network(call.bytes), *mlp);
  if (optimizer == nullptr) return;
  simdrop_optimizer*& place = objects.optimizer(call.bytes);
  simdrop_optimizer_destroy(place);
  place = *optimizer;
}

}  // namespace

std::vector<Function> files_calls() {
  return {save, load};
}

}  // namespace fuzz
