// The tests of the operations of src/kernels/isa/vector.h: operations.cpp has them, compiled once
// for each instruction set, and isa_tests.cpp calls those that the CPU can run.
#pragma once

#include <cstddef>

namespace simdrop::detail {

struct OperationTest {
  // As vector.h declares it, without the names of parameters: "load(const float*)".
  const char* operation;
  // What does not hold, or null.
  const char* (*failure)();
};

struct OperationTests {
  const OperationTest* first;
  std::size_t count;
};

// A page of memory that begins where no memory may be touched, and one that ends there.
struct MemoryEdges {
  unsigned char* first;
  unsigned char* end;
};
extern MemoryEdges memory_edges;

// Constants, not functions: a CPU that lacks the instruction set may read them.
namespace scalar {
extern const OperationTests operation_tests;
}
namespace avx2 {
extern const OperationTests operation_tests;
}
namespace avx512 {
extern const OperationTests operation_tests;
}
namespace neon {
extern const OperationTests operation_tests;
}

}  // namespace simdrop::detail
