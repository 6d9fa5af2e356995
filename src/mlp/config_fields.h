// The fields of MlpConfig and of OptimizerConfig, each in one place and in the order of their
// declaration. What goes over a configuration field by field is written over these lists: its
// checks (config.cpp), the JSON of checkpoints, the C structures, what the program reports.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

#include "mask/mask_check.h"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

// Softmax of one output is always 1, and labels, which are bytes, name 256 classes at most.
constexpr bool suits_outputs(Loss loss, std::size_t outputs) noexcept {
  return loss != Loss::softmax_ce || (outputs >= 2 && outputs <= 256);
}
inline constexpr const char* softmax_outputs = "2 ... 256 with Loss::softmax_ce";

// The names of an enum's values, in their order: in files, messages and the program's options.
constexpr auto names_of(Loss) {
  return std::array{"sigmoid_bce", "softmax_ce", "identity_mse"};
}
constexpr auto names_of(Init) {
  return std::array{"he", "xavier"};
}
constexpr auto names_of(DropoutUnit) {
  return std::array{"element", "neuron"};
}
constexpr auto names_of(OptimizerKind) {
  return std::array{"sgd", "adam", "adamw"};
}

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) {
  names_of(value);
};

// value: in its range.
template <NamedEnum Enum>
constexpr const char* name_of(Enum value) {
  return names_of(value)[static_cast<std::size_t>(value)];
}

template <NamedEnum Enum>
constexpr std::optional<Enum> value_named(std::string_view name) {
  const auto names = names_of(Enum{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// A field. Its name is also that of the C structure's member, and its key in checkpoints.
template <class Config>
struct Field {
  const char* name;
  const char* allowed = nullptr;              // the range in words, or the type of an enum
  bool (*in_range)(const Config&) = nullptr;  // null: of an enum, of lists (config.cpp), or all
};

// Ranges of one field. Optimisers compute in float: a value that float rounds out of its range
// would divide by 0. (max_norm is used in double: it may be beyond the largest float.)
template <auto field>
bool not_negative(const auto& config) {
  return config.*field >= 0 && std::isfinite(static_cast<float>(config.*field));
}
template <auto field>
bool positive(const auto& config) {
  return static_cast<float>(config.*field) > 0.0F && not_negative<field>(config);
}
template <auto field>
bool fraction(const auto& config) {
  return config.*field >= 0.0 && static_cast<float>(config.*field) < 1.0F;
}

// Each list calls visit(field, its member of each of `c`), which are configurations, or structures
// whose members have the same names.

// What a network is: checkpoints hold it.
template <class Visit, class... Configs>
void visit_network_fields(Visit&& visit, Configs&... c) {
  using C = MlpConfig;
  using F = Field<C>;
  constexpr auto neuron = DropoutUnit::neuron;
  visit(F{"widths"}, c.widths...);
  visit(F{"keep_prob"}, c.keep_prob...);
  visit(F{"input_keep_prob", keep_prob_range,
          [](const C& m) { return is_keep_prob(m.input_keep_prob); }},
        c.input_keep_prob...);
  visit(F{"dropout_unit", "DropoutUnit"}, c.dropout_unit...);
  visit(F{"lazy_updates", "true only with DropoutUnit::neuron and dropout_group 0",
          [](const C& m) {
            return !m.lazy_updates || (m.dropout_unit == neuron && m.dropout_group == 0);
          }},
        c.lazy_updates...);
  visit(F{"dropout_group", "0 without DropoutUnit::neuron",
          [](const C& m) { return m.dropout_group == 0 || m.dropout_unit == neuron; }},
        c.dropout_group...);
  visit(F{"loss", "Loss"}, c.loss...);
  visit(F{"init", "Init"}, c.init...);
  visit(F{"seed"}, c.seed...);
}

// How it is run: whoever loads a checkpoint says it anew.
template <class Visit, class... Configs>
void visit_run_fields(Visit&& visit, Configs&... c) {
  using C = MlpConfig;
  using F = Field<C>;
  visit(F{"max_batch", ">= 1", [](const C& m) { return m.max_batch >= 1; }}, c.max_batch...);
  visit(F{"num_threads", ">= 0", [](const C& m) { return m.num_threads >= 0; }}, c.num_threads...);
  visit(F{"executor"}, c.executor...);
  visit(F{"record"}, c.record...);
  visit(F{"keep_gradients"}, c.keep_gradients...);
}

template <class Visit, class... Configs>
void visit_mlp_fields(Visit&& visit, Configs&... c) {
  visit_network_fields(visit, c...);
  visit_run_fields(visit, c...);
}

// Checkpoints hold all of them.
template <class Visit, class... Configs>
void visit_optimizer_fields(Visit&& visit, Configs&... c) {
  using C = OptimizerConfig;
  using F = Field<C>;
  visit(F{"kind", "OptimizerKind"}, c.kind...);
  visit(F{"learning_rate", "finite and >= 0, also when rounded to float",
          not_negative<&C::learning_rate>},
        c.learning_rate...);
  visit(F{"momentum", "0 <= momentum < 1, also when rounded to float", fraction<&C::momentum>},
        c.momentum...);
  visit(F{"nesterov", "true only with momentum > 0",
          [](const C& o) { return !o.nesterov || o.momentum > 0.0; }},
        c.nesterov...);
  visit(F{"weight_decay", "finite and >= 0, also when rounded to float",
          not_negative<&C::weight_decay>},
        c.weight_decay...);
  visit(F{"beta1", "0 <= beta1 < 1, also when rounded to float", fraction<&C::beta1>}, c.beta1...);
  visit(F{"beta2", "0 <= beta2 < 1, also when rounded to float", fraction<&C::beta2>}, c.beta2...);
  visit(F{"epsilon", "finite and > 0, also when rounded to float", positive<&C::epsilon>},
        c.epsilon...);
  visit(F{"max_norm", "0, or finite and so large that float does not round it to 0",
          [](const C& o) {
            return o.max_norm == 0.0 ||
                   (static_cast<float>(o.max_norm) > 0.0F && std::isfinite(o.max_norm));
          }},
        c.max_norm...);
}

}  // namespace simdrop::detail
