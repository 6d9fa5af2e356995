#include "cli/output_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

#include "io/output_path.h"
#include "io/system_call.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::cli {
namespace {

using simdrop::detail::Descriptor;

constexpr const char* standard_names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};

[[noreturn]] void fail(const std::string& name, int error) {
  throw FileError(name, "can't be written: " + simdrop::detail::error_text(error));
}

bool is_writable(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

bool leads_to(int descriptor, const struct stat& file) {
  struct stat status {};
  return is_writable(descriptor) && fstat(descriptor, &status) == 0 &&
         simdrop::detail::same_inode(status, file);
}

}  // namespace

// Their links may name nothing.
std::optional<int> descriptor_of(std::string_view path) {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (path == standard_names[standard]) return standard;
  }
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    const char* const end = path.data() + path.size();
    int number = 0;
    const auto read = std::from_chars(path.data() + folder.size(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number >= 0) return number;
  }
  return std::nullopt;
}

Descriptor another_descriptor(int descriptor, const std::string& name) {
  if (!is_writable(descriptor)) fail(name, EBADF);
  Descriptor other(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (other.get() < 0) fail(name, errno);
  return other;
}

std::optional<Descriptor> open_stream(const std::string& path) {
  if (const auto given = descriptor_of(path)) return another_descriptor(*given, path);
  const std::optional<struct stat> status = simdrop::detail::status_of(path);
  if (!status) return std::nullopt;
  // What was printed there would be gone with the file.
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    if (leads_to(standard, *status)) return another_descriptor(standard, path);
  }
  if (!S_ISCHR(status->st_mode) && !S_ISFIFO(status->st_mode)) return std::nullopt;
  Descriptor file(simdrop::detail::uninterrupted(
      [&] { return open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC); }));
  if (file.get() < 0) fail(path, errno);
  return file;
}

}  // namespace simdrop::cli
