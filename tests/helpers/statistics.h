// P-values, and the threshold that a suite of fixed tests holds them against.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace test {

// P(chi-square with df degrees of freedom >= x): the regularised incomplete gamma function
// Q(df / 2, x / 2), by its series below the mean and by its continued fraction (Lentz) above.
inline double chi_square_tail(double x, double df) {
  const double a = df / 2;
  const double h = x / 2;
  if (h <= 0.0) return 1.0;
  const double front = std::exp(a * std::log(h) - h - std::lgamma(a));
  if (h < a + 1) {
    double term = 1.0 / a;
    double sum = term;
    for (double k = 1; term > sum * 1e-17; ++k) sum += term *= h / (a + k);
    return 1.0 - front * sum;
  }
  constexpr double tiny = 1e-300;
  double b = h + 1 - a;
  double c = 1.0 / tiny;
  double d = 1.0 / b;
  double fraction = d;
  for (double k = 1, change = 0; std::fabs(change - 1) > 1e-15; ++k) {
    const double numerator = -k * (k - a);
    b += 2;
    d = numerator * d + b;
    d = 1.0 / (std::fabs(d) < tiny ? tiny : d);
    c = b + numerator / c;
    if (std::fabs(c) < tiny) c = tiny;
    change = c * d;
    fraction *= change;
  }
  return front * fraction;
}

// Bernstein's inequality: a bound of the probability that a sum of independent terms of mean 0 and
// of at most `largest` in magnitude, whose variances add up to `variance`, is as far from 0 as
// `sum`. It holds for any number of terms, where the normal distribution's far tail would need a
// limit theorem: at keep_prob 1e-6, 67 kept of 2^26, that tail is 20 times too thin.
inline double sum_tail(double sum, double variance, double largest) {
  const double magnitude = std::fabs(sum);
  return std::min(
      1.0, 2.0 * std::exp(-magnitude * magnitude / (2.0 * (variance + largest * magnitude / 3.0))));
}

inline double binomial_tail(double count, double n, double p) {
  return sum_tail(count - n * p, n * p * (1.0 - p), std::max(p, 1.0 - p));
}

// The same for the least and the greatest of so many counts, dependent or not.
inline double extremes_tail(double least, double greatest, double counts, double n, double p) {
  return std::min(1.0,
                  counts * std::min(binomial_tail(least, n, p), binomial_tail(greatest, n, p)));
}

// Pearson's test of the cells' counts against their probabilities. Neighbours are pooled until
// each pool expects 200, so that the far tail is a chi-square's. NaN, which passes no comparison,
// if that leaves nothing to test.
inline double goodness_of_fit(std::span<const double> counts, std::span<const double> shares) {
  double total = 0.0;
  for (const double count : counts) total += count;
  std::vector<double> observed{0.0};
  std::vector<double> expected{0.0};
  double left = total;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (expected.back() >= 200.0 && left >= 200.0) {
      observed.push_back(0.0);
      expected.push_back(0.0);
    }
    observed.back() += counts[i];
    expected.back() += total * shares[i];
    left -= total * shares[i];
  }
  double chi_square = 0.0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    chi_square += (observed[i] - expected[i]) * (observed[i] - expected[i]) / expected[i];
  }
  if (observed.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  return chi_square_tail(chi_square, static_cast<double>(observed.size() - 1));
}

// P(0) ... P(n) of a binomial count.
inline std::vector<double> binomial_shares(std::size_t n, double p) {
  const auto total = static_cast<double>(n);
  std::vector<double> shares(n + 1);
  for (std::size_t i = 0; i <= n; ++i) {
    const auto k = static_cast<double>(i);
    shares[i] = std::exp(std::lgamma(total + 1) - std::lgamma(k + 1) - std::lgamma(total - k + 1) +
                         k * std::log(p) + (total - k) * std::log1p(-p));
  }
  return shares;
}

// P(0) ... P(cells - 2) of the number of failures before a success, and P(more).
inline std::vector<double> geometric_shares(std::size_t cells, double success) {
  std::vector<double> shares(cells);
  double left = 1.0;
  for (double& share : shares) {
    share = left * success;
    left -= share;
  }
  shares.back() += left;
  return shares;
}

}  // namespace test
