// The cases that measure simdrop's kernels, with what each must do at least.
#include <array>
#include <cstdio>
#include <span>

#include "dispatch/dispatch.h"
#include "limits/limits_cases.h"
#include "mask/mask_source.h"
#include "simdrop/dropout.hpp"

namespace simdrop::bench {
namespace {

using detail::KernelTable;
using detail::MaskSource;
using detail::Shape2D;

constexpr std::array<std::size_t, 2> kernel_sizes{65536, 67108864};
constexpr std::array<double, 8> keep_probs{.999, .9, .8, .75, .7, .5, .25, .1};
constexpr std::size_t layer_width = 1024;  // bias kernels see a batch of rows this wide
constexpr double mask_bytes_per_element = 1.0 / 8.0;

// What the bodies below take; the bias is the start of arrays.z().
struct Call {
  const KernelTable& table;
  const Arrays& arrays;
  std::size_t n;
  double keep_prob;
  bool streaming;
};
using Body = std::function<void(std::size_t turn)>;  // how many calls came before

MaskSource mask_source(double keep_prob) {
  return detail::make_mask_source({.keep_prob = keep_prob, .stream = {2026, 1}});
}

Shape2D one_row(const Call& call) {
  return {1, call.n, call.n, call.n, call.streaming};
}

// fn(source), whose mask stream moves on with every call.
template <class Fn>
Body drawing(const Call& call, Fn fn) {
  return [source = mask_source(call.keep_prob), n = call.n, fn](std::size_t turn) mutable {
    source.first = turn * n;
    fn(source);
  };
}

template <int Rounds>
Body philox_fill(const Call& call) {
  return [call](std::size_t turn) {
    auto* words = reinterpret_cast<std::uint32_t*>(call.arrays.y());
    call.table.philox_fill(2026, 1, turn * (call.n / 4), 0, Rounds, words, call.n);
  };
}

Body bernoulli_mask(const Call& call) {
  return drawing(call, [call](const MaskSource& source) {
    call.table.bernoulli_mask(source, call.n, call.arrays.bits());
  });
}

template <bool StoreMask>
Body dropout(const Call& call) {
  const float scale = detail::dropout_scale(call.keep_prob);
  return drawing(call, [call, scale](const MaskSource& source) {
    call.table.f32.dropout(source, scale, one_row(call), call.arrays.x(), call.arrays.y(),
                           StoreMask ? call.arrays.bits() : nullptr);
  });
}

Body bias_relu_dropout(const Call& call) {
  const float scale = detail::dropout_scale(call.keep_prob);
  const Shape2D shape{call.n / layer_width, layer_width, layer_width, layer_width, call.streaming};
  return drawing(call, [call, scale, shape](const MaskSource& source) {
    call.table.f32.bias_relu_dropout(source, scale, shape, call.arrays.x(), call.arrays.z(),
                                     call.arrays.y(), nullptr);
  });
}

Body dropout_backward(const Call& call) {
  MaskSource source = mask_source(.5);
  source.bits_in = call.arrays.bits();
  return [call, source](std::size_t) {
    call.table.f32.dropout(source, 2.0F, one_row(call), call.arrays.x(), call.arrays.y(), nullptr);
  };
}

Body relu_dropout_backward(const Call& call) {
  return [call](std::size_t) {
    call.table.f32.relu_dropout_backward(2.0F, one_row(call), call.arrays.x(), call.arrays.z(),
                                         call.n, call.arrays.y());
  };
}

struct Kernel {
  const char* name;
  Body (*body)(const Call&);
  bool drops;  // measured at every keep_prob, which gives work.random_bits
  Work work;
};

const std::array<Kernel, 8> kernels{{
    {"philox_fill",
     philox_fill<10>,
     false,
     {.random_bits = 32, .stores_words = true, .bytes = 4, .traffic = Traffic::write}},
    {"philox_fill_7",
     philox_fill<7>,
     false,
     {.random_bits = 32, .stores_words = true, .rounds = 7, .bytes = 4, .traffic = Traffic::write}},
    {"bernoulli_mask",
     bernoulli_mask,
     true,
     {.bytes = mask_bytes_per_element, .traffic = Traffic::write}},
    {"dropout_forward", dropout<false>, true, {.bytes = 8}},
    {"dropout_forward_mask", dropout<true>, true, {.bytes = 8 + mask_bytes_per_element}},
    {"bias_relu_dropout_forward", bias_relu_dropout, true, {.bytes = 8}},
    {"dropout_backward", dropout_backward, false, {.bytes = 8 + mask_bytes_per_element}},
    {"relu_dropout_backward",
     relu_dropout_backward,
     false,
     {.bytes = 12, .traffic = Traffic::read_two}},
}};

KernelCase kernel_case(const Kernel& kernel, const IsaLimits& limits, const Call& call) {
  KernelCase c{kernel.name, &limits, call.n, "-", kernel.work, {}};
  if (call.streaming) c.kernel += "_stream";
  std::string name = case_name(c.kernel, limits.name, call.n);
  if (kernel.drops) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%g", call.keep_prob);
    c.keep_prob = text.data();
    name += "/" + c.keep_prob;
    c.work.random_bits = random_bits_per_element(call.keep_prob);
  }
  c.timed = make_case(std::move(name), static_cast<double>(call.n), kernel.body(call));
  return c;
}

}  // namespace

std::string threaded_name(double keep_prob) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "dropout_forwardx2/%g", keep_prob);
  return text.data();
}

std::vector<Case> threaded_cases(const Arrays& arrays, std::size_t max_floats) {
  std::vector<Case> cases;
  constexpr std::size_t n = array_sizes.back();
  if (n > max_floats) return cases;
  for (const double keep_prob : threaded_keep_probs) {
    const auto run = [&arrays, keep_prob](std::size_t) {
      const Dropout dropout{.keep_prob = keep_prob, .stream = {2026, 1}};
      dropout_forward(dropout, std::span<const float>(arrays.x(), n),
                      std::span<float>(arrays.y(), n), {}, 2);
    };
    cases.push_back(
        make_case(threaded_name(keep_prob), 2.0 * static_cast<double>(n * sizeof(float)), run));
  }
  return cases;
}

std::vector<KernelCase> kernel_cases(const Arrays& arrays, std::size_t max_floats,
                                     const std::string& filter) {
  std::vector<KernelCase> cases;
  const auto add = [&](const Kernel& kernel, const IsaLimits& limits, const Call& call) {
    KernelCase c = kernel_case(kernel, limits, call);
    if (c.timed.name.find(filter) != std::string::npos) cases.push_back(std::move(c));
  };
  const auto add_all = [&](const Kernel& kernel, std::size_t n, bool streaming) {
    for (const IsaLimits* limits : supported_limits()) {
      const KernelTable& table = *detail::kernel_table(limits->isa);
      if (!kernel.drops) add(kernel, *limits, {table, arrays, n, 0.0, streaming});
      if (!kernel.drops) continue;
      for (const double keep_prob : keep_probs) {
        add(kernel, *limits, {table, arrays, n, keep_prob, streaming});
      }
    }
  };
  for (const std::size_t n : kernel_sizes) {
    if (n > max_floats) continue;
    for (const Kernel& kernel : kernels) {
      add_all(kernel, n, false);
      // Streaming is for what does not fit into the caches.
      if (kernel.work.traffic != Traffic::write && n == kernel_sizes.back())
        add_all(kernel, n, true);
    }
  }
  return cases;
}

}  // namespace simdrop::bench
