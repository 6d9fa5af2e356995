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

#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

// The names of an enum's values, in their order: in files, messages and the program's options.
template <class Enum>
struct EnumNames;
template <>
struct EnumNames<Loss> {
  static constexpr const char* type = "Loss";
  static constexpr std::array values{"sigmoid_bce", "softmax_ce", "identity_mse"};
};
template <>
struct EnumNames<Init> {
  static constexpr const char* type = "Init";
  static constexpr std::array values{"he", "xavier"};
};
template <>
struct EnumNames<DropoutUnit> {
  static constexpr const char* type = "DropoutUnit";
  static constexpr std::array values{"element", "neuron"};
};
template <>
struct EnumNames<OptimizerKind> {
  static constexpr const char* type = "OptimizerKind";
  static constexpr std::array values{"sgd", "adam", "adamw"};
};

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires { EnumNames<T>::values; };

// value: in its range.
template <NamedEnum Enum>
constexpr const char* name_of(Enum value) {
  return EnumNames<Enum>::values[static_cast<std::size_t>(value)];
}

template <NamedEnum Enum>
constexpr std::optional<Enum> value_named(std::string_view name) {
  for (std::size_t i = 0; i < EnumNames<Enum>::values.size(); ++i) {
    if (name == EnumNames<Enum>::values[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// A field: its name, which is that of the C structure's member and the key in checkpoints, and its
// range. Where there is none, every value is allowed that the type allows: an enum those that have
// names, lists what config.cpp says.
template <class Config>
struct Field {
  const char* name;
  bool (*ok)(const Config&) = nullptr;
  const char* allowed = nullptr;  // the same in words
};

inline bool drops_neurons(const MlpConfig& c) {
  return c.dropout_unit == DropoutUnit::neuron;
}

// Optimisers compute in float: a value that float rounds out of its range would divide by 0.
inline bool is_fraction(double value) {
  return value >= 0.0 && static_cast<float>(value) < 1.0F;
}
inline bool is_finite(double value) {
  return std::isfinite(static_cast<float>(value));
}

// Each list calls visit(field, the field's member of each of `configs`), which are configurations,
// const or not, or structures whose members have the same names.

// What a network is: checkpoints hold it.
template <class Visit, class... Configs>
void visit_network_fields(Visit&& visit, Configs&... configs) {
  using C = MlpConfig;
  using F = Field<C>;
  visit(F{"widths"}, configs.widths...);
  visit(F{"keep_prob"}, configs.keep_prob...);
  visit(F{"input_keep_prob",
          [](const C& c) { return c.input_keep_prob >= 0.0 && c.input_keep_prob <= 1.0; },
          "0 <= keep_prob <= 1"},
        configs.input_keep_prob...);
  visit(F{"dropout_unit"}, configs.dropout_unit...);
  visit(F{"lazy_updates",
          [](const C& c) { return !c.lazy_updates || (drops_neurons(c) && c.dropout_group == 0); },
          "true only with DropoutUnit::neuron and dropout_group 0"},
        configs.lazy_updates...);
  visit(F{"dropout_group", [](const C& c) { return c.dropout_group == 0 || drops_neurons(c); },
          "0 without DropoutUnit::neuron"},
        configs.dropout_group...);
  visit(F{"loss"}, configs.loss...);
  visit(F{"init"}, configs.init...);
  visit(F{"seed"}, configs.seed...);
}

// How it is run: whoever loads a checkpoint says it anew.
template <class Visit, class... Configs>
void visit_run_fields(Visit&& visit, Configs&... configs) {
  using C = MlpConfig;
  using F = Field<C>;
  visit(F{"max_batch", [](const C& c) { return c.max_batch >= 1; }, ">= 1"}, configs.max_batch...);
  visit(F{"num_threads", [](const C& c) { return c.num_threads >= 0; }, ">= 0"},
        configs.num_threads...);
  visit(F{"executor"}, configs.executor...);
  visit(F{"record"}, configs.record...);
  visit(F{"keep_gradients"}, configs.keep_gradients...);
}

// Both.
template <class Visit, class... Configs>
void visit_mlp_fields(Visit&& visit, Configs&... configs) {
  visit_network_fields(visit, configs...);
  visit_run_fields(visit, configs...);
}

// Checkpoints hold all of them.
template <class Visit, class... Configs>
void visit_optimizer_fields(Visit&& visit, Configs&... configs) {
  using C = OptimizerConfig;
  using F = Field<C>;
  visit(F{"kind"}, configs.kind...);
  visit(F{"learning_rate",
          [](const C& c) { return c.learning_rate >= 0.0 && is_finite(c.learning_rate); },
          "finite and >= 0"},
        configs.learning_rate...);
  visit(F{"momentum", [](const C& c) { return is_fraction(c.momentum); }, "0 <= momentum < 1"},
        configs.momentum...);
  visit(F{"nesterov", [](const C& c) { return !c.nesterov || c.momentum > 0.0; },
          "true only with momentum > 0"},
        configs.nesterov...);
  visit(F{"weight_decay",
          [](const C& c) { return c.weight_decay >= 0.0 && is_finite(c.weight_decay); },
          "finite and >= 0"},
        configs.weight_decay...);
  visit(F{"beta1", [](const C& c) { return is_fraction(c.beta1); }, "0 <= beta1 < 1"},
        configs.beta1...);
  visit(F{"beta2", [](const C& c) { return is_fraction(c.beta2); }, "0 <= beta2 < 1"},
        configs.beta2...);
  visit(F{"epsilon",
          [](const C& c) { return static_cast<float>(c.epsilon) > 0.0F && is_finite(c.epsilon); },
          "finite and > 0, also when rounded to float"},
        configs.epsilon...);
  visit(F{"max_norm",
          [](const C& c) {
            return c.max_norm == 0.0 ||
                   (std::isfinite(c.max_norm) && static_cast<float>(c.max_norm) > 0.0F);
          },
          "0, or finite and > 0, also when rounded to float"},
        configs.max_norm...);
}

}  // namespace simdrop::detail
