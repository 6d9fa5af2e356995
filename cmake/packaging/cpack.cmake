# `cpack -G DEB` in a build folder: libsimdrop0 (the shared library, if that is what is built) and
# libsimdrop-dev. For the folders that Debian wants configure with the preset `package`.
set(CPACK_PACKAGE_NAME simdrop)
set(CPACK_PACKAGE_VENDOR "The simdrop authors")
set(CPACK_PACKAGE_CONTACT "The simdrop authors <simdrop@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)

set(runtime_package libsimdrop${PROJECT_VERSION_MAJOR})
set(CPACK_COMPONENTS_ALL dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libsimdrop-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION
    "SIMD dropout and a small MLP runtime: headers and what a linker needs
 Headers of the C and the C++ API, and files for CMake and pkg-config.")
if(library_type STREQUAL "SHARED_LIBRARY")
  list(APPEND CPACK_COMPONENTS_ALL runtime)
  set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
      "${runtime_package} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
endif()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime_package})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
    "SIMD dropout and a small MLP runtime: the shared library
 Dropout for neural networks on the CPU, with kernels for each instruction set.")
find_program(SIMDROP_SHLIBDEPS dpkg-shlibdeps)
if(SIMDROP_SHLIBDEPS)
  set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY >=)
endif()
# Debian wants a copyright file in every package.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/packaging/debian_copyright.cmake)
include(CPack)
