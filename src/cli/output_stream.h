// Outputs that are written into, where a file would be replaced.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/byte_source.h"

namespace simdrop::cli {

// The N of /dev/fd/N and /proc/self/fd/N; 0, 1 and 2 of /dev/stdin, /dev/stdout and /dev/stderr.
[[nodiscard]] std::optional<int> descriptor_of(std::string_view path);

// What an open descriptor writes to (descriptor_of()); what standard output or standard error are,
// if they lead to the same file; a character device; a FIFO, whose reader is waited for. Nothing:
// another path, for a file. Throws FileError if it can't be written.
[[nodiscard]] std::optional<simdrop::detail::Descriptor> open_stream(const std::string& path);

// Another descriptor of what an open one writes to. Throws FileError.
[[nodiscard]] simdrop::detail::Descriptor another_descriptor(int descriptor,
                                                             const std::string& name);

}  // namespace simdrop::cli
