#include "experiments/mask_rules/mask_rules_cases.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "dispatch/dispatch.h"
#include "mask/dyadic_plan.h"
#include "mask/mask_source.h"

namespace simdrop::bench {
namespace {

using detail::MaskSource;

constexpr Stream stream{.seed = 0x5EED0FBE7A5ED, .id = 17};

// About what a correction costs `geometric`, in digits of the base mask.
constexpr double digits_to_a_correction = 200.0;

// The base of least cost by that measure, among those of up to max_digits.
void choose_geometric(RuleSource& source, unsigned max_digits) {
  constexpr double one = 0x1p32;
  const auto target = static_cast<double>(source.threshold);
  double least = one;
  for (unsigned d = 0; d <= max_digits; ++d) {
    for (unsigned up = 0; up < 2; ++up) {
      const auto n = static_cast<std::uint32_t>((source.threshold >> (32 - d)) + up);
      const double base = std::ldexp(n, 32 - static_cast<int>(d));
      const bool keep = base < target;
      const double q = keep ? (target - base) / (one - base) : (base - target) / base;
      const double cost = d + digits_to_a_correction * q;
      if (cost >= least) continue;
      least = cost;
      source.base = {.digits = d, .numerator = n, .corrections_keep = keep, .corrections = {}};
      source.gap_scale = q == 0.0 ? 0.0F : static_cast<float>(std::log(2.0) / std::log1p(-q));
    }
  }
}

DrawMask candidate(DrawRule draw, double keep_prob, unsigned max_digits) {
  const MaskSource library = detail::make_mask_source({.keep_prob = keep_prob, .stream = stream});
  RuleSource source{.seed = stream.seed,
                    .stream = stream.id,
                    .first = 0,
                    .threshold = library.threshold,
                    .library = library,
                    .base = {},
                    .gap_scale = 0.0F};
  choose_geometric(source, max_digits);
  return [source, draw](std::uint64_t first, std::size_t elements, std::uint64_t* bits) {
    RuleSource at = source;
    at.first = first;
    return draw(at, elements, bits);
  };
}

// Philox blocks to 256 elements of a library rule.
std::uint64_t library_blocks(const MaskSource& source) {
  return source.rule == static_cast<std::int32_t>(MaskRule::words) ? 64
                                                                   : dyadic_pieces(source.dyadic);
}

DrawMask library_rule(Isa isa, MaskRule rule, double keep_prob) {
  const MaskSource source =
      detail::make_mask_source({.keep_prob = keep_prob, .stream = stream, .rule = rule});
  const detail::KernelTable* kernels = detail::kernel_table(isa);
  return [source, kernels](std::uint64_t first, std::size_t elements, std::uint64_t* bits) {
    MaskSource at = source;
    at.first = first;
    kernels->bernoulli_mask(at, elements, reinterpret_cast<std::uint8_t*>(bits));
    return elements / 256 * library_blocks(source);
  };
}

constexpr std::size_t check_elements = std::size_t{1} << 26;
constexpr std::size_t places = 16;  // words of 64 to a block of 1024
using Mask = std::vector<std::uint64_t>;

bool within_5_sigma(double kept, double n, double keep_prob) {
  const double sigma = std::sqrt(n * keep_prob * (1.0 - keep_prob));
  return std::fabs(kept - n * keep_prob) <= 5.0 * sigma;
}

std::string check_rate(const Mask& mask, double keep_prob) {
  std::array<double, places> kept{};
  for (std::size_t w = 0; w < mask.size(); ++w) kept.at(w % places) += std::popcount(mask[w]);
  const auto n = static_cast<double>(mask.size() * 64);
  double all = 0.0;
  for (const double k : kept) {
    all += k;
    if (!within_5_sigma(k, n / places, keep_prob)) return "keep rate at a place of the block";
  }
  return within_5_sigma(all, n, keep_prob) ? "" : "keep rate";
}

// The mask in calls of unlike lengths, which must not show.
Mask draw_in_parts(const DrawMask& draw) {
  Mask mask(check_elements / 64);
  std::size_t units = 1;
  for (std::size_t at = 0; at < check_elements; units = units % 7 + 1) {
    const std::size_t n = std::min(units * rule_unit, check_elements - at);
    draw(at, n, mask.data() + at / 64);
    at += n;
  }
  return mask;
}

}  // namespace

std::vector<const RuleTable*> rule_tables(const std::string& isa) {
  std::vector<const RuleTable*> compiled;
#if defined(SIMDROP_HAVE_NEON)
  compiled.push_back(&neon::rule_table());
#endif
#if defined(SIMDROP_HAVE_AVX2)
  compiled.push_back(&avx2::rule_table());
#endif
#if defined(SIMDROP_HAVE_AVX512)
  compiled.push_back(&avx512::rule_table());
#endif
  std::erase_if(compiled, [&](const RuleTable* table) {
    return detail::kernel_table(table->isa) == nullptr || (!isa.empty() && isa != table->name);
  });
  return compiled;
}

std::vector<RuleCase> rule_cases(const std::vector<const RuleTable*>& tables,
                                 const std::vector<double>& keep_probs) {
  std::vector<RuleCase> cases;
  const auto add = [&](const std::string& rule, const auto& make) {
    for (const double keep_prob : keep_probs) {
      for (const RuleTable* table : tables) {
        cases.push_back(
            {rule, table, keep_prob, make(*table, keep_prob, 8U), make(*table, keep_prob, 2U)});
      }
    }
  };
  for (std::size_t r = 0; r < RuleTable{}.rules.size(); ++r) {
    add(tables.front()->rules.at(r).name,
        [r](const RuleTable& table, double keep_prob, unsigned max_digits) {
          return candidate(table.rules.at(r).draw, keep_prob, max_digits);
        });
  }
  for (const MaskRule rule : {MaskRule::dyadic, MaskRule::words}) {
    add(rule == MaskRule::dyadic ? "dyadic" : "words",
        [rule](const RuleTable& table, double keep_prob, unsigned) {
          return library_rule(table.isa, rule, keep_prob);
        });
  }
  return cases;
}

void check_cases(std::vector<RuleCase>& cases) {
  const RuleTable* first_table = cases.front().table;
  Mask reference;
  for (RuleCase& c : cases) {
    Mask mask(check_elements / 64);
    c.many_corrections(0, check_elements, mask.data());
    c.failure = check_rate(mask, c.keep_prob);
    const auto blocks = static_cast<double>(c.draw(0, check_elements, mask.data()));
    c.bits_per_element = blocks * 128.0 / static_cast<double>(check_elements);
    if (c.failure.empty()) c.failure = check_rate(mask, c.keep_prob);
    if (c.failure.empty() && draw_in_parts(c.draw) != mask) c.failure = "differs between calls";
    if (c.table == first_table) {
      reference = std::move(mask);
    } else if (c.failure.empty() && mask != reference) {
      c.failure = std::string("differs from ").append(first_table->name);
    }
  }
}

}  // namespace simdrop::bench
