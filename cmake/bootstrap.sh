#!/usr/bin/env bash
# Installs what simdrop needs: on Debian and Ubuntu the packages that are missing; elsewhere it says
# what to install. Does nothing when all is there. --ci adds what .ci/run needs.
set -euo pipefail

usage() { echo "usage: $0 [--ci]"; }

ci=no
case "${1-}" in
  '') ;;
  --ci) ci=yes ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

# What | Debian | Fedora | Arch | Homebrew; what is a command, a header, or a module of Python.
# A '-' means that there is no such package, or that it comes with the system.
required='
command:c++|g++|gcc-c++|gcc|-
command:cmake|cmake|cmake|cmake|cmake
command:ninja|ninja-build|ninja-build|ninja|ninja
command:pkg-config|pkgconf|pkgconf-pkg-config|pkgconf|pkgconf
command:python3|python3|python3|python|python
python:numpy|python3-numpy|python3-numpy|python-numpy|numpy
python:pytest|python3-pytest|python3-pytest|python-pytest|pytest
header:omp.h|g++|gcc-c++|gcc|libomp
header:xsimd/xsimd.hpp|libxsimd-dev|xsimd-devel|xsimd|xsimd
header:rapidjson/reader.h|rapidjson-dev|rapidjson-devel|rapidjson|rapidjson
header:doctest/doctest.h|doctest-dev|doctest-devel|doctest|doctest
header:benchmark/benchmark.h|libbenchmark-dev|google-benchmark-devel|benchmark|google-benchmark
header:CLI/CLI.hpp|libcli11-dev|cli11-devel|cli11|cli11
header:nlohmann/json.hpp|nlohmann-json3-dev|json-devel|nlohmann-json|nlohmann-json
header:zlib.h|zlib1g-dev|zlib-devel|zlib|-
'
dataset='dataset-fashion-mnist'
dataset_folder='/usr/share/datasets/fashion-mnist'
ci_packages='git ccache clang clang-format clang-tidy libomp-dev libclang-rt-dev g++-aarch64-linux-gnu
  g++-s390x-linux-gnu qemu-user doxygen python3-venv'

have_command() { command -v "$1" >/dev/null; }

# On Debian the package tells; elsewhere the compiler is asked, which also knows Homebrew's folders
# if CPATH names them.
have_header() {
  local compiler="${CXX:-c++}"
  have_command "$compiler" && echo "#include <$1>" | "$compiler" -std=c++20 -x c++ -E - &>/dev/null
}

have_module() { have_command python3 && python3 -c "import $1" &>/dev/null; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

column() { # of the rows of $required whose thing is missing
  local what packages
  while IFS='|' read -r what packages; do
    [ -n "$what" ] || continue
    case "$what" in
      command:*) have_command "${what#command:}" && continue ;;
      header:*) have_header "${what#header:}" && continue ;;
      python:*) have_module "${what#python:}" && continue ;;
    esac
    echo "$what|$packages" | cut -d '|' -f "$1"
  done <<<"$required" | sort -u
}

require_cmake() {
  local version
  version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
  if [ "$(printf '%s\n' 3.25 "$version" | sort -V | head -n 1)" != 3.25 ]; then
    echo "simdrop: CMake is $version, and 3.25 or newer is needed (https://cmake.org/download)" >&2
    exit 1
  fi
}

install_with_apt() {
  local wanted package missing=() as_root=()
  wanted=$(column 2)
  [ -d "$dataset_folder" ] || wanted="$wanted $dataset"
  if [ "$ci" = yes ]; then wanted="$wanted $ci_packages"; fi
  for package in $wanted; do
    installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
      if ! have_command sudo; then
        echo "simdrop: as root, run: apt-get install ${missing[*]}" >&2
        exit 1
      fi
      as_root=(sudo)
    fi
    echo "simdrop: installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q install -y --no-install-recommends "${missing[@]}"
  else
    echo "simdrop: everything is installed"
  fi
}

say_what_to_install() {
  local manager field missing packages
  missing=$(column 1 | sed 's/^[a-z]*://')
  if [ -z "$missing" ]; then
    echo "simdrop: everything is installed"
    return
  fi
  echo "simdrop: missing: ${missing//$'\n'/, }" >&2
  for manager in dnf:3 pacman:4 brew:5; do
    field=${manager#*:}
    manager=${manager%:*}
    have_command "$manager" || continue
    packages=$(column "$field" | grep -v '^-$' | tr '\n' ' ')
    case "$manager" in
      dnf) echo "  sudo dnf install $packages" >&2 ;;
      pacman) echo "  sudo pacman -S --needed $packages" >&2 ;;
      brew) echo "  brew install $packages" >&2 ;;
    esac
  done
  exit 1
}

if have_command apt-get; then
  install_with_apt
else
  say_what_to_install
  [ -d "$dataset_folder" ] || echo "simdrop: no Fashion-MNIST in $dataset_folder;" \
    "simdrop train takes other folders, and --data moons needs none"
fi
require_cmake
