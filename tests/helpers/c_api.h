// For tests of the C API: its element types, its defaults, and what an error looks like.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "simdrop/dropout.hpp"
#include "simdrop/simdrop.h"

namespace c_api {

template <class T>
constexpr simdrop_dtype dtype_of = std::is_same_v<T, float>               ? SIMDROP_F32
                                   : std::is_same_v<T, double>            ? SIMDROP_F64
                                   : std::is_same_v<T, simdrop::bfloat16> ? SIMDROP_BF16
                                                                          : SIMDROP_F16;

template <class S>
S made(simdrop_status (*init)(S*, size_t, simdrop_error*)) {
  S value;
  REQUIRE(init(&value, sizeof(S), nullptr) == SIMDROP_OK);
  return value;
}

inline simdrop_dropout make_dropout(double keep_prob, std::uint64_t first = 0) {
  auto dropout = made(simdrop_dropout_init);
  dropout.keep_prob = keep_prob;
  dropout.seed = 11;
  dropout.stream_id = 5;
  dropout.first = first;
  return dropout;
}

inline simdrop::Dropout same_dropout(const simdrop_dropout& d) {
  return {.keep_prob = d.keep_prob,
          .stream = {.seed = d.seed, .id = d.stream_id},
          .first = d.first,
          .rule = static_cast<simdrop::MaskRule>(d.rule),
          .rounds = static_cast<simdrop::PhiloxRounds>(d.rounds)};
}

inline simdrop_exec make_exec(std::int32_t num_threads,
                              simdrop_stores stores = SIMDROP_STORES_AUTOMATIC) {
  auto exec = made(simdrop_exec_init);
  exec.num_threads = num_threads;
  exec.stores = stores;
  return exec;
}

// call(error) must fail with `status` and a message that contains both texts.
template <class Call>
void expect_error(simdrop_status status, std::string_view name, std::string_view value, Call call) {
  simdrop_error error = SIMDROP_ERROR_INIT;
  const simdrop_status got = call(&error);
  const std::string message = error.message;
  INFO("message: ", message, ", expected: ", std::string(name), ", ", std::string(value));
  CHECK(got == status);
  CHECK(error.status == status);
  CHECK(message.starts_with("simdrop: "));
  CHECK(message.find(name) != std::string::npos);
  CHECK(message.find(value) != std::string::npos);
  CHECK(call(nullptr) == status);
}

template <class Call>
void expect_invalid(std::string_view name, std::string_view value, Call call) {
  expect_error(SIMDROP_INVALID_ARGUMENT, name, value, call);
}

}  // namespace c_api
