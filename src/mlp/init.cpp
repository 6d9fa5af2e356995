#include "mlp/init.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "mlp/stream_id.h"
#include "simdrop/rng.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

constexpr std::size_t chunk_words = 1024;
constexpr std::size_t grain = 8 * chunk_words;

// Box and Muller, Annals of Mathematical Statistics 29 (1958). (w + 1) / 2^32 lies in (0, 1].
void normal_pair(const std::uint32_t* words, double deviation, double* pair) {
  const double uniform = (static_cast<double>(words[0]) + 1.0) * 0x1p-32;
  const double radius = deviation * std::sqrt(-2.0 * std::log(uniform));
  const double angle = 2.0 * std::numbers::pi * 0x1p-32 * static_cast<double>(words[1]);
  pair[0] = radius * std::cos(angle);
  pair[1] = radius * std::sin(angle);
}

void fill_normal(const std::uint32_t* words, double deviation, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; i += 2) {
    double pair[2];
    normal_pair(words + i, deviation, pair);
    out[i] = static_cast<float>(pair[0]);
    if (i + 1 < n) out[i + 1] = static_cast<float>(pair[1]);
  }
}

// (w + 1/2) / 2^31 - 1 is symmetric about 0.
void fill_uniform(const std::uint32_t* words, double limit, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(limit * ((static_cast<double>(words[i]) + 0.5) * 0x1p-31 - 1.0));
  }
}

}  // namespace

void initialise_weights(const KernelTable& table, Init init, std::uint64_t seed, std::size_t layer,
                        Matrix weights, Threads threads) {
  const double fan_in = static_cast<double>(weights.cols);
  const double fan_out = static_cast<double>(weights.rows);
  const double deviation = std::sqrt(2.0 / fan_in);
  const double limit = std::sqrt(6.0 / (fan_in + fan_out));
  const std::uint64_t stream = stream_id(StreamDomain::init, layer, 0);
  parallel_for(weights.size(), grain, threads, [&](std::size_t begin, std::size_t end) {
    std::uint32_t words[chunk_words];
    for (std::size_t i = begin; i < end; i += chunk_words) {
      const std::size_t n = std::min(chunk_words, end - i);
      const auto rounds = static_cast<std::int32_t>(PhiloxRounds::ten);
      table.philox_fill(seed, stream, i / 4, 0, rounds, words, n + n % 2);
      if (init == Init::he) {
        fill_normal(words, deviation, n, weights.data + i);
      } else {
        fill_uniform(words, limit, n, weights.data + i);
      }
    }
  });
}

}  // namespace simdrop::detail
