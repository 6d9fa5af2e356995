#include "helpers/count_allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> number{0};
std::atomic<std::ptrdiff_t> live{0};
std::atomic<std::size_t> bytes{0}, most_bytes{0};
std::atomic<std::size_t> refused{0};
std::atomic<std::size_t> first_refused{0}, refused_count{0};  // by number; 0: none

bool refuse(std::size_t which) noexcept {
  const std::size_t first = first_refused;
  if (first == 0 || which < first || which - first >= refused_count) return false;
  ++refused;
  return true;
}

void* count_and_allocate(std::size_t size, std::size_t alignment) {
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = refuse(++number)
                     ? nullptr
                     : std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  ++live;
  const std::size_t now = bytes += malloc_usable_size(memory);
  if (now > most_bytes) most_bytes = now;
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory != nullptr) {
    --live;
    bytes -= malloc_usable_size(memory);
  }
  std::free(memory);
}

}  // namespace

namespace test {

std::size_t allocations() noexcept {
  return number;
}
std::ptrdiff_t live_allocations() noexcept {
  return live;
}
std::size_t live_bytes() noexcept {
  return bytes;
}
std::size_t peak_bytes() noexcept {
  return most_bytes;
}
void forget_peak() noexcept {
  most_bytes = bytes.load();
}
std::size_t refusals() noexcept {
  return refused;
}
void refuse_allocations(std::size_t n, std::size_t count) noexcept {
  refused_count = count;
  first_refused = n == 0 ? 0 : number + n;
}

}  // namespace test

// Array and nothrow forms call these, as the standard says.
void* operator new(std::size_t size) {
  return count_and_allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return count_and_allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}
