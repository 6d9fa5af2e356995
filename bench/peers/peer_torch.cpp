// LibTorch, one thread: what torch.nn.functional.dropout calls on the CPU.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <memory>

#include "peers/peer.h"

namespace {

using simdrop::bench::Arrays;
using simdrop::bench::Implementation;
using simdrop::bench::Operation;
using simdrop::bench::Problem;

at::Tensor view(const float* data, std::size_t n) {
  const auto columns = static_cast<std::int64_t>(simdrop::bench::row_length);
  return at::from_blob(const_cast<float*>(data), {static_cast<std::int64_t>(n) / columns, columns});
}

// compute(x, y) returns its output, either y or a tensor of its own.
template <class Compute>
Implementation make_case(Operation operation, std::string who, std::size_t n, Compute compute) {
  // Kept until the next call, as a network keeps its activations.
  const auto output = std::make_shared<at::Tensor>();
  const auto run = [n, compute, output](const Arrays& arrays) -> const void* {
    const c10::InferenceMode no_autograd;
    at::Tensor y = view(arrays.y, n);
    *output = compute(view(arrays.x, n), y);
    return output->const_data_ptr();
  };
  return {operation, std::move(who), run};
}

at::Tensor kept_tensor(const Problem& problem) {
  at::Tensor kept = at::empty({static_cast<std::int64_t>(problem.n)}, at::kBool);
  for (std::size_t i = 0; i < problem.n; ++i) {
    kept.mutable_data_ptr<bool>()[i] = ((problem.bits[i / 8] >> (i % 8)) & 1U) != 0;
  }
  return kept.reshape({-1, static_cast<std::int64_t>(simdrop::bench::row_length)});
}

std::vector<Implementation> cases(const Problem& problem) {
  using At = at::Tensor;
  const std::size_t n = problem.n;
  if (!problem.drops()) {
    return {make_case(Operation::relu, "LibTorch clamp_min_out", n,
                      [](const At& x, At& y) { return at::clamp_min_out(y, x, 0); })};
  }
  const double drop_prob = 1.0 - problem.keep_prob;
  const double scale = 1.0 / problem.keep_prob;
  const At kept = kept_tensor(problem);
  const At noise = kept.to(at::kFloat).div_(problem.keep_prob);
  const At bias = at::empty({static_cast<std::int64_t>(problem.bias.size())}, at::kFloat);
  std::copy(problem.bias.begin(), problem.bias.end(), bias.mutable_data_ptr<float>());
  return {
      make_case(Operation::forward, "LibTorch dropout", n,
                [=](const At& x, At&) { return at::dropout(x, drop_prob, true); }),
      make_case(Operation::relu_forward, "LibTorch relu, dropout", n,
                [=](const At& x, At& y) {
                  return at::dropout(at::clamp_min_out(y, x, 0), drop_prob, true);
                }),
      make_case(Operation::bias_relu_forward, "LibTorch add, relu_, dropout", n,
                [=](const At& x, At& y) {
                  return at::dropout(at::add_out(y, x, bias).relu_(), drop_prob, true);
                }),
      make_case(Operation::backward, "LibTorch native_dropout_backward", n,
                [=](const At& x, At&) { return at::native_dropout_backward(x, kept, scale); }),
      make_case(Operation::backward, "LibTorch mul_out by f32 noise (its autograd)", n,
                [=](const At& x, At& y) { return at::mul_out(y, x, noise); }),
  };
}

}  // namespace

void simdrop_bench_peer(simdrop::bench::Peer& peer) {
  at::set_num_threads(1);
  peer.version = "LibTorch " TORCH_VERSION ", " + at::get_cpu_capability();
  peer.cases = cases;
}
