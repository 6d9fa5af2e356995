#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

// A call that has work for more than one thread.
void use(const simdrop_executor* executor, Bytes& bytes) {
  Call call(bytes);
  const std::int64_t n = 70000 + bytes.size() % 1000;
  auto* const mask = call.mask(1, n);
  const auto* const dropout = any_dropout(call);
  simdrop_exec exec{};
  exec.executor = executor;
  exec.num_threads = static_cast<std::int32_t>(bytes.below(5));
  const auto* const given = call.structure(exec);
  call.run([&](auto* error) { return simdrop_bernoulli_mask(dropout, n, mask, given, error); });
}

void thread_pool(Objects& /*objects*/, Call& call) {
  const std::int32_t count =
      call.bytes.one_in(16) ? -1 : static_cast<std::int32_t>(call.bytes.below(5));
  auto** const made = call.result<simdrop_thread_pool*>();
  const auto status =
      call.run([&](auto* error) { return simdrop_thread_pool_create(count, made, error); });
  if (status != SIMDROP_OK) return;
  Call inner(call.bytes);
  const std::size_t size = inner.any_struct_size(sizeof(simdrop_executor));
  auto* const executor = inner.room<simdrop_executor>(size);
  const auto shown = inner.run(
      [&](auto* error) { return simdrop_thread_pool_executor(*made, executor, size, error); });
  if (shown == SIMDROP_OK) use(executor, call.bytes);
  simdrop_thread_pool_destroy(*made);
}

void openmp_executor(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_executor));
  auto* const executor = call.room<simdrop_executor>(size);
  const auto status =
      call.run([&](auto* error) { return simdrop_openmp_executor(executor, size, error); });
  if (status == SIMDROP_OK) use(executor, call.bytes);
}

}  // namespace

std::vector<Function> threads_calls() {
  return {thread_pool, openmp_executor};
}

}  // namespace fuzz
