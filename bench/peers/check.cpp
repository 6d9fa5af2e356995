#include "peers/check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "simdrop/mask.hpp"

namespace simdrop::bench {
namespace {

bool close(float a, float b) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return a == b || std::nextafterf(a, infinity) == b || std::nextafterf(a, -infinity) == b;
}

std::string at(std::size_t i, const std::string& what) {
  return "element " + std::to_string(i) + " " + what;
}

std::string check_rate(std::size_t hits, std::size_t n, double probability, const char* what) {
  const double trials = static_cast<double>(n);
  const double sigma = std::sqrt(trials * probability * (1.0 - probability));
  const double off = (static_cast<double>(hits) - trials * probability) / sigma;
  if (std::abs(off) <= 5.0) return {};
  return std::string(what) + " " + std::to_string(off) + " standard deviations from its mean";
}

std::string check_known_words(std::span<const std::uint32_t> words) {
  auto counter = words_counter;
  for (std::size_t i = 0; i < words.size(); i += 4, ++counter[0]) {
    const auto expected = philox4x32(counter, words_key);
    if (!std::equal(expected.begin(), expected.end(), words.begin() + static_cast<long>(i))) {
      return at(i, "is not Philox4x32-10's");
    }
  }
  return {};
}

std::string check_unknown_words(std::span<const std::uint32_t> words) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    const auto set = std::count_if(words.begin(), words.end(),
                                   [bit](std::uint32_t word) { return (word >> bit & 1U) != 0; });
    const std::string name = "bit " + std::to_string(bit) + " is";
    const std::string wrong =
        check_rate(static_cast<std::size_t>(set), words.size(), 0.5, name.c_str());
    if (!wrong.empty()) return wrong;
  }
  return {};
}

// What element i becomes if it is kept.
float kept_value(Operation operation, const Problem& problem, const float* x, std::size_t i) {
  float value = x[i];
  if (operation == Operation::bias_relu_forward) value += problem.bias[i % problem.bias.size()];
  if (operation == Operation::relu || operation == Operation::relu_forward ||
      operation == Operation::bias_relu_forward) {
    value = std::max(value, 0.0F);
  }
  return value * problem.scale();
}

std::string check_fixed(const Implementation& what, const Problem& problem, const float* x,
                        const float* y) {
  for (std::size_t i = 0; i < problem.n; ++i) {
    const bool kept = what.operation != Operation::backward || mask_bit(problem.bits, i);
    const float expected = what.operation == Operation::copy
                               ? x[i]
                               : (kept ? kept_value(what.operation, problem, x, i) : 0.0F);
    if (!close(y[i], expected)) {
      return at(i, "is " + std::to_string(y[i]) + ", not " + std::to_string(expected));
    }
  }
  return {};
}

// Whether an element was kept shows where what it becomes is not 0 anyway.
std::string check_dropped(const Implementation& what, const Problem& problem, const float* x,
                          const float* y) {
  std::size_t visible = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < problem.n; ++i) {
    const float expected = kept_value(what.operation, problem, x, i);
    if (y[i] != 0.0F && !close(y[i], expected)) {
      return at(i, "is " + std::to_string(y[i]) + ", not 0 or " + std::to_string(expected));
    }
    visible += static_cast<std::size_t>(expected != 0.0F);
    kept += static_cast<std::size_t>(y[i] != 0.0F);
  }
  return check_rate(kept, visible, problem.keep_prob, "kept elements are");
}

std::string check_mask(const Implementation& what, const Problem& problem, const void* output) {
  std::size_t kept = 0;
  if (what.mask_form == MaskForm::bits) {
    const auto* bits = static_cast<const std::uint8_t*>(output);
    for (std::size_t i = 0; i < mask_bytes(problem.n); ++i) {
      kept += static_cast<std::size_t>(std::popcount(bits[i]));
    }
  } else {
    const auto* ints = static_cast<const std::uint32_t*>(output);
    for (std::size_t i = 0; i < problem.n; ++i) {
      if (ints[i] > 1) return at(i, "is neither 0 nor 1");
      kept += ints[i];
    }
  }
  return check_rate(kept, problem.n, problem.keep_prob, "kept elements are");
}

std::string check_output(const Implementation& what, const Problem& problem, const float* x,
                         const void* output) {
  const auto* y = static_cast<const float*>(output);
  switch (what.operation) {
    case Operation::copy:
    case Operation::relu:
    case Operation::backward:
      return check_fixed(what, problem, x, y);
    case Operation::words: {
      const std::span words(static_cast<const std::uint32_t*>(output), problem.n);
      return what.known_words ? check_known_words(words) : check_unknown_words(words);
    }
    case Operation::mask:
      return check_mask(what, problem, output);
    case Operation::forward:
    case Operation::relu_forward:
    case Operation::bias_relu_forward:
      return check_dropped(what, problem, x, y);
  }
  throw std::logic_error("check: no such operation");
}

std::size_t output_bytes(const Implementation& what, std::size_t n) {
  const bool bits = what.operation == Operation::mask && what.mask_form == MaskForm::bits;
  return bits ? mask_bytes(n) : 4 * n;
}

bool draws(Operation operation) {
  return operation != Operation::copy && operation != Operation::relu &&
         operation != Operation::backward;
}

}  // namespace

std::string check(const Implementation& what, const Problem& problem, const Arrays& arrays) {
  const std::size_t bytes = output_bytes(what, problem.n);
  // A case that writes nothing must not pass on what the one before it left.
  std::memset(arrays.y, 0xFF, 4 * problem.n);
  std::memset(arrays.words, 0xFF, 4 * problem.n);
  const void* output = what.run(arrays);
  std::string wrong = check_output(what, problem, arrays.x, output);
  if (!wrong.empty() || !draws(what.operation)) return wrong;

  const auto* begin = static_cast<const std::byte*>(output);
  const std::vector<std::byte> first(begin, begin + bytes);
  const void* second = what.run(arrays);
  if (std::memcmp(first.data(), second, bytes) == 0) return "two calls drew the same";
  return {};
}

}  // namespace simdrop::bench
