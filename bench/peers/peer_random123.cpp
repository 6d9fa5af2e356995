// Random123: the reference implementation of Philox, as the compiler makes it for this CPU.
#include <Random123/philox.h>

#include <cstring>

#include "peers/peer.h"

namespace {

using simdrop::bench::Arrays;
using simdrop::bench::Implementation;
using simdrop::bench::MaskForm;
using simdrop::bench::Operation;
using simdrop::bench::Problem;

class Generator {
 public:
  // The next four words of the stream that words_counter names.
  r123::Philox4x32::ctr_type next() {
    const auto [c0, c1, c2, c3] = simdrop::bench::words_counter;
    const auto [k0, k1] = simdrop::bench::words_key;
    const std::uint64_t block = block_++ + c0 + (std::uint64_t{c1} << 32U);
    const r123::Philox4x32::ctr_type counter = {
        {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U), c2, c3}};
    return r123::Philox4x32{}(counter, {{k0, k1}});
  }

 private:
  std::uint64_t block_ = 0;
};

Implementation words_case(std::size_t n) {
  const auto run = [n, generator = Generator{}](const Arrays& arrays) mutable -> const void* {
    for (std::size_t i = 0; i < n; i += 4) {
      const auto words = generator.next();
      std::memcpy(arrays.words + i, words.v, sizeof words.v);
    }
    return arrays.words;
  };
  return {Operation::words, "Random123 philox4x32-10", run};
}

// A word below the threshold is a kept element: one word each, as frameworks do.
Implementation mask_case(std::size_t n, double keep_prob) {
  const auto threshold = static_cast<std::uint32_t>(keep_prob * 0x1p32);
  const auto run = [n, threshold,
                    generator = Generator{}](const Arrays& arrays) mutable -> const void* {
    for (std::size_t i = 0; i < n / 32; ++i) {
      std::uint32_t bits = 0;
      for (unsigned j = 0; j < 32; j += 4) {
        const auto words = generator.next();
        for (unsigned k = 0; k < 4; ++k) {
          bits |= static_cast<std::uint32_t>(words.v[k] < threshold) << (j + k);
        }
      }
      arrays.words[i] = bits;
    }
    return arrays.words;
  };
  return {Operation::mask, "Random123 philox4x32-10, bits", run};
}

}  // namespace

void simdrop_bench_peer(simdrop::bench::Peer& peer) {
  peer.version = "Random123";
  peer.cases = [](const Problem& problem) -> std::vector<Implementation> {
    if (problem.drops()) return {mask_case(problem.n, problem.keep_prob)};
    return {words_case(problem.n)};
  };
}
