#include "cli/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace simdrop::io {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;
constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 24;  // of one image

std::string hex(std::uint32_t value, int digits) {
  std::string text = "0x";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[(value >> shift) & 15U];
  }
  return text;
}

// Reads plain and gzip files alike: zlib looks at the first bytes.
class GzReader {
 public:
  explicit GzReader(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) fail(errno != 0 ? std::strerror(errno) : "out of memory");
    gzbuffer(file_.get(), 1U << 17);
  }

  // Returns fewer than n bytes only at the end of the file.
  std::size_t read(std::uint8_t* data, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
      const auto piece = static_cast<unsigned>(std::min(n - done, kPiece));
      const int got = gzread(file_.get(), data + done, piece);
      check_stream();
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(path_ + ": " + what);
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };

  void check_stream() const {
    int code = Z_OK;
    std::string_view text = gzerror(file_.get(), &code);
    if (code == Z_OK || code == Z_STREAM_END) return;
    // zlib puts the path in front of its messages; fail() does so too.
    if (text.substr(0, path_.size()) == path_) text.remove_prefix(path_.size());
    while (!text.empty() && (text.front() == ':' || text.front() == ' ')) text.remove_prefix(1);
    if (code == Z_ERRNO) fail(std::string(text));
    fail((code == Z_BUF_ERROR ? "cut off gzip file: " : "corrupt gzip file: ") + std::string(text));
  }

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::uint32_t read_u32(GzReader& in, std::string_view field) {
  std::array<std::uint8_t, 4> bytes{};
  const std::size_t got = in.read(bytes.data(), bytes.size());
  if (got < bytes.size()) {
    in.fail("header ends in the " + std::string(field) + ", after " + std::to_string(got) +
            " of its 4 bytes");
  }
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

// The magic number is 0, 0, element type, number of dimensions.
void check_magic(GzReader& in, unsigned dimensions) {
  const std::uint32_t magic = read_u32(in, "magic number");
  if (magic >> 16 != 0) {
    in.fail("not an IDX file: magic number is " + hex(magic, 8) + ", expected " +
            hex(0x800 + dimensions, 8));
  }
  if (magic >> 8 != 0x08) {
    in.fail("IDX element type is " + hex(magic >> 8, 2) + ", expected 0x08 (unsigned bytes)");
  }
  if ((magic & 0xff) != dimensions) {
    in.fail("IDX file has " + std::to_string(magic & 0xff) + " dimensions, expected " +
            std::to_string(dimensions) + (dimensions == 3 ? " (images)" : " (labels)"));
  }
}

// Reads exactly `size` bytes up to the end of the file.
std::vector<std::uint8_t> read_rest(GzReader& in, std::uint64_t size, const std::string& what) {
  std::vector<std::uint8_t> data;
  while (data.size() < size) {
    const std::size_t old = data.size();
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(size - old, kPiece));
    data.resize(old + piece);
    const std::size_t got = in.read(data.data() + old, piece);
    if (got < piece) {
      in.fail("truncated: header says " + what + ", " + std::to_string(size) + " bytes, found " +
              std::to_string(old + got));
    }
  }
  // Reading on to the end also makes zlib compare the checksum.
  std::uint8_t extra = 0;
  if (in.read(&extra, 1) != 0) {
    in.fail("header says " + what + ", " + std::to_string(size) + " bytes, but more bytes follow");
  }
  return data;
}

}  // namespace

IdxImages read_idx_images(const std::string& path) {
  GzReader in(path);
  check_magic(in, 3);
  IdxImages images;
  images.count = read_u32(in, "image count");
  images.rows = read_u32(in, "row count");
  images.cols = read_u32(in, "column count");
  const std::string what = std::to_string(images.count) + " images of " +
                           std::to_string(images.rows) + " x " + std::to_string(images.cols) +
                           " pixels";
  const std::uint64_t pixels = std::uint64_t{images.rows} * images.cols;
  if (images.count == 0 || pixels == 0) in.fail("header says " + what + ": no data");
  if (pixels > kMaxPixels) {
    in.fail("header says " + what + "; allowed: at most " + std::to_string(kMaxPixels) +
            " pixels an image");
  }
  images.pixels = read_rest(in, images.count * pixels, what);
  return images;
}

std::vector<std::uint8_t> read_idx_labels(const std::string& path, std::size_t classes) {
  GzReader in(path);
  check_magic(in, 1);
  const std::uint32_t count = read_u32(in, "label count");
  const std::string what = std::to_string(count) + " labels";
  if (count == 0) in.fail("header says " + what + ": no data");
  std::vector<std::uint8_t> labels = read_rest(in, count, what);
  const auto bad = std::find_if(labels.begin(), labels.end(),
                                [classes](std::uint8_t label) { return label >= classes; });
  if (bad != labels.end()) {
    in.fail("label " + std::to_string(bad - labels.begin()) + " (counted from 0) is " +
            std::to_string(*bad) + "; allowed: 0 to " + std::to_string(classes - 1));
  }
  return labels;
}

}  // namespace simdrop::io
