#include "mlp/layer_mask.h"

#include "kernels/gemm_arguments.h"
#include "mask/mask_source.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

void extract_bits(const std::uint8_t* bits, std::size_t first, std::size_t n, std::uint8_t* out) {
  const std::size_t last_byte = (first + n - 1) / 8;
  for (std::size_t i = 0; i < mask_bytes(n); ++i) {
    const std::size_t byte = first / 8 + i;
    const unsigned low = bits[byte];
    const unsigned high = byte < last_byte ? bits[byte + 1] : 0U;
    out[i] = static_cast<std::uint8_t>((high << 8 | low) >> (first % 8));
  }
  if (n % 8 != 0) out[n / 8] &= static_cast<std::uint8_t>((1U << (n % 8)) - 1U);
}

void LayerMask::allocate(std::size_t bits) {
  memory_ = make_buffer<std::uint8_t>(mask_bytes(bits) + mask_slack);
}

void LayerMask::inject(std::span<const std::uint8_t> bits) {
  std::vector<std::uint8_t> injected;
  if (!bits.empty()) {
    injected.reserve(bits.size() + mask_slack);
    injected.assign(bits.begin(), bits.end());
    injected.resize(bits.size() + mask_slack);
  }
  injected_.swap(injected);
}

// Injected bits are used where they are, and copied for readers alone.
void LayerMask::begin(double keep_prob, std::size_t n, bool keep) {
  keep_prob_ = keep_prob;
  bits_ = nullptr;
  if (injected()) {
    bits_ = injected_.data();
    if (keep) extract_bits(bits_, 0, n, memory());
  } else if (keep_prob < 1.0 || keep) {
    bits_ = memory();
  }
}

MaskSource LayerMask::source(Stream stream, std::uint64_t first) const {
  return make_mask_source({.keep_prob = keep_prob_, .stream = stream, .first = first},
                          injected() ? injected_.data() : nullptr);
}

}  // namespace simdrop::detail
