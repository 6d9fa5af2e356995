// A child process of one whose threads were used computes the same, and does not hang.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include "embedding/workload.h"
#include "helpers/pools.h"
#include "threading/parallel.h"

namespace {

using embedding::Bytes;

// What fn() returns in a child process, or -1 if that ended in another way or took a minute.
template <class Fn>
int in_child(Fn fn) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // whose signal ends it
    _exit(fn());
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("embedding: a child process after fork, and its child") {
  const Bytes want = embedding::everything(3);
  const auto works = [&] {
    test::SerialExecutor serial(3);
    return embedding::everything(3) == want && embedding::everything(0) == want &&
           embedding::everything(serial) == want;
  };
  CHECK(in_child([&] { return works() ? 5 : 6; }) == 5);
  CHECK(in_child([&] { return in_child([&] { return works() ? 7 : 8; }); }) == 7);
  CHECK(embedding::everything(3) == want);
}

TEST_CASE("embedding: a child asks OpenMP for no threads, and its parent still does") {
  embedding::kernels(3);
  const std::size_t parent = simdrop::detail::team_size(3);
  const std::size_t expected = simdrop::detail::largest_team(3);
  CHECK(parent == expected);
  CHECK(in_child([] { return static_cast<int>(simdrop::detail::team_size(3)); }) == 1);
  CHECK(simdrop::detail::team_size(3) == parent);
}
