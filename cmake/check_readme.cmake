# cmake -D README=... -D SOURCE=... -P check_readme.cmake
# Fails if SOURCE does not stand, word for word, in a C++ block of README.
file(READ ${README} readme)
file(READ ${SOURCE} source)
string(FIND "${readme}" "```cpp\n${source}```" position)
if(position EQUAL -1)
  message(FATAL_ERROR "the C++ block of ${README} is not ${SOURCE}")
endif()
