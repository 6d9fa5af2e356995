// LIBXSMM: its just-in-time compiled dropout with a bit mask, and ReLU then dropout in two calls.
#include <memory>
#include <stdexcept>

#include "peers/peer.h"

// After the standard headers: it takes __STRICT_ANSI__ away, which those of GCC 12 look at.
#include <libxsmm.h>

namespace {

using simdrop::bench::Arrays;
using simdrop::bench::Implementation;
using simdrop::bench::Operation;
using simdrop::bench::Problem;
using simdrop::bench::row_length;

// A tile of 64 KiB: what ReLU writes is still in cache when dropout reads it.
constexpr std::size_t tile_rows = 16;
constexpr std::size_t tile = tile_rows * row_length;

libxsmm_meltwfunction_unary dispatch(libxsmm_meltw_unary_type type,
                                     libxsmm_bitfield flags = LIBXSMM_MELTW_FLAG_UNARY_NONE) {
  const auto columns = static_cast<libxsmm_blasint>(row_length);
  const auto f32 = LIBXSMM_DATATYPE_F32;
  const libxsmm_meltw_unary_shape shape = libxsmm_create_meltw_unary_shape(
      columns, static_cast<libxsmm_blasint>(tile_rows), columns, columns, f32, f32, f32);
  const libxsmm_meltwfunction_unary kernel = libxsmm_dispatch_meltw_unary(type, shape, flags);
  if (kernel == nullptr) throw std::runtime_error("LIBXSMM has no such kernel");
  return kernel;
}

void call(libxsmm_meltwfunction_unary kernel, const float* x, float* y) {
  libxsmm_meltw_unary_param arguments = {};
  arguments.in.primary = const_cast<float*>(x);  // only read
  arguments.out.primary = y;
  kernel(&arguments);
}

class Dropout {
 public:
  explicit Dropout(const Problem& problem)
      : n_(problem.n),
        drop_prob_(static_cast<float>(1.0 - problem.keep_prob)),
        bits_(problem.bits.begin(), problem.bits.end()) {}

  const void* forward(const Arrays& arrays, bool relu) {
    for (std::size_t i = 0; i < n_; i += tile) {
      if (relu) call(relu_, arrays.x + i, arrays.y + i);
      libxsmm_meltw_unary_param arguments = {};
      arguments.op.primary = &drop_prob_;
      arguments.op.secondary = random_state_.get();
      arguments.in.primary = (relu ? arrays.y : const_cast<float*>(arrays.x)) + i;
      arguments.out.primary = arrays.y + i;
      arguments.out.secondary = bits_.data() + i / 8;
      forward_(&arguments);
    }
    return arrays.y;
  }

  const void* backward(const Arrays& arrays) {
    for (std::size_t i = 0; i < n_; i += tile) {
      libxsmm_meltw_unary_param arguments = {};
      arguments.op.primary = &drop_prob_;
      arguments.in.primary = const_cast<float*>(arrays.x + i);
      arguments.in.secondary = bits_.data() + i / 8;
      arguments.out.primary = arrays.y + i;
      backward_(&arguments);
    }
    return arrays.y;
  }

 private:
  static constexpr libxsmm_bitfield bit_mask = LIBXSMM_MELTW_FLAG_UNARY_BITMASK_2BYTEMULT;

  std::size_t n_;
  float drop_prob_;
  std::vector<std::uint8_t> bits_;
  libxsmm_meltwfunction_unary relu_ = dispatch(LIBXSMM_MELTW_TYPE_UNARY_RELU);
  libxsmm_meltwfunction_unary forward_ = dispatch(LIBXSMM_MELTW_TYPE_UNARY_DROPOUT, bit_mask);
  libxsmm_meltwfunction_unary backward_ = dispatch(LIBXSMM_MELTW_TYPE_UNARY_DROPOUT_INV, bit_mask);
  std::unique_ptr<unsigned, decltype(&libxsmm_rng_destroy_extstate)> random_state_{
      libxsmm_rng_create_extstate(555), &libxsmm_rng_destroy_extstate};
};

std::vector<Implementation> cases(const Problem& problem) {
  if (!problem.drops()) {
    const auto relu = [n = problem.n, kernel = dispatch(LIBXSMM_MELTW_TYPE_UNARY_RELU)](
                          const Arrays& arrays) -> const void* {
      for (std::size_t i = 0; i < n; i += tile) call(kernel, arrays.x + i, arrays.y + i);
      return arrays.y;
    };
    return {{Operation::relu, "LIBXSMM", relu}};
  }
  // Each its own: backward() reads the mask that the problem gives, forward() overwrites its mask.
  const auto make = [&problem] { return std::make_shared<Dropout>(problem); };
  return {{Operation::forward, "LIBXSMM, writes bits",
           [d = make()](const Arrays& arrays) { return d->forward(arrays, false); }},
          {Operation::relu_forward, "LIBXSMM ReLU, dropout, writes bits",
           [d = make()](const Arrays& arrays) { return d->forward(arrays, true); }},
          {Operation::backward, "LIBXSMM, from bits",
           [d = make()](const Arrays& arrays) { return d->backward(arrays); }}};
}

}  // namespace

void simdrop_bench_peer(simdrop::bench::Peer& peer) {
  libxsmm_init();
  peer.version = std::string("LIBXSMM " LIBXSMM_CONFIG_VERSION ", ") + libxsmm_get_target_arch();
  peer.cases = cases;
}
