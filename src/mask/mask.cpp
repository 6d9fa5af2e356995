#include "simdrop/mask.hpp"

#include <cmath>

#include "base/float_environment.h"
#include "base/matrix_check.h"
#include "dispatch/dispatch.h"
#include "mask/dyadic_plan.h"
#include "mask/mask_check.h"
#include "mask/mask_source.h"
#include "threading/parallel.h"

namespace simdrop {
namespace detail {
namespace {

// round(keep_prob * 2^32), ties to even.
std::uint64_t threshold_of(double keep_prob) noexcept {
  const double scaled = keep_prob * 4294967296.0;
  const double whole = std::floor(scaled);
  const double rest = scaled - whole;
  const auto threshold = static_cast<std::uint64_t>(whole);
  const bool up = rest > 0.5 || (rest == 0.5 && threshold % 2 == 1);
  return threshold + (up ? 1 : 0);
}

}  // namespace

MaskSource make_mask_source(const Dropout& dropout, const std::uint8_t* bits) noexcept {
  MaskSource source{.seed = dropout.stream.seed,
                    .stream = dropout.stream.id,
                    .first = dropout.first,
                    .threshold = threshold_of(dropout.keep_prob),
                    .rounds = static_cast<std::int32_t>(dropout.rounds),
                    .rule = static_cast<std::int32_t>(dropout.rule),
                    .bits_in = dropout.keep_prob > 0.0 ? bits : nullptr,
                    .dyadic = {}};
  const bool constant = source.threshold == 0 || source.threshold == std::uint64_t{1} << 32;
  if (source.bits_in == nullptr && dropout.rule == MaskRule::dyadic && !constant) {
    source.dyadic = make_dyadic_plan(source.threshold);
  }
  return source;
}

}  // namespace detail

void bernoulli_mask(const Dropout& dropout, std::size_t n, std::span<std::uint8_t> mask,
                    Threads threads) {
  const detail::DefaultFloats floats;
  detail::check_dropout(dropout);
  detail::check_array(mask, "mask", mask_bytes(n), "mask_bytes(n)");
  detail::check_threads(threads);
  const detail::MaskSource source = detail::make_mask_source(dropout);
  const detail::KernelTable& table = detail::kernels();
  constexpr std::size_t grain = std::size_t{1} << 16;
  detail::parallel_for(n, grain, threads, [&](std::size_t begin, std::size_t end) {
    table.bernoulli_mask(detail::advance(source, begin), end - begin, mask.data() + begin / 8);
  });
}

}  // namespace simdrop
