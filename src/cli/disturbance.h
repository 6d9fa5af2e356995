// Whether a measurement had the machine for itself, or other programs took its cores.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace simdrop::cli {

// Seconds of all threads of this process.
struct CoreTime {
  double ran = 0.0;     // on a core
  double waited = 0.0;  // with something to do, but without a core
};

// What Linux tells of a process or thread in its folder of /proc; 0 if it does not.
[[nodiscard]] CoreTime read_schedstat(const std::filesystem::path& folder);

// Starts when it is made.
class CoreClock {
 public:
  CoreClock();
  [[nodiscard]] CoreTime elapsed() const;

 private:
  bool scheduler_tells_;  // how long threads waited; else all that this thread did not run counts
  std::chrono::steady_clock::time_point start_;
  CoreTime at_start_;
};

// What tells how far other programs disturbed a measurement.
struct Disturbance {
  double core_share = 1.0;  // of the time that the threads needed a core for, how much they had one
  double spread = 0.0;      // between the quartiles of equal steps, as a fraction of their median

  [[nodiscard]] bool disturbed() const;
};

[[nodiscard]] double core_share(const CoreTime& time);  // 1 if there was no time

// The lesser share, the wider spread.
[[nodiscard]] Disturbance worst(const Disturbance& a, const Disturbance& b);

// The sentence that says so, and how busy the machine was. A spread of 0 is not mentioned.
[[nodiscard]] std::string busy_machine(const Disturbance& found);

}  // namespace simdrop::cli
