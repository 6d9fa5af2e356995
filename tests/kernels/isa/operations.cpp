// The tests of the operations, in the order of vector.h, for the instruction set that this is
// compiled for.
#include "arithmetic_tests.h"
#include "bits_tests.h"
#include "kernels/isa/isa.h"
#include "memory_tests.h"
#include "operation_tests.h"
#if !defined(SIMDROP_ISA_SCALAR)
#include "elements_tests.h"
#include "words_tests.h"
#endif

namespace simdrop::detail {
namespace {

constexpr OperationTest tests[] = {
    {"load_one(const T*)", test_load_one<float>},
    {"load_one(const T*)", test_load_one<double>},
    {"load(const float*)", test_load<float>},
    {"load(const double*)", test_load<double>},
    {"store(float*, VecF)", test_store<float>},
    {"store(double*, VecD)", test_store<double>},
    {"load_first(const float*, std::size_t)", test_load_first<float>},
    {"load_first(const double*, std::size_t)", test_load_first<double>},
    {"store_first(float*, VecF, std::size_t)", test_store_first<float>},
    {"store_first(double*, VecD, std::size_t)", test_store_first<double>},
    {"mul_add(VecF, VecF, VecF)", test_mul_add<float>},
    {"mul_add(VecD, VecD, VecD)", test_mul_add<double>},
    {"relu_times(VecF, VecF)", test_relu_times<float>},
    {"relu_times(VecD, VecD)", test_relu_times<double>},
    {"select_gt_zero(VecF, VecF)", test_select_gt_zero<float>},
    {"select_gt_zero(VecD, VecD)", test_select_gt_zero<double>},
    {"select_bits(std::uint64_t, VecF)", test_select_bits<float>},
    {"select_bits(std::uint64_t, VecD)", test_select_bits<double>},
    {"blend_bits(std::uint64_t, VecF, VecF)", test_blend_bits},
    {"compress(std::uint64_t, VecF)", test_compress},
    {"expand(std::uint64_t, VecF)", test_expand},
    {"divide(VecF, VecF)", test_divide},
    {"square_root(VecF)", test_square_root},
    {"load_double(const float*)", test_load_double},
    {"store_float(float*, VecD)", test_store_float},
    {"transpose(V*)", test_transposes},
    {"stream_fence()", test_stream_fence},
#if !defined(SIMDROP_ISA_SCALAR)
    {"mul_low32(VecU64, VecU64)", test_mul_low32},
    {"shift_right32(VecU64)", test_shift_right32},
    {"xor3(VecU64, VecU64, VecU64)", test_xor3},
    {"or3(VecU64, VecU64, VecU64)", test_or3},
    {"fold_digit(VecU64, VecU64, bool)", test_fold_digit},
    {"keep_order(VecU64&, VecU64&, VecU64&, VecU64&)", test_keep_order},
    {"store_blocks(VecU64, VecU64, VecU64, VecU64, std::uint32_t*)", test_store_blocks},
    {"pack_words(VecU64, VecU64)", test_pack_words},
    {"store_transposed(VecU64, VecU64, VecU64, VecU64, std::uint64_t*)", test_store_transposed},
    {"bits_le_u32(VecU32, VecU32)", test_bits_le_u32},
    {"any_above(VecU64, std::int64_t)", test_any_above},
    {"CorrectionLanes", test_correction_lanes},
    {"MaskBits", test_mask_bits},
    {"as_f32(VecU32)", test_as_f32},
    {"as_u32(VecF)", test_as_u32},
    {"widen_u16(const bfloat16*)", test_widen_u16},
    {"load(const bfloat16*)", test_load_16<bfloat16>},
    {"load(const float16*)", test_load_16<float16>},
    {"store(bfloat16*, VecF)", test_store_16<bfloat16>},
    {"store(float16*, VecF)", test_store_16<float16>},
    {"f16_bits(VecF)", test_f16_bits},
    {"bf16_bits(VecF)", test_bf16_bits},
    {"narrow_u16(VecU32)", test_narrow_u16},
    {"store_u16(T*, VecU16)", test_store_u16<bfloat16>},
    {"store_u16(T*, VecU16)", test_store_u16<float16>},
    {"stream_u16(T*, VecU16)", test_stream_u16<bfloat16>},
    {"stream_u16(T*, VecU16)", test_stream_u16<float16>},
    {"stream(float*, VecF)", test_stream<float>},
    {"stream(double*, VecD)", test_stream<double>},
    {"stream(bfloat16*, VecF)", test_stream_16<bfloat16>},
    {"stream(float16*, VecF)", test_stream_16<float16>},
    {"in_register(V)", test_in_register},
    {"loaded_once(VecF)", test_loaded_once},
    {"zip_low(VecF, VecF)", test_zip<float, zip_low, 0>},
    {"zip_high(VecF, VecF)", test_zip<float, zip_high, lanes_f32 / 2>},
    {"zip_low(VecD, VecD)", test_zip<double, zip_low, 0>},
    {"zip_high(VecD, VecD)", test_zip<double, zip_high, lanes_f64 / 2>},
    {"load_first(const float*, std::size_t, VecF)", test_load_first_fill},
    {"max_of_lanes(VecF)", test_max_of_lanes},
    {"widen_low(VecF)", test_widen<widen_low, 0>},
    {"widen_high(VecF)", test_widen<widen_high, lanes_f64>},
    {"narrow_f64(VecD, VecD)", test_narrow_f64},
    {"sum_lanes(VecF, VecF, VecF, VecF)", test_sum_lanes},
    {"load_quad(const float*, std::size_t)", test_load_quad},
    {"store_quad(float*, Quad, std::size_t)", test_store_quad},
    {"add(Quad, Quad)", test_add_quads},
    {"relu(Quad)", test_relu_of_quad},
#endif
};

}  // namespace

namespace SIMDROP_ISA {
constinit const OperationTests operation_tests = {tests, sizeof tests / sizeof *tests};
}

}  // namespace simdrop::detail
