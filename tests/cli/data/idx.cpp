// The IDX reader against good and broken files.

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/data/dataset.h"
#include "cli/data/idx.h"
#include "helpers/temporary_directory.h"

namespace {

using Bytes = std::vector<std::uint8_t>;
using namespace simdrop;

// Writes bytes, not text.
class TemporaryDirectory : public test::TemporaryDirectory {
 public:
  std::string write(const std::string& name, const Bytes& bytes) const {
    return test::TemporaryDirectory::write(
        name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
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
