// Any bytes as a safetensors file: they load, or are a FileError, in memory that grows with them;
// and what has been loaded is saved and loaded again.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/peak_memory.h"
#include "io/byte_source.h"
#include "io/checkpoint.h"
#include "io/safetensors.h"

namespace {

using namespace simdrop;

constexpr std::size_t small = 1 << 16;  // parameters
// What a network of these sizes needs whatever its file: packed operands and activations.
constexpr std::size_t beside = 1 << 18;
const MlpConfig one_row{.max_batch = 1};

void predict_one(Mlp& mlp) {
  const std::vector<float> x(mlp.config().widths.front(), 1.0F);
  std::vector<float> out(mlp.config().widths.back());
  mlp.predict(std::span<const float>(x), std::span<float>(out));
}

// What was loaded can be saved, and is then the same.
void save_and_load(Checkpoint& checkpoint) {
  static const std::string path = "/dev/shm/fuzz_safetensors." + std::to_string(getpid());
  static const struct Remove {
    ~Remove() { unlink(path.c_str()); }
  } remove;
  const Optimizer* const optimizer = checkpoint.optimizer ? &*checkpoint.optimizer : nullptr;
  save_checkpoint(path, checkpoint.mlp, optimizer, checkpoint.metadata);
  Checkpoint again = load_checkpoint(path, one_row);
  if (again.metadata != checkpoint.metadata) std::abort();
  if (again.optimizer.has_value() != checkpoint.optimizer.has_value()) std::abort();
  for (std::size_t l = 1; l <= checkpoint.mlp.num_layers(); ++l) {
    const ConstMatrix was = checkpoint.mlp.weights(l), is = again.mlp.weights(l);
    if (std::memcmp(was.data, is.data, was.size() * sizeof(float)) != 0) std::abort();
  }
}

void load(std::span<const std::byte> bytes, const LoadOptions& options) {
  detail::MemorySource source("fuzz", bytes);
  const fuzz::PeakMemory memory;
  std::optional<Checkpoint> checkpoint;
  try {
    checkpoint = detail::load_checkpoint(source, one_row, options);
  } catch (const FileError&) {
  }
  memory.expect_within_4_times(bytes.size(), beside);
  if (!checkpoint || checkpoint->mlp.num_parameters() > small) return;
  predict_one(checkpoint->mlp);
  save_and_load(*checkpoint);
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
  const auto bytes = std::as_bytes(std::span(data, size));
  load(bytes, {});
  load(bytes, {.activation = Activation::relu, .loss = static_cast<Loss>(size % 3)});
  return 0;
}
