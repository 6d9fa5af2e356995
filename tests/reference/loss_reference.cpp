#include "reference/loss_reference.h"

#include <algorithm>
#include <cmath>

namespace reference {
namespace {

long double wide(float v) {
  return static_cast<long double>(v);
}

// log(1 + exp(t)).
long double softplus(long double t) {
  return std::fmax(t, 0.0L) + std::log1p(std::exp(-std::fabs(t)));
}

}  // namespace

OutputRow softmax_cross_entropy(std::span<const float> z, std::size_t label) {
  OutputRow row;
  const long double top = wide(*std::ranges::max_element(z));
  long double others = 0.0L;  // without one of the largest, so that a small sum stays exact
  bool skipped = false;
  for (const float v : z) {
    const bool skip = !skipped && wide(v) == top;
    if (!skip) others += std::exp(wide(v) - top);
    skipped = skipped || skip;
  }
  row.log_sum = std::log1p(others);
  row.margin = top - wide(z[label]);
  row.loss = row.log_sum + row.margin;
  for (std::size_t c = 0; c < z.size(); ++c) {
    row.a.push_back(std::exp(wide(z[c]) - top) / (1.0L + others));
    row.dz.push_back(row.a.back() - (c == label ? 1.0L : 0.0L));
  }
  return row;
}

OutputRow sigmoid_cross_entropy(std::span<const float> z, std::span<const float> y) {
  OutputRow row;
  for (std::size_t c = 0; c < z.size(); ++c) {
    const long double t = wide(z[c]);
    const long double target = wide(y[c]);
    row.a.push_back(std::exp(-softplus(-t)));
    row.dz.push_back(row.a.back() - target);
    row.loss += target * softplus(-t) + (1.0L - target) * softplus(t);
  }
  return row;
}

OutputRow squared_error(std::span<const float> z, std::span<const float> y) {
  OutputRow row;
  const auto n = static_cast<long double>(z.size());
  for (std::size_t c = 0; c < z.size(); ++c) {
    const long double error = wide(z[c]) - wide(y[c]);
    row.a.push_back(wide(z[c]));
    row.dz.push_back(2.0L * error / n);
    row.loss += error * error / n;
  }
  return row;
}

}  // namespace reference
