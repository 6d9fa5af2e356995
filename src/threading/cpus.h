// How many CPUs this process may use.
#pragma once

#include <cstddef>
#include <string>

namespace simdrop::detail {

// Those that the calling thread may run on (its affinity), at least 1.
std::size_t allowed_cpus() noexcept;

// What the process's control groups (Linux, versions 1 and 2) leave it, rounded up, at least 1;
// SIZE_MAX without a limit. Read once in a process.
std::size_t cpu_quota() noexcept;

// The lesser of both.
std::size_t usable_cpus() noexcept;

// cpu_quota() of what the files say below `root`, which is "" on a real system; for the tests.
std::size_t read_cpu_quota(const std::string& root);

}  // namespace simdrop::detail
