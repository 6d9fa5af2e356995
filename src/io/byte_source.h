// Where the bytes of a file come from: a file, or memory that stands for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace simdrop::detail {

class ByteSource {
 public:
  ByteSource(std::string name, std::uint64_t size) : name_(std::move(name)), size_(size) {}
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // out.size() bytes from offset on, which lie in [0, size()). Throws FileError.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) = 0;

  // Throws FileError with the name of this file.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::string name_;
  std::uint64_t size_;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string name, std::span<const std::byte> bytes)
      : ByteSource(std::move(name), bytes.size()), bytes_(bytes) {}
  void read(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  std::span<const std::byte> bytes_;
};

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }
  void reset(int fd) noexcept;
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// strerror, without its static buffer.
std::string error_text(int error);

class FileSource final : public ByteSource {
 public:
  // Throws FileError if it can't be opened or is no regular file.
  explicit FileSource(const std::filesystem::path& path);
  void read(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  struct Opened {
    Descriptor file;
    std::uint64_t size;
  };
  static Opened open(const std::filesystem::path& path);
  FileSource(const std::filesystem::path& path, Opened opened);

  Descriptor file_;
};

}  // namespace simdrop::detail
