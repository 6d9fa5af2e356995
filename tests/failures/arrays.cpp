// The functions on arrays: what allocates is a workspace that grows, and the text of an error.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "failures/trial.h"
#include "helpers/pools.h"
#include "simdrop/simdrop.hpp"

namespace failures {
namespace {

using namespace simdrop;

constexpr std::size_t rows = 40, ins = 70, outs = 90;
constexpr Dropout half{.keep_prob = 0.5, .stream = {3, 4}};

template <class T>
struct Arrays {
  std::vector<T> x = std::vector<T>(rows * ins), w = std::vector<T>(outs * ins),
                 y = std::vector<T>(rows * outs), b = std::vector<T>(outs);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(mask_bytes(rows * outs));
  std::vector<std::uint32_t> words = std::vector<std::uint32_t>(1000);
  LinearWorkspace workspace;
  std::string text;
  Message message;

  Arrays() {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = number(i % 7);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = number(i % 5);
  }
  static T number(std::size_t n) {
    if constexpr (sizeof(T) == 2) {
      return {static_cast<std::uint16_t>(0x3c00 + n)};
    } else {
      return static_cast<T>(n);
    }
  }
  [[nodiscard]] MatrixView<const T> in() const { return {x.data(), rows, ins}; }
  [[nodiscard]] MatrixView<const T> weights() const { return {w.data(), outs, ins}; }
  MatrixView<T> out() { return {y.data(), rows, outs}; }
  MatrixView<T> other() { return {y.data(), rows, ins}; }
  [[nodiscard]] std::span<const T> bias() const { return {b.data(), ins}; }
};

template <class T>
Bytes look(Arrays<T>& a) {
  Bytes all;
  append(all, a.x);
  append(all, a.w);
  append(all, a.y);
  append(all, a.b);
  append(all, a.mask);
  append(all, a.words);
  append(all, a.text);
  append(all, std::string(a.message.text));
  return all;
}

template <class T, class Call>
void add(Trials& trials, const std::string& function, const std::string& what, Call call) {
  trials.push_back({"simdrop::" + function, what, [call] {
                      return every_allocation_fails(
                          [] { return std::make_unique<Arrays<T>>(); },
                          [&](Arrays<T>& a) { keep_error(a.message, [&] { call(a); }); }, look<T>);
                    }});
}

template <class T>
void add_elementwise(Trials& trials) {
  using A = Arrays<T>;
  const std::string what = std::to_string(sizeof(T)) + " bytes";
  const auto both = [&](const char* function, auto work, auto error) {
    add<T>(trials, function, what, work);
    add<T>(trials, function, what + ", an error", error);
  };
  both(
      "dropout_forward", [](A& a) { dropout_forward(half, a.in(), a.other()); },
      [](A& a) { dropout_forward(half, a.in(), a.out()); });
  both(
      "dropout_backward", [](A& a) { dropout_backward(half, a.in(), a.other()); },
      [](A& a) { dropout_backward(1.25, {}, a.in(), a.other()); });
  both(
      "residual_dropout_forward",
      [](A& a) { residual_dropout_forward(half, a.in(), a.in(), a.other()); },
      [](A& a) { residual_dropout_forward(half, a.in(), a.in(), a.other(), {}, -2); });
  both(
      "bias_relu_dropout_forward",
      [](A& a) { bias_relu_dropout_forward(half, a.in(), a.bias(), a.other()); },
      [](A& a) { bias_relu_dropout_forward(half, a.in(), a.bias().first(3), a.other()); });
  both(
      "relu_dropout_backward", [](A& a) { relu_dropout_backward(0.5, a.in(), a.in(), a.other()); },
      [](A& a) {
        relu_dropout_backward(0.5, a.in(), a.in(), a.other(), 1, static_cast<Stores>(9));
      });
}

template <class T>
void add_linear(Trials& trials) {
  using A = Arrays<T>;
  test::SerialExecutor* const executor = [] {
    static test::SerialExecutor three(3);
    return &three;
  }();
  for (const Threads& threads : {Threads(1), Threads(2), Threads(*executor)}) {
    const std::string what =
        std::to_string(sizeof(T)) + " bytes, threads " + std::to_string(threads.count);
    add<T>(trials, "linear_forward", what, [threads](A& a) {
      linear_forward(a.in(), a.weights(), {}, Activation::relu, half, a.out(), a.workspace, a.mask,
                     threads);
    });
    add<T>(trials, "linear_backward_input", what, [threads](A& a) {
      linear_backward_input(MatrixView<const T>(a.out()), a.weights(), {}, 1.0, a.other(),
                            a.workspace, threads);
    });
    add<T>(trials, "linear_backward_weights", what, [threads](A& a) {
      linear_backward_weights(MatrixView<const T>(a.in()), a.in(), 0.5, false,
                              MatrixView<T>(a.w.data(), ins, ins), {}, a.workspace, threads);
    });
  }
  // A workspace that holds something keeps it until there is more.
  add<T>(trials, "linear_forward", "a workspace that grows", [](A& a) {
    linear_forward(MatrixView<const T>(a.x.data(), 1, ins), a.weights(), {}, Activation::identity,
                   {}, MatrixView<T>(a.b.data(), 1, outs), a.workspace);
    std::fill(a.b.begin(), a.b.end(), T{});
    linear_forward(a.in(), a.weights(), {}, Activation::identity, {}, a.out(), a.workspace);
  });
  add<T>(trials, "linear_forward", "an error", [](A& a) {
    linear_forward(a.in(), a.weights(), {}, static_cast<Activation>(7), {}, a.out(), a.workspace);
  });
  add<T>(trials, "linear_backward_input", "an error", [](A& a) {
    linear_backward_input(MatrixView<const T>(a.in()), a.weights(), {}, 1.0, a.other(),
                          a.workspace);
  });
  add<T>(trials, "linear_backward_weights", "an error", [](A& a) {
    linear_backward_weights(MatrixView<const T>(a.in()), a.in(), 0.5, false, a.out(), {},
                            a.workspace);
  });
}

}  // namespace

Trials array_trials() {
  using A = Arrays<float>;
  Trials trials;
  add_elementwise<float>(trials);
  add_elementwise<double>(trials);
  add_elementwise<bfloat16>(trials);
  add_elementwise<float16>(trials);
  add_linear<float>(trials);
  add_linear<double>(trials);
  add<float>(trials, "bernoulli_mask", "masks",
             [](A& a) { bernoulli_mask(half, 8 * a.mask.size(), a.mask); });
  add<float>(trials, "bernoulli_mask", "an error",
             [](A& a) { bernoulli_mask(half, 9 * a.mask.size(), a.mask); });
  add<float>(trials, "ThreadPool::ThreadPool", "two threads", [](A& a) {
    ThreadPool pool(2);
    bernoulli_mask(half, 8 * a.mask.size(), a.mask, pool);
  });
  add<float>(trials, "ThreadPool::ThreadPool", "an error", [](A&) { const ThreadPool pool(-3); });
  add<float>(trials, "philox_fill", "words", [](A& a) { philox_fill({1, 2}, 3, a.words); });
  add<float>(trials, "philox_fill", "an error", [](A& a) {
    philox_fill({1, 2}, 3, a.words, static_cast<PhiloxRounds>(8));
  });
  add<float>(trials, "philox_fill", "tasks that are not run", [](A&) {
    test::FaultyExecutor none(test::Fault::none_run);
    static std::vector<std::uint32_t> many(1 << 20);
    philox_fill({1, 2}, 3, many, PhiloxRounds::ten, none);
  });
  add<float>(trials, "philox4x32", "a block", [](A& a) {
    a.words[0] = philox4x32({1, 2, 3, 4}, {5, 6})[0];
  });
  add<float>(trials, "cpu_name", "a name", [](A& a) { a.text = cpu_name(); });
  add<float>(trials, "active_isa", "once more",
             [](A& a) { a.words[0] = static_cast<std::uint32_t>(active_isa()); });
  add<float>(trials, "FileError::FileError", "a text",
             [](A&) { throw FileError("a path that is longer than a short string", "what"); });
  return trials;
}

}  // namespace failures
