#include "python/native/threads.h"

#include <algorithm>
#include <thread>

#include "python/native/shim.h"

namespace simdrop::torch {
namespace {

constexpr std::int64_t most_on_one_thread = 1 << 15;  // elements, which simdrop does not split
constexpr std::uint32_t most_threads = 1024;          // that a call of simdrop uses

using Task = void (*)(void* context, size_t index);

struct Tasks {
  Task task;
  void* context;
};

void run_range(std::int64_t begin, std::int64_t end, void* context) {
  const Tasks* tasks = static_cast<const Tasks*>(context);
  for (std::int64_t i = begin; i < end; ++i) tasks->task(tasks->context, static_cast<size_t>(i));
}

// If PyTorch fails, tasks are left out, which simdrop sees.
void parallel_for(void*, size_t count, Task task, void* task_context) {
  Tasks tasks{task, task_context};
  shim.torch_parallel_for(0, static_cast<std::int64_t>(count), 1, run_range, &tasks);
}

const simdrop_executor& executor() {
  static const simdrop_executor of_torch = [] {
    const unsigned cpus = std::clamp(std::thread::hardware_concurrency(), 2U, most_threads);
    return simdrop_executor{sizeof(simdrop_executor), nullptr, parallel_for,
                            static_cast<std::int32_t>(cpus), 0};
  }();
  return of_torch;
}

}  // namespace

Exec::Exec(std::int64_t elements) {
  if (elements <= most_on_one_thread) return;
  std::uint32_t threads = 1;
  shim.torch_get_num_threads(&threads);
  exec_ = {sizeof(simdrop_exec), &executor(),
           static_cast<std::int32_t>(std::clamp(threads, 1U, most_threads)),
           SIMDROP_STORES_AUTOMATIC};
}

// The same for calls that Python makes itself.
extern "C" SIMDROP_TORCH_EXPORT const simdrop_executor* simdrop_torch_executor() {
  return &executor();
}

}  // namespace simdrop::torch
