# The target `docs`: the reference of the public headers, in HTML, where Doxygen is installed. Each
# warning of Doxygen, a declaration without a text too, is an error.
find_program(SIMDROP_DOXYGEN doxygen)
if(NOT SIMDROP_DOXYGEN)
  return()
endif()
set(docs_dir ${PROJECT_BINARY_DIR}/docs)
configure_file(${CMAKE_CURRENT_LIST_DIR}/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
add_custom_target(docs
  COMMAND ${CMAKE_COMMAND} -E make_directory ${docs_dir}
  COMMAND ${SIMDROP_DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile
  COMMENT "docs/html/index.html" VERBATIM)
