// System calls fail, are interrupted, or do a part of their work, while a network is saved or
// loaded.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "failures/faulty_calls.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "simdrop/checkpoint.hpp"

namespace {

using failures::Call;
using failures::fail_call;
using failures::no_faults;
using failures::When;
using namespace simdrop;

// A file of several writes, beside the one that is saved over it.
struct Files {
  test::TemporaryDirectory dir;
  MlpConfig config = fixture::make_config({300, 400, 5}, Loss::softmax_ce, {1.0, 1.0}, 1);
  Mlp old_one = Mlp(config), new_one = old_one.clone();
  std::string path = dir.name("f");
  std::string before, after;

  Files() {
    new_one.weights(1).data[0] = 7.0F;
    save_checkpoint(path, new_one);
    after = test::read_file(path);
    save_checkpoint(path, old_one);
    before = test::read_file(path);
    REQUIRE(before != after);
  }
  // "no error", or what a save says.
  std::string save() const {
    const std::string message = test::file_error([&] { save_checkpoint(path, new_one); });
    no_faults();
    return message;
  }
  // A save fails, and leaves the old file alone.
  void fails(const std::string& what) const {
    const std::string message = save();
    CHECK(message.find(what) != std::string::npos);
    CHECK(test::read_file(path) == before);
    CHECK(dir.entries() == 1);
  }
  void succeeds() const {
    CHECK(save() == "no error");
    CHECK(test::read_file(path) == after);
    CHECK(dir.entries() == 1);
  }
};

std::size_t calls_in_save(const Files& files, Call call) {
  fail_call(call, 0, 0);
  save_checkpoint(files.path, files.old_one);
  return failures::calls_of(call);
}

}  // namespace

TEST_CASE("failures: system calls that a signal interrupts are begun again") {
  const Files files;
  for (const Call call : {Call::open, Call::write, Call::fsync, Call::close, Call::rename}) {
    CAPTURE(static_cast<int>(call));
    const std::size_t count = calls_in_save(files, call);
    CHECK(count > 0);
    for (std::size_t n = 1; n <= count; ++n) {
      fail_call(call, n, EINTR);
      files.succeeds();
      CHECK(failures::calls_of(call) >= count);
    }
  }
  fail_call(Call::rename, 1, EINTR, When::after);
  files.succeeds();
  for (const Call call : {Call::open, Call::pread, Call::close}) {
    fail_call(call, 0, 0);
    (void)load_checkpoint(files.path, files.config);
    const std::size_t count = failures::calls_of(call);
    CHECK(count > 0);
    for (std::size_t n = 1; n <= count; ++n) {
      fail_call(call, n, EINTR);
      const Checkpoint loaded = load_checkpoint(files.path, files.config);
      no_faults();
      CHECK(
          fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(files.new_one)));
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

TEST_CASE("failures: a save that fails leaves the old file, and nothing beside it") {
  const Files files;
  const auto each = [&](Call call, int error, const char* what) {
    const std::size_t count = calls_in_save(files, call);
    // The folder is opened last, and synced last.
    const bool last_is_other = call == Call::open || call == Call::fsync;
    for (std::size_t n = 1; n <= count - (last_is_other ? 1 : 0); ++n) {
      CAPTURE(n);
      fail_call(call, n, error);
      files.fails(what);
    }
  };
  each(Call::open, EROFS, "can't be written: Read-only file system");
  each(Call::write, ENOSPC, "write failed: No space left on device");
  each(Call::fchmod, EPERM, "write failed: Operation not permitted");
  each(Call::fsync, EIO, "write failed: Input/output error");
  each(Call::rename, EBUSY, "can't be replaced: Device or resource busy");
  fail_call(Call::close, 1, EDQUOT);
  files.fails("write failed: Disk quota exceeded");
  for (const int error : {EMFILE, ENFILE, ENOMEM}) {
    fail_call(Call::open, 2, error);
    files.fails("can't be replaced: ");
  }
  files.succeeds();
}

TEST_CASE("failures: a folder that can't be synced") {
  const Files files;
  fail_call(Call::open, 2, EACCES);
  files.succeeds();
  save_checkpoint(files.path, files.old_one);
  fail_call(Call::fsync, 2, EINVAL);
  files.succeeds();
  save_checkpoint(files.path, files.old_one);
  // The one error that comes when the new file is there.
  fail_call(Call::fsync, 2, EIO);
  CHECK(files.save() == "simdrop: " + files.path +
                            ": was written, but its directory can't be synced: Input/output error");
  CHECK(test::read_file(files.path) == files.after);
}

TEST_CASE("failures: once the file is replaced, nothing needs memory") {
  const Files files;
  failures::refuse_memory_after_rename();
  files.succeeds();
  save_checkpoint(files.path, files.old_one);
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
