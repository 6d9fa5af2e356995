// Safetensors files made by hand, and what the library says of them.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "simdrop/checkpoint.hpp"

namespace test {

// The length is that of the header unless it is given.
inline std::string safetensors_file(std::string_view header, std::string_view data,
                                    std::uint64_t length) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xff);
  bytes += header;
  bytes += data;
  return bytes;
}
inline std::string safetensors_file(std::string_view header, std::string_view data) {
  return safetensors_file(header, data, header.size());
}

// The header of a file.
inline std::string header_text(const std::string& bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = 8; i > 0; --i)
    length = length << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return bytes.substr(8, static_cast<std::size_t>(length));
}

// The file with all of `from` in its header replaced by `to`; there must be one.
inline std::string edited(const std::string& bytes, const std::string& from,
                          const std::string& to) {
  std::string header = header_text(bytes);
  const std::string data = bytes.substr(8 + header.size());
  REQUIRE(header.find(from) != std::string::npos);
  for (std::size_t at = 0; (at = header.find(from, at)) != std::string::npos; at += to.size()) {
    header.replace(at, from.size(), to);
  }
  return safetensors_file(header, data);
}

// what() of the FileError that fn throws, or "no error".
template <class Fn>
std::string file_error(Fn fn) {
  try {
    fn();
  } catch (const simdrop::FileError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace test
