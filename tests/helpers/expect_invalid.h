// Misuse must throw std::invalid_argument that names the argument.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace test {

// what() of the std::invalid_argument that fn throws, or "".
inline std::string invalid_message(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

// fn() must throw a message that starts with "simdrop: NAME" and contains `value`. No template:
// with one copy for each of hundreds of calls, a file of them took most of a minute to compile.
inline void expect_invalid(std::string_view name, std::string_view value,
                           const std::function<void()>& fn) {
  const std::string message = invalid_message(fn);
  INFO("message: ", message, ", argument: ", std::string(name), ", value: ", std::string(value));
  CHECK(message.starts_with("simdrop: " + std::string(name)));
  CHECK(message.find(value) != std::string::npos);
  CHECK(message.find("allowed: ") != std::string::npos);
}

}  // namespace test
