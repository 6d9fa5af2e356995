// A file that is there as a whole or not at all.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "io/byte_source.h"

namespace simdrop::detail {

// Writes beside `path` and, on commit(), renames over it; without a commit() the temporary file is
// removed. Throws FileError; the target is as it was then, unless commit() says that it was
// written.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void open_temporary();
  [[nodiscard]] Descriptor open_directory() const;

  std::filesystem::path path_;    // as given
  std::filesystem::path target_;  // where links lead
  std::filesystem::path temporary_;
  std::optional<mode_t> mode_;  // of the file that was there
  Descriptor file_{-1};
};

}  // namespace simdrop::detail
