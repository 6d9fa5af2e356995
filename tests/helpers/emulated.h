// Whether the tests run under an emulator: whoever starts them there says so.
#pragma once

#include <cstdlib>

namespace test {

inline bool emulated() {
  static const bool is = std::getenv("SIMDROP_TEST_EMULATED") != nullptr;
  return is;
}

}  // namespace test
