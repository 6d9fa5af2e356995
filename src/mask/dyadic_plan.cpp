#include "mask/dyadic_plan.h"

#include "base/compiler_modes.h"
#include "kernels/mask_arguments.h"

namespace simdrop::detail {
namespace {

constexpr std::uint64_t one = std::uint64_t{1} << 32;  // probability 1

// The base mask of least cost, and what is missing: each element is corrected with probability
// delta / whole.
struct Base {
  std::uint32_t digits, numerator;
  std::uint64_t delta, whole;
  bool corrections_keep;
};

Base choose_base(std::uint64_t threshold) noexcept {
  Base best{};
  std::uint64_t least = ~std::uint64_t{0};
  for (std::uint32_t d = 0; d <= 8 && (std::uint64_t{d} << 27) < least; ++d) {
    for (std::uint64_t up = 0; up < 2; ++up) {
      const std::uint64_t n = (threshold >> (32 - d)) + up;
      const std::uint64_t base = n << (32 - d);
      const bool corrections_keep = base < threshold;
      const std::uint64_t delta = corrections_keep ? threshold - base : base - threshold;
      const std::uint64_t whole = corrections_keep ? one - base : base;
      const std::uint64_t cost =
          (std::uint64_t{d} << 27) + (delta == 0 ? 0 : (delta << 32) / whole);
      if (cost < least) {
        least = cost;
        best = {d, static_cast<std::uint32_t>(n), delta, whole, corrections_keep};
      }
    }
  }
  return best;
}

// The least multiple of 8 that few blocks exceed: such a block is drawn a second time, one by one.
PoissonLaw make_poisson_law(std::uint64_t delta, std::uint64_t whole) noexcept {
  const auto rest = static_cast<double>(whole - delta);
  const double z = static_cast<double>(delta) / static_cast<double>(2 * whole - delta);
  const double y = z * z;
  double h = 1.0 / 17;
  for (int m = 15; m >= 1; m -= 2) h = h * y + 1.0 / m;
  double term = rest / static_cast<double>(whole);
  for (int i = 0; i < 8; ++i) term *= term;

  constexpr double few = 1.0 / 32;
  PoissonLaw law{.slots = 0, .mean = 512.0 * z * h, .term = term, .sum = term, .cdf = {}};
  law.cdf[0] = biased_cdf(term);
  for (int k = 1; k <= PoissonLaw::max_slots; ++k) {
    law.term = law.term * (law.mean / k);
    const double next = law.sum + law.term;
    law.cdf[k] = next == law.sum ? INT64_MAX : biased_cdf(next);
    law.sum = next;
    law.slots = k;
    if (k % 8 == 0 && law.sum > 1.0 - few) break;
  }
  return law;
}

}  // namespace

DyadicPlan make_dyadic_plan(std::uint64_t threshold) noexcept {
  const Base base = choose_base(threshold);
  DyadicPlan plan{.digits = base.digits,
                  .numerator = base.numerator,
                  .corrections_keep = base.corrections_keep,
                  .corrections = PoissonLaw{}};
  if (base.delta != 0) plan.corrections = make_poisson_law(base.delta, base.whole);
  return plan;
}

}  // namespace simdrop::detail
