#include "simdrop/rng.hpp"

#include "dispatch/dispatch.h"
#include "kernels/kernel_table.h"
#include "mask/mask_check.h"
#include "threading/parallel.h"

namespace simdrop {
namespace {

constexpr std::size_t grain_words = std::size_t{1} << 14;

}  // namespace

std::array<std::uint32_t, 4> philox4x32(const std::array<std::uint32_t, 4>& counter,
                                        const std::array<std::uint32_t, 2>& key,
                                        PhiloxRounds rounds) noexcept {
  const auto join = [](std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{high} << 32 | low;
  };
  std::array<std::uint32_t, 4> words{};
  detail::scalar::kernel_table().philox_fill(
      join(key[0], key[1]), join(counter[2], counter[3]), join(counter[0], counter[1]), 0,
      static_cast<std::int32_t>(rounds), words.data(), words.size());
  return words;
}

void philox_fill(const Stream& stream, std::uint64_t first_word, std::span<std::uint32_t> words,
                 PhiloxRounds rounds, Threads threads) {
  detail::check_rounds(rounds);
  detail::check_threads(threads);
  const detail::KernelTable& table = detail::kernels();
  const auto fill = [&](std::uint64_t word, std::uint32_t* out, std::size_t n) {
    table.philox_fill(stream.seed, stream.id, word / 4, static_cast<unsigned>(word % 4),
                      static_cast<std::int32_t>(rounds), out, n);
  };
  detail::parallel_for(words.size(), grain_words, threads, [&](std::size_t begin, std::size_t end) {
    const std::uint64_t word = first_word + begin;
    const std::uint64_t to_wrap = ~word;  // words left after this one
    std::uint32_t* out = words.data() + begin;
    std::size_t n = end - begin;
    if (n > 0 && n - 1 > to_wrap) {
      fill(word, out, to_wrap + 1);
      out += to_wrap + 1;
      n -= to_wrap + 1;
      fill(0, out, n);
    } else {
      fill(word, out, n);
    }
  });
}

}  // namespace simdrop
