// The C API's common parts: errors, sizes of structures, versions, instruction sets, words, masks.
#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "helpers/c_api.h"
#include "simdrop/isa.hpp"
#include "simdrop/mask.hpp"

namespace {

using c_api::expect_invalid;
using c_api::make_dropout;

// A structure as a later version of the library could have it.
template <class S>
struct Longer {
  S known;
  std::array<unsigned char, 24> more;
};

template <class S>
void check_sizes(simdrop_status (*init)(S*, size_t, simdrop_error*)) {
  Longer<S> longer;
  std::memset(static_cast<void*>(&longer), 0xA5, sizeof(longer));
  REQUIRE(init(&longer.known, sizeof(longer), nullptr) == SIMDROP_OK);
  CHECK(longer.known.struct_size == sizeof(longer));
  CHECK(longer.more == std::array<unsigned char, 24>{});

  std::array<unsigned char, sizeof(S)> before;
  std::memset(static_cast<void*>(&longer), 0xA5, sizeof(longer));
  std::memcpy(before.data(), &longer.known, sizeof(S));
  expect_invalid("struct_size", std::to_string(sizeof(S) - 1),
                 [&](simdrop_error* error) { return init(&longer.known, sizeof(S) - 1, error); });
  CHECK(std::memcmp(&longer.known, before.data(), sizeof(S)) == 0);
  expect_invalid("NULL", "", [&](simdrop_error* error) { return init(nullptr, 99, error); });
}

}  // namespace

TEST_SUITE("C API") {
  TEST_CASE("versions") {
    const std::int32_t version = simdrop_version();
    const std::string text = std::to_string(version / 10000) + "." +
                             std::to_string(version / 100 % 100) + "." +
                             std::to_string(version % 100);
    CHECK(text == simdrop_version_string());
    CHECK(simdrop_abi_version() == SIMDROP_ABI_VERSION);
    CHECK(simdrop_mask_contract_version() == simdrop::mask_contract_version);
    CHECK((simdrop_has_openmp() == 0 || simdrop_has_openmp() == 1));
  }

  TEST_CASE("every status has a message of its own") {
    for (simdrop_status a = SIMDROP_OK; a <= SIMDROP_INTERNAL; ++a) {
      CHECK(std::string(simdrop_status_message(a)) != "unknown status");
      for (simdrop_status b = SIMDROP_OK; b < a; ++b) {
        CHECK(std::string(simdrop_status_message(a)) != simdrop_status_message(b));
      }
    }
    CHECK(std::string(simdrop_status_message(-1)) == "unknown status");
    CHECK(std::string(simdrop_status_message(SIMDROP_INTERNAL + 1)) == "unknown status");
  }

  TEST_CASE("instruction sets") {
    const auto list = simdrop::isa_list();
    REQUIRE(simdrop_isa_count() == static_cast<std::int32_t>(list.size()));
    for (std::int32_t i = 0; i < simdrop_isa_count(); ++i) {
      simdrop_isa_info info{sizeof(simdrop_isa_info), nullptr, -1, -1};
      REQUIRE(simdrop_isa_get(i, &info, nullptr) == SIMDROP_OK);
      const auto& want = list[static_cast<std::size_t>(i)];
      CHECK(std::string(info.name) == want.name);
      CHECK(info.compiled == static_cast<std::int32_t>(want.compiled));
      CHECK(info.supported == static_cast<std::int32_t>(want.supported));
    }
    simdrop_isa_info info{sizeof(simdrop_isa_info), nullptr, -1, -1};
    for (const std::int32_t index : {-1, simdrop_isa_count()}) {
      expect_invalid("index", std::to_string(index),
                     [&](simdrop_error* error) { return simdrop_isa_get(index, &info, error); });
    }
    CHECK(info.compiled == -1);
    const char* name = nullptr;
    REQUIRE(simdrop_active_isa(&name, nullptr) == SIMDROP_OK);
    CHECK(std::string(name) == simdrop::isa_name(simdrop::active_isa()));
  }

  TEST_CASE("the CPU's name, in a buffer that is large enough, and in none") {
    const std::string want = simdrop::cpu_name();
    std::int64_t length = -1;
    REQUIRE(simdrop_cpu_name(nullptr, 0, &length, nullptr) == SIMDROP_OK);
    REQUIRE(length == static_cast<std::int64_t>(want.size()));
    std::vector<char> buffer(want.size() + 1, 'x');
    expect_invalid("size", std::to_string(length), [&](simdrop_error* error) {
      return simdrop_cpu_name(buffer.data(), length, nullptr, error);
    });
    CHECK(buffer == std::vector<char>(want.size() + 1, 'x'));
    CHECK(simdrop_cpu_name(buffer.data(), length + 1, nullptr, nullptr) == SIMDROP_OK);
    CHECK(want == buffer.data());
  }

  TEST_CASE("an error is filled, cleared, cut, and left alone if it is too small") {
    simdrop_error error = SIMDROP_ERROR_INIT;
    std::uint32_t word = 7;
    CHECK(simdrop_philox_fill(0, 0, 0, &word, 1, 9, nullptr, &error) == SIMDROP_INVALID_ARGUMENT);
    CHECK(error.status == SIMDROP_INVALID_ARGUMENT);
    CHECK(std::string(error.message) == "simdrop: rounds is 9; allowed: 7 or 10");
    CHECK(word == 7);
    CHECK(simdrop_philox_fill(0, 0, 0, &word, 1, 10, nullptr, &error) == SIMDROP_OK);
    CHECK(error.status == SIMDROP_OK);
    CHECK(std::string(error.message).empty());

    error.struct_size = sizeof(error) - 1;
    CHECK(simdrop_philox_fill(0, 0, 0, &word, 1, 9, nullptr, &error) == SIMDROP_INVALID_ARGUMENT);
    CHECK(error.status == SIMDROP_OK);
    CHECK(std::string(error.message).empty());
  }

  TEST_CASE("errno stays as it was") {
    std::uint32_t word = 7;
    errno = 4321;
    CHECK(simdrop_philox_fill(0, 0, 0, &word, 1, 9, nullptr, nullptr) == SIMDROP_INVALID_ARGUMENT);
    CHECK(errno == 4321);
    CHECK(simdrop_philox_fill(0, 0, 0, &word, 1, 7, nullptr, nullptr) == SIMDROP_OK);
    CHECK(errno == 4321);
    errno = 0;
  }

  TEST_CASE("structures of programs that are newer, or mistaken") {
    check_sizes(simdrop_exec_init);
    check_sizes(simdrop_dropout_init);
    check_sizes(simdrop_mlp_config_init);
    check_sizes(simdrop_optimizer_config_init);
    check_sizes(simdrop_linear_forward_args_init);
    check_sizes(simdrop_mlp_save_args_init);

    Longer<simdrop_dropout> longer{make_dropout(0.5), {}};
    longer.known.struct_size = sizeof(longer);
    std::uint8_t known = 0, got = 0;
    REQUIRE(simdrop_bernoulli_mask(&longer.known, 8, &got, nullptr, nullptr) == SIMDROP_OK);
    const simdrop_dropout plain = make_dropout(0.5);
    REQUIRE(simdrop_bernoulli_mask(&plain, 8, &known, nullptr, nullptr) == SIMDROP_OK);
    CHECK(got == known);

    longer.more.back() = 1;
    got = 0xA5;
    expect_invalid("dropout->struct_size", std::to_string(sizeof(longer)),
                   [&](simdrop_error* error) {
                     return simdrop_bernoulli_mask(&longer.known, 8, &got, nullptr, error);
                   });
    longer.known.struct_size = 0;
    expect_invalid("dropout->struct_size", "0", [&](simdrop_error* error) {
      return simdrop_bernoulli_mask(&longer.known, 8, &got, nullptr, error);
    });
    CHECK(got == 0xA5);
  }

  TEST_CASE("words and masks are those of the C++ functions") {
    for (const std::int32_t rounds : {7, 10}) {
      std::vector<std::uint32_t> got(1000), want(1000);
      REQUIRE(simdrop_philox_fill(3, 4, 5, got.data(), 1000, rounds, nullptr, nullptr) ==
              SIMDROP_OK);
      simdrop::philox_fill({.seed = 3, .id = 4}, 5, want,
                           static_cast<simdrop::PhiloxRounds>(rounds));
      CHECK(got == want);
      for (const simdrop_mask_rule rule : {SIMDROP_RULE_DYADIC, SIMDROP_RULE_WORDS}) {
        auto dropout = make_dropout(0.7, 13);
        dropout.rule = rule;
        dropout.rounds = rounds;
        std::vector<std::uint8_t> mask(126), wanted(126);
        const simdrop_exec exec = c_api::make_exec(2);
        REQUIRE(simdrop_mask_bytes(1001) == 126);
        REQUIRE(simdrop_bernoulli_mask(&dropout, 1001, mask.data(), &exec, nullptr) == SIMDROP_OK);
        simdrop::bernoulli_mask(c_api::same_dropout(dropout), 1001, wanted);
        CHECK(mask == wanted);
      }
    }
    CHECK(simdrop_mask_bytes(0) == 0);
    CHECK(simdrop_mask_bytes(-1) == -1);
    CHECK(simdrop_mask_bytes(INT64_MAX) == INT64_MAX / 8 + 1);
  }
}
