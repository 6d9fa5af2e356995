// What a process may use of its machine: files of control groups as Linux writes them.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "helpers/temporary_directory.h"
#include "threading/cpus.h"

namespace {

using simdrop::detail::read_cpu_quota;

// A file system of a few files.
class Files {
 public:
  Files& add(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  [[nodiscard]] std::string root() const { return directory_.path().string(); }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("cpus: at least one, and no more than the machine's") {
  CHECK(simdrop::detail::allowed_cpus() >= 1);
  CHECK(simdrop::detail::cpu_quota() >= 1);
  CHECK(simdrop::detail::usable_cpus() <= simdrop::detail::allowed_cpus());
}

TEST_CASE("cpus: without control groups, and without a limit") {
  CHECK(read_cpu_quota(Files().root()) == SIZE_MAX);
  CHECK(read_cpu_quota(Files()
                           .add("/proc/self/cgroup", "0::/\n")
                           .add("/sys/fs/cgroup/cpu.max", "max 100000\n")
                           .root()) == SIZE_MAX);
}

TEST_CASE("cpus: version 2, the least of a group and those around it, rounded up") {
  Files files;
  files.add("/proc/self/cgroup", "0::/app/worker\n")
      .add("/sys/fs/cgroup/app/worker/cpu.max", "250000 100000\n");
  CHECK(read_cpu_quota(files.root()) == 3);
  files.add("/sys/fs/cgroup/app/cpu.max", "200000 100000\n");
  CHECK(read_cpu_quota(files.root()) == 2);
  files.add("/sys/fs/cgroup/app/worker/cpu.max", "1000 100000\n");
  CHECK(read_cpu_quota(files.root()) == 1);
}

TEST_CASE("cpus: version 2 inside a container, whose path is the host's") {
  CHECK(read_cpu_quota(Files()
                           .add("/proc/self/cgroup", "0::/docker/0123456789abcdef\n")
                           .add("/sys/fs/cgroup/cpu.max", "400000 100000\n")
                           .root()) == 4);
}

TEST_CASE("cpus: version 1, whose groups have controllers") {
  Files files;
  files.add("/proc/self/cgroup", "9:memory:/x\n4:cpu,cpuacct:/job\n2:cpuset:/y\n")
      .add("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n")
      .add("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  CHECK(read_cpu_quota(files.root()) == 2);
  files.add("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  CHECK(read_cpu_quota(files.root()) == SIZE_MAX);
}

TEST_CASE("cpus: files that make no sense set no limit") {
  for (const char* text : {"", "\n", "max", "0 0", "-5 100000", "x y", "100000", "100000 0"}) {
    CAPTURE(text);
    CHECK(read_cpu_quota(Files()
                             .add("/proc/self/cgroup", "garbage\n0::\n:::\n0::/\n")
                             .add("/sys/fs/cgroup/cpu.max", text)
                             .root()) == SIZE_MAX);
  }
}
