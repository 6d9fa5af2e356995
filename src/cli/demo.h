// simdrop demo: what dropout costs, and what it does on Fashion-MNIST.
#pragma once

#include <string>
#include <vector>

#include "cli/overhead_timer.h"

namespace simdrop::cli {

// What a step that drops half of the neurons costs, from the rows of the network that the demo
// trains; or that it cannot be told, if other programs disturbed them.
[[nodiscard]] std::string step_ratios(const std::vector<OverheadRow>& overhead);

// quick: a tenth of the epochs and of the time to measure, which shows that all of it runs.
void run_demo(bool quick);

}  // namespace simdrop::cli
