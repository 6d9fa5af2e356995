// The safetensors format: 8 bytes with the length of the header (little-endian), the header (JSON),
// the elements of all tensors, little-endian and without gaps.
// Source: https://huggingface.co/docs/safetensors (format, version 0.4 on).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "io/output_file.h"
#include "mlp/checkpoint_access.h"
#include "simdrop/matrix.hpp"

namespace simdrop::detail {

// Small: a header of 64 bytes a tensor must not take several times that.
struct TensorInfo {
  static constexpr std::size_t kept_extents = 4;

  std::string name;
  const char* dtype = nullptr;  // static storage
  std::uint32_t rank = 0;
  std::array<std::uint64_t, kept_extents> shape{};  // of more dimensions, the first
  std::uint64_t begin = 0, end = 0;                 // offsets in the data
};

struct TensorByName {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
  static std::string_view name(std::string_view text) noexcept { return text; }
  static std::string_view name(const TensorInfo& tensor) noexcept { return tensor.name; }
  bool operator()(const auto& a, const auto& b) const noexcept { return name(a) < name(b); }
};

// "F32 of 3 x 4"
std::string describe(const TensorInfo& tensor);

// As deep a network as there can be has two tensors a layer, and twice as many of an optimizer.
inline constexpr std::size_t max_tensors = 6 * max_layers;
// Beyond them a file is no user's: each takes memory of its own.
inline constexpr std::size_t max_metadata = 4096;

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::set<TensorInfo, TensorByName> tensors;
  std::uint64_t data = 0;  // where offsets count from
};

// Reads the header and checks all of it: tensors lie in the file, none overlaps another, none has a
// gap before it, and each is as long as its shape says. Stops at the first entry that is wrong, at
// more than max_tensors of them, or at more than max_metadata keys; memory grows with what is kept.
// Throws FileError.
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
