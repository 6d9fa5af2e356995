// The few operations that xsimd lacks, or spells differently between 8.1 and 14, for each
// instruction set. Included inside an anonymous namespace: nothing here may get external linkage.
//
// VecF is a vector of floats; VecU64 one of 64-bit lanes of the same width; SlabU64 is at most the
// 256 bits of a slab of mask digits.

#if defined(SIMDROP_ISA_AVX512)
using Arch = xsimd::avx512bw;
using SlabArch = xsimd::avx2;
#elif defined(SIMDROP_ISA_AVX2)
using Arch = xsimd::fma3<xsimd::avx2>;
using SlabArch = Arch;
#elif defined(SIMDROP_ISA_NEON)
using Arch = xsimd::neon64;
using SlabArch = Arch;
#else
#error "define SIMDROP_ISA_AVX512, SIMDROP_ISA_AVX2 or SIMDROP_ISA_NEON"
#endif

using VecF = xsimd::batch<float, Arch>;
using VecU32 = xsimd::batch<std::uint32_t, Arch>;
using VecU64 = xsimd::batch<std::uint64_t, Arch>;
using SlabU64 = xsimd::batch<std::uint64_t, SlabArch>;
using BoolF = xsimd::batch_bool<float, Arch>;

constexpr std::size_t lanes_f32 = VecF::size;
constexpr std::size_t lanes_u64 = VecU64::size;
constexpr std::size_t slab_lanes = SlabU64::size;

// Plain members instead of xsimd's overloads for signed and unsigned long (std::uint64_t is
// either, depending on the platform).
inline VecF load_f32(const float* p) {
  return VecF::load_unaligned(p);
}
inline void store_f32(float* p, VecF v) {
  v.store_unaligned(p);
}

// Correctly rounded, as IEEE 754 has them (on NEON, xsimd's are estimates with Newton steps).
#if defined(SIMDROP_ISA_NEON)
inline VecF divide(VecF a, VecF b) {
  return vdivq_f32(a, b);
}
inline VecF square_root(VecF a) {
  return vsqrtq_f32(a);
}
#else
inline VecF divide(VecF a, VecF b) {
  return a / b;
}
inline VecF square_root(VecF a) {
  return xsimd::sqrt(a);
}
#endif

#if defined(SIMDROP_ISA_AVX512)

// Low 32 bits of each lane times a constant: 64-bit products (xsimd: no widening multiply).
inline VecU64 mul_low32(VecU64 a, VecU64 b) {
  return _mm512_mul_epu32(a, b);
}
inline VecU64 shift_right32(VecU64 a) {
  return _mm512_srli_epi64(a, 32);
}
// a * b + c, rounded once (xsimd 8.1 rounds twice on AVX-512).
inline VecF mul_add(VecF a, VecF b, VecF c) {
  return _mm512_fmadd_ps(a, b, c);
}
// a ^ b ^ c in one operation (xsimd: no ternary logic).
inline VecU64 xor3(VecU64 a, VecU64 b, VecU64 c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

// Blocks of four words from lanes: lane i of x0 ... x3 holds the words of block block_lanes[i].
constexpr std::uint64_t block_lanes[8] = {0, 4, 1, 5, 2, 6, 3, 7};
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out) {
  const __m512i low = _mm512_mask_shuffle_epi32(x0, 0xAAAA, x1, _MM_PERM_CCAA);
  const __m512i high = _mm512_mask_shuffle_epi32(x2, 0xAAAA, x3, _MM_PERM_CCAA);
  _mm512_storeu_si512(out, _mm512_unpacklo_epi64(low, high));
  _mm512_storeu_si512(out + 16, _mm512_unpackhi_epi64(low, high));
}

inline SlabU64 load_slab(const std::uint32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// Bit i of the result: a[i] <= b[i], unsigned.
inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b) {
  return _mm512_cmple_epu32_mask(a, b);
}

// 64 mask bits, handed out a vector at a time: select<K>() keeps the lanes of v whose bits
// lanes_f32 * K ... are set and makes the others +0.
struct MaskBits {
  std::uint64_t word;
  explicit MaskBits(std::uint64_t bits) : word(bits) {}
  template <int K>
  VecF select(VecF v) const {
    return _mm512_maskz_mov_ps(static_cast<__mmask16>(word >> (16 * K)), v);
  }
};
// v where not z <= 0 (so a NaN passes), else +0.
inline VecF select_not_le_zero(VecF z, VecF v) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
}
// v where y > 0, else +0.
inline VecF select_gt_zero(VecF y, VecF v) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_GT_OQ), v);
}

#elif defined(SIMDROP_ISA_AVX2)

inline VecU64 mul_low32(VecU64 a, VecU64 b) {
  return _mm256_mul_epu32(a, b);
}
inline VecU64 shift_right32(VecU64 a) {
  return _mm256_srli_epi64(a, 32);
}
inline VecF mul_add(VecF a, VecF b, VecF c) {
  return xsimd::fma(a, b, c);
}
inline VecU64 xor3(VecU64 a, VecU64 b, VecU64 c) {
  return a ^ b ^ c;
}

constexpr std::uint64_t block_lanes[4] = {0, 2, 1, 3};
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out) {
  const __m256i low = _mm256_blend_epi32(x0, _mm256_slli_epi64(x1, 32), 0xAA);
  const __m256i high = _mm256_blend_epi32(x2, _mm256_slli_epi64(x3, 32), 0xAA);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_unpacklo_epi64(low, high));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8), _mm256_unpackhi_epi64(low, high));
}

inline SlabU64 load_slab(const std::uint32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// There is no unsigned compare: a <= b is max(a, b) == b.
inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b) {
  const __m256i le = _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), b);
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(le)));
}

struct MaskBits {
  __m256i half[2];
  explicit MaskBits(std::uint64_t bits)
      : half{_mm256_set1_epi32(static_cast<int>(bits)),
             _mm256_set1_epi32(static_cast<int>(bits >> 32))} {}
  template <int K>
  VecF select(VecF v) const {
    const __m256i lane_bits =
        _mm256_slli_epi32(_mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128), 8 * (K % 4));
    const __m256i kept = _mm256_cmpeq_epi32(_mm256_and_si256(half[K / 4], lane_bits), lane_bits);
    return _mm256_and_ps(_mm256_castsi256_ps(kept), v);
  }
};
inline VecF select_not_le_zero(VecF z, VecF v) {
  return _mm256_and_ps(_mm256_cmp_ps(z, _mm256_setzero_ps(), _CMP_NLE_UQ), v);
}
inline VecF select_gt_zero(VecF y, VecF v) {
  return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ), v);
}

#else  // NEON

inline VecU64 mul_low32(VecU64 a, VecU64 b) {
  return vmull_u32(vmovn_u64(a), vmovn_u64(b));
}
inline VecU64 shift_right32(VecU64 a) {
  return vshrq_n_u64(a, 32);
}
inline VecF mul_add(VecF a, VecF b, VecF c) {
  return xsimd::fma(a, b, c);
}
inline VecU64 xor3(VecU64 a, VecU64 b, VecU64 c) {
  return a ^ b ^ c;
}

constexpr std::uint64_t block_lanes[2] = {0, 1};
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out) {
  const uint64x2_t low = vsliq_n_u64(x0, x1, 32);
  const uint64x2_t high = vsliq_n_u64(x2, x3, 32);
  vst1q_u32(out, vreinterpretq_u32_u64(vzip1q_u64(low, high)));
  vst1q_u32(out + 4, vreinterpretq_u32_u64(vzip2q_u64(low, high)));
}

inline SlabU64 load_slab(const std::uint32_t* p) {
  return vreinterpretq_u64_u32(vld1q_u32(p));
}

inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b) {
  const std::uint32_t lane_bits[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcleq_u32(a, b), vld1q_u32(lane_bits)));
}

inline VecF select_u32(uint32x4_t mask, float32x4_t v) {
  return vreinterpretq_f32_u32(vandq_u32(mask, vreinterpretq_u32_f32(v)));
}
struct MaskBits {
  uint32x4_t half[2];
  explicit MaskBits(std::uint64_t bits)
      : half{vdupq_n_u32(static_cast<std::uint32_t>(bits)),
             vdupq_n_u32(static_cast<std::uint32_t>(bits >> 32))} {}
  template <int K>
  VecF select(VecF v) const {
    const std::uint32_t first[4] = {1, 2, 4, 8};
    const uint32x4_t lane_bits = vshlq_n_u32(vld1q_u32(first), 4 * (K % 8));
    return select_u32(vtstq_u32(half[K / 8], lane_bits), v);
  }
};
inline VecF select_not_le_zero(VecF z, VecF v) {
  return select_u32(vmvnq_u32(vclezq_f32(z)), v);
}
inline VecF select_gt_zero(VecF y, VecF v) {
  return select_u32(vcgtzq_f32(y), v);
}

#endif
