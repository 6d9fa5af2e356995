#include "failures/faulty_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <iterator>

#include "helpers/count_allocations.h"

namespace failures {
namespace {

struct Plan {
  Call call = Call::open;
  std::size_t n = 0;
  int error = 0;
  When when = When::before;
  bool later = false;  // the calls behind it, too
};

Plan plan;
std::size_t counts[number_of_calls];
std::size_t most_bytes = 0;
bool refuse_later = false;
bool other_owner = false;
std::size_t other_file = 0;
constexpr unsigned no_owner = 3'123'456;

// The result of `real`, or what is planned instead.
template <class Real>
auto faulty(Call call, const Real& real) {
  const std::size_t n = ++counts[static_cast<std::size_t>(call)];
  const bool planned = plan.n != 0 && plan.call == call;
  const bool fails = planned && (n == plan.n || (plan.later && n > plan.n));
  if (fails && plan.when == When::before) {
    // A descriptor is gone even if closing it failed.
    if (call == Call::close) static_cast<void>(real());
    errno = plan.error;
    return decltype(real()){-1};
  }
  const auto result = real();
  if (!fails) return result;
  errno = plan.error;
  return decltype(real()){-1};
}

std::size_t limited(std::size_t bytes) noexcept {
  return most_bytes == 0 ? bytes : std::min(bytes, most_bytes);
}

}  // namespace

void fail_call(Call call, std::size_t n, int error, When when) noexcept {
  plan = {call, n, error, when, false};
  std::fill(std::begin(counts), std::end(counts), 0);
}
void fail_calls_from(Call call, std::size_t n, int error) noexcept {
  fail_call(call, n, error);
  plan.later = true;
}
std::size_t calls_of(Call call) noexcept {
  return counts[static_cast<std::size_t>(call)];
}
void limit_bytes(std::size_t bytes) noexcept {
  most_bytes = bytes;
}
void refuse_memory_after_rename() noexcept {
  refuse_later = true;
}
void pretend_other_owner() noexcept {
  other_owner = true;
}
void pretend_other_file(std::size_t n) noexcept {
  fail_call(Call::stat, 0, 0);
  other_file = n;
}
void no_faults() noexcept {
  plan = {};
  other_file = 0;
  other_owner = false;
  most_bytes = 0;
  refuse_later = false;
  test::refuse_allocations(0);
}

}  // namespace failures

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
extern "C" {

int __real_open(const char* path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void* data, size_t size);
ssize_t __real_pread(int fd, void* data, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char* from, const char* to);
int __real_fchmod(int fd, mode_t mode);
int __real_fchown(int fd, uid_t owner, gid_t group);
int __real_stat(const char* path, struct stat* status);
int __real_fstat(int fd, struct stat* status);
ssize_t __real_readlink(const char* path, char* text, size_t size);
int __real_fcntl(int fd, int command, long argument);

int __wrap_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return failures::faulty(failures::Call::open, [&] { return __real_open(path, flags, mode); });
}
ssize_t __wrap_write(int fd, const void* data, size_t size) {
  return failures::faulty(failures::Call::write,
                          [&] { return __real_write(fd, data, failures::limited(size)); });
}
ssize_t __wrap_pread(int fd, void* data, size_t size, off_t offset) {
  return failures::faulty(failures::Call::pread,
                          [&] { return __real_pread(fd, data, failures::limited(size), offset); });
}
int __wrap_fsync(int fd) {
  return failures::faulty(failures::Call::fsync, [&] { return __real_fsync(fd); });
}
int __wrap_close(int fd) {
  return failures::faulty(failures::Call::close, [&] { return __real_close(fd); });
}
int __wrap_rename(const char* from, const char* to) {
  const int result =
      failures::faulty(failures::Call::rename, [&] { return __real_rename(from, to); });
  if (failures::refuse_later) test::refuse_allocations(1);
  return result;
}
int __wrap_fchmod(int fd, mode_t mode) {
  return failures::faulty(failures::Call::fchmod, [&] { return __real_fchmod(fd, mode); });
}
int __wrap_fchown(int fd, uid_t owner, gid_t group) {
  return failures::faulty(failures::Call::fchown, [&] { return __real_fchown(fd, owner, group); });
}
int __wrap_stat(const char* path, struct stat* status) {
  const int result =
      failures::faulty(failures::Call::stat, [&] { return __real_stat(path, status); });
  if (failures::calls_of(failures::Call::stat) == failures::other_file) ++status->st_ino;
  if (failures::other_owner) status->st_uid = status->st_gid = failures::no_owner;
  return result;
}
int __wrap_fstat(int fd, struct stat* status) {
  return failures::faulty(failures::Call::fstat, [&] { return __real_fstat(fd, status); });
}
ssize_t __wrap_readlink(const char* path, char* text, size_t size) {
  return failures::faulty(failures::Call::readlink,
                          [&] { return __real_readlink(path, text, size); });
}
int __wrap_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);  // what is there, if anything
  va_end(arguments);
  return failures::faulty(failures::Call::fcntl,
                          [&] { return __real_fcntl(fd, command, argument); });
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
