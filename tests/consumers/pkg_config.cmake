# cmake -D CC=... -D PKG_CONFIG=... -D PREFIX=... -D LIBDIR=... -D SOURCE=... -D WORK=... -P ...
# Compiles, links and runs a program in C99 as a Makefile would, with what pkg-config says.
file(MAKE_DIRECTORY ${WORK})
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
function(pkg_config output)
  execute_process(COMMAND ${PKG_CONFIG} ${ARGN} simdrop OUTPUT_VARIABLE words
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(words UNIX_COMMAND "${words}")
  set(${output} ${words} PARENT_SCOPE)
endfunction()
pkg_config(compile_flags --cflags)
pkg_config(link_flags --libs)
pkg_config(version --modversion)

set(flags -std=c99 -pedantic-errors -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror)
execute_process(
  COMMAND ${CC} ${flags} -DEXPECTED_VERSION="${version}" ${compile_flags} ${SOURCE}
          -o ${WORK}/consumer ${link_flags} -lm
  COMMAND_ERROR_IS_FATAL ANY)
set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR})
execute_process(COMMAND ${WORK}/consumer COMMAND_ERROR_IS_FATAL ANY)
