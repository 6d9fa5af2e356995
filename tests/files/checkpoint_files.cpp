// Files as the system has them: replaced as a whole or left as they were.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "simdrop/checkpoint.hpp"

namespace {

namespace fs = std::filesystem;
using namespace simdrop;

Mlp network(std::vector<std::size_t> widths = {3, 2}) {
  return Mlp(fixture::make_config(std::move(widths), Loss::softmax_ce, {1.0}, 1));
}

std::string save_error(const std::string& path, const Mlp& mlp = network()) {
  return test::file_error([&] { save_checkpoint(path, mlp); });
}

std::string load_error(const std::string& path) {
  MlpConfig config;
  config.max_batch = 1;
  return test::file_error([&] { (void)load_checkpoint(path, config); });
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// In a child process: whether a save of a network larger than the process may write is an error.
int save_beyond_the_limit(const std::string& path) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{10'000, 10'000};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
  const std::string message = save_error(path, network({200, 200}));
  return message.find("write failed: ") != std::string::npos ? 0 : 1;
}

}  // namespace

TEST_CASE("checkpoint: metadata that could not be read again is not written") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("net");
  Metadata metadata;
  for (int i = 0; i < 4094; ++i) metadata["k" + std::to_string(i)] = "v";
  save_checkpoint(path, network(), nullptr, metadata);
  CHECK(load_error(path) == "no error");
  metadata["one more"] = "v";
  CHECK_THROWS_WITH_AS(
      save_checkpoint(path, network(), nullptr, metadata),
      "simdrop: metadata: number of keys is 4097; allowed: at most 4096, simdrop's "
      "own two among them",
      std::invalid_argument);
  CHECK(load_error(path) == "no error");
}

TEST_CASE("checkpoint: files that can't be read") {
  const test::TemporaryDirectory dir;
  const std::string missing = dir.name("missing");
  CHECK(load_error(missing) == "simdrop: " + missing + ": No such file or directory");
  CHECK(load_error(dir.name("")) == "simdrop: " + dir.name("") + ": is a directory");
  CHECK(load_error("/dev/null") == "simdrop: /dev/null: is not a regular file");
  const std::string fifo = dir.name("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(load_error(fifo) == "simdrop: " + fifo + ": is not a regular file");
}

TEST_CASE("checkpoint: places that can't be written") {
  const test::TemporaryDirectory dir;
  const std::string missing = dir.name("missing/f");
  CHECK(save_error(missing) ==
        "simdrop: " + missing + ": can't be written: No such file or directory");
  CHECK(save_error(dir.name("")) == "simdrop: " + dir.name("") + ": is a directory");
  CHECK(save_error("") == "simdrop: : No such file or directory");
  CHECK(save_error("/dev/full") == "simdrop: /dev/full: is not a regular file");
  fs::create_symlink("loop", dir.name("loop"));
  CHECK(save_error(dir.name("loop")).find("symbolic links") != std::string::npos);
  const std::string in_file = dir.write("plain", "x") + "/f";
  CHECK(save_error(in_file).find("Not a directory") != std::string::npos);
  CHECK(dir.entries() == 2);
}

TEST_CASE("checkpoint: a disk that is full leaves the old file, and nothing beside it") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("f");
  save_checkpoint(path, network());
  const std::string before = test::read_file(path);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(save_beyond_the_limit(path));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(test::read_file(path) == before);
  CHECK(dir.entries() == 1);
}

TEST_CASE("checkpoint: a folder that can't be written leaves the old file") {
  if (geteuid() == 0) return;  // root may write everywhere
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("f");
  save_checkpoint(path, network());
  const std::string before = test::read_file(path);
  fs::permissions(dir.path(), fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(save_error(path, network({4, 4})).find("can't be written: ") != std::string::npos);
  fs::permissions(dir.path(), fs::perms::owner_all);
  CHECK(test::read_file(path) == before);
  CHECK(dir.entries() == 1);
}

TEST_CASE("checkpoint: links and modes stay") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("file");
  const mode_t mask = umask(027);
  save_checkpoint(path, network());
  CHECK(mode_of(path) == 0640);
  REQUIRE(chmod(path.c_str(), 0604) == 0);
  save_checkpoint(path, network({5, 5}));
  CHECK(mode_of(path) == 0604);
  umask(mask);

  fs::create_directory(dir.name("sub"));
  fs::create_symlink("../file", dir.name("sub/link"));
  fs::create_symlink("sub/link", dir.name("link"));
  save_checkpoint(dir.name("link"), network({6, 6}));
  CHECK(fs::is_symlink(dir.name("link")));
  CHECK(fs::is_symlink(dir.name("sub/link")));
  CHECK(test::header_text(test::read_file(path)).find("[6,6]") != std::string::npos);

  fs::create_symlink("new", dir.name("dangling"));
  save_checkpoint(dir.name("dangling"), network());
  CHECK(fs::is_symlink(dir.name("dangling")));
  CHECK(load_error(dir.name("new")) == "no error");
}

TEST_CASE(
    "checkpoint: threads that save to one folder, and to one file, don't disturb each other") {
  const test::TemporaryDirectory dir;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Mlp mlp = network({30, 20});
      for (int i = 0; i < 5; ++i) {
        save_checkpoint(dir.name(t < 2 ? "same" : std::to_string(t)), mlp);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const char* file : {"same", "2", "3"}) CHECK(load_error(dir.name(file)) == "no error");
  CHECK(dir.entries() == 3);
}

TEST_CASE("checkpoint: every form of the call writes the same file") {
  const test::TemporaryDirectory dir;
  const Mlp mlp = network();
  const Optimizer sgd({}, mlp);
  const Metadata text{{"key", "value"}};
  const auto file = [&](const auto& save) {
    save(fs::path(dir.name("f")));
    return test::read_file(dir.name("f"));
  };
  const std::string weights = file([&](const fs::path& path) { save_checkpoint(path, mlp); });
  for (const std::string& same :
       {file([&](const fs::path& path) { save_checkpoint(path, mlp, {}); }),
        file([&](const fs::path& path) { save_checkpoint(path, mlp, nullptr); }),
        file([&](const fs::path& path) { save_checkpoint(path, mlp, {}, {}); }),
        file([&](const fs::path& path) { save_checkpoint(path, mlp, SaveOptions{}); }),
        file([&](const fs::path& path) { save_checkpoint(path, mlp, {.sync = false}); })}) {
    CHECK(same == weights);
  }
  const std::string all =
      file([&](const fs::path& path) { save_checkpoint(path, mlp, &sgd, text); });
  CHECK(all != weights);
  CHECK(all == file([&](const fs::path& path) {
          save_checkpoint(path, mlp, {.optimizer = &sgd, .metadata = text});
        }));
}

TEST_CASE("checkpoint: a name in the working directory") {
  const test::TemporaryDirectory dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  save_checkpoint("f", network());
  fs::current_path(before);
  CHECK(load_error(dir.name("f")) == "no error");
}
