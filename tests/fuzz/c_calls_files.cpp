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

void save_run(Objects& objects, Call& call) {
  const Network& network = objects.made_network(call.bytes);
  simdrop_mlp_save_args value{};
  value.optimizer = call.bytes.one_in(3) ? nullptr : objects.optimizer(call.bytes);
  value.no_sync = static_cast<std::int32_t>(call.bytes.below(3));
  value.reserved = call.bytes.one_in(32) ? 1 : 0;
  const char* const path = any_path(call);
  const auto* const args = call.structure(value);
  call.run([&](auto* error) { return simdrop_mlp_save_run(path, network.mlp, args, error); });
}

void save_args_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_mlp_save_args));
  auto* const args = call.room<simdrop_mlp_save_args>(size);
  call.run([&](auto* error) { return simdrop_mlp_save_args_init(args, size, error); });
}

// What was loaded takes the place of others.
void keep(Objects& objects, Call& call, simdrop_mlp* mlp, simdrop_optimizer* const* optimizer) {
  objects.put(objects.network(call.bytes), mlp);
  if (optimizer == nullptr) return;
  simdrop_optimizer*& place = objects.optimizer(call.bytes);
  simdrop_optimizer_destroy(place);
  place = *optimizer;
}

void load(Objects& objects, Call& call) {
  const char* const path = any_path(call);
  const auto* const defaults = any_mlp_config(call);
  auto** const mlp = call.result<simdrop_mlp*>();
  auto** const optimizer = call.result<simdrop_optimizer*>();
  const auto status = call.run(
      [&](auto* error) { return simdrop_mlp_load(path, defaults, mlp, optimizer, error); });
  if (status == SIMDROP_OK) keep(objects, call, *mlp, optimizer);
}

void load_args_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_mlp_load_args));
  auto* const args = call.room<simdrop_mlp_load_args>(size);
  call.run([&](auto* error) { return simdrop_mlp_load_args_init(args, size, error); });
}

void load_run(Objects& objects, Call& call) {
  const char* const path = any_path(call);
  simdrop_mlp_load_args args{};
  args.defaults = call.bytes.one_in(3) ? nullptr : any_mlp_config(call);
  args.activation = static_cast<std::int32_t>(call.bytes.below(3));
  args.loss = call.bytes.one_in(8) ? call.bytes.any<std::int32_t>()
                                   : static_cast<std::int32_t>(100 + call.bytes.below(5));
  const auto* const given = call.structure(args);
  auto** const mlp = call.result<simdrop_mlp*>();
  auto** const optimizer = call.result<simdrop_optimizer*>();
  const auto status = call.run(
      [&](auto* error) { return simdrop_mlp_load_run(path, given, mlp, optimizer, error); });
  if (status == SIMDROP_OK) keep(objects, call, *mlp, optimizer);
}

}  // namespace

std::vector<Function> files_calls() {
  return {save, save_run, save_args_init, load, load_args_init, load_run};
}

}  // namespace fuzz
