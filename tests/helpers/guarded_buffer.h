// Memory between two pages that must not be touched: one byte read or written beyond an edge
// that the data lies flush against faults. The rest of the buffer is filled with a pattern
// around the data, so that a write there is seen too.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

#include "helpers/test_sizes.h"

namespace test {

enum class Edge { start, end };

class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t capacity) {
    page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    body_size_ = (capacity + gap() + page_ - 1) / page_ * page_;
    void* base =
        mmap(nullptr, body_size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    body_ = static_cast<std::uint8_t*>(base) + page_;
    if (mprotect(body_, body_size_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    place(0, Edge::start, 0);
  }
  ~GuardedBytes() { munmap(body_ - page_, body_size_ + 2 * page_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  // `size` bytes that lie `offset` bytes from the edge. Their content is the pattern.
  std::uint8_t* place(std::size_t size, Edge edge, std::size_t offset) {
    if (size + offset + gap() > body_size_) throw std::bad_alloc();
    data_ = edge == Edge::start ? body_ + offset : body_ + body_size_ - gap() - offset - size;
    size_ = size;
    const auto around = surroundings();
    std::memset(around.begin, fill_pattern, static_cast<std::size_t>(around.end - around.begin));
    return data_;
  }

  // Nothing beside the data was written since place().
  [[nodiscard]] bool intact() const {
    const auto around = surroundings();
    const auto is_pattern = [](std::uint8_t byte) { return byte == fill_pattern; };
    return std::all_of(around.begin, data_, is_pattern) &&
           std::all_of(data_ + size_, around.end, is_pattern);
  }

 private:
  static constexpr std::uint8_t fill_pattern = 0xA5;
  static constexpr std::size_t watched_bytes = 256;  // four of the widest vectors
  // QEMU 7 reads all lanes of AVX2's masked loads and so faults where no CPU does: there the data
  // lies a little before the edge, and only writes beyond it are seen.
  static std::size_t gap() {
#ifdef __x86_64__
    return emulated() ? 64 : 0;
#else
    return 0;
#endif
  }

  struct Range {
    std::uint8_t* begin;
    std::uint8_t* end;
  };
  [[nodiscard]] Range surroundings() const {
    const auto before = static_cast<std::size_t>(data_ - body_);
    const std::size_t after = body_size_ - before - size_;
    return {data_ - std::min(before, watched_bytes),
            data_ + size_ + std::min(after, watched_bytes)};
  }

  std::size_t page_ = 0;
  std::size_t body_size_ = 0;
  std::uint8_t* body_ = nullptr;
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

template <class T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t capacity) : bytes_(capacity * sizeof(T)) {}

  // n elements that lie `offset` elements from the edge.
  std::span<T> place(std::size_t n, Edge edge, std::size_t offset = 0) {
    std::uint8_t* data = bytes_.place(n * sizeof(T), edge, offset * sizeof(T));
    return {reinterpret_cast<T*>(data), n};
  }
  // The same, with a copy of `content`.
  std::span<T> place(std::span<const T> content, Edge edge, std::size_t offset = 0) {
    const std::span<T> data = place(content.size(), edge, offset);
    std::copy(content.begin(), content.end(), data.begin());
    return data;
  }
  [[nodiscard]] bool intact() const { return bytes_.intact(); }

 private:
  GuardedBytes bytes_;
};

}  // namespace test
