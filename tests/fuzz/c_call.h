// One call of a C function: memory that is as large as the header says and no byte larger, so that
// AddressSanitizer sees what is touched beyond it, and what must hold when the call has returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fuzz/bytes.h"
#include "simdrop/simdrop.h"

namespace fuzz {

// What the sanitizers would not see: stops, as they do.
void require(bool holds, const char* what);

// Memory from malloc, whose ends are watched.
class Block {
 public:
  // `size` bytes from `offset` on.
  Block(std::size_t size, std::size_t offset);
  [[nodiscard]] unsigned char* data() const { return memory_.get() + offset_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  void remember();
  [[nodiscard]] bool unchanged() const;

 private:
  struct Free {
    void operator()(unsigned char* memory) const;
  };
  std::unique_ptr<unsigned char, Free> memory_;
  std::size_t size_, offset_;
  std::vector<unsigned char> before_;
};

class Call {
 public:
  explicit Call(Bytes& bytes_) : bytes(bytes_) {}

  Bytes& bytes;

  // A leading dimension of rows of `cols` elements.
  std::int64_t ld(std::int64_t cols);
  // rows x cols elements; NULL at times, or memory of another argument. Where a call must refuse
  // the sizes there is next to none.
  void* matrix(std::int64_t rows, std::int64_t cols, std::int64_t ld, std::size_t element);
  void* array(std::int64_t n, std::size_t element) { return matrix(1, n, n, element); }
  template <class T>
  T* array_of(std::int64_t n) {
    return static_cast<T*>(array(n, sizeof(T)));
  }
  std::uint8_t* mask(std::int64_t rows, std::int64_t cols);

  // A number, pointer or object that the call writes; NULL at times.
  template <class T>
  T* result(T value = {}) {
    return bytes.one_in(16) ? nullptr : copy_of(&value, 1);
  }
  // A copy of n values.
  template <class T>
  T* copy_of(const T* values, std::size_t n) {
    return static_cast<T*>(copy_of_bytes(values, n * sizeof(T)));
  }
  // A structure as large as its struct_size says, which may be any; NULL at times.
  template <class S>
  S* structure(S value) {
    if (bytes.one_in(24)) return nullptr;
    value.struct_size = any_struct_size(sizeof(S));
    return static_cast<S*>(sized_copy(&value, sizeof(S), value.struct_size));
  }
  // Room for a structure that an _init function is told to be of `size` bytes.
  template <class S>
  S* room(std::size_t size) {
    const S value{};
    return bytes.one_in(24) ? nullptr : static_cast<S*>(sized_copy(&value, sizeof(S), size));
  }
  std::size_t any_struct_size(std::size_t known);

  // The memory of the last matrix, to keep it beyond the call; null if there is none.
  [[nodiscard]] std::shared_ptr<Block> last_array() const {
    return arrays_.empty() ? nullptr : arrays_.back();
  }

  // Not to be made: its sizes are allowed, but more than there is memory for.
  void give_up() { fits_ = false; }
  // An executor that breaks its promise was there: SIMDROP_INTERNAL is right then.
  static inline bool executor_is_faulty = false;

  // Runs fn(error), and checks the status, the error, and that a call that failed wrote nothing.
  template <class Fn>
  simdrop_status run(Fn&& fn) {
    if (!fits_) return SIMDROP_INVALID_ARGUMENT;
    simdrop_error* const error = make_error();
    for (auto& block : blocks_) block->remember();
    const simdrop_status status = fn(error);
    check(status, error);
    return status;
  }

 private:
  void* copy_of_bytes(const void* values, std::size_t size);
  void* sized_copy(const void* value, std::size_t known, std::size_t size);
  unsigned char* new_block(std::size_t size, std::size_t offset);
  void* shared(std::size_t size, std::size_t element);
  void fill(unsigned char* data, std::size_t size);
  simdrop_error* make_error();
  void check(simdrop_status status, const simdrop_error* error);

  std::vector<std::shared_ptr<Block>> blocks_;  // all memory of the call
  std::vector<std::shared_ptr<Block>> arrays_;  // that which further arrays may share
  std::shared_ptr<Block> error_block_;
  bool fits_ = true;
};

}  // namespace fuzz
