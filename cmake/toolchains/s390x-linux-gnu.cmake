# Debian's cross compiler for s390x, which is big-endian; what it builds runs under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(CMAKE_C_COMPILER s390x-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER s390x-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-s390x -L /usr/s390x-linux-gnu)
# GCC bug 105651: its own std::string overlaps itself, it says.
set(CMAKE_CXX_FLAGS_INIT -Wno-restrict)
