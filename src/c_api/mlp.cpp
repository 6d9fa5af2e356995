#include "simdrop/c/mlp.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "c_api/arguments.h"
#include "c_api/catch_exceptions.h"
#include "c_api/config_members.h"
#include "c_api/handles.h"
#include "c_api/mlp_config.h"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace simdrop::c_api {

simdrop_mlp_config mlp_defaults() {
  const MlpConfig defaults;
  simdrop_mlp_config config{};
  config.struct_size = sizeof(config);
  detail::visit_mlp_fields(to_c, defaults, config);
  return config;
}

MlpConfig mlp_config_of(const simdrop_mlp_config& c, Executor* executor) {
  detail::check_argument(c.reserved == 0, "reserved", c.reserved, "0");
  MlpConfig config;
  for (const std::int64_t width :
       array_of(c.widths, count_of(c.num_widths, "num_widths"), "widths")) {
    config.widths.push_back(count_of(width, "a width"));
  }
  const auto keep_prob =
      array_of(c.keep_prob, count_of(c.num_keep_prob, "num_keep_prob"), "keep_prob");
  config.keep_prob.assign(keep_prob.begin(), keep_prob.end());
  config.executor = executor;
  const std::size_t default_max_batch = config.max_batch;
  detail::visit_mlp_fields(from_c, config, c);
  if (config.max_batch == 0) config.max_batch = default_max_batch;
  return config;
}

}  // namespace simdrop::c_api

namespace {

using simdrop::detail::throw_invalid;

simdrop_mlp_config config_of(const simdrop_mlp& handle) {
  const simdrop::MlpConfig& c = handle.mlp.config();
  simdrop_mlp_config config = mlp_defaults();
  config.widths = handle.widths.data();
  config.num_widths = static_cast<int64_t>(handle.widths.size());
  config.keep_prob = c.keep_prob.data();
  config.num_keep_prob = static_cast<int64_t>(c.keep_prob.size());
  config.executor = handle.executor == nullptr ? nullptr : &handle.executor->given();
  simdrop::detail::visit_mlp_fields(to_c, c, config);
  return config;
}

simdrop_tensor view(simdrop::ConstMatrix m) {
  // Not every tensor may be written: the header says which.
  return {sizeof(simdrop_tensor),
          const_cast<float*>(m.data),
          static_cast<int64_t>(m.rows),
          static_cast<int64_t>(m.cols),
          static_cast<int64_t>(m.ld),
          SIMDROP_F32,
          0};
}

simdrop_tensor view(std::span<const std::uint8_t> bits) {
  const auto size = static_cast<int64_t>(bits.size());
  return {
      sizeof(simdrop_tensor), const_cast<std::uint8_t*>(bits.data()), 1, size, size, SIMDROP_U8, 0};
}

simdrop_tensor tensor_of(const simdrop::Mlp& mlp, simdrop_tensor_kind kind, std::size_t layer) {
  switch (kind) {
    case SIMDROP_TENSOR_WEIGHTS:
      return view(mlp.weights(layer));
    case SIMDROP_TENSOR_BIAS:
      return view(simdrop::ConstMatrix(mlp.bias(layer)));
    case SIMDROP_TENSOR_Z:
      return view(mlp.z(layer));
    case SIMDROP_TENSOR_A:
      return view(mlp.a(layer));
    case SIMDROP_TENSOR_MASK:
      return view(mlp.mask(layer));
    case SIMDROP_TENSOR_DA:
      return view(mlp.da(layer));
    case SIMDROP_TENSOR_DZ:
      return view(mlp.dz(layer));
    case SIMDROP_TENSOR_DW:
      return view(mlp.dw(layer));
    case SIMDROP_TENSOR_DB:
      return view(simdrop::ConstMatrix(mlp.db(layer)));
    default:
      throw_invalid("kind", kind, "0 (weights) ... 8 (db)");
  }
}

}  // namespace

simdrop_status simdrop_mlp_config_init(simdrop_mlp_config* config, size_t struct_size,
                                       simdrop_error* error) {
  return catch_exceptions(error,
                          [&] { write_struct(config, struct_size, mlp_defaults(), "config"); });
}

simdrop_status simdrop_mlp_create(const simdrop_mlp_config* config, simdrop_mlp** mlp,
                                  simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(mlp, "mlp");
    const simdrop_mlp_config given = read_struct(config, mlp_defaults(), "config");
    auto executor = executor_of(given);
    simdrop::Mlp network(mlp_config_of(given, executor.get()));
    *mlp = new simdrop_mlp(std::move(executor), std::move(network));
  });
}

simdrop_status simdrop_mlp_clone(const simdrop_mlp* mlp, simdrop_mlp** clone,
                                 simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(clone, "clone");
    const simdrop::Mlp& network = mlp_of(mlp);
    std::unique_ptr<CExecutor> executor;
    std::optional<simdrop::Threads> threads;
    if (mlp->executor != nullptr) {
      executor = std::make_unique<CExecutor>(&mlp->executor->given());
      threads.emplace(*executor, network.config().num_threads);
    }
    simdrop::Mlp copy = network.clone(threads);
    *clone = new simdrop_mlp(std::move(executor), std::move(copy));
  });
}

void simdrop_mlp_destroy(simdrop_mlp* mlp) {
  delete mlp;
}

simdrop_status simdrop_mlp_get_config(const simdrop_mlp* mlp, simdrop_mlp_config* config,
                                      simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(mlp, "mlp");
    check_not_null(config, "config");
    write_struct(config, config->struct_size, config_of(*mlp), "config");
  });
}

int64_t simdrop_mlp_num_parameters(const simdrop_mlp* mlp) {
  return mlp == nullptr ? 0 : static_cast<int64_t>(mlp->mlp.num_parameters());
}

int64_t simdrop_mlp_workspace_bytes(const simdrop_mlp* mlp) {
  return mlp == nullptr ? 0 : static_cast<int64_t>(mlp->mlp.workspace_bytes());
}

simdrop_status simdrop_mlp_tensor(simdrop_mlp* mlp, simdrop_tensor_kind kind, int64_t layer,
                                  simdrop_tensor* tensor, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(tensor, "tensor");
    write_struct(tensor, tensor->struct_size,
                 tensor_of(mlp_of(mlp), kind, count_of(layer, "layer")), "tensor");
  });
}

simdrop_status simdrop_mlp_set_keep_prob(simdrop_mlp* mlp, int64_t layer, double keep_prob,
                                         simdrop_error* error) {
  return catch_exceptions(error,
                          [&] { mlp_of(mlp).set_keep_prob(count_of(layer, "layer"), keep_prob); });
}

simdrop_status simdrop_mlp_inject_mask(simdrop_mlp* mlp, int64_t layer, const uint8_t* bits,
                                       int64_t size, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    mlp_of(mlp).inject_mask(count_of(layer, "layer"),
                            array_of(bits, count_of(size, "size"), "bits"));
  });
}

simdrop_status simdrop_mlp_mask_stream_id(int64_t layer, uint64_t step, uint64_t* stream_id,
                                          simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(stream_id, "stream_id");
    *stream_id = simdrop::Mlp::mask_stream_id(count_of(layer, "layer"), step);
  });
}

simdrop_status simdrop_mlp_sample_stream_id(int64_t layer, uint64_t sample, uint64_t* stream_id,
                                            simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(stream_id, "stream_id");
    *stream_id = simdrop::Mlp::sample_stream_id(count_of(layer, "layer"), sample);
  });
}
