# cmake -D CC=... -D PKG_CONFIG=... -D PREFIX=... -D LIBDIR=... -D SOURCE=... -D WORK=... -P ...
# Compiles, links and runs a program in C99 as a Makefile would, with what pkg-config says.
file(MAKE_DIRECTORY ${WORK})
include(${CMAKE_CURRENT_LIST_DIR}/pkg_config_flags.cmake)
pkg_config(version --modversion)

set(flags -std=c99 -pedantic-errors -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror)
execute_process(
  COMMAND ${CC} ${flags} -DEXPECTED_VERSION="${version}" ${compile_flags} ${SOURCE}
          -o ${WORK}/consumer ${link_flags} -lm
  COMMAND_ERROR_IS_FATAL ANY)
set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR})
execute_process(COMMAND ${WORK}/consumer COMMAND_ERROR_IS_FATAL ANY)
