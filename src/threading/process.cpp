#include "threading/process.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>

namespace simdrop::detail {
namespace {

std::atomic<unsigned> depth{0};

}  // namespace

void keep_loaded(const void* function) noexcept {
  Dl_info library{};
  if (dladdr(function, &library) == 0) return;
  // A second handle that is never closed; null where the library is part of the program itself.
  static_cast<void>(dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

bool watch_forks() noexcept {
  static const bool watched =
      pthread_atfork(nullptr, nullptr, [] { depth.fetch_add(1, std::memory_order_relaxed); }) == 0;
  return watched;
}

unsigned fork_depth() noexcept {
  return depth.load(std::memory_order_relaxed);
}

}  // namespace simdrop::detail
