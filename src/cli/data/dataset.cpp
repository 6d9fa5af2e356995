#include "cli/data/dataset.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "cli/data/idx.h"

namespace simdrop::io {
namespace {

constexpr std::size_t kMoonsTrainRows = 1000;
constexpr std::size_t kMoonsTestRows = 1000;
constexpr double kMoonsNoise = 0.2;

// In (0, 1): never 0, so that its logarithm is finite.
double uniform(std::uint32_t word) {
  return (word + 0.5) * 0x1p-32;
}

// A file that is there but can't be looked at, as in a folder without permission, is not missing.
std::string find_file(const std::filesystem::path& directory, const std::string& name) {
  for (const char* suffix : {"", ".gz"}) {
    const std::filesystem::path path = directory / (name + suffix);
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) return path.string();
    if (errno != ENOENT) throw std::runtime_error(path.string() + ": " + std::strerror(errno));
  }
  std::string message = (directory / name).string() + "[.gz]: no such file";
  if (directory == kFashionMnistDir) {
    message +=
        "; Fashion-MNIST is Debian's package dataset-fashion-mnist "
        "(apt install dataset-fashion-mnist)";
  }
  throw std::runtime_error(message);
}

}  // namespace

Stream stream_for(Purpose purpose, std::uint64_t seed, std::uint64_t index) {
  // Ids whose top byte is 0 are left to the users of the library (mlp/stream_id.h).
  return {seed, (static_cast<std::uint64_t>(purpose) << 40) | index};
}

Dataset load_idx(const std::string& images_path, const std::string& labels_path,
                 std::size_t classes) {
  const IdxImages images = read_idx_images(images_path);
  Dataset data;
  data.labels = read_idx_labels(labels_path, classes);
  if (data.labels.size() != images.count) {
    throw std::runtime_error(images_path + " holds " + std::to_string(images.count) +
                             " images, but " + labels_path + " holds " +
                             std::to_string(data.labels.size()) + " labels");
  }
  data.features = images.rows * images.cols;
  data.classes = classes;
  data.x.resize(images.pixels.size());
  std::transform(images.pixels.begin(), images.pixels.end(), data.x.begin(),
                 [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
  return data;
}

TrainTest load_idx(const IdxPaths& paths, std::size_t classes) {
  TrainTest data{load_idx(paths.train_images, paths.train_labels, classes),
                 load_idx(paths.test_images, paths.test_labels, classes)};
  if (data.train.features != data.test.features) {
    throw std::runtime_error(paths.train_images + " has images of " +
                             std::to_string(data.train.features) + " pixels, but " +
                             paths.test_images + " of " + std::to_string(data.test.features));
  }
  return data;
}

IdxPaths find_idx_files(const std::string& directory) {
  return {find_file(directory, "train-images-idx3-ubyte"),
          find_file(directory, "train-labels-idx1-ubyte"),
          find_file(directory, "t10k-images-idx3-ubyte"),
          find_file(directory, "t10k-labels-idx1-ubyte")};
}

Dataset make_moons(std::size_t rows, double noise, const Stream& stream) {
  std::vector<std::uint32_t> words(4 * rows);
  philox_fill(stream, 0, words);
  Dataset data;
  data.features = 2;
  data.classes = 2;
  data.x.resize(2 * rows);
  data.labels.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const bool lower = i % 2 == 1;
    const double angle = std::numbers::pi * uniform(words[4 * i]);
    const double x = lower ? 1.0 - std::cos(angle) : std::cos(angle);
    const double y = lower ? 0.5 - std::sin(angle) : std::sin(angle);
    // Box and Muller: two normal variates from two uniform ones.
    const double radius = noise * std::sqrt(-2.0 * std::log(uniform(words[4 * i + 1])));
    const double phase = 2.0 * std::numbers::pi * uniform(words[4 * i + 2]);
    data.x[2 * i] = static_cast<float>(x + radius * std::cos(phase));
    data.x[2 * i + 1] = static_cast<float>(y + radius * std::sin(phase));
    data.labels[i] = lower ? 1 : 0;
  }
  return data;
}

TrainTest make_moons(std::uint64_t seed) {
  return {make_moons(kMoonsTrainRows, kMoonsNoise, stream_for(Purpose::moons_train, seed)),
          make_moons(kMoonsTestRows, kMoonsNoise, stream_for(Purpose::moons_test, seed))};
}

std::vector<std::size_t> permutation(std::size_t n, const Stream& stream) {
  std::vector<std::uint32_t> words(2 * n);
  philox_fill(stream, 0, words);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) {
    // The remainder of 64 random bits is uniform to within i / 2^64.
    const std::uint64_t bits = std::uint64_t{words[2 * i - 1]} << 32 | words[2 * i - 2];
    std::swap(order[i - 1], order[static_cast<std::size_t>(bits % i)]);
  }
  return order;
}

std::vector<std::size_t> epoch_order(std::size_t n, std::uint64_t seed, std::uint64_t epoch) {
  return permutation(n, stream_for(Purpose::shuffle, seed, epoch));
}

Dataset random_subset(const Dataset& data, std::size_t rows, std::uint64_t seed) {
  if (rows >= data.rows()) return data;
  std::vector<std::size_t> order = permutation(data.rows(), stream_for(Purpose::subset, seed));
  order.resize(rows);
  Dataset subset;
  subset.features = data.features;
  subset.classes = data.classes;
  subset.x.reserve(rows * data.features);
  subset.labels.reserve(rows);
  for (const std::size_t i : order) {
    const float* row = data.inputs().row(i);
    subset.x.insert(subset.x.end(), row, row + data.features);
    subset.labels.push_back(data.labels[i]);
  }
  return subset;
}

}  // namespace simdrop::io
