// Every public function that computes, on numbers of all sizes, and its results as bytes. What it
// does itself is right in any floating-point environment: it copies numbers alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "embedding/workload.h"
#include "simdrop/threads.hpp"

namespace embedding {

struct FloatWork {
  std::string name;
  std::function<Bytes(const simdrop::Threads&)> run;
};

const std::vector<FloatWork>& float_works();

}  // namespace embedding
