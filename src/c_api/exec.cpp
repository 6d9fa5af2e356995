#include "c_api/exec.h"

namespace simdrop::c_api {
namespace {

constexpr simdrop_executor no_executor = {sizeof(simdrop_executor), nullptr, nullptr, 1, 0};

}  // namespace

CExecutor::CExecutor(const simdrop_executor* given)
    : executor_(read_struct(given, no_executor, "executor")) {
  detail::check_argument(executor_.parallel_for != nullptr, "executor->parallel_for", "NULL",
                         "a function");
  detail::check_argument(executor_.max_concurrency >= 1, "executor->max_concurrency",
                         executor_.max_concurrency, ">= 1");
  detail::check_argument(executor_.reserved == 0, "executor->reserved", executor_.reserved, "0");
}

void CExecutor::parallel_for(std::size_t count, Task task, void* context) {
  executor_.parallel_for(executor_.context, count, task, context);
}

}  // namespace simdrop::c_api
