# compile_flags and link_flags of the library that is installed in PREFIX, as pkg-config says them;
# pkg_config(RESULT OPTION) asks it for more.
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
function(pkg_config output)
  execute_process(COMMAND ${PKG_CONFIG} ${ARGN} simdrop OUTPUT_VARIABLE words
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(words UNIX_COMMAND "${words}")
  set(${output} ${words} PARENT_SCOPE)
endfunction()
pkg_config(compile_flags --cflags)
pkg_config(link_flags --libs)
