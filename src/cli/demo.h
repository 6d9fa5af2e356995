// simdrop demo: what dropout costs, and what it does on Fashion-MNIST.
#pragma once

namespace simdrop::cli {

// quick: a tenth of the epochs and of the time to measure, which shows that all of it runs.
void run_demo(bool quick);

}  // namespace simdrop::cli
