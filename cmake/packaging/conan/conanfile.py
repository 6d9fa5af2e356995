"""Conan 2 recipe. In the source tree: conan create cmake/packaging/conan"""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class SimdropConan(ConanFile):
    name = "simdrop"
    license = "MIT"
    description = "Dropout at the speed of memory: SIMD masks, fused kernels, an MLP runtime"
    topics = ("dropout", "simd", "neural-network", "mlp")
    package_type = "library"
    settings = "os", "compiler", "build_type", "arch"
    options = {
        "shared": [True, False],
        "openmp": [True, False],
        # Takes the header-only dependencies from the system instead of from Conan.
        "system_headers": [True, False],
    }
    default_options = {"shared": False, "openmp": True, "system_headers": False}

    def _root(self):
        return os.path.normpath(os.path.join(self.recipe_folder, "..", "..", ".."))

    def set_version(self):
        text = load(self, os.path.join(self._root(), "CMakeLists.txt"))
        self.version = re.search(r"project\(simdrop VERSION ([0-9.]+)", text).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, self._root(), self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        if not self.options.system_headers:
            # Compiled into the library: who uses it never sees them.
            for package in ("xsimd/13.0.0", "rapidjson/1.1.0"):
                self.requires(package, headers=True, libs=False, visible=False)

    def validate(self):
        if self.settings.get_safe("compiler.cppstd"):
            check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["SIMDROP_OPENMP"] = bool(self.options.openmp)
        for program in ("CLI", "TESTS", "BENCH"):
            toolchain.cache_variables[f"SIMDROP_BUILD_{program}"] = False
        if not self.options.system_headers:
            for package in ("xsimd", "rapidjson"):
                info = self.dependencies[package].cpp_info.aggregated_components()
                variable = f"SIMDROP_{package.upper()}_INCLUDE_DIR"
                toolchain.cache_variables[variable] = info.includedirs[0]
        toolchain.generate()
        CMakeDeps(self).generate()

    def package_id(self):
        del self.info.options.system_headers

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.libs = ["simdrop"]
        # The project's own package files know what to link; the rest is for other generators.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "simdrop")]
        self.cpp_info.set_property("pkg_config_name", "simdrop")
        if not self.options.shared:
            if self.settings.os in ("Linux", "FreeBSD"):
                self.cpp_info.system_libs = ["m"]
            if self.options.openmp:
                self.cpp_info.exelinkflags = ["-fopenmp"]
                self.cpp_info.sharedlinkflags = ["-fopenmp"]
