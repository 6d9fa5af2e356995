#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

// Also of arrays that more than one thread fills.
std::int64_t long_size(Call& call) {
  const std::int64_t n = call.bytes.size();
  return n > 0 && n <= 256 && call.bytes.one_in(4) ? n * 400 : n;
}

void dropout_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_dropout));
  auto* const dropout = call.room<simdrop_dropout>(size);
  call.run([&](auto* error) { return simdrop_dropout_init(dropout, size, error); });
}

void mask_bytes(Objects& /*objects*/, Call& call) {
  const std::int64_t n = call.bytes.size();
  require((simdrop_mask_bytes(n) < 0) == (n < 0), "bytes of a mask");
}

void philox_fill(Objects& /*objects*/, Call& call) {
  const std::int64_t n = long_size(call);
  auto* const words = call.array_of<std::uint32_t>(n);
  constexpr std::int32_t usual[] = {10, 10, 10, 7};
  const std::int32_t rounds = call.bytes.choice(usual);
  const std::uint64_t seed = call.bytes.below(200);
  const std::uint64_t first = call.bytes.position();
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_philox_fill(seed, ~seed, first, words, n, rounds, exec, error);
  });
}

void bernoulli_mask(Objects& /*objects*/, Call& call) {
  const std::int64_t n = long_size(call);
  auto* const mask = call.mask(1, n);
  const auto* const dropout = any_dropout(call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) { return simdrop_bernoulli_mask(dropout, n, mask, exec, error); });
}

}  // namespace

std::vector<Function> random_calls() {
  return {dropout_init, mask_bytes, philox_fill, bernoulli_mask};
}

}  // namespace fuzz
