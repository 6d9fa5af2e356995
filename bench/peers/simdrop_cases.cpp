#include "peers/simdrop_cases.h"

#include <cstring>
#include <memory>
#include <utility>

#include "simdrop/dropout.hpp"

namespace simdrop::bench {
namespace {

using Span = std::span<float>;
using ConstSpan = std::span<const float>;

// Each call of run(dropout, x, y, bits) reads on in the stream.
template <class Run>
Implementation dropout_case(Operation operation, std::string who, const Problem& problem, Run run) {
  const std::size_t n = problem.n;
  Dropout dropout{.keep_prob = problem.keep_prob, .stream = {.seed = 1, .id = 2}};
  auto call = [=](const Arrays& arrays) mutable -> const void* {
    run(std::as_const(dropout), ConstSpan(arrays.x, n), Span(arrays.y, n));
    dropout.first += n;
    return arrays.y;
  };
  return {operation, std::move(who), call};
}

Implementation copy_case(std::size_t n) {
  return {Operation::copy, "memcpy", [n](const Arrays& arrays) -> const void* {
            return std::memcpy(arrays.y, arrays.x, n * sizeof(float));
          }};
}

Implementation relu_case(std::size_t n) {
  return {Operation::relu, "simdrop", [n](const Arrays& arrays) -> const void* {
            bias_relu_dropout_forward(Dropout{}, ConstSpan(arrays.x, n), {}, Span(arrays.y, n));
            return arrays.y;
          }};
}

Implementation words_case(std::size_t n) {
  const auto join = [](std::uint32_t low, std::uint32_t high) {
    return low | (std::uint64_t{high} << 32U);
  };
  const auto run = [n,
                    stream = Stream{.seed = join(words_key[0], words_key[1]),
                                    .id = join(words_counter[2], words_counter[3])},
                    first = 4 * join(words_counter[0], words_counter[1])](
                       const Arrays& arrays) mutable -> const void* {
    philox_fill(stream, first, std::span(arrays.words, n));
    first += n;
    return arrays.words;
  };
  return {Operation::words, "simdrop", run};
}

Implementation mask_case(const Problem& problem) {
  const std::size_t n = problem.n;
  Dropout dropout{.keep_prob = problem.keep_prob, .stream = {.seed = 1, .id = 2}};
  auto run = [=](const Arrays& arrays) mutable -> const void* {
    auto* bits = reinterpret_cast<std::uint8_t*>(arrays.words);
    bernoulli_mask(dropout, n, std::span(bits, mask_bytes(n)));
    dropout.first += n;
    return bits;
  };
  return {Operation::mask, "simdrop, bits", run};
}

Implementation backward_case(const Problem& problem) {
  const auto run = [n = problem.n, keep_prob = problem.keep_prob,
                    bits = problem.bits](const Arrays& arrays) -> const void* {
    dropout_backward(keep_prob, bits, ConstSpan(arrays.x, n), Span(arrays.y, n));
    return arrays.y;
  };
  return {Operation::backward, "simdrop, from bits", run};
}

Implementation forward_case(const Problem& problem) {
  const auto run = [](const Dropout& dropout, ConstSpan x, Span y) {
    dropout_forward(dropout, x, y);
  };
  return dropout_case(Operation::forward, "simdrop", problem, run);
}

Implementation forward_with_bits_case(const Problem& problem) {
  const auto bits = std::make_shared<std::vector<std::uint8_t>>(mask_bytes(problem.n));
  const auto run = [bits](const Dropout& dropout, ConstSpan x, Span y) {
    dropout_forward(dropout, x, y, *bits);
  };
  return dropout_case(Operation::forward, "simdrop, writes bits", problem, run);
}

Implementation relu_forward_case(const Problem& problem) {
  const auto run = [](const Dropout& dropout, ConstSpan x, Span y) {
    bias_relu_dropout_forward(dropout, x, {}, y);
  };
  return dropout_case(Operation::relu_forward, "simdrop", problem, run);
}

Implementation bias_relu_forward_case(const Problem& problem) {
  const auto run = [bias = problem.bias](const Dropout& dropout, ConstSpan x, Span y) {
    const std::size_t rows = x.size() / bias.size();
    bias_relu_dropout_forward(dropout, ConstMatrix(x.data(), rows, bias.size()), bias,
                              Matrix(y.data(), rows, bias.size()));
  };
  return dropout_case(Operation::bias_relu_forward, "simdrop", problem, run);
}

}  // namespace

std::vector<Implementation> own_cases(const Problem& problem) {
  std::vector<Implementation> cases;
  if (problem.drops()) {
    cases = {copy_case(problem.n),
             mask_case(problem),
             forward_case(problem),
             relu_forward_case(problem),
             bias_relu_forward_case(problem),
             backward_case(problem)};
  } else {
    cases = {copy_case(problem.n), relu_case(problem.n), words_case(problem.n)};
  }
  for (Implementation& what : cases) what.is_yardstick = true;
  if (problem.drops()) cases.push_back(forward_with_bits_case(problem));
  return cases;
}

}  // namespace simdrop::bench
