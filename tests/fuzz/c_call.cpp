#include "fuzz/c_call.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace fuzz {
namespace {

constexpr std::size_t largest_array = 1 << 19;  // bytes
constexpr std::size_t largest_struct = 4096;    // that any version will take

// Bytes of rows x cols elements; -1 if that is beyond PTRDIFF_MAX, or a size is negative.
std::ptrdiff_t bytes_of(std::int64_t rows, std::int64_t cols, std::int64_t ld,
                        std::size_t element) {
  if (rows < 0 || cols < 0 || (rows > 1 && ld < 0)) return -1;
  if (rows == 0 || cols == 0) return 0;
  std::int64_t elements = 0;
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(rows - 1, rows > 1 ? ld : 0, &elements) ||
      __builtin_add_overflow(elements, cols, &elements) ||
      __builtin_mul_overflow(elements, static_cast<std::int64_t>(element), &bytes)) {
    return -1;
  }
  return bytes;
}

}  // namespace

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_c_api: %s\n", what);
  std::abort();
}

void Block::Free::operator()(unsigned char* memory) const {
  std::free(memory);
}

Block::Block(std::size_t size, std::size_t offset)
    : memory_(static_cast<unsigned char*>(std::malloc(size + offset))),
      size_(size),
      offset_(offset) {}

void Block::remember() {
  before_.assign(data(), data() + size_);
}

bool Block::unchanged() const {
  return size_ == 0 || std::memcmp(before_.data(), data(), size_) == 0;
}

unsigned char* Call::new_block(std::size_t size, std::size_t offset) {
  blocks_.push_back(std::make_shared<Block>(size, offset));
  return blocks_.back()->data();
}

// Numbers of a usual size, zeros, or any bits.
void Call::fill(unsigned char* data, std::size_t size) {
  std::uint32_t state = bytes.any<std::uint8_t>();
  if (state % 4 == 0) {
    std::memset(data, 0, size);
    return;
  }
  const bool any_bits = state % 4 == 1;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1664525U + 1013904223U;
    // The upper byte of a float: a sign and an exponent near 1.
    const bool exponent = i % 4 == 3 && !any_bits;
    data[i] = static_cast<unsigned char>(exponent ? 0x3E | (state >> 24 & 0x81) : state >> 24);
  }
}

void* Call::shared(std::size_t size, std::size_t element) {
  if (arrays_.empty()) return nullptr;
  const Block& block = *arrays_[bytes.below(arrays_.size())];
  if (block.size() < size) return nullptr;
  const std::size_t offset = std::min(block.size() - size, bytes.below(4) * element);
  unsigned char* const place = block.data() + offset;
  return reinterpret_cast<std::uintptr_t>(place) % element == 0 ? place : nullptr;
}

std::int64_t Call::ld(std::int64_t cols) {
  const std::size_t kind = bytes.below(16);
  if (kind < 10 || cols < 0) return cols;
  if (kind < 14) return cols < 4096 ? cols + static_cast<std::int64_t>(bytes.below(9)) : cols;
  return bytes.size();
}

void* Call::matrix(std::int64_t rows, std::int64_t cols, std::int64_t ld, std::size_t element) {
  if (bytes.one_in(48)) return nullptr;
  // In a structure 0 is the default, cols; to a function it is an error.
  const std::ptrdiff_t needed = bytes_of(rows, cols, ld == 0 ? cols : ld, element);
  if (needed > static_cast<std::ptrdiff_t>(largest_array)) {
    give_up();
    return nullptr;
  }
  const auto size = static_cast<std::size_t>(needed < 0 ? 1 : needed);
  if (bytes.one_in(12)) {
    if (void* const place = shared(size, element)) return place;
  }
  unsigned char* const data = new_block(size, bytes.below(8) * element);
  arrays_.push_back(blocks_.back());
  fill(data, size);
  return data;
}

std::uint8_t* Call::mask(std::int64_t rows, std::int64_t cols) {
  std::int64_t n = 0;
  if (rows < 0 || cols < 0 || __builtin_mul_overflow(rows, cols, &n)) n = -1;
  return array_of<std::uint8_t>(n < 0 ? n : n / 8 + (n % 8 != 0));
}

void* Call::copy_of_bytes(const void* values, std::size_t size) {
  unsigned char* const data = new_block(size, 0);
  if (size != 0) std::memcpy(data, values, size);
  return data;
}

std::size_t Call::any_struct_size(std::size_t known) {
  if (!bytes.one_in(16)) return known;
  const std::size_t sizes[] = {0,           known - 1,      known - 8,         known + 8,
                               known + 100, largest_struct, largest_struct + 1};
  return bytes.choice(sizes);
}

void* Call::sized_copy(const void* value, std::size_t known, std::size_t size) {
  const std::size_t room = std::max(sizeof(size), size > largest_struct ? known : size);
  unsigned char* const data = new_block(room, 0);
  std::memset(data, bytes.one_in(4) ? 1 : 0, room);
  std::memcpy(data, value, std::min(known, room));
  return data;
}

simdrop_error* Call::make_error() {
  if (bytes.one_in(8)) return nullptr;
  simdrop_error error = SIMDROP_ERROR_INIT;
  error.struct_size = any_struct_size(sizeof(error));
  std::memset(error.message, 'x', sizeof(error.message));
  const std::size_t room = error.struct_size < sizeof(error)
                               ? std::max(sizeof(std::size_t), error.struct_size)
                               : sizeof(error);
  error_block_ = std::make_shared<Block>(room, 0);
  std::memcpy(error_block_->data(), &error, room);
  error_block_->remember();
  return reinterpret_cast<simdrop_error*>(error_block_->data());
}

void Call::check(simdrop_status status, const simdrop_error* error) {
  const bool known = status == SIMDROP_OK || status == SIMDROP_INVALID_ARGUMENT ||
                     status == SIMDROP_FILE_ERROR || status == SIMDROP_INVALID_STATE;
  const bool broken = status == SIMDROP_INTERNAL && executor_is_faulty;
  require(known || broken, simdrop_status_message(status));
  if (status != SIMDROP_OK && !broken) {
    for (const auto& block : blocks_) require(block->unchanged(), "a call that failed wrote");
  }
  if (error == nullptr) return;
  if (error->struct_size < sizeof(simdrop_error)) {
    require(error_block_->unchanged(), "an error that is too short was written");
    return;
  }
  require(error->status == status, "the error has another status");
  require(std::memchr(error->message, 0, sizeof(error->message)) != nullptr, "an endless message");
  const std::string_view message = error->message;
  require(message.empty() == (status == SIMDROP_OK), "a message without error, or none with one");
}

}  // namespace fuzz
