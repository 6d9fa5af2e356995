// Any bytes as a safetensors file: they load, or are a FileError.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "io/checkpoint.h"
#include "io/safetensors.h"

namespace {

using namespace simdrop;

constexpr std::size_t small = 1 << 16;  // parameters

void predict_one(Mlp& mlp) {
  if (mlp.num_parameters() > small) return;
  const std::vector<float> x(mlp.config().widths.front(), 1.0F);
  std::vector<float> out(mlp.config().widths.back());
  mlp.predict(std::span<const float>(x), std::span<float>(out));
}

// The length that makes the header end where its text seems to.
void repair_length(std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t brace = text.rfind('}');
  if (brace == std::string_view::npos || brace < 8) return;
  const std::uint64_t length = brace + 1 - 8;
  for (unsigned i = 0; i < 8; ++i) data[i] = static_cast<std::uint8_t>(length >> (8 * i));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);

// A header of another length would hardly ever come with the number that says so.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max);
  if (seed % 8 != 0) repair_length(data, size);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  detail::MemorySource source("fuzz", std::as_bytes(std::span(data, size)));
  MlpConfig config;
  config.max_batch = 1;
  try {
    Checkpoint checkpoint = detail::load_checkpoint(source, config);
    predict_one(checkpoint.mlp);
  } catch (const FileError&) {
    return 0;
  }
  return 0;
}
