// The one place that lists the kernels of a table, whatever its instruction set.
const KernelTable& SIMDROP_TABLE_FN() noexcept {
  static constexpr KernelTable table = {
      .isa = SIMDROP_TABLE_ISA,
      .name = SIMDROP_TABLE_NAME,
      .philox_fill = philox_fill,
      .bernoulli_mask = bernoulli_mask,
      .f32 = elementwise_kernels<float, float>(),
      .f64 = elementwise_kernels<double, double>(),
      .bf16 = elementwise_kernels<bfloat16, float>(),
      .f16 = elementwise_kernels<float16, float>(),
      .compress_rows_f32 = compress_rows_f32,
      .add_bias_f32 = add_bias_f32,
      .column_sum_f32 = column_sum_f32,
      .products_f32 = product_kernels<float>(),
      .products_f64 = product_kernels<double>(),
      .linear_small_f32 = linear_small_f32,
      .softmax_ce_f32 = softmax_ce_f32,
      .sigmoid_bce_f32 = sigmoid_bce_f32,
      .identity_mse_f32 = identity_mse_f32,
      .sgd_f32 = sgd_f32,
      .adam_f32 = adam_f32,
      .sgd_rows_f32 = sgd_rows_f32,
      .adam_rows_f32 = adam_rows_f32,
      .limit_norms_f32 = limit_norms_f32,
  };
  return table;
}
