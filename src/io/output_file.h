// The one way to write a file: it is there as a whole or not at all.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "io/byte_source.h"

namespace simdrop::detail {

// Writes beside where `path` leads and, on commit(), renames over it; without a commit() the
// temporary file is removed. A file that was there keeps its mode, and owner and group as far as
// the system lets it; where it does not, it has fewer rights, never more. Throws FileError; the
// target is as it was then, unless commit() says that it was written.
class OutputFile {
 public:
  // sync: the file is on the disk when commit() returns.
  explicit OutputFile(const std::filesystem::path& path, bool sync = true);
  // Writes at once into what is open and can't be replaced: a device, a pipe.
  OutputFile(Descriptor stream, const std::string& name)
      : path_(name), sync_(false), file_(std::move(stream)) {}

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  // A file that goes away with its object.
  struct Temporary {
    std::filesystem::path name;  // none, or none any more

    Temporary() = default;
    ~Temporary();
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
  };

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const char* what, int error) const;
  std::optional<struct stat> find_target();
  void open_temporary(mode_t mode);
  void keep_rights(const struct stat& old) const;
  void close_file();
  void replace();
  [[nodiscard]] Descriptor open_directory() const;

  std::filesystem::path path_;    // as given
  std::filesystem::path target_;  // where links lead
  Temporary temporary_;           // none: a stream
  bool sync_;
  Descriptor file_{-1};  // closed first: what is open can't be removed on every file system
};

}  // namespace simdrop::detail
