// The system calls that the library makes on files, which a test can make fail: the linker's --wrap
// leads them to faulty_calls.cpp.
#pragma once

#include <cstddef>

namespace failures {

enum class Call {
  open,
  write,
  pread,
  fsync,
  close,
  rename,
  fchmod,
  fchown,
  stat,
  fstat,
  readlink,
  fcntl
};
inline constexpr std::size_t number_of_calls = 12;

enum class When { before, after };  // it fails and has done nothing, or has done its work

// The n-th call from now on, counted from 1, fails with this errno. 0: none.
void fail_call(Call call, std::size_t n, int error, When when = When::before) noexcept;
// That one and all behind it.
void fail_calls_from(Call call, std::size_t n, int error) noexcept;
// How often it was called since fail_call().
std::size_t calls_of(Call call) noexcept;
// Reads and writes move at most so many bytes. 0: all.
void limit_bytes(std::size_t bytes) noexcept;
// From the next rename() on operator new throws std::bad_alloc.
void refuse_memory_after_rename() noexcept;
// What stat() tells belongs to an owner and a group that no file has.
void pretend_other_owner() noexcept;
// The n-th stat() from now on, counted from 1, tells of another file than the others.
void pretend_other_file(std::size_t n) noexcept;
// All as usual.
void no_faults() noexcept;

}  // namespace failures
