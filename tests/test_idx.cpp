// The IDX reader against good and broken files, and the data sets made from them.

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/dataset.h"
#include "io/idx.h"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;
using namespace simdrop;

// A directory that disappears with the test case.
class TemporaryDirectory {
 public:
  TemporaryDirectory()
      : path_(fs::temp_directory_path() /
              ("simdrop-test-" + std::to_string(std::random_device{}()))) {
    fs::create_directory(path_);
  }
  ~TemporaryDirectory() { fs::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string write(const std::string& name, const Bytes& bytes) const {
    const std::string path = (path_ / name).string();
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    REQUIRE(out.good());
    return path;
  }
  std::string name(const std::string& file) const { return (path_ / file).string(); }

 private:
  fs::path path_;
};

void append_u32(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint8_t pixel(std::size_t i) {
  return static_cast<std::uint8_t>(i * 37 + 11);
}

Bytes image_file(std::uint32_t count, std::uint32_t rows, std::uint32_t cols) {
  Bytes bytes;
  for (const std::uint32_t value : {0x803U, count, rows, cols}) append_u32(bytes, value);
  for (std::size_t i = 0; i < std::size_t{count} * rows * cols; ++i) bytes.push_back(pixel(i));
  return bytes;
}

Bytes label_file(const Bytes& labels) {
  Bytes bytes;
  append_u32(bytes, 0x801);
  append_u32(bytes, static_cast<std::uint32_t>(labels.size()));
  bytes.insert(bytes.end(), labels.begin(), labels.end());
  return bytes;
}

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  Bytes out(bytes.size() + 1000);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// The message of the std::runtime_error that fn throws.
std::string error_of(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

std::string image_error(const std::string& path) {
  return error_of([&] { (void)io::read_idx_images(path); });
}

std::string label_error(const std::string& path, std::size_t classes = 10) {
  return error_of([&] { (void)io::read_idx_labels(path, classes); });
}

void check_message(const std::string& message, const std::string& path, const std::string& part) {
  CAPTURE(message);
  CHECK(message.rfind(path + ": ", 0) == 0);
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("idx: good files, plain and gzip") {
  const TemporaryDirectory dir;
  const Bytes images = image_file(7, 5, 3);
  const Bytes labels{0, 9, 3, 3, 1, 0, 8};
  const std::vector<std::string> image_paths{dir.write("i", images),
                                             dir.write("i.gz", gzipped(images))};
  const std::vector<std::string> label_paths{dir.write("l", label_file(labels)),
                                             dir.write("l.gz", gzipped(label_file(labels)))};
  for (std::size_t form = 0; form < 2; ++form) {
    const io::IdxImages read = io::read_idx_images(image_paths[form]);
    CHECK(read.count == 7);
    CHECK(read.rows == 5);
    CHECK(read.cols == 3);
    CHECK(read.pixels == Bytes(images.begin() + 16, images.end()));
    CHECK(io::read_idx_labels(label_paths[form], 10) == labels);

    const io::Dataset data = io::load_idx(image_paths[form], label_paths[form], 10);
    CHECK(data.rows() == 7);
    CHECK(data.features == 15);
    CHECK(data.classes == 10);
    CHECK(data.labels == labels);
    REQUIRE(data.x.size() == 105);
    for (std::size_t i = 0; i < data.x.size(); ++i) {
      CHECK(data.x[i] == static_cast<float>(pixel(i)) / 255.0F);
    }
  }
}

TEST_CASE("idx: a file longer than one piece of the reader") {
  const TemporaryDirectory dir;
  const Bytes images = image_file(2600, 30, 30);  // 2.3 MB: three pieces
  const io::IdxImages read = io::read_idx_images(dir.write("i.gz", gzipped(images)));
  CHECK(read.pixels == Bytes(images.begin() + 16, images.end()));
}

TEST_CASE("idx: every cut of a file is an error") {
  const TemporaryDirectory dir;
  const Bytes images = image_file(3, 2, 2);
  for (std::size_t size = 0; size < images.size(); ++size) {
    const std::string path =
        dir.write("cut", Bytes(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(size)));
    const std::string part = size < 16 ? "header ends" : "truncated: header says 3 images of 2 x 2";
    check_message(image_error(path), path, part);
  }
  const std::string path = dir.write("cut", image_file(3, 2, 2));
  CHECK(image_error(path) == "no error");
}

TEST_CASE("idx: every cut of a gzip file is an error") {
  const TemporaryDirectory dir;
  const Bytes packed = gzipped(image_file(20, 9, 9));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const std::string path = dir.write(
        "cut.gz", Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)));
    check_message(image_error(path), path, "");
  }
  const std::string path = dir.write(
      "half.gz",
      Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(packed.size() / 2)));
  check_message(image_error(path), path, "cut off gzip file");
}

TEST_CASE("idx: a flipped byte in gzip data is an error") {
  const TemporaryDirectory dir;
  const Bytes packed = gzipped(image_file(20, 9, 9));
  // Bytes 3 ... 9 are flags, time and system, of which most values are legal.
  for (std::size_t i = 10; i < packed.size(); ++i) {
    Bytes bad = packed;
    bad[i] = static_cast<std::uint8_t>(~bad[i]);
    const std::string path = dir.write("bad.gz", bad);
    CAPTURE(i);
    check_message(image_error(path), path, "");
  }
  Bytes bad = packed;
  bad[packed.size() - 8] ^= 1;  // the checksum
  const std::string path = dir.write("crc.gz", bad);
  check_message(image_error(path), path, "corrupt gzip file");
}

TEST_CASE("idx: wrong headers") {
  const TemporaryDirectory dir;
  const auto images_with = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = image_file(3, 2, 2);
    bytes[at] = value;
    return dir.write("bad", bytes);
  };
  const std::string path = dir.name("bad");
  check_message(image_error(images_with(0, 1)), path, "magic number is 0x01000803");
  check_message(image_error(images_with(2, 0x0d)), path, "element type is 0x0d, expected 0x08");
  check_message(image_error(images_with(3, 1)), path, "1 dimensions, expected 3");
  check_message(image_error(images_with(7, 4)), path, "16 bytes, found 12");
  check_message(image_error(images_with(7, 2)), path, "more bytes follow");
  check_message(image_error(images_with(7, 0)), path, "no data");
  check_message(image_error(images_with(11, 0)), path, "no data");
  check_message(image_error(images_with(15, 0)), path, "no data");
  check_message(label_error(dir.write("bad", image_file(3, 2, 2))), path,
                "3 dimensions, expected 1");
  check_message(label_error(dir.write("bad", label_file({}))), path, "no data");
}

TEST_CASE("idx: forged dimensions cost no memory") {
  const TemporaryDirectory dir;
  Bytes huge;
  for (const std::uint32_t value : {0x803U, ~0U, ~0U, ~0U}) append_u32(huge, value);
  std::string path = dir.write("huge", huge);
  check_message(image_error(path), path, "pixels an image");

  // 2^32 - 1 images of 4096 x 4096: 2^56 bytes, if the header were trusted.
  Bytes many;
  for (const std::uint32_t value : {0x803U, ~0U, 4096U, 4096U}) append_u32(many, value);
  path = dir.write("many", many);
  check_message(image_error(path), path, "72057594021150720 bytes, found 0");

  Bytes labels;
  append_u32(labels, 0x801);
  append_u32(labels, ~0U);
  path = dir.write("labels", labels);
  check_message(label_error(path), path, "4294967295 bytes, found 0");
}

TEST_CASE("idx: labels out of range, counts that differ, files that are not there") {
  const TemporaryDirectory dir;
  const std::string labels = dir.write("l", label_file({0, 1, 10, 9}));
  check_message(label_error(labels), labels, "label 2 (counted from 0) is 10; allowed: 0 to 9");
  CHECK(label_error(labels, 11) == "no error");

  const std::string images = dir.write("i", image_file(3, 2, 2));
  const std::string message = error_of([&] { (void)io::load_idx(images, labels, 11); });
  CHECK(message == images + " holds 3 images, but " + labels + " holds 4 labels");

  const std::string missing = dir.name("missing");
  check_message(image_error(missing), missing, "No such file");
  check_message(image_error(dir.name("")), dir.name(""), "directory");
  const std::string found = error_of([&] { (void)io::find_idx_files(dir.name("")); });
  check_message(found, dir.name("train-images-idx3-ubyte[.gz]"), "no such file");
}

TEST_CASE("idx: train and test images of different sizes") {
  const TemporaryDirectory dir;
  const std::string labels = dir.write("l", label_file({0, 1, 2}));
  const io::IdxPaths paths{dir.write("a", image_file(3, 2, 2)), labels,
                           dir.write("b", image_file(3, 2, 3)), labels};
  CHECK(error_of([&] { (void)io::load_idx(paths, 10); }) ==
        dir.name("a") + " has images of 4 pixels, but " + dir.name("b") + " of 6");
}

TEST_CASE("permutation: every number once, a function of its stream alone") {
  for (const std::size_t n : {0U, 1U, 2U, 3U, 257U, 10000U}) {
    std::vector<std::size_t> order = io::epoch_order(n, 5, 3);
    CHECK(order == io::epoch_order(n, 5, 3));
    if (n > 3) {
      CHECK(order != io::epoch_order(n, 5, 4));
      CHECK(order != io::epoch_order(n, 6, 3));
    }
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < n; ++i) REQUIRE(order[i] == i);
  }
}

TEST_CASE("permutation: all orders of three are equally likely") {
  constexpr std::size_t kDraws = 60000;
  std::vector<std::size_t> counts(27, 0);
  for (std::size_t epoch = 0; epoch < kDraws; ++epoch) {
    const std::vector<std::size_t> order = io::epoch_order(3, 1, epoch);
    ++counts[9 * order[0] + 3 * order[1] + order[2]];
  }
  const double p = 1.0 / 6.0;
  const double sigma = std::sqrt(kDraws * p * (1.0 - p));
  for (const std::size_t code : {5U, 7U, 11U, 15U, 19U, 21U}) {
    CHECK(std::abs(static_cast<double>(counts[code]) - kDraws * p) < 4.0 * sigma);
  }
}

TEST_CASE("random_subset: different examples with their labels") {
  io::Dataset data;
  data.features = 2;
  data.classes = 256;
  for (std::size_t i = 0; i < 200; ++i) {
    data.x.push_back(static_cast<float>(i));
    data.x.push_back(static_cast<float>(i) + 0.5F);
    data.labels.push_back(static_cast<std::uint8_t>(i));
  }
  const io::Dataset subset = io::random_subset(data, 50, 9);
  REQUIRE(subset.rows() == 50);
  CHECK(subset.features == 2);
  CHECK(subset.classes == 256);
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(subset.x[2 * i] == static_cast<float>(subset.labels[i]));
    CHECK(subset.x[2 * i + 1] == static_cast<float>(subset.labels[i]) + 0.5F);
  }
  Bytes labels = subset.labels;
  std::sort(labels.begin(), labels.end());
  CHECK(std::adjacent_find(labels.begin(), labels.end()) == labels.end());
  CHECK(io::random_subset(data, 50, 9).labels == subset.labels);
  CHECK(io::random_subset(data, 50, 10).labels != subset.labels);
  CHECK(io::random_subset(data, 500, 9).labels == data.labels);
}

TEST_CASE("moons: without noise every point lies on its half circle") {
  const io::Dataset data = io::make_moons(501, 0.0, {3, 4});
  REQUIRE(data.rows() == 501);
  CHECK(data.features == 2);
  CHECK(data.classes == 2);
  // A coordinate is rounded to float: |error| <= 2^-24 relative, of values up to 2, and the
  // radius errs by at most the sum of both.
  constexpr double kTolerance = 2.0 * 2.0 * 0x1p-24;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const double x = data.x[2 * i];
    const double y = data.x[2 * i + 1];
    CHECK(data.labels[i] == i % 2);
    const bool lower = data.labels[i] == 1;
    const double radius = lower ? std::hypot(x - 1.0, y - 0.5) : std::hypot(x, y);
    CHECK(std::abs(radius - 1.0) <= kTolerance);
    CHECK((lower ? y <= 0.5 + kTolerance : y >= -kTolerance));
  }
}

TEST_CASE("moons: noise has the deviation asked for, train and test differ") {
  constexpr std::size_t kRows = 20000;
  constexpr double kNoise = 0.1;
  const io::Dataset clean = io::make_moons(kRows, 0.0, {3, 4});
  const io::Dataset noisy = io::make_moons(kRows, kNoise, {3, 4});
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < clean.x.size(); ++i) {
    const double error = double{noisy.x[i]} - clean.x[i];
    sum += error;
    squares += error * error;
  }
  constexpr double kValues = 2.0 * kRows;
  // Standard errors of the mean and of the variance of normal variates.
  CHECK(std::abs(sum / kValues) < 4.0 * kNoise / std::sqrt(kValues));
  CHECK(std::abs(squares / kValues - kNoise * kNoise) <
        4.0 * kNoise * kNoise * std::sqrt(2.0 / kValues));

  const io::TrainTest moons = io::make_moons(std::uint64_t{1});
  CHECK(moons.train.x != moons.test.x);
  CHECK(moons.train.x == io::make_moons(std::uint64_t{1}).train.x);
  CHECK(moons.train.x != io::make_moons(std::uint64_t{2}).train.x);
}
