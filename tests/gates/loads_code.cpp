// A library that runs code when it is loaded, for the test of the test.
#include <cstdlib>

// NOLINTNEXTLINE
const char* const home = std::getenv("HOME");
const char* home_at_load() {
  return home;
}
