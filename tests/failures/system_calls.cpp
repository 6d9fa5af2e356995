// System calls fail, are interrupted, or do a part of their work, while a network is saved or
// loaded.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "failures/faulty_calls.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "simdrop/checkpoint.hpp"
#include "simdrop/simdrop.h"

namespace {

using failures::Call;
using failures::fail_call;
using failures::no_faults;
using failures::When;
using namespace simdrop;

constexpr mode_t old_mode = 0640;

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// A file of several writes, beside the one that is saved over it or where none was.
struct Files {
  test::TemporaryDirectory dir;
  MlpConfig config = fixture::make_config({300, 400, 5}, Loss::softmax_ce, {1.0, 1.0}, 1);
  Mlp old_one = Mlp(config), new_one = old_one.clone();
  std::string path = dir.name("f");
  std::string given = path;  // which may be a link to it
  std::string before, after;
  bool sync = true;

  Files() {
    new_one.weights(1).data[0] = 7.0F;
    save_checkpoint(path, new_one);
    after = test::read_file(path);
    save_checkpoint(path, old_one);
    before = test::read_file(path);
    REQUIRE(before != after);
    put_old_file();
  }
  void put_old_file() const {
    dir.write("f", before);
    REQUIRE(chmod(path.c_str(), old_mode) == 0);
  }
  void put_no_file() const { std::filesystem::remove(path); }
  // "no error", or what a save says.
  std::string save() const {
    const std::string message =
        test::file_error([&] { save_checkpoint(given, new_one, {.sync = sync}); });
    no_faults();
    return message;
  }
  // A save fails, and leaves the file that was there, or none.
  void fails(const std::string& what) const {
    const bool there = std::filesystem::exists(path);
    const int descriptors = open_descriptors();
    const std::string message = save();
    CHECK(message == "simdrop: " + given + ": " + what);
    CHECK(open_descriptors() == descriptors);
    CHECK(dir.entries() == (there ? 1 : 0));
    if (there) CHECK(test::read_file(path) == before);
    if (there) CHECK(mode_of(path) == old_mode);
  }
  void succeeds() const {
    const int descriptors = open_descriptors();
    CHECK(save() == "no error");
    CHECK(open_descriptors() == descriptors);
    CHECK(test::read_file(path) == after);
    CHECK(dir.entries() == 1);
  }
};

std::size_t calls_in_save(const Files& files, Call call) {
  fail_call(call, 0, 0);
  save_checkpoint(files.given, files.old_one, {.sync = files.sync});
  return failures::calls_of(call);
}

struct Fault {
  std::string name;
  Call call;
  std::size_t n;  // counted from 1; every: each of them
  std::vector<int> errors;
  const char* message;  // what stands before the reason; nullptr: the save succeeds
};
constexpr std::size_t every = 0;

// In the order of the calls. The first open() is the temporary file's, the second the folder's, and
// so are fsync() and close().
const std::vector<Fault> faults{
    {"stat", Call::stat, every, {EACCES, EIO, ELOOP, ENAMETOOLONG, ENOMEM, ENOTDIR, EOVERFLOW}, ""},
    {"readlink", Call::readlink, every, {EACCES, EIO, ELOOP, ENOMEM, ENOTDIR}, ""},
    {"open",
     Call::open,
     1,
     {EACCES, EDQUOT, EIO, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS},
     "can't be written: "},
    {"write",
     Call::write,
     every,
     {EBADF, EDQUOT, EFBIG, EIO, EINVAL, ENOMEM, ENOSPC, EPERM, EROFS},
     "write failed: "},
    {"fsync",
     Call::fsync,
     1,
     {EDQUOT, EINVAL, EIO, ENOSPC, ENOSYS, EOPNOTSUPP, EROFS},
     "can't be synced to the disk: "},
    {"close", Call::close, 1, {EDQUOT, EIO, ENOSPC}, "write failed: "},
    {"open", Call::open, 2, {EMFILE, ENFILE, ENOMEM}, "can't be replaced: "},
    {"open", Call::open, 2, {EACCES, EINVAL, ENOSYS}, nullptr},
    {"rename",
     Call::rename,
     every,
     {EACCES, EBUSY, EDQUOT, EIO, EISDIR, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS, EXDEV},
     "can't be replaced: "},
    {"fsync", Call::fsync, 2, {EBADF, EINVAL, ENOSYS, EOPNOTSUPP, EROFS}, nullptr},
    {"close", Call::close, 2, {EDQUOT, EIO, ENOSPC}, nullptr}};

// What only a file that is replaced needs.
const std::vector<Fault> faults_of_rights{
    {"fstat", Call::fstat, 1, {EIO, ENOMEM, EOVERFLOW}, "can't be written: "},
    {"fchmod", Call::fchmod, 1, {EDQUOT, EIO, ENOSPC, EROFS}, "can't be written: "},
    {"fchmod", Call::fchmod, 1, {EACCES, EINVAL, ENOSYS, EOPNOTSUPP, EPERM}, nullptr}};

// put(): the file as it was before.
template <class Put>
void check_each(const Files& files, const std::vector<Fault>& each, const Put& put) {
  for (const Fault& fault : each) {
    put();
    const std::size_t count = calls_in_save(files, fault.call);
    CAPTURE(fault.name);
    const bool happens = count >= (fault.n == every ? 1 : fault.n);
    CHECK(happens);
    const std::size_t first = fault.n == every ? 1 : fault.n;
    const std::size_t last = fault.n == every ? count : fault.n;
    for (const int error : fault.errors) {
      for (std::size_t n = first; n <= last && happens; ++n) {
        CAPTURE(n);
        CAPTURE(error);
        put();
        fail_call(fault.call, n, error);
        if (fault.message == nullptr) {
          files.succeeds();
        } else {
          files.fails(fault.message + std::generic_category().message(error));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("failures: each call of a save over a file fails in turn, with each of its errors") {
  const Files files;
  const auto put = [&] { files.put_old_file(); };
  check_each(files, faults, put);
  check_each(files, faults_of_rights, put);
}

TEST_CASE("failures: each call of a save through a link fails in turn, with each of its errors") {
  Files files;
  const test::TemporaryDirectory links;
  files.given = links.name("link");
  std::filesystem::create_symlink(files.path, files.given);
  check_each(files, faults, [&] { files.put_old_file(); });
  check_each(files, faults, [&] { files.put_no_file(); });
  CHECK(std::filesystem::is_symlink(files.given));
  // Another process replaces or removes the file between two looks at it.
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}}) {
    files.put_old_file();
    failures::pretend_other_file(n);
    files.succeeds();
    CHECK(mode_of(files.path) == old_mode);
  }
  files.put_old_file();
  fail_call(Call::stat, 2, ENOENT);
  files.succeeds();
}

TEST_CASE("failures: each call of a save to a new file fails in turn, with each of its errors") {
  const Files files;
  check_each(files, faults, [&] { files.put_no_file(); });
}

TEST_CASE(
    "failures: a mode that the file system does not keep: the first save works, and so do the "
    "next") {
  const Files files;
  const mode_t mask = umask(022);
  for (const mode_t mode : {mode_t{0600}, mode_t{0640}, mode_t{0644}, mode_t{0666}, mode_t{0777}}) {
    for (const int error : {EPERM, EOPNOTSUPP, ENOSYS}) {
      files.put_no_file();
      fail_call(Call::fchmod, 1, error);
      files.succeeds();
      files.put_old_file();
      REQUIRE(chmod(files.path.c_str(), mode) == 0);
      for (int save = 0; save < 2; ++save) {
        fail_call(Call::fchmod, 1, error);
        files.succeeds();
        CHECK((mode_of(files.path) & ~mode) == 0);
      }
    }
  }
  umask(mask);
}

TEST_CASE(
    "failures: an owner and a group that can't be kept: never more rights than the file had") {
  const Files files;
  const mode_t mask = umask(0);
  const struct {
    mode_t before, after;
  } modes[] = {{0600, 0600}, {0640, 0600}, {0660, 0600}, {0664, 0644}, {0666, 0666},
               {0604, 0604}, {0755, 0755}, {0775, 0755}, {0444, 0444}};
  for (const auto& mode : modes) {
    for (const int error : {EPERM, EINVAL, ENOSYS, EIO, EDQUOT}) {
      files.put_old_file();
      REQUIRE(chmod(files.path.c_str(), mode.before) == 0);
      failures::pretend_other_owner();
      failures::fail_calls_from(Call::fchown, 1, error);
      files.succeeds();
      CHECK(mode_of(files.path) == mode.after);
    }
  }
  // The group alone is kept.
  files.put_old_file();
  failures::pretend_other_owner();
  fail_call(Call::fchown, 1, EPERM);
  CHECK(files.save() == "no error");
  CHECK(failures::calls_of(Call::fchown) == 2);
  umask(mask);
}

TEST_CASE("failures: where syncing is refused, a save that asks for none works") {
  Files files;
  for (const int error : {EINVAL, EIO, ENOSYS, EROFS}) {
    files.sync = true;
    files.put_old_file();
    failures::fail_calls_from(Call::fsync, 1, error);
    files.fails("can't be synced to the disk: " + std::generic_category().message(error));
    files.sync = false;
    failures::fail_calls_from(Call::fsync, 1, error);
    files.succeeds();
    CHECK(failures::calls_of(Call::fsync) == 0);
  }
  // The C interface asks for it likewise.
  const std::int64_t widths[] = {2, 2};
  simdrop_mlp_config config{};
  REQUIRE(simdrop_mlp_config_init(&config, sizeof(config), nullptr) == SIMDROP_OK);
  config.widths = widths;
  config.num_widths = 2;
  simdrop_mlp* mlp = nullptr;
  REQUIRE(simdrop_mlp_create(&config, &mlp, nullptr) == SIMDROP_OK);
  simdrop_mlp_save_args args{};
  REQUIRE(simdrop_mlp_save_args_init(&args, sizeof(args), nullptr) == SIMDROP_OK);
  const auto save = [&] {
    failures::fail_calls_from(Call::fsync, 1, EINVAL);
    const simdrop_status status = simdrop_mlp_save_run(files.path.c_str(), mlp, &args, nullptr);
    no_faults();
    return status;
  };
  CHECK(save() == SIMDROP_FILE_ERROR);
  args.no_sync = 1;
  CHECK(save() == SIMDROP_OK);
  simdrop_mlp_destroy(mlp);
  // What else may fail is an error as ever.
  files.put_old_file();
  fail_call(Call::close, 1, EIO);
  files.fails("write failed: Input/output error");
}

TEST_CASE("failures: system calls that a signal interrupts are begun again") {
  Files files;
  for (const bool sync : {true, false}) {
    files.sync = sync;
    for (const Call call : {Call::open, Call::write, Call::fsync, Call::close, Call::rename,
                            Call::fchmod, Call::stat, Call::fstat, Call::readlink}) {
      CAPTURE(static_cast<int>(call));
      files.put_old_file();
      const std::size_t count = calls_in_save(files, call);
      CHECK((count > 0 || (call == Call::fsync && !sync)));
      for (std::size_t n = 1; n <= count; ++n) {
        files.put_old_file();
        fail_call(call, n, EINTR);
        files.succeeds();
        CHECK(mode_of(files.path) == old_mode);
        CHECK(failures::calls_of(call) >= count);
      }
    }
  }
  fail_call(Call::rename, 1, EINTR, When::after);
  files.succeeds();
  fail_call(Call::write, 1, EAGAIN);  // as a pipe that is full says
  files.succeeds();
  failures::pretend_other_owner();
  fail_call(Call::fchown, 1, EINTR);
  CHECK(files.save() == "no error");
  CHECK(failures::calls_of(Call::fchown) >= 2);
}

TEST_CASE("failures: loads that a signal interrupts are begun again") {
  const Files files;
  for (const Call call : {Call::open, Call::pread, Call::close, Call::fstat}) {
    fail_call(call, 0, 0);
    (void)load_checkpoint(files.path, files.config);
    const std::size_t count = failures::calls_of(call);
    CHECK(count > 0);
    for (std::size_t n = 1; n <= count; ++n) {
      fail_call(call, n, EINTR);
      const Checkpoint loaded = load_checkpoint(files.path, files.config);
      no_faults();
      CHECK(
          fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(files.old_one)));
    }
  }
}

TEST_CASE("failures: reads and writes of a few bytes at a time") {
  const Files files;
  for (const std::size_t bytes : {std::size_t{61}, std::size_t{4097}}) {
    failures::limit_bytes(bytes);
    files.succeeds();
    failures::limit_bytes(bytes);
    const Checkpoint loaded = load_checkpoint(files.path, files.config);
    no_faults();
    CHECK(fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(files.new_one)));
  }
}

TEST_CASE("failures: a folder that can't be synced") {
  const Files files;
  // The one error that comes when the new file is there.
  fail_call(Call::fsync, 2, EIO);
  CHECK(files.save() == "simdrop: " + files.path +
                            ": was written, but its directory can't be synced: Input/output error");
  CHECK(test::read_file(files.path) == files.after);
}

TEST_CASE("failures: once the file is replaced, nothing needs memory") {
  Files files;
  for (const bool sync : {true, false}) {
    files.sync = sync;
    files.put_old_file();
    failures::refuse_memory_after_rename();
    files.succeeds();
  }
  // The error that may come is whole.
  bool failed = false;
  fail_call(Call::fsync, 2, EIO);
  failures::refuse_memory_after_rename();
  try {
    save_checkpoint(files.path, files.new_one);
  } catch (const FileError& error) {
    no_faults();
    failed = std::string(error.what()).ends_with("can't be synced: Input/output error");
  }
  no_faults();
  CHECK(failed);
  CHECK(test::read_file(files.path) == files.after);
}

TEST_CASE("failures: a load that fails") {
  const Files files;
  const auto error = [&](Call call, int number) {
    fail_call(call, 1, number);
    const std::string message =
        test::file_error([&] { (void)load_checkpoint(files.path, files.config); });
    no_faults();
    return message;
  };
  CHECK(error(Call::open, EMFILE) == "simdrop: " + files.path + ": Too many open files");
  CHECK(error(Call::pread, EIO) == "simdrop: " + files.path + ": Input/output error");
}
