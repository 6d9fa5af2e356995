// System calls that a signal interrupts.
#pragma once

#include <cerrno>

namespace simdrop::detail {

// call() until no signal interrupts it: whatever the host's handlers are, SA_RESTART or not. Not
// for close(), after which the descriptor is gone in any case.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace simdrop::detail
