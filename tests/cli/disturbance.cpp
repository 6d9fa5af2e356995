// When a measurement says that other programs disturbed it, instead of concluding.
#include "cli/disturbance.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "cli/demo.h"
#include "cli/overhead.h"

using namespace simdrop::cli;

namespace {

OverheadRow row(const char* unit, double ratio, const Disturbance& disturbance) {
  OverheadRow row;
  row.width = 1024;
  row.batch = 128;
  row.keep_prob = 0.5;
  row.unit = unit;
  row.ratio = {ratio, ratio, ratio};
  row.disturbance = disturbance;
  return row;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// Measured: alone, before all other programs, and beside six busy ones.
constexpr Disturbance quiet{.core_share = 0.996, .spread = 0.06};
constexpr Disturbance small_steps{.core_share = 0.96, .spread = 0.37};
constexpr Disturbance busy{.core_share = 0.17, .spread = 0.28};

}  // namespace

TEST_CASE("disturbance: too small a share of the cores, or too different times") {
  CHECK(core_share({}) == 1.0);
  CHECK(core_share({.ran = 3.0, .waited = 0.0}) == 1.0);
  CHECK(core_share({.ran = 3.0, .waited = 1.0}) == 0.75);
  CHECK(core_share({.ran = 0.0, .waited = 1.0}) == 0.0);

  CHECK(spread({.low = 3.0, .median = 4.0, .high = 6.0}) == 0.75);

  CHECK_FALSE(Disturbance{}.disturbed());
  CHECK_FALSE(quiet.disturbed());
  CHECK_FALSE(small_steps.disturbed());
  CHECK(busy.disturbed());
  CHECK(Disturbance{.core_share = 0.8, .spread = 0.0}.disturbed());
  CHECK(Disturbance{.core_share = 1.0, .spread = 2.0}.disturbed());
}

TEST_CASE("disturbance: the worst of several, in words") {
  const Disturbance both = worst(quiet, {.core_share = 0.999, .spread = 0.61});
  CHECK(both.core_share == 0.996);
  CHECK(both.spread == 0.61);
  CHECK(busy_machine(busy) ==
        "The machine was busy: threads had a core for 17 % of the time that they needed one,\n"
        "and the quartiles of equal steps lay 28 % of their median apart.\n");
  CHECK(busy_machine({.core_share = 0.5}) ==
        "The machine was busy: threads had a core for 50 % of the time that they needed one.\n");
}

TEST_CASE("overhead: a note below rows that were disturbed") {
  CHECK(disturbance_note({}).empty());
  CHECK(disturbance_note({row("element", 1.0, quiet), row("neuron", 0.4, small_steps)}).empty());
  const std::string note =
      disturbance_note({row("element", 1.0, quiet), row("neuron", 0.975, busy)});
  CHECK(contains(note, "The machine was busy"));
  CHECK(contains(note, "17 %"));
  CHECK(contains(note, "Do not rely on the ratios"));
}

TEST_CASE("demo: concludes from a run that nothing disturbed alone") {
  const std::string found = step_ratios(
      {row("element", 1.0, busy), row("neuron", 0.43, quiet), row("lazy", 0.41, quiet)});
  CHECK(contains(found, "neurons took 0.43 of the time"));
  CHECK(contains(found, "0.41\nwith lazy updates"));
  CHECK_FALSE(contains(found, "busy"));
  for (const bool neuron : {true, false}) {
    CAPTURE(neuron);
    const std::string refused = step_ratios(
        {row("neuron", 0.975, neuron ? busy : quiet), row("lazy", 0.975, neuron ? quiet : busy)});
    CHECK(contains(refused, "The machine was busy"));
    CHECK(contains(refused, "cannot tell"));
    CHECK_FALSE(contains(refused, "0.97"));
    CHECK_FALSE(contains(refused, "0.98"));
  }
}

TEST_CASE("core clock: what two threads on one core wait for each other") {
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &one);
  }
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);  // and the thread that it starts
  const CoreClock clock;
  {
    std::atomic<bool> done = false;
    const std::jthread other([&] {
      while (!done) {
      }
    });
    CoreTime time;
    do time = clock.elapsed();
    while (time.ran == 0.0 || time.waited == 0.0);
    done = true;
    CHECK(core_share(time) > 0.0);
    CHECK(core_share(time) < 1.0);
  }
  sched_setaffinity(0, sizeof allowed, &allowed);
}
