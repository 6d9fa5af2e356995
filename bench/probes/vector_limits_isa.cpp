// The loops of vector_limits.h. Compiled once per instruction set, as the kernels are.
#include "probes/vector_limits.h"

#include <cstdint>
#include <utility>

#include "kernels/isa/isa.h"
#include "kernels/mask/philox_block.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

// Hides a value from the optimiser, which could otherwise merge operations;
// costs no instruction.
inline void opaque(VecU64& v) {
#if defined(SIMDROP_ISA_AVX512)
  asm volatile("" : "+v"(v.data));
#elif defined(SIMDROP_ISA_AVX2)
  asm volatile("" : "+x"(v.data));
#else
  asm volatile("" : "+w"(v.data));
#endif
}

inline void forget_memory() {
  asm volatile("" ::: "memory");
}

enum class Op { multiply, shift, two_way_xor, three_way_xor };

// One operation on a chain. A three-way xor is two instructions where there is
// no ternary logic.
template <Op op>
[[gnu::always_inline]] inline void step(VecU64& x, VecU64 constant) {
  if constexpr (op == Op::multiply) x = mul_low32(x, constant);
  if constexpr (op == Op::shift) x = shift_right32(x);
  if constexpr (op == Op::two_way_xor) x = x ^ constant;
  if constexpr (op == Op::three_way_xor) {
#if defined(SIMDROP_ISA_AVX512)
    x = xor3(x, constant, constant);
#else
    x = x ^ constant;
    opaque(x);
    x = x ^ constant;
#endif
  }
  opaque(x);
}

// Chains of operations, each of which waits for nothing but itself: only the
// pipes limit them. In the mix some chains multiply, others shift or xor, as
// many as it takes to cover the latencies. Twelve fit into 16 registers beside
// the constant and what store_blocks() needs.
#if defined(SIMDROP_ISA_AVX2)
constexpr std::size_t mul_chains = 3;
constexpr std::size_t shift_chains = 3;
#else
constexpr std::size_t mul_chains = 8;
constexpr std::size_t shift_chains = 6;
#endif
constexpr std::size_t xor_chains = 6;
constexpr std::size_t first_xor = mul_chains + shift_chains;
constexpr std::size_t chains = first_xor + xor_chains;

// Constant indices and inlining keep the chains in registers.
template <class Indices>
struct ChainsOf;

template <std::size_t... C>
struct ChainsOf<std::index_sequence<C...>> {
  VecU64 x[chains];
  VecU64 constant;

  [[gnu::always_inline]] ChainsOf() : constant(std::uint64_t{detail::philox_m0}) {
    ((x[C] = VecU64(std::uint64_t{2 * C + 1}), opaque(x[C])), ...);
    opaque(constant);
  }

  // The same operation on every chain.
  template <Op op>
  [[gnu::always_inline]] void apply() {
    (step<op>(x[C], constant), ...);
  }

  template <std::size_t I>
  [[gnu::always_inline]] void half_round() {
    step<Op::multiply>(x[I % mul_chains], constant);
    step<Op::shift>(x[mul_chains + I % shift_chains], constant);
#if defined(SIMDROP_ISA_AVX512)
    step<Op::three_way_xor>(x[first_xor + I % xor_chains], constant);
#else
    step<Op::two_way_xor>(x[first_xor + 2 * I % xor_chains], constant);
    step<Op::two_way_xor>(x[first_xor + (2 * I + 1) % xor_chains], constant);
#endif
  }

  template <std::size_t... I>
  [[gnu::always_inline]] void half_rounds(std::index_sequence<I...>) {
    (half_round<I>(), ...);
  }

  // Four of the chains as a Philox state, packed into words.
  [[gnu::always_inline]] void store_state(std::uint32_t* out) const {
    store_blocks(x[0], x[1], x[first_xor], x[first_xor + 1], out);
    asm volatile("" ::"r"(out) : "memory");
  }
};
using Chains = ChainsOf<std::make_index_sequence<chains>>;

constexpr std::size_t op_applications = 4;  // so that the loop's own cost does not show

template <Op op>
void run_op(std::size_t repeats) {
  Chains c;
  for (std::size_t r = 0; r < repeats; ++r) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < op_applications; ++i) c.apply<op>();
  }
}

constexpr std::size_t mix_half_rounds = 24;  // a multiple of each number of chains

void run_half_rounds(std::size_t repeats) {
  Chains c;
  for (std::size_t r = 0; r < repeats; ++r) {
    c.half_rounds(std::make_index_sequence<mix_half_rounds>());
  }
}

// One Philox state of four vectors: its half rounds, then its words.
template <int Rounds>
void run_words(std::size_t repeats) {
  alignas(64) std::uint32_t out[4 * lanes_u64];
  Chains c;
  for (std::size_t r = 0; r < repeats; ++r) {
    c.half_rounds(std::make_index_sequence<2 * Rounds>());
    c.store_state(out);
  }
}

// Vectors of an array that one iteration of a memory loop takes.
constexpr std::size_t group_vecs = 4;
constexpr std::size_t group = group_vecs * lanes_f32;

struct PlainStore {
  static void put(float* p, VecF v) { store(p, v); }
  static void finish() {}
};
struct StreamStore {
  static void put(float* p, VecF v) { stream(p, v); }
  static void finish() { stream_fence(); }
};

void run_load(const float* a, const float*, float*, std::size_t n, std::size_t repeats) {
  for (std::size_t r = 0; r < repeats; ++r) {
    VecF seen[group_vecs] = {VecF(0.0F), VecF(0.0F), VecF(0.0F), VecF(0.0F)};
    for (std::size_t i = 0; i < n; i += group) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < group_vecs; ++v) {
        seen[v] = seen[v] | load(a + i + v * lanes_f32);
      }
    }
    float sink[lanes_f32];
    store(sink, (seen[0] | seen[1]) | (seen[2] | seen[3]));
    asm volatile("" ::"r"(sink) : "memory");
  }
}

template <class Store>
void run_store(const float*, const float*, float* y, std::size_t n, std::size_t repeats) {
  const VecF value(0.5F);
  for (std::size_t r = 0; r < repeats; ++r) {
    for (std::size_t i = 0; i < n; i += group) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < group_vecs; ++v) Store::put(y + i + v * lanes_f32, value);
      forget_memory();  // else a compiler may call memset
    }
    Store::finish();
  }
}

template <class Store>
void run_copy(const float* a, const float*, float* y, std::size_t n, std::size_t repeats) {
  for (std::size_t r = 0; r < repeats; ++r) {
    for (std::size_t i = 0; i < n; i += group) {
      VecF values[group_vecs];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < group_vecs; ++v) values[v] = load(a + i + v * lanes_f32);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < group_vecs; ++v) Store::put(y + i + v * lanes_f32, values[v]);
      forget_memory();  // else a compiler may call memcpy
    }
    Store::finish();
  }
}

template <class Store>
void run_read_two(const float* a, const float* b, float* y, std::size_t n, std::size_t repeats) {
  for (std::size_t r = 0; r < repeats; ++r) {
    for (std::size_t i = 0; i < n; i += group) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < group_vecs; ++v) {
        const std::size_t at = i + v * lanes_f32;
        Store::put(y + at, load(a + at) | load(b + at));
      }
    }
    forget_memory();
    Store::finish();
  }
}

// A three-way xor is one or two of them.
#if defined(SIMDROP_ISA_AVX512)
constexpr double ops_per_half_round = 3;
#else
constexpr double ops_per_half_round = 4;
#endif

}  // namespace

#define SIMDROP_TEXT_OF(name) #name
#define SIMDROP_TEXT(name) SIMDROP_TEXT_OF(name)

const IsaLimits& SIMDROP_ISA::vector_limits() noexcept {
  constexpr double each = op_applications * chains;
  constexpr double words = 4 * lanes_u64;
  static constexpr IsaLimits table = {
      .isa = Isa::SIMDROP_ISA,
      .name = SIMDROP_TEXT(SIMDROP_ISA),
      .lanes_u64 = lanes_u64,
      .ops_per_half_round = ops_per_half_round,
      .mul_low32 = {each, run_op<Op::multiply>},
      .shift_right32 = {each, run_op<Op::shift>},
      .bit_xor = {each, run_op<Op::two_way_xor>},
      .xor3 = {each, run_op<Op::three_way_xor>},
      .half_rounds = {mix_half_rounds, run_half_rounds},
      .words10 = {words, run_words<10>},
      .words7 = {words, run_words<7>},
      .load = run_load,
      .store = run_store<PlainStore>,
      .copy = run_copy<PlainStore>,
      .read_two = run_read_two<PlainStore>,
      .stream_store = run_store<StreamStore>,
      .stream_copy = run_copy<StreamStore>,
      .stream_read_two = run_read_two<StreamStore>,
  };
  return table;
}

}  // namespace simdrop::bench
