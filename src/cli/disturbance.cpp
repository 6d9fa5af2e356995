#include "cli/disturbance.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <locale>

#include "cli/terminal.h"

namespace simdrop::cli {
namespace {

// On two cores of Zen 3, steps that ran before all other programs had .98 to 1 of what one thread
// needed, and .91 to .96 of what two did, with the ratios of a quiet machine; at .79 the ratio of
// element dropout was off by a quarter, and beside six busy programs the share was .1 to .17. The
// spread was .06 to .37 where the share was at least .9, and up to 2 at .79. It also shows what the
// scheduler does not see: a virtual machine that gets no core.
constexpr double kLeastCoreShare = 0.9;
constexpr double kWidestSpread = 0.5;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double waited_in_queues() {
  double waited = 0.0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    waited += read_schedstat(thread.path()).waited;
  }
  return waited;
}

}  // namespace

// Linux counts in nanoseconds.
CoreTime read_schedstat(const std::filesystem::path& folder) {
  CoreTime time;
  std::ifstream file(folder / "schedstat");
  file.imbue(std::locale::classic());
  if (!(file >> time.ran >> time.waited)) return {};
  return {1e-9 * time.ran, 1e-9 * time.waited};
}

// A kernel that does not count says 0.
CoreClock::CoreClock()
    : scheduler_tells_(read_schedstat("/proc/self").ran > 0.0),
      start_(std::chrono::steady_clock::now()) {
  at_start_ = scheduler_tells_ ? CoreTime{seconds_of(CLOCK_PROCESS_CPUTIME_ID), waited_in_queues()}
                               : CoreTime{seconds_of(CLOCK_THREAD_CPUTIME_ID), 0.0};
}

CoreTime CoreClock::elapsed() const {
  if (scheduler_tells_) {
    return {seconds_of(CLOCK_PROCESS_CPUTIME_ID) - at_start_.ran,
            std::max(0.0, waited_in_queues() - at_start_.waited)};
  }
  const double ran = seconds_of(CLOCK_THREAD_CPUTIME_ID) - at_start_.ran;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
  return {ran, std::max(0.0, wall.count() - ran)};
}

double core_share(const CoreTime& time) {
  const double needed = time.ran + time.waited;
  return needed > 0.0 ? time.ran / needed : 1.0;
}

bool Disturbance::disturbed() const {
  return core_share < kLeastCoreShare || spread > kWidestSpread;
}

Disturbance worst(const Disturbance& a, const Disturbance& b) {
  return {std::min(a.core_share, b.core_share), std::max(a.spread, b.spread)};
}

std::string busy_machine(const Disturbance& found) {
  std::string text = "The machine was busy: threads had a core for " +
                     fixed(100.0 * found.core_share, 0) + " % of the time that they needed one";
  if (found.spread > 0.0) {
    text += ",\nand the quartiles of equal steps lay " + fixed(100.0 * found.spread, 0) +
            " % of their median apart";
  }
  return text + ".\n";
}

}  // namespace simdrop::cli
