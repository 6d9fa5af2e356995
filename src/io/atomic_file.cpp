#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "io/system_call.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::detail {
namespace {

namespace fs = std::filesystem;

constexpr int max_links = 40;  // as Linux follows
constexpr int max_temporaries = 100'000;
constexpr mode_t new_mode = 0666;  // less the umask
constexpr mode_t mode_bits = 0777;

// Where path leads; what is at the end need not be there.
fs::path follow_links(const fs::path& path) {
  fs::path target = path;
  for (int i = 0; i < max_links; ++i) {
    std::error_code error;
    const fs::path next = fs::read_symlink(target, error);
    if (error) return target;  // no link, or nothing there
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  throw FileError(path.string(), error_text(ELOOP));
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A signal may interrupt it, on the file systems of networks, before it was done or after.
bool renamed(const fs::path& from, const fs::path& to) noexcept {
  bool interrupted = false;
  while (std::rename(from.c_str(), to.c_str()) != 0) {
    if (errno == ENOENT && interrupted) return true;
    if (errno != EINTR) return false;
    interrupted = true;
  }
  return true;
}

}  // namespace

void AtomicFile::fail(const std::string& what) const {
  throw FileError(path_.string(), what);
}

AtomicFile::AtomicFile(const fs::path& path) : path_(path), target_(follow_links(path)) {
  struct stat status {};
  const bool exists = stat(target_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail(error_text(errno));
  if (exists && S_ISDIR(status.st_mode)) fail("is a directory");
  if (exists && !S_ISREG(status.st_mode)) fail("is not a regular file");
  if (!exists && !target_.has_filename()) fail(error_text(ENOENT));
  if (exists) mode_ = status.st_mode & mode_bits;
  open_temporary();
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::open_temporary() {
  const fs::path directory = directory_of(target_);
  const std::string stem = ".simdrop-" + std::to_string(getpid()) + "-";
  for (int i = 0; i < max_temporaries; ++i) {
    fs::path name = directory / (stem + std::to_string(i) + ".tmp");
    const int fd = uninterrupted([&] {
      return open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_.value_or(new_mode));
    });
    if (fd >= 0) {
      file_.reset(fd);
      temporary_ = std::move(name);
      return;
    }
    if (errno != EEXIST) break;  // another thread has it, or a process that was killed left it
  }
  fail("can't be written: " + error_text(errno));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
    if (written < 0) fail("write failed: " + error_text(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  // open() took the umask off.
  if (mode_ && fchmod(file_.get(), *mode_) != 0) fail("write failed: " + error_text(errno));
  if (uninterrupted([&] { return fsync(file_.get()); }) != 0) {
    fail("write failed: " + error_text(errno));
  }
  // Interrupted, it has closed the file all the same.
  if (close(file_.release()) != 0 && errno != EINTR) fail("write failed: " + error_text(errno));
  // Once the old file is gone nothing may fail for lack of memory or of descriptors.
  const Descriptor directory = open_directory();
  const FileError not_synced(path_.string(),
                             "was written, but its directory can't be synced: " + error_text(EIO));
  if (!renamed(temporary_, target_)) fail("can't be replaced: " + error_text(errno));
  temporary_.clear();
  if (directory.get() < 0) return;
  // File systems that don't sync directories are left to the system.
  if (uninterrupted([&] { return fsync(directory.get()); }) != 0 && errno == EIO) throw not_synced;
}

// To sync the name's way to the disk. -1 if it can't be opened for reading.
Descriptor AtomicFile::open_directory() const {
  const fs::path path = directory_of(target_);
  Descriptor directory(
      uninterrupted([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  const bool lacks_room = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  if (directory.get() < 0 && lacks_room) fail("can't be replaced: " + error_text(errno));
  return directory;
}

}  // namespace simdrop::detail
