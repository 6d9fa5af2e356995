// The one way to write a file: it is there as a whole or not at all. What can't be replaced, a
// device or a FIFO, is written into.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/byte_source.h"

namespace simdrop::detail {

struct OutputOptions {
  bool sync = true;      // a file that is replaced is on the disk when commit() returns
  bool streams = false;  // character devices, FIFOs and open descriptors are written into
};

// Writes beside where `path` leads and, on commit(), renames over it; without a commit() the
// temporary file is removed. A file that was there keeps its mode, and owner and group as far as
// the system lets it; where it does not, it has fewer rights, never more. Throws FileError; the
// target is as it was then, unless commit() says that it was written.
//
// Streams are opened here, and receive at once what is written: /dev/fd/N, what standard output or
// standard error are, character devices, FIFOs (whose reader is waited for). They are not synced.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path, OutputOptions options = {});
  // Writes into an open descriptor, which stays open.
  OutputFile(int descriptor, const std::string& name);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const char* what, int error) const;
  void use_descriptor(int descriptor);
  [[nodiscard]] bool open_stream(const struct stat* old);
  void open_replacement(const struct stat* old);
  void open_temporary(mode_t mode);
  void keep_rights(const struct stat& old) const;
  void close_file();
  void replace();
  [[nodiscard]] Descriptor open_directory() const;

  std::filesystem::path path_;       // as given
  std::filesystem::path target_;     // where links lead
  std::filesystem::path temporary_;  // none: a stream
  bool sync_;
  Descriptor file_{-1};
};

}  // namespace simdrop::detail
