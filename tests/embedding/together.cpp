// When calls are shared among threads: a rule about what they took.
#include <doctest/doctest.h>

#include <chrono>

#include "threading/together.h"

namespace {

using namespace std::chrono_literals;
using simdrop::detail::always_together;
using simdrop::detail::Together;

// The rule as programs have it, not as the other tests do.
class AsInPrograms {
 public:
  AsInPrograms() { always_together = false; }
  ~AsInPrograms() { always_together = true; }
  AsInPrograms(const AsInPrograms&) = delete;
  AsInPrograms& operator=(const AsInPrograms&) = delete;
};

}  // namespace

TEST_CASE("together: two threads that each work most of the time go on") {
  const AsInPrograms rule;
  Together together;
  CHECK(together.pays());
  CHECK(together.join_time() == 100us);
  for (int i = 0; i < 1000; ++i) together.took(1ms, 1900us);
  CHECK(together.pays());
  CHECK(together.join_time() == 100us);
  for (int i = 0; i < 1000; ++i) together.took(10us, 11us);  // a small gain, in small calls
  CHECK(together.pays());
}

TEST_CASE("together: a loss is made up for by ten times as much work alone, and tried again") {
  const AsInPrograms rule;
  Together together;
  together.took(10ms, 4ms);  // one thread would have taken 4
  CHECK(!together.pays());
  int alone = 0;
  for (; !together.pays(); ++alone) together.took(4ms, 4ms);
  CHECK(alone == 13);  // 100 us + 1 ms - 6 ms, and .4 ms for each
  together.took(10ms, 4ms);
  CHECK(!together.pays());
}

TEST_CASE("together: members that did not come cost no more than a tenth of the time") {
  const AsInPrograms rule;
  Together together;
  std::chrono::nanoseconds waited{0}, total{0};
  for (int i = 0; i < 10'000; ++i) {
    const auto wait = together.pays() ? together.join_time() : 0us;
    waited += wait;
    total += 20us + wait;
    together.took(20us + wait, 20us);
  }
  CHECK(waited > 0us);  // it is tried now and then
  CHECK(waited <= total / 10 + 100us);
}

TEST_CASE("together: a loss of a second is forgotten in half a second") {
  const AsInPrograms rule;
  Together together;
  together.took(1s, 0s);
  together.took(1s, 0s);
  std::chrono::nanoseconds alone{0};
  for (; !together.pays(); alone += 1ms) together.took(1ms, 1ms);
  CHECK(alone == 500ms);
}

TEST_CASE("together: where a test wants teams there are, whatever they cost") {
  Together together;
  together.took(1s, 0s);
  CHECK(together.pays());
  CHECK(together.join_time() == 100us);
}
