# An overlay port, of the source tree that it lies in:
# vcpkg install simdrop --overlay-ports=cmake/packaging/vcpkg
set(SOURCE_PATH "${CURRENT_PORT_DIR}/../../..")

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS FEATURES openmp SIMDROP_OPENMP)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    ${FEATURE_OPTIONS}
    -DSIMDROP_BUILD_CLI=OFF
    -DSIMDROP_BUILD_TESTS=OFF
    -DSIMDROP_BUILD_BENCH=OFF
    "-DSIMDROP_RAPIDJSON_INCLUDE_DIR=${CURRENT_INSTALLED_DIR}/include"
    "-DSIMDROP_XSIMD_INCLUDE_DIR=${CURRENT_INSTALLED_DIR}/include")
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/simdrop)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
