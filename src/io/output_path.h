// Where an output leads: through symbolic links, to a folder and a name in it.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>

namespace simdrop::detail {

// What the system says of path, links followed; nothing if nothing is there. Throws FileError.
std::optional<struct stat> status_of(const std::filesystem::path& path);

// Where the links of path lead; what is at the end need not be there. Throws FileError.
std::filesystem::path follow_links(const std::filesystem::path& path);

std::filesystem::path directory_of(const std::filesystem::path& path);

inline bool same_inode(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace simdrop::detail
