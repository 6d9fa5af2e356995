#include "io/output_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "io/output_path.h"
#include "io/system_call.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::detail {
namespace {

namespace fs = std::filesystem;

constexpr int max_looks = 100;
constexpr int max_temporaries = 100'000;
constexpr mode_t new_mode = 0666;  // less the umask
constexpr mode_t mode_bits = 0777;
constexpr mode_t group_bits = 0070;

// Of another group than its own, a file is open to that group only as far as it is to everybody.
mode_t mode_for_any_group(mode_t mode) noexcept {
  return mode & (~group_bits | (mode << 3));
}

// The file system has no such thing, or not for this process.
bool is_refusal(int error) noexcept {
  return error == EPERM || error == EACCES || error == EINVAL || error == ENOSYS ||
         error == EOPNOTSUPP;
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

void OutputFile::fail(const std::string& what) const {
  throw FileError(path_.string(), what);
}

void OutputFile::fail(const char* what, int error) const {
  fail(what + (": " + error_text(error)));
}

OutputFile::OutputFile(const fs::path& path, bool sync) : path_(path), sync_(sync) {
  const std::optional<struct stat> old = find_target();
  open_temporary(old ? mode_for_any_group(old->st_mode & mode_bits) : new_mode);
  if (old) keep_rights(*old);
}

OutputFile::Temporary::~Temporary() {
  if (!name.empty()) unlink(name.c_str());
}

// What is there, if anything.
std::optional<struct stat> OutputFile::find_target() {
  for (int look = 0; look < max_looks; ++look) {
    // First as the system follows links, which may refuse those of others.
    const std::optional<struct stat> old = status_of(path_);
    if (old && S_ISDIR(old->st_mode)) fail("is a directory");
    if (old && !S_ISREG(old->st_mode)) fail("is not a regular file");
    target_ = follow_links(path_);
    if (!old && !target_.has_filename()) fail(error_text(ENOENT));
    if (!old || target_ == path_) return old;
    struct stat found {};
    const bool there = uninterrupted([&] { return stat(target_.c_str(), &found); }) == 0;
    if (!there && errno != ENOENT) fail(error_text(errno));
    if (there && same_inode(found, *old)) return old;
    // Another process replaced it just now; or a link of /proc says a name that it has no more.
  }
  fail("can't be replaced: it has no name");
}

void OutputFile::open_temporary(mode_t mode) {
  const fs::path directory = directory_of(target_);
  const std::string stem = ".simdrop-" + std::to_string(getpid()) + "-";
  for (int i = 0; i < max_temporaries; ++i) {
    fs::path name = directory / (stem + std::to_string(i) + ".tmp");
    const int fd = uninterrupted(
        [&] { return open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode); });
    if (fd >= 0) {
      file_.reset(fd);
      temporary_.name = std::move(name);
      return;
    }
    if (errno != EEXIST) break;  // another thread has it, or a process that was killed left it
  }
  fail("can't be written", errno);
}

void OutputFile::keep_rights(const struct stat& old) const {
  const int file = file_.get();
  const auto chowned = [&](uid_t owner) {
    return uninterrupted([&] { return fchown(file, owner, old.st_gid); }) == 0;
  };
  struct stat now {};
  if (uninterrupted([&] { return fstat(file, &now); }) != 0) fail("can't be written", errno);
  bool group_kept = now.st_gid == old.st_gid;
  if (now.st_uid != old.st_uid || !group_kept) {
    const bool owner_kept = chowned(old.st_uid);
    group_kept = owner_kept || group_kept || chowned(static_cast<uid_t>(-1));
  }
  // open() took the umask off.
  const mode_t full = old.st_mode & mode_bits;
  const mode_t mode = group_kept ? full : mode_for_any_group(full);
  if ((now.st_mode & mode_bits) == mode) return;
  const int done = uninterrupted([&] { return fchmod(file, mode); });
  if (done != 0 && !is_refusal(errno)) fail("can't be written", errno);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
    if (written < 0 && errno == EAGAIN) {  // a pipe that another process made so
      pollfd full{file_.get(), POLLOUT, 0};
      poll(&full, 1, -1);
      continue;
    }
    if (written < 0) fail("write failed", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::close_file() {
  // Interrupted, it has closed the file all the same.
  if (close(file_.release()) != 0 && errno != EINTR) fail("write failed", errno);
}

void OutputFile::commit() {
  if (temporary_.name.empty()) return close_file();
  if (sync_ && uninterrupted([&] { return fsync(file_.get()); }) != 0) {
    fail("can't be synced to the disk", errno);
  }
  close_file();
  replace();
}

void OutputFile::replace() {
  // Once the old file is gone nothing may fail for lack of memory or of descriptors.
  const Descriptor directory = open_directory();
  const FileError not_synced(path_.string(),
                             "was written, but its directory can't be synced: " + error_text(EIO));
  if (!renamed(temporary_.name, target_)) fail("can't be replaced", errno);
  temporary_.name.clear();
  if (directory.get() < 0) return;
  // File systems that don't sync directories are left to the system.
  if (uninterrupted([&] { return fsync(directory.get()); }) != 0 && errno == EIO) throw not_synced;
}

// To sync the name's way to the disk. -1 if that is not asked for, or it can't be opened for
// reading.
Descriptor OutputFile::open_directory() const {
  if (!sync_) return Descriptor(-1);
  const fs::path path = directory_of(target_);
  Descriptor directory(
      uninterrupted([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  const bool lacks_room = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  if (directory.get() < 0 && lacks_room) fail("can't be replaced", errno);
  return directory;
}

}  // namespace simdrop::detail
