# What `cmake --install` copies. Components: runtime (the shared library), dev (what a compiler
# needs), program. All paths are relative: the tree may be moved.
include(CMakePackageConfigHelpers)
get_target_property(library_type simdrop TYPE)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/simdrop)

install(TARGETS simdrop EXPORT simdrop-targets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/simdrop
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
  FILES_MATCHING PATTERN *.hpp PATTERN *.h)
if(SIMDROP_BUILD_CLI)
  install(TARGETS simdrop_program
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()

# CMake: a program that links the static library links OpenMP too.
set(static_library OFF)
set(find_dependencies "")
if(library_type STREQUAL "STATIC_LIBRARY")
  set(static_library ON)
  if(SIMDROP_OPENMP)
    set(find_dependencies
        "include(CMakeFindDependencyMacro)\nfind_dependency(OpenMP COMPONENTS CXX)\n")
  endif()
endif()
configure_package_config_file(cmake/packaging/simdropConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/simdropConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/simdropConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/simdropConfig.cmake
              ${PROJECT_BINARY_DIR}/package/simdropConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT dev)
install(EXPORT simdrop-targets NAMESPACE simdrop:: FILE simdropTargets.cmake
  DESTINATION ${package_dir} COMPONENT dev)

# pkg-config: what the compiler driver for C++ would link by itself, and OpenMP.
set(private_libraries "")
foreach(library IN LISTS CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  if(library MATCHES "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
    list(APPEND private_libraries -l${library})
  endif()
endforeach()
if(SIMDROP_OPENMP)
  foreach(library IN LISTS SIMDROP_OPENMP_LIBRARIES)
    cmake_path(GET library PARENT_PATH folder)
    if(NOT folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      list(APPEND private_libraries -L${folder})
    endif()
    cmake_path(GET library STEM LAST_ONLY name)
    string(REGEX REPLACE "^lib" "-l" name ${name})
    list(APPEND private_libraries ${name})
  endforeach()
endif()
list(REMOVE_DUPLICATES private_libraries)
list(JOIN private_libraries " " private_libraries)
set(public_libraries "")
if(static_library)
  # With no shared library beside it every link is a static one, whether --static is said or not.
  set(public_libraries " ${private_libraries}")
  set(private_libraries "")
endif()
# The file finds its tree from where it lies, unless the folders were given as absolute paths.
cmake_path(IS_ABSOLUTE CMAKE_INSTALL_LIBDIR libdir_is_absolute)
if(libdir_is_absolute)
  set(pkg_config_prefix ${CMAKE_INSTALL_PREFIX})
else()
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig
    OUTPUT_VARIABLE to_prefix)
  set(pkg_config_prefix "\${pcfiledir}/${to_prefix}")
endif()
foreach(folder LIBDIR INCLUDEDIR)
  set(pkg_config_${folder} ${CMAKE_INSTALL_${folder}})
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    set(pkg_config_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
  endif()
endforeach()
configure_file(cmake/packaging/simdrop.pc.in ${PROJECT_BINARY_DIR}/package/simdrop.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/simdrop.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
