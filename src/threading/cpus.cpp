#include "threading/cpus.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

#include "base/no_cancellation.h"

namespace simdrop::detail {
namespace {

constexpr std::size_t unlimited = SIZE_MAX;

#ifdef __linux__
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_file(const std::string& path) {
  return {std::fopen(path.c_str(), "re"), &std::fclose};
}

// The numbers that a file begins with, at most two; -1 for what is no number, as "max".
struct TwoNumbers {
  long long first = -1, second = -1;
};

TwoNumbers read_numbers(const std::string& path) {
  TwoNumbers numbers;
  const File file = open_file(path);
  if (file == nullptr) return numbers;
  if (std::fscanf(file.get(), "%lld", &numbers.first) != 1) return {};
  if (std::fscanf(file.get(), "%lld", &numbers.second) != 1) numbers.second = -1;
  return numbers;
}

std::size_t whole_cpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return unlimited;
  return static_cast<std::size_t>((quota - 1) / period + 1);
}

// The least that a group, and those that it is part of, may use. Inside a container the path may
// be one of the host, which is not there: then its parents are looked at, up to what is mounted.
std::size_t group_quota(const std::string& mount, std::string group, bool version_2) {
  std::size_t least = unlimited;
  while (true) {
    const std::string folder = mount + group + "/";
    if (version_2) {
      const TwoNumbers limit = read_numbers(folder + "cpu.max");
      least = std::min(least, whole_cpus(limit.first, limit.second));
    } else {
      least = std::min(least, whole_cpus(read_numbers(folder + "cpu.cfs_quota_us").first,
                                         read_numbers(folder + "cpu.cfs_period_us").first));
    }
    if (group.empty()) return least;
    group.resize(group.find_last_of('/') == std::string::npos ? 0 : group.find_last_of('/'));
  }
}

// Of one line of /proc/self/cgroup: "0::/path" (version 2) or "4:cpu,cpuacct:/path".
std::size_t quota_of_line(const std::string& root, const std::string& line) {
  const std::size_t first = line.find(':');
  const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) return unlimited;
  const std::string controllers = line.substr(first + 1, second - first - 1);
  std::string group = line.substr(second + 1);
  if (group == "/") group.clear();
  const std::string mounts = root + "/sys/fs/cgroup";
  if (controllers.empty()) {
    return std::min(group_quota(mounts, group, true),
                    group_quota(mounts + "/unified", group, true));
  }
  if (("," + controllers + ",").find(",cpu,") == std::string::npos) return unlimited;
  return std::min(group_quota(mounts + "/cpu", group, false),
                  group_quota(mounts + "/" + controllers, group, false));
}
#endif

}  // namespace

std::size_t allowed_cpus() noexcept {
#ifdef __linux__
  unsigned long bits[8192 / (8 * sizeof(unsigned long))];
  auto* set = reinterpret_cast<cpu_set_t*>(bits);
  if (sched_getaffinity(0, sizeof bits, set) == 0) {
    return static_cast<std::size_t>(std::max(CPU_COUNT_S(sizeof bits, set), 1));
  }
#endif
  return std::max(std::thread::hardware_concurrency(), 1U);
}

std::size_t read_cpu_quota(const std::string& root) {
  std::size_t least = unlimited;
#ifdef __linux__
  const File groups = open_file(root + "/proc/self/cgroup");
  if (groups == nullptr) return least;
  char line[4096];
  while (std::fgets(line, sizeof line, groups.get()) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    least = std::min(least, quota_of_line(root, line));
  }
#endif
  return least;
}

std::size_t cpu_quota() noexcept {
  static const std::size_t quota = []() noexcept {
    const NoCancellation while_reading;
    try {
      return read_cpu_quota("");
    } catch (...) {  // no memory: no limit is known
      return unlimited;
    }
  }();
  return quota;
}

std::size_t usable_cpus() noexcept {
  return std::min(allowed_cpus(), cpu_quota());
}

}  // namespace simdrop::detail
