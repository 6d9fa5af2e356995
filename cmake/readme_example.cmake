# The C++ programs of the README are tests/readme_*.cpp, which this runs. Code blocks of all
# pages are compared with the files that tests build and run: a new block needs such a file, in the
# list here.
function(simdrop_readme_program name says)
  add_executable(readme_${name} ${PROJECT_SOURCE_DIR}/tests/readme_${name}.cpp)
  target_link_libraries(readme_${name} PRIVATE simdrop simdrop_options)
  add_test(NAME readme.${name}_runs COMMAND readme_${name})
  set_tests_properties(readme.${name}_runs PROPERTIES
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} PASS_REGULAR_EXPRESSION "^${says}\n$")
endfunction()
simdrop_readme_program(example "4 of 4 right")
simdrop_readme_program(embedding "same, p.3. = 1.00")

set(tests_dir ${PROJECT_SOURCE_DIR}/tests)
set(quoted_sources ${tests_dir}/readme_example.cpp ${tests_dir}/readme_embedding.cpp
                   ${tests_dir}/readme_example.c
                   ${tests_dir}/readme_example.py ${tests_dir}/consumers/readme/CMakeLists.txt)
file(GLOB_RECURSE pages CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/bench/*.md ${PROJECT_SOURCE_DIR}/cmake/*.md
  ${PROJECT_SOURCE_DIR}/docs/*.md ${PROJECT_SOURCE_DIR}/examples/*.md)
list(FILTER pages EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/build/")

function(simdrop_code_blocks_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PAGES;SOURCES")
  add_test(NAME ${name}
    COMMAND ${CMAKE_COMMAND} -D "PAGES=${arg_PAGES}" -D "SOURCES=${arg_SOURCES}"
            -P ${PROJECT_SOURCE_DIR}/cmake/check_code_blocks.cmake)
endfunction()
simdrop_code_blocks_test(readme.code_is_tested PAGES ${pages} SOURCES ${quoted_sources})

# The check itself must see a block that no test has, one in another language, and a file that is
# quoted no more.
simdrop_code_blocks_test(readme.check_sees_untested PAGES ${tests_dir}/data/pages/untested.md)
set_tests_properties(readme.check_sees_untested PROPERTIES
  PASS_REGULAR_EXPRESSION "untested.md: no[ \n]+test[ \n]+has[ \n]+this[ \n]+cpp[ \n]+block")
simdrop_code_blocks_test(readme.check_sees_language
  PAGES ${tests_dir}/data/pages/unknown_language.md)
set_tests_properties(readme.check_sees_language PROPERTIES
  PASS_REGULAR_EXPRESSION "blocks[ \n]+of[ \n]+cobol")
simdrop_code_blocks_test(readme.check_sees_unquoted PAGES ${tests_dir}/data/pages/empty.md
  SOURCES ${tests_dir}/readme_example.cpp)
set_tests_properties(readme.check_sees_unquoted PROPERTIES
  PASS_REGULAR_EXPRESSION "no[ \n]+page[ \n]+quotes[^\n]*readme_example.cpp")
