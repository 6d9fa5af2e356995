// Another library in a process of its own (blas_worker.cpp): two that bring OpenMP runtimes of
// their own, as MKL and AOCL-BLAS do, cannot share one, nor can MKL's Intel layer and GNU's
// runtime.
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
  // Which of its kernels it runs; its version.
  [[nodiscard]] const std::string& about() const { return about_; }
  // Geometric mean of GFLOP/s over some products; throws std::runtime_error if one is wrong.
  [[nodiscard]] double probe(int threads);
  // The calls of run() are of this row from now on; what is wrong with their result, or "".
  [[nodiscard]] std::string prepare(const Row& row);
  // Throws std::runtime_error if the process has ended.
  [[nodiscard]] Taken run(std::size_t first, std::size_t count);

 private:
  // What follows "ok" in the answer; throws std::runtime_error with what is wrong.
  std::string ask(const std::string& question);
  std::string hear();

  std::string who_;
  std::unique_ptr<Process> process_;
  std::string about_;
};

}  // namespace simdrop::bench
