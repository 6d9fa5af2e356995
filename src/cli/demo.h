// simdrop demo: what dropout costs, and what it does on Fashion-MNIST.
#pragma once

namespace simdrop::cli {

void run_demo();

}  // namespace simdrop::cli
