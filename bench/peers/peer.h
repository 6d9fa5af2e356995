// What a peer module tells peers_bench: the operations that a library does, ready to run.
//
// Each library is a module of its own (dlopen, RTLD_LOCAL): MKL and oneDNN also live inside some
// builds of LibTorch, and in one namespace of symbols either copy could be called.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace simdrop::bench {

enum class Operation {
  copy,
  relu,
  words,
  mask,
  forward,
  relu_forward,
  bias_relu_forward,
  backward
};
constexpr std::array<const char*, 8> operation_names{
    "copy",    "ReLU alone",     "Philox words",          "Bernoulli mask",
    "dropout", "ReLU + dropout", "bias + ReLU + dropout", "dropout backward"};

// How a mask comes out: bits (LSB first, set = kept) or one 32-bit 0 or 1 per element.
enum class MaskForm { bits, ints };

constexpr std::size_t row_length = 1024;  // n is a multiple; the bias is that long

// The keys and counters that Operation::words starts from, where a library lets one choose them.
constexpr std::array<std::uint32_t, 2> words_key{0x243F6A88U, 0x85A308D3U};
constexpr std::array<std::uint32_t, 4> words_counter{0, 0, 0x13198A2EU, 0x03707344U};

// n elements; keep_prob 1 asks for the operations that know no keep_prob, another for the rest.
struct Problem {
  std::size_t n;
  double keep_prob;
  std::span<const std::uint8_t> bits;  // the mask of Operation::backward, as MaskForm::bits
  std::span<const float> bias;

  [[nodiscard]] bool drops() const { return keep_prob < 1.0; }
  [[nodiscard]] float scale() const { return static_cast<float>(1.0 / keep_prob); }
};

// Where a call reads x and may write its output; each is long enough for 4 n bytes.
struct Arrays {
  const float* x;
  float* y;
  std::uint32_t* words;
};

// One library's way to do an operation.
struct Implementation {
  Operation operation;
  std::string who;
  // One call: returns its output, which stays valid until the next call. Draws anew each time.
  std::function<const void*(const Arrays&)> run;
  MaskForm mask_form = MaskForm::bits;
  // Words: the first call's are those of words_key and words_counter.
  bool known_words = true;
  // What the others of its operation are a ratio to.
  bool is_yardstick = false;
};

struct Peer {
  std::string version;
  std::function<std::vector<Implementation>(const Problem&)> cases;
};

}  // namespace simdrop::bench

// Every module defines this.
extern "C" __attribute__((visibility("default"))) void simdrop_bench_peer(simdrop::bench::Peer&);
