// Any bytes as an IDX file, gzip or not: they are read, or are a std::runtime_error, in memory that
// grows with what they hold.
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/data/idx.h"
#include "fuzz/peak_memory.h"

namespace {

constexpr std::size_t classes = 10;
constexpr std::size_t buffers = 1 << 19;  // of zlib, and of a piece that is read ahead

// The readers want a path: that of a file in memory.
int memory_file(const std::uint8_t* data, std::size_t size) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  return fd;
}

// Bytes that zlib makes of the file, until it finds a fault.
std::size_t unpacked_size(const std::string& path) {
  static std::vector<std::uint8_t> piece(1 << 16);
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) std::abort();
  std::size_t size = 0;
  for (int got = 1; got > 0; size += static_cast<std::size_t>(std::max(got, 0))) {
    got = gzread(file, piece.data(), static_cast<unsigned>(piece.size()));
  }
  gzclose(file);
  return size;
}

template <class Read>
void expect_data_or_error(std::size_t size, Read read) {
  const fuzz::PeakMemory memory;
  try {
    read();
  } catch (const std::runtime_error&) {
  }
  memory.expect_within_4_times(size, buffers);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int fd = memory_file(data, size);
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const std::size_t most = std::max(size, unpacked_size(path));
  expect_data_or_error(most, [&] { (void)simdrop::io::read_idx_images(path); });
  expect_data_or_error(most, [&] { (void)simdrop::io::read_idx_labels(path, classes); });
  close(fd);
  return 0;
}
