#include "fuzz/peak_memory.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

// Of sanitizer/allocator_interface.h; weak, for builds without AddressSanitizer.
extern "C" {
[[gnu::weak]] int __sanitizer_install_malloc_and_free_hooks(
    void (*malloc_hook)(const volatile void*, std::size_t),
    void (*free_hook)(const volatile void*));
[[gnu::weak]] std::size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace fuzz {
namespace {

std::atomic<std::ptrdiff_t> held{0}, highest{0};

void allocated(const volatile void* /*memory*/, std::size_t size) {
  const std::ptrdiff_t now = held += static_cast<std::ptrdiff_t>(size);
  if (now > highest) highest = now;
}

void freed(const volatile void* memory) {
  if (memory == nullptr) return;
  held -= static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(memory));
}

bool install() {
  if (__sanitizer_install_malloc_and_free_hooks == nullptr) return false;
  if (__sanitizer_install_malloc_and_free_hooks(allocated, freed) == 0) std::abort();
  return true;
}

}  // namespace

PeakMemory::PeakMemory() {
  static const bool installed = install();
  (void)installed;
  before_ = held;
  highest = before_;
}

void PeakMemory::expect_within_4_times(std::size_t input, std::size_t beside) const {
  const std::ptrdiff_t used = highest - before_;
  if (used <= static_cast<std::ptrdiff_t>(4 * input + beside)) return;
  std::fprintf(stderr, "%td bytes held for an input of %zu; allowed: 4 times that and %zu\n", used,
               input, beside);
  std::abort();
}

}  // namespace fuzz
