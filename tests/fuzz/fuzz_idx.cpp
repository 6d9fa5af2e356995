// Any bytes as an IDX file, gzip or not: they are read, or are a std::runtime_error.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "cli/data/idx.h"

namespace {

constexpr std::size_t classes = 10;

// The readers want a path: that of a file in memory.
int memory_file(const std::uint8_t* data, std::size_t size) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  return fd;
}

template <class Read>
void expect_data_or_error(Read read) {
  try {
    read();
  } catch (const std::runtime_error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int fd = memory_file(data, size);
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  expect_data_or_error([&] { (void)simdrop::io::read_idx_images(path); });
  expect_data_or_error([&] { (void)simdrop::io::read_idx_labels(path, classes); });
  close(fd);
  return 0;
}
