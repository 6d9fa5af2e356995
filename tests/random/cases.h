// Random cases by their numbers: SIMDROP_RANDOM_FIRST=n SIMDROP_RANDOM_COUNT=m in the environment
// takes cases n ... n + m - 1 instead of the few that the tests take.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

#include "helpers/test_sizes.h"
#include "random/draw.h"

namespace random_case {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

template <class Case>
void for_each_case(std::uint64_t count, Case run) {
  const std::uint64_t first = number_from("SIMDROP_RANDOM_FIRST", 0);
  const std::uint64_t cases = number_from("SIMDROP_RANDOM_COUNT", count / test::case_stride());
  for (std::uint64_t number = first; number - first < cases; ++number) {
    INFO("again with SIMDROP_RANDOM_FIRST=", number, " SIMDROP_RANDOM_COUNT=1");
    Draw draw(number);
    run(draw);
  }
}

}  // namespace random_case
