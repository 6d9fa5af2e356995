#include "io/output_path.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <string>

#include "io/byte_source.h"
#include "io/system_call.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::detail {

namespace fs = std::filesystem;

namespace {

constexpr int max_links = 40;  // as Linux follows

}  // namespace

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (uninterrupted([&] { return stat(path.c_str(), &status); }) == 0) return status;
  if (errno != ENOENT) throw FileError(path.string(), error_text(errno));
  return std::nullopt;
}

fs::path follow_links(const fs::path& path) {
  fs::path target = path;
  char text[PATH_MAX];
  for (int i = 0; i <= max_links; ++i) {
    const ssize_t length =
        uninterrupted([&] { return readlink(target.c_str(), text, sizeof(text)); });
    const bool ends = length < 0 && (errno == EINVAL || errno == ENOENT);  // no link, nothing there
    if (ends) return target;
    if (length < 0) throw FileError(path.string(), error_text(errno));
    const std::string next(text, static_cast<std::size_t>(length));
    target = directory_of(target) / next;  // which is next if that is absolute
  }
  throw FileError(path.string(), error_text(ELOOP));
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace simdrop::detail
