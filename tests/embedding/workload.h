// Work that goes through everything that can run on threads, and all of its results as bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "simdrop/threads.hpp"

namespace embedding {

using Bytes = std::vector<std::uint8_t>;

// Masks, words, dropout of all four types, linear layers and an optimiser, large enough to be
// split.
Bytes kernels(const simdrop::Threads& threads);

// Training of each DropoutUnit with every loss, predictions and Monte Carlo dropout. The threads
// are the object's, or those of each call.
Bytes networks(const simdrop::Threads& threads, bool per_call = false);

inline Bytes everything(const simdrop::Threads& threads) {
  Bytes all = kernels(threads);
  const Bytes more = networks(threads);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace embedding
