// The safetensors format: 8 bytes with the length of the header (little-endian), the header (JSON),
// the elements of all tensors, little-endian and without gaps.
// Source: https://huggingface.co/docs/safetensors (format, version 0.4 on).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "io/output_file.h"
#include "simdrop/matrix.hpp"

namespace simdrop::detail {

struct TensorInfo {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // offsets in the data

  [[nodiscard]] std::uint64_t elements() const noexcept;  // does not overflow: see read_header
};

// "F32 of 3 x 4"
std::string describe(const TensorInfo& tensor);

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorInfo, std::less<>> tensors;
  std::uint64_t data = 0;  // where offsets count from
};

// Reads the header and checks all of it: tensors lie in the file, none overlaps another, none has a
// gap before it, and each is as long as its shape says. Throws FileError.
SafetensorsHeader read_header(ByteSource& source);

// F32 tensors alone. out has as many elements as the tensor.
void read_tensor(ByteSource& source, const SafetensorsHeader& header, const TensorInfo& tensor,
                 Matrix out);

// An F32 tensor to be written: the rows of values, one after the other.
struct TensorData {
  std::string name;
  std::vector<std::uint64_t> shape;
  ConstMatrix values;
};

void write_safetensors(OutputFile& file, std::span<const TensorData> tensors,
                       const std::map<std::string, std::string>& metadata);

// What readers of the format take at most.
inline constexpr std::uint64_t max_header_bytes = 100'000'000;

}  // namespace simdrop::detail
