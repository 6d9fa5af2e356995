// The dyadic rule's parameters against the oracle, and the probability that they amount to.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/mask/poisson.h"
#include "mask/dyadic_plan.h"
#include "reference/mask_reference.h"

namespace {

using simdrop::detail::DyadicPlan;
using simdrop::detail::PoissonLaw;

constexpr std::uint64_t one = std::uint64_t{1} << 32;

std::int64_t biased(std::uint64_t c) {
  return static_cast<std::int64_t>(c ^ (std::uint64_t{1} << 63));
}

// Thresholds of every kind: near dyadic numbers and near the ends, and random ones.
std::vector<std::uint64_t> thresholds() {
  std::vector<std::uint64_t> all;
  for (std::uint64_t d = 0; d <= 9; ++d) {
    for (std::uint64_t n = 0; n <= std::uint64_t{1} << d; ++n) {
      for (const std::uint64_t off : {0U, 1U, 2U, 1U << 12, 1U << 20, 1U << 22}) {
        all.push_back((n << (32 - d)) + off);
        all.push_back((n << (32 - d)) - off);
      }
    }
  }
  std::mt19937 engine(5);
  for (int i = 0; i < 20000; ++i) all.push_back(engine());
  for (int i = 0; i < 2000; ++i) all.push_back(engine() >> (i % 32));
  for (int i = 0; i < 2000; ++i) all.push_back(one - (engine() >> (i % 32)));
  std::erase_if(all, [](std::uint64_t t) { return t == 0 || t >= one; });
  return all;
}

// c_k of a law beyond its slots, as kernels go on with it.
std::vector<std::int64_t> tail(const PoissonLaw& law) {
  std::vector<std::int64_t> c;
  double sum = law.sum;
  double term = law.term;
  for (int k = law.slots + 1;; ++k) {
    term = term * (law.mean / k);
    const double next = sum + term;
    if (next == sum) return c;
    sum = next;
    c.push_back(simdrop::detail::biased_cdf(sum));
  }
}

void check_law(const PoissonLaw& law, const std::vector<std::uint64_t>& want) {
  CHECK(law.slots % 8 == 0);
  CHECK(law.slots <= PoissonLaw::max_slots);
  for (std::size_t k = 0; k <= static_cast<std::size_t>(law.slots); ++k) {
    CHECK(law.cdf[k] == (k < want.size() ? biased(want[k]) : INT64_MAX));
  }
  const auto rest = tail(law);
  const std::size_t in_slots = static_cast<std::size_t>(law.slots) + 1;
  CHECK(rest.size() == (want.size() > in_slots ? want.size() - in_slots : 0));
  for (std::size_t i = 0; i < rest.size() && in_slots + i < want.size(); ++i) {
    CHECK(rest[i] == biased(want[in_slots + i]));
  }
}

// P(an element is struck), from the thresholds themselves: 1 - E((255/256)^K).
long double strike_probability(const std::vector<std::uint64_t>& c) {
  long double spared = 0.0L;
  long double power = 1.0L;
  long double below = 0.0L;  // P(K < k)
  for (const std::uint64_t threshold : c) {
    const long double up_to = (static_cast<long double>(threshold) + 1.0L) * 0x1p-64L;
    spared += (up_to - below) * power;
    below = up_to;
    power *= 255.0L / 256.0L;
  }
  spared += (1.0L - below) * power;
  return 1.0L - spared;
}

}  // namespace

TEST_SUITE("dyadic plan") {
  TEST_CASE("dyadic plans equal the oracle's") {
    for (const std::uint64_t t : thresholds()) {
      CAPTURE(t);
      const DyadicPlan plan = simdrop::detail::make_dyadic_plan(t);
      const reference::Dyadic want = reference::dyadic(t);
      CHECK(plan.digits == want.d);
      CHECK(plan.numerator == want.n);
      if (want.delta == 0) {
        CHECK(plan.corrections.slots == 0);
      } else {
        CHECK(plan.corrections_keep == (t > want.base));
        check_law(plan.corrections, want.c);
      }
    }
  }

  TEST_CASE("an element is kept with probability T / 2^32, to 2^-42") {
    // p_0 is off by at most 256 + 8 roundings of 2^-53, the terms and their sum by a few each.
    const long double bound = 512 * 0x1p-53L + 160 * 4 * 0x1p-53L;
    for (const std::uint64_t t : thresholds()) {
      const reference::Dyadic rule = reference::dyadic(t);
      if (rule.delta == 0) continue;
      const long double base = static_cast<long double>(rule.base) / one;
      const long double struck = strike_probability(rule.c);
      const long double kept = t > rule.base ? base + (1 - base) * struck : base * (1 - struck);
      CAPTURE(t);
      CHECK(std::fabs(static_cast<double>(kept - static_cast<long double>(t) / one)) <=
            static_cast<double>(bound));
    }
  }
}
