/* PyTorch's threads as a simdrop_executor: its stable C interface has a parallel-for since 2.10.
 * Nothing of PyTorch is needed to compile this: Python finds the function in what is loaded. */
#include <stddef.h>
#include <stdint.h>

/* torch/csrc/stable/c/shim.h: torch_parallel_for. Returns 0 if all went well. */
typedef int32_t (*torch_parallel_for)(int64_t begin, int64_t end, int64_t grain_size,
                                      void (*range)(int64_t begin, int64_t end, void* context),
                                      void* context);

typedef void (*simdrop_task)(void* task_context, size_t index);

struct tasks {
  simdrop_task task;
  void* context;
};

static void run_range(int64_t begin, int64_t end, void* context) {
  const struct tasks* tasks = context;
  for (int64_t i = begin; i < end; ++i) tasks->task(tasks->context, (size_t)i);
}

/* parallel_for of simdrop_executor, whose context is PyTorch's function. If that fails, tasks are
 * left out, which simdrop sees. */
void simdrop_torch_parallel_for(void* context, size_t count, simdrop_task task,
                                void* task_context) {
  struct tasks tasks = {task, task_context};
  union {
    void* address;
    torch_parallel_for function;
  } torch = {context};
  (void)torch.function(0, (int64_t)count, 1, run_range, &tasks);
}
