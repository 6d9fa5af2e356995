#include "simdrop/threads.hpp"

namespace simdrop {

Executor::~Executor() = default;

}  // namespace simdrop
