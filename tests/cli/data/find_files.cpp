// The files of a directory: what is not there, and what only can't be reached.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "cli/data/dataset.h"
#include "helpers/temporary_directory.h"

#ifdef __linux__
#include <sys/fsuid.h>
#endif

namespace {

namespace fs = std::filesystem;
using simdrop::io::find_idx_files;

const std::string first = "/train-images-idx3-ubyte";

std::string error_of(const std::string& directory) {
  try {
    (void)find_idx_files(directory);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

// Permissions do not bind root: it reads files as somebody else here, if it may.
class AsSomebody {
 public:
  AsSomebody() {
#ifdef __linux__
    constexpr uid_t somebody = 65534;
    if (geteuid() == 0) before_ = setfsuid(somebody);
    bound_ = geteuid() != 0 || setfsuid(somebody) == static_cast<int>(somebody);
#else
    bound_ = geteuid() != 0;
#endif
  }
  ~AsSomebody() {
#ifdef __linux__
    if (before_ >= 0) setfsuid(static_cast<uid_t>(before_));
#endif
  }
  AsSomebody(const AsSomebody&) = delete;
  AsSomebody& operator=(const AsSomebody&) = delete;
  [[nodiscard]] bool bound() const {
    return bound_;
  }

 private:
  int before_ = -1;
  bool bound_ = false;
};

}  // namespace

TEST_CASE("data: each of the four with .gz or without") {
  const test::TemporaryDirectory directory;
  directory.write("train-images-idx3-ubyte", "");
  directory.write("train-labels-idx1-ubyte.gz", "");
  directory.write("t10k-images-idx3-ubyte", "");
  directory.write("t10k-images-idx3-ubyte.gz", "");
  const std::string path = directory.path().string();
  CHECK(error_of(path) == path + "/t10k-labels-idx1-ubyte[.gz]: no such file");
  directory.write("t10k-labels-idx1-ubyte", "");
  const auto files = find_idx_files(path);
  CHECK(files.train_images == path + "/train-images-idx3-ubyte");
  CHECK(files.train_labels == path + "/train-labels-idx1-ubyte.gz");
  CHECK(files.test_images == path + "/t10k-images-idx3-ubyte");
  CHECK(files.test_labels == path + "/t10k-labels-idx1-ubyte");
}

TEST_CASE("data: what is not there, and what is in the way") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path().string();
  CHECK(error_of(path) == path + first + "[.gz]: no such file");
  CHECK(error_of(path + "/none") == path + "/none" + first + "[.gz]: no such file");
  const std::string file = directory.write("file", "");
  CHECK(error_of(file) == file + first + ": Not a directory");
  fs::create_symlink("circle", path + "/circle");
  CHECK(error_of(path + "/circle")
            .ends_with("/circle" + first + ": Too many levels of symbolic links"));
  const std::string longest(300, 'x');
  CHECK(error_of(path + "/" + longest).ends_with(first + ": File name too long"));
}

TEST_CASE("data: a folder without permission is not an empty one") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path().string();
  fs::create_directory(path + "/locked");
  fs::permissions(path + "/locked", fs::perms::none);
  std::string message;
  bool bound = false;
  {
    const AsSomebody somebody;
    bound = somebody.bound();
    message = error_of(path + "/locked");
  }
  fs::permissions(path + "/locked", fs::perms::owner_all);
  if (!bound) {
    MESSAGE("skipped: root that may not be somebody else");
    return;
  }
  CHECK(message == path + "/locked" + first + ": Permission denied");
}
