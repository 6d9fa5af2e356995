// What threads that outlive a call need of the process that they are in.
#pragma once

namespace simdrop::detail {

// The library that holds `function` stays loaded for good: threads sleep in its code.
void keep_loaded(const void* function) noexcept;

// From now on fork_depth() tells a child of fork(). False if there was no memory for it.
// Thread-safe.
bool watch_forks() noexcept;

// How many processes, since watch_forks(), this one is the child of: threads that were started at
// another depth are not in it. The process number does not tell, for in a PID namespace of its own
// a child may have its parent's.
unsigned fork_depth() noexcept;

}  // namespace simdrop::detail
