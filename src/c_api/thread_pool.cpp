#include <stdexcept>

#include "c_api/catch_exceptions.h"
#include "c_api/structs.h"
#include "simdrop/c/base.h"
#include "simdrop/threads.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

struct simdrop_thread_pool {  // NOLINT(readability-identifier-naming): the C API's name
  simdrop::ThreadPool pool;
};

namespace {

simdrop_executor c_executor(simdrop::Executor& executor) {
  return {sizeof(simdrop_executor), &executor,
          [](void* context, size_t count, void (*task)(void*, size_t), void* task_context) {
            // The type of C's tasks does not say that they throw nothing.
            const auto given = reinterpret_cast<simdrop::Executor::Task>(task);
            static_cast<simdrop::Executor*>(context)->parallel_for(count, given, task_context);
          },
          executor.max_concurrency(), 0};
}

}  // namespace

simdrop_status simdrop_thread_pool_create(int32_t num_threads, simdrop_thread_pool** pool,
                                          simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(pool, "pool");
    simdrop::detail::check_argument(num_threads >= 0, "num_threads", num_threads, ">= 0");
    *pool = new simdrop_thread_pool{simdrop::ThreadPool(num_threads)};
  });
}

void simdrop_thread_pool_destroy(simdrop_thread_pool* pool) {
  delete pool;
}

simdrop_status simdrop_thread_pool_executor(simdrop_thread_pool* pool, simdrop_executor* executor,
                                            size_t struct_size, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(pool, "pool");
    write_struct(executor, struct_size, c_executor(pool->pool), "executor");
  });
}

simdrop_status simdrop_openmp_executor(simdrop_executor* executor, size_t struct_size,
                                       simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop::Executor* openmp = simdrop::openmp_executor();
    if (openmp == nullptr) {
      throw std::logic_error(
          "simdrop: this build has no OpenMP, and so no executor of its threads");
    }
    write_struct(executor, struct_size, c_executor(*openmp), "executor");
  });
}
