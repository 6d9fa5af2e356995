/* Loaded before a program: its disk refuses to sync. */
#include <errno.h>
#include <unistd.h>

int fsync(int fd) {
  (void)fd;
  errno = EINVAL;
  return -1;
}
