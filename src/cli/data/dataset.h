// Data sets in memory, and the randomness around them: generation, subsets, shuffling.
// All randomness is Philox: a pure function of the arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "simdrop/matrix.hpp"
#include "simdrop/rng.hpp"

namespace simdrop::io {

struct Dataset {
  std::vector<float> x;              // rows() x features
  std::vector<std::uint8_t> labels;  // 0 ... classes - 1
  std::size_t features = 0;
  std::size_t classes = 0;

  [[nodiscard]] std::size_t rows() const { return labels.size(); }
  [[nodiscard]] ConstMatrix inputs() const { return {x.data(), rows(), features}; }
};

struct TrainTest {
  Dataset train;
  Dataset test;
};

struct IdxPaths {
  std::string train_images;
  std::string train_labels;
  std::string test_images;
  std::string test_labels;
};

// Where Debian's package dataset-fashion-mnist puts its files.
inline constexpr const char* kFashionMnistDir = "/usr/share/datasets/fashion-mnist";

// What random numbers are for: streams of different purposes are independent, and none is a
// stream of the network's masks or weights with the same seed.
enum class Purpose : std::uint64_t { shuffle, subset, moons_train, moons_test, benchmark };

[[nodiscard]] Stream stream_for(Purpose purpose, std::uint64_t seed, std::uint64_t index = 0);

// Pixels are scaled to [0, 1]. Throws std::runtime_error naming the file.
[[nodiscard]] Dataset load_idx(const std::string& images_path, const std::string& labels_path,
                               std::size_t classes);
[[nodiscard]] TrainTest load_idx(const IdxPaths& paths, std::size_t classes);

// The four files of a directory under MNIST's names, each with or without .gz.
// Throws std::runtime_error, which says what to install if it is Fashion-MNIST that is missing.
[[nodiscard]] IdxPaths find_idx_files(const std::string& directory);

// Two interleaving half circles of radius 1 in the plane, with normal noise on both coordinates;
// labels 0 and 1 alternate.
[[nodiscard]] Dataset make_moons(std::size_t rows, double noise, const Stream& stream);
[[nodiscard]] TrainTest make_moons(std::uint64_t seed);

// A uniformly random permutation of 0 ... n - 1 (Fisher and Yates; Durstenfeld's form).
[[nodiscard]] std::vector<std::size_t> permutation(std::size_t n, const Stream& stream);

// The order of the training examples in an epoch.
[[nodiscard]] std::vector<std::size_t> epoch_order(std::size_t n, std::uint64_t seed,
                                                   std::uint64_t epoch);

// `rows` different examples, drawn at random; all of them if there are no more.
[[nodiscard]] Dataset random_subset(const Dataset& data, std::size_t rows, std::uint64_t seed);

}  // namespace simdrop::io
