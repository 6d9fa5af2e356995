# The C++ example of the README is tests/readme_example.cpp: one test runs it, another compares them.
add_executable(readme_example ${PROJECT_SOURCE_DIR}/tests/readme_example.cpp)
target_link_libraries(readme_example PRIVATE simdrop simdrop_options)
add_test(NAME readme.example_runs COMMAND readme_example)
set_tests_properties(readme.example_runs PROPERTIES PASS_REGULAR_EXPRESSION "^4 of 4 right\n$")

add_test(NAME readme.example_is_current
  COMMAND ${CMAKE_COMMAND} -D README=${PROJECT_SOURCE_DIR}/README.md
          -D SOURCE=${PROJECT_SOURCE_DIR}/tests/readme_example.cpp
          -P ${PROJECT_SOURCE_DIR}/cmake/check_readme.cmake)
