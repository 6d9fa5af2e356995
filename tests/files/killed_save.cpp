// A process that saves again and again is killed at a random moment, many times over: each time
// the file must load and be one of the two versions that it saved by turns.
// Usage: checkpoint_kill FOLDER [COUNT]

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>

#include "simdrop/checkpoint.hpp"

namespace {

using namespace simdrop;

constexpr int versions = 2;

MlpConfig config() {
  MlpConfig config;
  config.widths = {300, 400, 50};
  config.max_batch = 1;
  return config;
}

// All of a version's weights have one value, so that a mixture of two would be seen.
Mlp version(int value) {
  Mlp mlp(config());
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const Matrix w = mlp.weights(l);
    for (std::size_t i = 0; i < w.size(); ++i) w.data[i] = static_cast<float>(value);
    for (float& b : mlp.bias(l)) b = static_cast<float>(value);
  }
  return mlp;
}

[[noreturn]] void save_forever(const std::filesystem::path& path, int ready) {
  const Mlp mlps[versions] = {version(0), version(1)};
  if (write(ready, "", 1) != 1) _exit(1);
  for (int i = 0;; ++i) save_checkpoint(path, mlps[i % versions]);
}

// Microseconds that two saves take.
unsigned time_of_saves(const std::filesystem::path& path) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = versions - 1; i >= 0; --i) save_checkpoint(path, version(i));
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  return static_cast<unsigned>(time.count());
}

// Which version the file is; throws if it is none.
int version_of(const std::filesystem::path& path) {
  const Checkpoint loaded = load_checkpoint(path, config());
  const float value = loaded.mlp.bias(1)[0];
  for (std::size_t l = 1; l <= loaded.mlp.num_layers(); ++l) {
    const ConstMatrix w = loaded.mlp.weights(l);
    for (std::size_t i = 0; i < w.size(); ++i) {
      if (w.data[i] != value) throw std::runtime_error("weights of two versions");
    }
    for (const float b : loaded.mlp.bias(l)) {
      if (b != value) throw std::runtime_error("weights of two versions");
    }
  }
  return static_cast<int>(value);
}

void kill_a_saver(const std::filesystem::path& path, unsigned after_us) {
  int ready[2];
  if (pipe(ready) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) save_forever(path, ready[1]);
  close(ready[1]);
  char byte = 0;
  if (read(ready[0], &byte, 1) != 1) throw std::runtime_error("the child does not save");
  close(ready[0]);
  usleep(after_us);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

int run(const std::filesystem::path& folder, int count) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::filesystem::path path = folder / "weights.safetensors";
  const unsigned longest_us = 2 * time_of_saves(path);
  std::mt19937 random(std::random_device{}());
  int seen[versions] = {};
  for (int i = 0; i < count; ++i) {
    kill_a_saver(path, static_cast<unsigned>(random() % longest_us));
    ++seen[version_of(path)];
  }
  int left = -1;  // the file itself
  for (const auto& entry : std::filesystem::directory_iterator(folder)) left += entry.exists();
  std::printf(
      "killed %d times: %d times version 0, %d times 1, always whole; %d temporaries left\n", count,
      seen[0], seen[1], left);
  // Otherwise no kill came while a file was written, and the test would say nothing.
  return left > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    return run(argv[1], argc > 2 ? std::atoi(argv[2]) : 40);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
