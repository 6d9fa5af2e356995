// How much memory a call holds at its highest, beside what was held before.
#pragma once

#include <cstddef>

namespace fuzz {

// From the first use on AddressSanitizer's allocator reports to it what malloc and new hand out, on
// all threads; without that sanitizer nothing is counted.
class PeakMemory {
 public:
  PeakMemory();
  // Stops, as the sanitizers do, unless all was within 4 times `input` bytes and `beside`: what a
  // file may cost that holds so many.
  void expect_within_4_times(std::size_t input, std::size_t beside) const;

 private:
  std::ptrdiff_t before_;
};

}  // namespace fuzz
