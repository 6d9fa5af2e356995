#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

void never_fail(Objects& /*objects*/, Call& call) {
  require(simdrop_status_message(call.bytes.any<simdrop_status>())[0] != '\0', "no text");
  require(simdrop_version() > 0, "no version");
  require(simdrop_version_string()[0] != '\0', "no version");
  require(simdrop_abi_version() >= SIMDROP_ABI_VERSION, "an older interface");
  require(simdrop_mask_contract_version() == 1, "another mask contract");
  require(simdrop_has_openmp() / 2 == 0, "neither 0 nor 1");
}

void exec_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_exec));
  auto* const exec = call.room<simdrop_exec>(size);
  call.run([&](auto* error) { return simdrop_exec_init(exec, size, error); });
}

void isa_get(Objects& /*objects*/, Call& call) {
  const std::int32_t count = simdrop_isa_count();
  const std::int32_t index = call.bytes.one_in(8)
                                 ? call.bytes.any<std::int32_t>()
                                 : static_cast<std::int32_t>(call.bytes.below(8)) % count;
  auto* const info = call.structure(simdrop_isa_info{});
  call.run([&](auto* error) { return simdrop_isa_get(index, info, error); });
}

void active_isa(Objects& /*objects*/, Call& call) {
  auto* const name = call.result<const char*>();
  call.run([&](auto* error) { return simdrop_active_isa(name, error); });
}

void cpu_name(Objects& /*objects*/, Call& call) {
  const std::int64_t size = call.bytes.size();
  auto* const buffer = call.array_of<char>(size);
  auto* const length = call.result<std::int64_t>();
  call.run([&](auto* error) { return simdrop_cpu_name(buffer, size, length, error); });
}

}  // namespace

std::vector<Function> base_calls() {
  return {never_fail, exec_init, isa_get, active_isa, cpu_name};
}

}  // namespace fuzz
