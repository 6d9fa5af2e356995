// oneDNN: eltwise primitives, without and with the dropout attribute (3.6 and newer).
#include <oneapi/dnnl/dnnl.hpp>

#include <memory>
#include <unordered_map>

#include "peers/peer.h"

namespace {

using dnnl::memory;
using simdrop::bench::Arrays;
using simdrop::bench::Implementation;
using simdrop::bench::Operation;
using simdrop::bench::Problem;

memory::desc matrix(std::size_t n, memory::data_type type) {
  const auto columns = static_cast<memory::dim>(simdrop::bench::row_length);
  return {{static_cast<memory::dim>(n) / columns, columns}, type, memory::format_tag::ab};
}

// y = dropout(f(x)), f being ReLU or the identity; keep_prob 1 leaves the dropout out.
class Eltwise {
 public:
  Eltwise(dnnl::algorithm algorithm, const Problem& problem)
      : desc_(matrix(problem.n, memory::data_type::f32)),
        x_(desc_, engine_, nullptr),
        y_(desc_, engine_, nullptr) {
    dnnl::primitive_attr attributes;
    arguments_ = {{DNNL_ARG_SRC, x_}, {DNNL_ARG_DST, y_}};
    if (problem.drops()) add_dropout(attributes, problem);
    const float alpha = algorithm == dnnl::algorithm::eltwise_linear ? 1.0F : 0.0F;
    primitive_ = dnnl::eltwise_forward({engine_, dnnl::prop_kind::forward_training, algorithm,
                                        desc_, desc_, alpha, 0.0F, attributes});
  }

  const void* operator()(const Arrays& arrays) {
    x_.set_data_handle(const_cast<float*>(arrays.x));  // only read: it is DNNL_ARG_SRC
    y_.set_data_handle(arrays.y);
    ++seed_value_;
    primitive_.execute(stream_, arguments_);
    stream_.wait();
    return arrays.y;
  }

 private:
  void add_dropout(dnnl::primitive_attr& attributes, const Problem& problem) {
    const memory::dims one = {1};
    const memory::desc mask_desc = matrix(problem.n, memory::data_type::u8);
    attributes.set_dropout(mask_desc);
    probability_value_ = static_cast<float>(1.0 - problem.keep_prob);
    arguments_[DNNL_ARG_ATTR_DROPOUT_MASK] = memory(mask_desc, engine_);
    arguments_[DNNL_ARG_ATTR_DROPOUT_PROBABILITY] =
        memory({one, memory::data_type::f32, memory::format_tag::a}, engine_, &probability_value_);
    arguments_[DNNL_ARG_ATTR_DROPOUT_SEED] =
        memory({one, memory::data_type::s32, memory::format_tag::a}, engine_, &seed_value_);
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  memory::desc desc_;
  memory x_, y_;
  float probability_value_ = 0.0F;
  std::int32_t seed_value_ = 0;
  std::unordered_map<int, memory> arguments_;
  dnnl::eltwise_forward primitive_;
};

Implementation make_case(Operation operation, dnnl::algorithm algorithm, const Problem& problem) {
  const auto eltwise = std::make_shared<Eltwise>(algorithm, problem);
  return {operation, "oneDNN", [eltwise](const Arrays& arrays) { return (*eltwise)(arrays); }};
}

}  // namespace

void simdrop_bench_peer(simdrop::bench::Peer& peer) {
  const dnnl_version_t& version = *dnnl_version();
  peer.version = "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) +
                 "." + std::to_string(version.patch);
  peer.cases = [](const Problem& problem) -> std::vector<Implementation> {
    if (!problem.drops()) {
      return {make_case(Operation::relu, dnnl::algorithm::eltwise_relu, problem)};
    }
    return {make_case(Operation::forward, dnnl::algorithm::eltwise_linear, problem),
            make_case(Operation::relu_forward, dnnl::algorithm::eltwise_relu, problem)};
  };
}
