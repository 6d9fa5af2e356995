#include "io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "io/system_call.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop {

FileError::FileError(const std::string& path, const std::string& what)
    : std::runtime_error("simdrop: " + path + ": " + what) {}
FileError::~FileError() = default;

namespace detail {

void ByteSource::fail(const std::string& what) const {
  throw FileError(name_, what);
}

void MemorySource::read(std::uint64_t offset, std::span<std::byte> out) {
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
}

Descriptor::~Descriptor() {
  reset(-1);
}

void Descriptor::reset(int fd) noexcept {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

std::string error_text(int error) {
  return std::error_code(error, std::generic_category()).message();
}

FileSource::Opened FileSource::open(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& what) { throw FileError(path.string(), what); };
  // Not blocking: a FIFO without a writer would wait for one.
  Descriptor file(uninterrupted(
      [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }));
  if (file.get() < 0) fail(error_text(errno));
  struct stat status {};
  if (uninterrupted([&] { return fstat(file.get(), &status); }) != 0) fail(error_text(errno));
  if (S_ISDIR(status.st_mode)) fail("is a directory");
  if (!S_ISREG(status.st_mode)) fail("is not a regular file");
  return {std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

FileSource::FileSource(const std::filesystem::path& path) : FileSource(path, open(path)) {}

FileSource::FileSource(const std::filesystem::path& path, Opened opened)
    : ByteSource(path.string(), opened.size), file_(std::move(opened.file)) {}

void FileSource::read(std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = uninterrupted(
        [&] { return pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset)); });
    if (got < 0) fail(error_text(errno));
    if (got == 0) fail("became shorter while it was read");
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace detail
}  // namespace simdrop
