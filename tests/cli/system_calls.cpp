// System calls fail while the program writes its files.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "cli/data/dataset.h"
#include "cli/json_file.h"
#include "cli/trainer.h"
#include "failures/faulty_calls.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"

namespace {

using failures::Call;
using failures::fail_call;
using failures::fail_calls_from;
using failures::no_faults;
using namespace simdrop;

const cli::Json json{{"a", 1}};
const std::string text = "{\n  \"a\": 1\n}\n";

std::string reason(int error) {
  return std::generic_category().message(error);
}

// "no error", or the message.
std::string write(const std::string& path, bool no_sync = false) {
  const std::string message = test::file_error([&] { cli::JsonFile(path, no_sync).commit(json); });
  no_faults();
  return message;
}

}  // namespace

TEST_CASE("system calls: --json syncs its file, and with --no-sync does not") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  fail_calls_from(Call::fsync, 1, EINVAL);
  CHECK(write(path) == "simdrop: " + path + ": can't be synced to the disk: " + reason(EINVAL));
  CHECK(test::read_file(path) == "old");
  fail_calls_from(Call::fsync, 1, EINVAL);
  CHECK(write(path, true) == "no error");
  CHECK(test::read_file(path) == text);
  CHECK(dir.entries() == 1);
}

TEST_CASE("system calls: --save syncs its file, and with --no-sync does not") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  const io::TrainTest data = io::make_moons(1);
  cli::TrainerConfig config;
  config.network.widths = {2, 4, 1};
  config.network.loss = Loss::sigmoid_bce;
  config.network.keep_prob = {1.0};
  cli::Trainer trainer(config, data.train);
  fail_calls_from(Call::fsync, 1, EINVAL);
  const std::string message = test::file_error([&] { trainer.save(path, {}, true); });
  CHECK(message == "simdrop: " + path + ": can't be synced to the disk: " + reason(EINVAL));
  CHECK(test::read_file(path) == "old");
  trainer.save(path, {}, false);
  no_faults();
  CHECK(test::read_file(path) != "old");
}

TEST_CASE("system calls: a path that can't be written is known before the work") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  for (const int error : {EACCES, EROFS, ENOSPC, EDQUOT, EMFILE}) {
    fail_call(Call::open, 1, error);
    CHECK(test::file_error([&] { const cli::JsonFile file(path, false); }) ==
          "simdrop: " + path + ": can't be written: " + reason(error));
  }
  no_faults();
  {
    const cli::JsonFile file(path, false);
    CHECK(dir.entries() == 1);  // nothing lies there during the work
  }
  for (const int error : {ENOSPC, EIO, EDQUOT}) {
    fail_call(Call::write, 1, error);
    CHECK(write(path) == "simdrop: " + path + ": write failed: " + reason(error));
    CHECK(test::read_file(path) == "old");
    CHECK(dir.entries() == 1);
  }
}

TEST_CASE("system calls: streams that can't be opened, or not at once") {
  const test::TemporaryDirectory dir;
  const std::string null = dir.name("null");
  std::filesystem::create_symlink("/dev/zero", null);  // which nobody's standard output is
  for (const int error : {EACCES, EBUSY, EMFILE, ENODEV, ENXIO}) {
    fail_call(Call::open, 1, error);
    CHECK(write(null) == "simdrop: " + null + ": can't be written: " + reason(error));
  }
  fail_call(Call::open, 1, EINTR);
  const std::string message = test::file_error([&] { cli::JsonFile(null, false).commit(json); });
  CHECK(message == "no error");
  CHECK(failures::calls_of(Call::open) == 2);
  for (const int error : {EIO, ENOSPC}) {
    fail_call(Call::close, 1, error);
    CHECK(write(null) == "simdrop: " + null + ": write failed: " + reason(error));
  }
  CHECK(std::filesystem::is_symlink(null));
  CHECK(std::filesystem::is_character_file(null));
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const std::string name = "/dev/fd/" + std::to_string(ends[1]);
  // The first fcntl() asks whether it may be written, the second duplicates it.
  fail_call(Call::fcntl, 2, EMFILE);
  CHECK(write(name) == "simdrop: " + name + ": can't be written: " + reason(EMFILE));
  for (const int error : {EINTR, EAGAIN}) {
    fail_call(Call::write, 1, error);
    CHECK(write(name) == "no error");
    char got[64] = "";
    CHECK(read(ends[0], got, sizeof(got)) == static_cast<ssize_t>(text.size()));
    CHECK(got == text);
  }
  for (const int end : ends) close(end);
}
