// Intel MKL's vector statistics, sequential: Philox4x32-10, and ARS5 (AES rounds) where it runs.
#include <mkl_service.h>
#include <mkl_version.h>
#include <mkl_vsl.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>

#include "peers/peer.h"

namespace {

using simdrop::bench::Arrays;
using simdrop::bench::Implementation;
using simdrop::bench::MaskForm;
using simdrop::bench::Operation;
using simdrop::bench::Problem;

struct Generator {
  const char* name;
  MKL_INT brng;
};
constexpr Generator generators[] = {{"MKL Philox4x32x10", VSL_BRNG_PHILOX4X32X10},
                                    {"MKL ARS5", VSL_BRNG_ARS5}};

// Elements drawn before they are multiplied: their integers stay in the L1 cache.
constexpr std::size_t block = 4096;

void require(int status) {
  if (status != VSL_STATUS_OK) throw std::runtime_error("MKL: status " + std::to_string(status));
}

using Stream = std::shared_ptr<void>;

Stream new_stream(const Generator& generator) {
  const auto& key = simdrop::bench::words_key;
  const auto& counter = simdrop::bench::words_counter;
  const std::uint32_t philox[] = {key[0], key[1], counter[0], counter[1], counter[2], counter[3]};
  const bool is_philox = generator.brng == VSL_BRNG_PHILOX4X32X10;
  VSLStreamStatePtr state = nullptr;
  require(vslNewStreamEx(&state, generator.brng, is_philox ? 6 : 1, philox));
  return {state, [](void* p) { vslDeleteStream(&p); }};
}

int* as_ints(const Arrays& arrays) {
  return reinterpret_cast<int*>(arrays.words);
}

Implementation words_case(const Generator& generator, const Problem& problem) {
  const auto run = [n = static_cast<MKL_INT>(problem.n),
                    stream = new_stream(generator)](const Arrays& arrays) -> const void* {
    require(viRngUniformBits32(VSL_RNG_METHOD_UNIFORMBITS32_STD, stream.get(), n, arrays.words));
    return arrays.words;
  };
  return {Operation::words, generator.name, run, MaskForm::bits,
          generator.brng == VSL_BRNG_PHILOX4X32X10};
}

Implementation mask_case(const Generator& generator, const Problem& problem) {
  const auto run = [n = static_cast<MKL_INT>(problem.n), keep_prob = problem.keep_prob,
                    stream = new_stream(generator)](const Arrays& arrays) -> const void* {
    require(
        viRngBernoulli(VSL_RNG_METHOD_BERNOULLI_ICDF, stream.get(), n, as_ints(arrays), keep_prob));
    return arrays.words;
  };
  return {Operation::mask, std::string(generator.name) + ", ints", run, MaskForm::ints};
}

Implementation forward_case(const Generator& generator, const Problem& problem, bool relu) {
  const auto run = [n = problem.n, keep_prob = problem.keep_prob, scale = problem.scale(), relu,
                    stream = new_stream(generator)](const Arrays& arrays) -> const void* {
    int* kept = as_ints(arrays);
    for (std::size_t first = 0; first < n; first += block) {
      const std::size_t count = std::min(block, n - first);
      require(viRngBernoulli(VSL_RNG_METHOD_BERNOULLI_ICDF, stream.get(),
                             static_cast<MKL_INT>(count), kept, keep_prob));
      const float* x = arrays.x + first;
      float* y = arrays.y + first;
      const float least = relu ? 0.0F : -std::numeric_limits<float>::infinity();
      for (std::size_t i = 0; i < count; ++i) {
        y[i] = std::max(x[i], least) * (static_cast<float>(kept[i]) * scale);
      }
    }
    return arrays.y;
  };
  return {relu ? Operation::relu_forward : Operation::forward,
          std::string(generator.name) + " + multiply", run};
}

std::vector<Implementation> cases(const Problem& problem) {
  std::vector<Implementation> all;
  for (const Generator& generator : generators) {
    try {
      if (!problem.drops()) {
        all.push_back(words_case(generator, problem));
        continue;
      }
      all.push_back(mask_case(generator, problem));
      all.push_back(forward_case(generator, problem, false));
      all.push_back(forward_case(generator, problem, true));
    } catch (const std::runtime_error&) {  // ARS5 needs AES instructions
      if (generator.brng == VSL_BRNG_PHILOX4X32X10) throw;
    }
  }
  return all;
}

}  // namespace

void simdrop_bench_peer(simdrop::bench::Peer& peer) {
  // Threaded, it would start Intel's OpenMP beside the one that is here already.
  mkl_set_threading_layer(MKL_THREADING_SEQUENTIAL);
  peer.version =
      "MKL " + std::to_string(__INTEL_MKL__) + "." + std::to_string(__INTEL_MKL_UPDATE__);
  peer.cases = cases;
}
