// The Linear layers that the tensors of a file make up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "io/safetensors.h"

namespace simdrop::detail {

// The tensors of one Linear layer.
struct LayerTensors {
  const TensorInfo* weight = nullptr;
  const TensorInfo* bias = nullptr;
};

// By their numbers.
using Layers = std::map<std::uint64_t, LayerTensors>;

// Names of tensors that belong to an optimizer begin so.
inline constexpr std::string_view state_prefix = "optimizer.";

// All tensors of the file but, with has_state, those of an optimizer. Throws FileError unless they
// are one Sequential's: PREFIX NUMBER ".weight" of two dimensions and ".bias", with one prefix and
// something between each two of them, each layer as wide as the next one's inputs.
Layers find_layers(const ByteSource& source, const SafetensorsHeader& header, bool has_state);

std::vector<std::size_t> widths_of(const Layers& layers);

// Throws FileError if it is no F32 of `rank` dimensions, or empty.
void check_tensor(const ByteSource& source, const TensorInfo& tensor, std::uint32_t rank);
// Of tensors whose shapes do not suit each other.
[[noreturn]] void fail_to_fit(const ByteSource& source, const TensorInfo& a, const TensorInfo& b);

}  // namespace simdrop::detail
