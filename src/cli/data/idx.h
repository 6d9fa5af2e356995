// Reader of the IDX files of MNIST and its relatives, gzip-compressed or not.
// Format: http://yann.lecun.com/exdb/mnist/ (big-endian header, then unsigned bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace simdrop::io {

struct IdxImages {
  std::size_t count = 0;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<std::uint8_t> pixels;  // count x rows x cols
};

// Both throw std::runtime_error, "FILE: what is wrong with it", if the file can't be read, is no
// IDX file of the kind, is empty, cut off, too long or corrupt. A header is not trusted: memory
// grows with what is really read.
[[nodiscard]] IdxImages read_idx_images(const std::string& path);

// Also throws if a label is not in 0 ... classes - 1.
[[nodiscard]] std::vector<std::uint8_t> read_idx_labels(const std::string& path,
                                                        std::size_t classes);

}  // namespace simdrop::io
