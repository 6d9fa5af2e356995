// The options that every program with this harness has.
#pragma once

#include <CLI/CLI.hpp>

#include "harness/timing.h"

namespace simdrop::bench {

inline void add_timing_options(CLI::App& app, Timing& timing) {
  app.add_option("--rounds", timing.rounds, "Medians are over this many rounds")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option_function<double>(
         "--milliseconds", [&timing](double value) { timing.seconds = value * 1e-3; },
         "Least time of a case in a round")
      ->check(CLI::PositiveNumber)
      ->default_str(CLI::detail::to_string(timing.seconds * 1e3));
}

}  // namespace simdrop::bench
