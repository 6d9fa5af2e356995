// Another library in a process of its own: two that bring OpenMP runtimes of their own, as MKL and
// AOCL-BLAS do, cannot share one.
#pragma once

#include <memory>
#include <string>

#include "harness/process.h"
#include "harness/timing.h"
#include "products/blas.h"

namespace simdrop::bench {

// What the rivals of a row compute.
struct Row {
  std::string type;  // f32, f64
  Shape shape;
  Product product;
  int threads;
};

class BlasProcess {
 public:
  // Loads the library there; throws std::runtime_error. Make it before this process has threads.
  explicit BlasProcess(const BlasChoice& choice);

  [[nodiscard]] const std::string& who() const { return who_; }
  // Which of its kernels it runs.
  [[nodiscard]] const std::string& code() const { return code_; }
  // The calls of run() are of this row from now on; what is wrong with their result, or "".
  [[nodiscard]] std::string prepare(const Row& row);
  [[nodiscard]] Taken run(std::size_t first, std::size_t count);

 private:
  std::string answer(const std::string& question);

  std::string who_, code_;
  std::unique_ptr<Process> process_;
};

}  // namespace simdrop::bench
