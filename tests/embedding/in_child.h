// Something that is done in a child process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace test {

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

}  // namespace test
