# What `pip install .` puts beside the Python files (pyproject.toml sets SIMDROP_BUILD_WHEEL). A
# wheel holds no links, so the library's name has no version; and it is to run wherever glibc is no
# older, so the C++ runtime is inside.
set_property(TARGET simdrop PROPERTY VERSION)
set_property(TARGET simdrop PROPERTY SOVERSION)
target_link_options(simdrop PRIVATE -static-libstdc++ -static-libgcc LINKER:--exclude-libs,ALL)
add_subdirectory(src/python)
install(TARGETS simdrop simdrop_torch DESTINATION simdrop COMPONENT python)
