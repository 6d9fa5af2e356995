// Does not include what it uses.
#pragma once

inline std::size_t nothing() {
  return 0;
}
