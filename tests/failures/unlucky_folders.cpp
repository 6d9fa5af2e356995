// Folders and disks that cannot take a file: what was there stays, nothing is left beside it, and
// the error has the reason. Usage: unlucky_folders CASE. Exit code 77: this process may not have
// such a folder, which it says.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

#include "simdrop/checkpoint.hpp"

namespace {

namespace fs = std::filesystem;
using namespace simdrop;

constexpr int right = 0, wrong = 1, skipped = 77;
constexpr uid_t nobody = 65534;
constexpr gid_t some_group = 12345;
constexpr const char* small_disk = "size=256k,nr_inodes=16,mode=0777";

// Exit code 77, and why.
int skip(const char* why) {
  std::printf("skipped: %s\n", why);
  return skipped;
}
// What the system said, too.
int skip_refused(const char* why) {
  std::printf("skipped: %s: %s\n", why, std::strerror(errno));
  return skipped;
}

// What fn() returns in a child process, which may change what it is.
int in_child(const std::function<int()>& fn) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int result = fn();
    std::fflush(stdout);
    _exit(result);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : wrong;
}

Mlp network(std::size_t width) {
  MlpConfig config;
  config.widths = {width, width, 2};
  config.max_batch = 1;
  return Mlp(config);
}
const std::size_t small = 20, large = 400;  // 2 and 640 KB

// "" if it was saved.
std::string save(const fs::path& path, std::size_t width) {
  try {
    save_checkpoint(path, network(width));
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

bool holds(const fs::path& path, std::size_t width) {
  MlpConfig config;
  config.max_batch = 1;
  config.loss = Loss::softmax_ce;
  try {
    return load_checkpoint(path, config).mlp.config().widths.front() == width;
  } catch (const FileError&) {
    return false;
  }
}

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), {});
}

bool check(bool ok, const char* what) {
  if (!ok) std::printf("wrong: %s\n", what);
  return ok;
}

// A save of a larger network to `path` ends with this message, and folder/f stays what it was.
bool refuses(const fs::path& path, const fs::path& file, const std::string& what) {
  const std::ptrdiff_t before = entries(file.parent_path());
  const std::string message = save(path, large);
  std::printf("%s\n", message.c_str());
  return check(message == "simdrop: " + path.string() + ": " + what, what.c_str()) &&
         check(holds(file, small), "the old file stays") &&
         check(entries(file.parent_path()) == before, "nothing is left");
}

bool write_text(const char* path, const std::string& text) {
  std::ofstream out(path);
  out << text << std::flush;
  return out.good();
}

// A file system of its own, for this process alone, on the folder.
bool mount_disk(const fs::path& folder) {
  const auto mounted = [&] {
    return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("simdrop", folder.c_str(), "tmpfs", 0, small_disk) == 0;
  };
  if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 && mounted()) return true;
  const std::string user = "0 " + std::to_string(geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(getegid()) + " 1";
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", user) && write_text("/proc/self/gid_map", group) &&
         mounted();
}

// Root may do everything; the others are what they are.
bool become_nobody(bool in_some_group = false) {
  if (geteuid() != 0) return true;
  const gid_t group = some_group;
  return setgroups(in_some_group ? 1 : 0, &group) == 0 && setgid(nobody) == 0 &&
         setuid(nobody) == 0;
}

int full_disk(const fs::path& folder) {
  if (!mount_disk(folder)) return skip_refused("no disk can be mounted");
  const fs::path file = folder / "f";
  bool ok = check(save(file, small).empty(), "a small file has room");
  ok &= refuses(file, file, "write failed: No space left on device");
  // No room for a file at all.
  int names = 0;
  while (names < 100 && write_text((folder / std::to_string(names)).c_str(), "")) ++names;
  ok &= refuses(file, file, "can't be written: No space left on device");
  // And room again.
  for (int i = 0; i < names; ++i) fs::remove(folder / std::to_string(i));
  ok &= check(save(file, small + 1).empty() && holds(file, small + 1), "room again");
  return ok ? right : wrong;
}

int full_disk_without_sync(const fs::path& folder) {
  if (!mount_disk(folder)) return skip_refused("no disk can be mounted");
  const fs::path file = folder / "f";
  save(file, small);
  std::string message;
  try {
    save_checkpoint(file, network(large), {.sync = false});
  } catch (const FileError& error) {
    message = error.what();
  }
  const bool ok = check(message.ends_with("write failed: No space left on device"), "the reason") &&
                  check(holds(file, small), "the old file stays") &&
                  check(entries(folder) == 1, "nothing is left");
  return ok ? right : wrong;
}

int read_only_disk(const fs::path& folder) {
  if (!mount_disk(folder)) return skip_refused("no disk can be mounted");
  const fs::path file = folder / "f";
  save(file, small);
  if (mount("simdrop", folder.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, small_disk) != 0) {
    return skip_refused("no disk can be made read-only");
  }
  bool ok = refuses(file, file, "can't be written: Read-only file system");
  ok &= check(save(folder / "new", small) == "simdrop: " + (folder / "new").string() +
                                                 ": can't be written: Read-only file system",
              "a new file");
  return ok ? right : wrong;
}

// As a full disk, where none can be mounted.
int file_size_limit(const fs::path& folder) {
  const fs::path file = folder / "f";
  save(file, small);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{10'000, 10'000};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return skip_refused("no limit for the size of files");
  return refuses(file, file, "write failed: File too large") ? right : wrong;
}

int read_only_folder(const fs::path& folder) {
  const fs::path file = folder / "f";
  save(file, small);
  fs::permissions(folder, fs::perms(0555));
  if (!become_nobody()) return skip_refused("root can't become another user");
  bool ok = refuses(file, file, "can't be written: Permission denied");
  ok &= check(save(folder / "new", small).ends_with("can't be written: Permission denied"),
              "a new file");
  return ok ? right : wrong;
}

// The link lies where anybody may write, what it leads to does not.
int link_to_read_only_folder(const fs::path& folder) {
  const fs::path locked = folder / "locked", file = locked / "f", link = folder / "link";
  fs::create_directory(locked);
  save(file, small);
  fs::create_symlink("locked/f", link);
  fs::permissions(locked, fs::perms(0555));
  fs::permissions(folder, fs::perms(0777));
  const int result = in_child([&] {
    if (!become_nobody()) return skip_refused("root can't become another user");
    const bool ok = refuses(link, file, "can't be written: Permission denied") &&
                    check(fs::is_symlink(link), "the link stays") &&
                    check(entries(folder) == 2, "nothing beside it");
    return ok ? right : wrong;
  });
  fs::permissions(locked, fs::perms(0755));
  return result;
}

// Nobody searches it: "no permission" is not "no such file".
int locked_folder(const fs::path& folder) {
  save(folder / "f", small);
  fs::permissions(folder, fs::perms(0));
  const int result = in_child([&] {
    if (!become_nobody()) return skip_refused("root can't become another user");
    const std::string message = save(folder / "f", large);
    const std::string want = "simdrop: " + (folder / "f").string() + ": Permission denied";
    return check(message == want, message.c_str()) ? right : wrong;
  });
  fs::permissions(folder, fs::perms(0755));
  return result == right && !holds(folder / "f", small) ? wrong : result;
}

// As /tmp: who does not own a file there can't replace it, though its mode lets everybody write.
int sticky_folder(const fs::path& folder) {
  if (geteuid() != 0) return skip("only root can make files of another user");
  const fs::path file = folder / "f";
  save(file, small);
  fs::permissions(file, fs::perms(0666));
  fs::permissions(folder, fs::perms(01777));
  if (!become_nobody()) return skip_refused("root can't become another user");
  return refuses(file, file, "can't be replaced: Operation not permitted") ? right : wrong;
}

struct Rights {
  uid_t owner;
  gid_t group;
  mode_t mode;
};
bool has(const fs::path& file, const Rights& want) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return false;
  std::printf("owner %u, group %u, mode %o\n", status.st_uid, status.st_gid,
              status.st_mode & 07777);
  return status.st_uid == want.owner && status.st_gid == want.group &&
         (status.st_mode & 07777) == want.mode;
}
bool give(const fs::path& file, const Rights& rights) {
  return chown(file.c_str(), rights.owner, rights.group) == 0 &&
         chmod(file.c_str(), rights.mode) == 0;
}

int owner_and_group(const fs::path& folder) {
  if (geteuid() != 0) return skip("only root can make files of another user");
  const fs::path file = folder / "f";
  fs::permissions(folder, fs::perms(0777));
  save(file, small);
  if (!give(file, {nobody, some_group, 0640})) return skip_refused("root can't give files away");
  // Root keeps both.
  bool ok = check(save(file, large).empty() && has(file, {nobody, some_group, 0640}), "root");
  // Another user keeps a group that it is in.
  ok &= give(file, {0, some_group, 0660});
  ok &= in_child([&] {
          if (!become_nobody(true)) return skip_refused("root can't become another user");
          return save(file, small).empty() ? right : wrong;
        }) == right;
  ok &= check(has(file, {nobody, some_group, 0660}), "a group of the user");
  // What it can't keep gets no rights that the file did not give.
  ok &= give(file, {0, some_group, 0660});
  ok &= in_child([&] { return become_nobody() && save(file, small).empty() ? right : wrong; }) ==
        right;
  ok &= check(has(file, {nobody, nobody, 0600}), "a group of others");
  return ok ? right : wrong;
}

int run(const std::string& name, const fs::path& folder) {
  const struct {
    const char* name;
    int (*test)(const fs::path&);
  } cases[] = {{"full_disk", full_disk},
               {"full_disk_without_sync", full_disk_without_sync},
               {"read_only_disk", read_only_disk},
               {"file_size_limit", file_size_limit},
               {"read_only_folder", read_only_folder},
               {"link_to_read_only_folder", link_to_read_only_folder},
               {"locked_folder", locked_folder},
               {"sticky_folder", sticky_folder},
               {"owner_and_group", owner_and_group}};
  for (const auto& one : cases) {
    if (name != one.name) continue;
    umask(022);
    fs::create_directories(folder);
    const int result = in_child([&] { return one.test(folder); });
    fs::permissions(folder, fs::perms(0755));
    fs::remove_all(folder);
    return result;
  }
  std::printf("no such case: %s\n", name.c_str());
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return wrong;
  // Where everybody can go: the build may lie in somebody's home.
  return run(argv[1], fs::temp_directory_path() /
                          ("simdrop-folder-" + std::to_string(getpid()) + "-" + argv[1]));
}
