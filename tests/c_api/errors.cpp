// Misuse of the C API's dropout kernels: a status, a message that names the argument, and nothing
// written.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "helpers/c_api.h"

namespace {

using c_api::expect_invalid;

constexpr std::int64_t too_large = std::numeric_limits<std::int64_t>::max();

// Every argument of the functions, 4 x 6 doubles, in one block of memory that must not change.
// A test spoils some of them.
struct Calls {
  std::vector<double> memory = std::vector<double>(160, 3.5);
  simdrop_dropout dropout = c_api::make_dropout(0.5);
  simdrop_exec exec = c_api::make_exec(1);
  const simdrop_dropout* dropout_pointer = &dropout;
  simdrop_dtype dtype = SIMDROP_F64;
  double keep_prob = 0.5;
  std::int64_t rows = 4, cols = 6, in_ld = 6, in2_ld = 6, out_ld = 6;
  double *in = at(0), *in2 = at(30), *bias = at(60), *out = at(70);
  std::uint8_t* mask = reinterpret_cast<std::uint8_t*>(at(100));

  double* at(std::size_t i) { return memory.data() + i; }

  simdrop_status forward(simdrop_error* e) {
    return simdrop_dropout_forward(dropout_pointer, dtype, rows, cols, in, in_ld, out, out_ld, mask,
                                   &exec, e);
  }
  simdrop_status backward(simdrop_error* e) {
    return simdrop_dropout_backward(dropout_pointer, dtype, rows, cols, in, in_ld, out, out_ld,
                                    &exec, e);
  }
  simdrop_status backward_from_mask(simdrop_error* e) {
    return simdrop_dropout_backward_from_mask(keep_prob, mask, dtype, rows, cols, in, in_ld, out,
                                              out_ld, &exec, e);
  }
  simdrop_status bias_relu(simdrop_error* e) {
    return simdrop_bias_relu_dropout_forward(dropout_pointer, dtype, rows, cols, in, in_ld, bias,
                                             out, out_ld, mask, &exec, e);
  }
  simdrop_status bias_relu_from_mask(simdrop_error* e) {
    return simdrop_bias_relu_dropout_forward_from_mask(keep_prob, mask, dtype, rows, cols, in,
                                                       in_ld, bias, out, out_ld, &exec, e);
  }
  simdrop_status residual(simdrop_error* e) {
    return simdrop_residual_dropout_forward(dropout_pointer, dtype, rows, cols, in, in_ld, in2,
                                            in2_ld, out, out_ld, mask, &exec, e);
  }
  simdrop_status residual_from_mask(simdrop_error* e) {
    return simdrop_residual_dropout_forward_from_mask(keep_prob, mask, dtype, rows, cols, in, in_ld,
                                                      in2, in2_ld, out, out_ld, &exec, e);
  }
  simdrop_status relu_backward(simdrop_error* e) {
    return simdrop_relu_dropout_backward(keep_prob, dtype, rows, cols, in, in_ld, in2, in2_ld, out,
                                         out_ld, &exec, e);
  }
};

using Function = simdrop_status (Calls::*)(simdrop_error*);
struct Named {
  Function call;
  std::string_view in, out;  // what messages call the first input and the output
  bool drawn, reads_mask, writes_mask, has_bias;
};
constexpr Named functions[] = {
    {&Calls::forward, "x", "y", true, false, true, false},
    {&Calls::backward, "dy", "dx", true, false, false, false},
    {&Calls::backward_from_mask, "dy", "dx", false, true, false, false},
    {&Calls::bias_relu, "x", "y", true, false, true, true},
    {&Calls::bias_relu_from_mask, "x", "y", false, true, false, true},
    {&Calls::relu_backward, "y", "dx", false, false, false, false},
    {&Calls::residual, "x", "y", true, false, true, false},
    {&Calls::residual_from_mask, "x", "y", false, true, false, false},
};

void refuses(const Named& f, std::string_view name, std::string_view value,
             const std::function<void(Calls&)>& spoil) {
  Calls calls;
  spoil(calls);
  expect_invalid(name, value, [&](simdrop_error* error) { return (calls.*f.call)(error); });
  CHECK(calls.memory == std::vector<double>(160, 3.5));
}

void accepts(const Named& f, const std::function<void(Calls&)>& change) {
  Calls calls;
  change(calls);
  simdrop_error error = SIMDROP_ERROR_INIT;
  (calls.*f.call)(&error);
  CHECK(std::string(error.message).empty());
}

std::string text(std::string_view name, std::string_view suffix) {
  return std::string(name) + std::string(suffix);
}

}  // namespace

TEST_SUITE("C API errors") {
  TEST_CASE("NULL where data is needed") {
    for (const Named& f : functions) {
      refuses(f, text(f.in, ".data"), "null", [](Calls& c) { c.in = nullptr; });
      refuses(f, text(f.out, ".data"), "null", [](Calls& c) { c.out = nullptr; });
      if (f.drawn) refuses(f, "dropout", "NULL", [](Calls& c) { c.dropout_pointer = nullptr; });
      if (f.reads_mask) refuses(f, "mask", "NULL", [](Calls& c) { c.mask = nullptr; });
    }
    refuses(functions[5], "dy.data", "null", [](Calls& c) { c.in2 = nullptr; });
    refuses(functions[6], "residual.data", "null", [](Calls& c) { c.in2 = nullptr; });
    refuses(functions[7], "residual.data", "null", [](Calls& c) { c.in2 = nullptr; });
  }

  TEST_CASE("negative sizes, and sizes that overflow") {
    for (const Named& f : functions) {
      refuses(f, "rows", "-1", [](Calls& c) { c.rows = -1; });
      refuses(f, "cols", "-3", [](Calls& c) { c.cols = -3; });
      refuses(f, text(f.in, "_ld"), "-6", [](Calls& c) { c.in_ld = -6; });
      refuses(f, text(f.out, "_ld"), "-6", [](Calls& c) { c.out_ld = -6; });
      refuses(f, text(f.in, ".rows"), "fits in memory", [](Calls& c) { c.rows = too_large; });
      refuses(f, text(f.in, ".rows"), "fits in memory",
              [](Calls& c) { c.rows = too_large / 48 + 1; });
      refuses(f, text(f.in, ".rows"), "fits in memory", [](Calls& c) {
        c.rows = 1;
        c.cols = too_large / 8 + 1;
      });
      refuses(f, text(f.in, ".rows"), "fits in memory",
              [](Calls& c) { c.rows = c.cols = c.in_ld = c.out_ld = std::int64_t{1} << 32; });
      refuses(f, text(f.in, ".rows"), "fits in memory", [](Calls& c) { c.in_ld = too_large / 16; });
      refuses(f, text(f.out, ".rows"), "fits in memory",
              [](Calls& c) { c.out_ld = too_large / 16; });
      refuses(f, text(f.in, ".ld"), "5", [](Calls& c) { c.in_ld = 5; });
      refuses(f, text(f.out, ".ld"), "5", [](Calls& c) { c.out_ld = 5; });
    }
    refuses(functions[5], "dy_ld", "-1", [](Calls& c) { c.in2_ld = -1; });
    refuses(functions[6], "residual_ld", "-1", [](Calls& c) { c.in2_ld = -1; });
    refuses(functions[7], "residual_ld", "-1", [](Calls& c) { c.in2_ld = -1; });
  }

  TEST_CASE("buffers that overlap and are not identical") {
    for (const Named& f : functions) {
      refuses(f, f.out, text("overlaps ", f.in), [](Calls& c) { c.out = c.in + 1; });
      refuses(f, f.out, text("overlaps ", f.in), [](Calls& c) { c.out = c.in + 23; });
      refuses(f, f.out, text("overlaps ", f.in), [](Calls& c) {
        c.out = c.in;
        c.out_ld = 7;
      });
      accepts(f, [](Calls& c) { c.out = c.in; });
      accepts(f, [](Calls& c) {  // end to end
        c.out = c.in + 24;
        c.in2 = c.at(130);
      });
      accepts(f, [](Calls& c) {  // other columns of the same rows
        c.out = c.in + 6;
        c.in_ld = c.out_ld = 12;
        c.in2 = c.at(130);
        c.bias = c.at(60);
      });
      if (f.has_bias) refuses(f, f.out, "bias", [](Calls& c) { c.bias = c.out + 20; });
      if (f.reads_mask || f.writes_mask) {
        refuses(f, "mask", "", [](Calls& c) { c.mask = reinterpret_cast<std::uint8_t*>(c.out); });
      }
      if (f.writes_mask) {
        refuses(f, "mask", text("overlaps ", f.in),
                [](Calls& c) { c.mask = reinterpret_cast<std::uint8_t*>(c.in + 1); });
      }
    }
    refuses(functions[3], "mask", "overlaps bias",
            [](Calls& c) { c.mask = reinterpret_cast<std::uint8_t*>(c.bias); });
    refuses(functions[5], "dx", "overlaps dy", [](Calls& c) { c.out = c.in2 + 1; });
    accepts(functions[5], [](Calls& c) { c.out = c.in2; });
    refuses(functions[6], "y", "overlaps residual", [](Calls& c) { c.out = c.in2 + 1; });
    accepts(functions[7], [](Calls& c) { c.out = c.in2; });
  }

  TEST_CASE("probabilities, enumerations and threads out of range") {
    for (const Named& f : functions) {
      for (const double bad : {-0.5, 1.25, std::numeric_limits<double>::quiet_NaN()}) {
        refuses(f, "keep_prob", "allowed: 0 <= keep_prob <= 1",
                [bad](Calls& c) { c.keep_prob = c.dropout.keep_prob = bad; });
      }
      for (const simdrop_dtype bad : {-1, 4, 5}) {
        refuses(f, "dtype", std::to_string(bad), [bad](Calls& c) { c.dtype = bad; });
      }
      refuses(f, "exec->stores", "3", [](Calls& c) { c.exec.stores = 3; });
      refuses(f, "exec->num_threads", "-1", [](Calls& c) { c.exec.num_threads = -1; });
      refuses(f, "exec->struct_size", "1", [](Calls& c) { c.exec.struct_size = 1; });
      if (!f.drawn) continue;
      refuses(f, "rule", "2", [](Calls& c) { c.dropout.rule = 2; });
      refuses(f, "rounds", "8", [](Calls& c) { c.dropout.rounds = 8; });
      refuses(f, "dropout->struct_size", "7", [](Calls& c) { c.dropout.struct_size = 7; });
    }
  }

  TEST_CASE("empty arrays need no memory, and one row no ld") {
    for (const Named& f : functions) {
      accepts(f, [](Calls& c) {
        c.rows = 0;
        c.in = c.in2 = c.out = nullptr;
        c.mask = nullptr;
      });
      accepts(f, [](Calls& c) {
        c.rows = 1;
        c.in_ld = c.in2_ld = c.out_ld = 0;
      });
    }
  }

  TEST_CASE("an executor that runs no task is told so") {
    const simdrop_executor lazy{sizeof(simdrop_executor), nullptr,
                                [](void*, size_t, void (*)(void*, size_t), void*) {}, 2, 0};
    auto exec = c_api::make_exec(2);
    exec.executor = &lazy;
    std::vector<std::uint8_t> mask(1 << 15);
    const simdrop_dropout dropout = c_api::make_dropout(0.5);
    c_api::expect_error(SIMDROP_INTERNAL, "", "", [&](simdrop_error* error) {
      return simdrop_bernoulli_mask(&dropout, 1 << 18, mask.data(), &exec, error);
    });
  }

  TEST_CASE("words and masks") {
    std::uint32_t word = 7;
    std::uint8_t bits = 7;
    const simdrop_dropout dropout = c_api::make_dropout(0.5);
    const auto fill = [&](std::uint32_t* words, std::int64_t n) {
      return
          [=](simdrop_error* e) { return simdrop_philox_fill(0, 0, 0, words, n, 10, nullptr, e); };
    };
    const auto draw = [&](std::uint8_t* mask, std::int64_t n) {
      return [=, &dropout](simdrop_error* e) {
        return simdrop_bernoulli_mask(&dropout, n, mask, nullptr, e);
      };
    };
    expect_invalid("words", "NULL", fill(nullptr, 1));
    expect_invalid("n is", "-1", fill(&word, -1));
    expect_invalid("words", "fits in memory", fill(&word, too_large / 2));
    expect_invalid("mask", "NULL", draw(nullptr, 1));
    expect_invalid("n is", "-1", draw(&bits, -1));
    CHECK(fill(nullptr, 0)(nullptr) == SIMDROP_OK);
    CHECK(draw(nullptr, 0)(nullptr) == SIMDROP_OK);
    CHECK(word == 7);
    CHECK(bits == 7);
  }
}

// Run on its own: it needs SIMDROP_FORCE_ISA to name what is not there.
TEST_SUITE("bad SIMDROP_FORCE_ISA of the C API" * doctest::skip()) {
  TEST_CASE("every kernel says so") {
    Calls calls;
    for (const Named& f : functions) {
      c_api::expect_error(SIMDROP_UNSUPPORTED, "SIMDROP_FORCE_ISA", "pentium",
                          [&](simdrop_error* error) { return (calls.*f.call)(error); });
    }
    CHECK(calls.memory == std::vector<double>(160, 3.5));
    const char* name = nullptr;
    c_api::expect_error(SIMDROP_UNSUPPORTED, "SIMDROP_FORCE_ISA", "pentium",
                        [&](simdrop_error* error) { return simdrop_active_isa(&name, error); });
    CHECK(name == nullptr);
  }
}
