// The list of instruction sets, the choice among them, and SIMDROP_FORCE_ISA.
#include <doctest/doctest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/dispatch.h"
#include "helpers/compare.h"
#include "simdrop/dropout.hpp"
#include "simdrop/isa.hpp"

namespace {

std::string message_of_active_isa() {
  try {
    (void)simdrop::active_isa();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_SUITE("isa") {
  TEST_CASE("isa_list, kernel_table and isa_name agree") {
    const auto list = simdrop::isa_list();
    REQUIRE(list.size() == 4);
    CHECK(list.data() == simdrop::isa_list().data());
    CHECK(list[0].isa == simdrop::Isa::scalar);
    CHECK(list[0].compiled);
    CHECK(list[0].supported);
    for (const simdrop::IsaInfo& info : list) {
      INFO("isa: ", info.name);
      CHECK(std::string_view(simdrop::isa_name(info.isa)) == info.name);
      const auto* table = simdrop::detail::kernel_table(info.isa);
      CHECK((table != nullptr) == (info.compiled && info.supported));
      if (table == nullptr) continue;
      CHECK(table->isa == info.isa);
      CHECK(std::string_view(table->name) == info.name);
    }
  }

  TEST_CASE("the build has the instruction sets that CMake lists") {
    const std::string_view listed = "," SIMDROP_TEST_ISAS ",";
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      INFO("isa: ", info.name);
      const bool wanted = contains(listed, std::string(1, ',').append(info.name).append(","));
      CHECK(info.compiled == (wanted || info.isa == simdrop::Isa::scalar));
    }
  }

  TEST_CASE("AVX-512 implies AVX2") {
    bool avx2 = false;
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      if (info.isa == simdrop::Isa::avx2) avx2 = info.supported;
      if (info.isa == simdrop::Isa::avx512 && info.supported) CHECK(avx2);
    }
  }

  TEST_CASE("active_isa is the forced one, or the last that is compiled and supported") {
    const char* forced = std::getenv("SIMDROP_FORCE_ISA");
    std::string_view want;
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      if (info.compiled && info.supported) want = info.name;
    }
    if (forced != nullptr && *forced != 0) want = forced;
    CHECK(std::string_view(simdrop::isa_name(simdrop::active_isa())) == want);
    CHECK(simdrop::detail::kernels().isa == simdrop::active_isa());
  }

  TEST_CASE("cpu_name is not empty") {
    CHECK_FALSE(simdrop::cpu_name().empty());
  }
}

// Run by CTest alone, with SIMDROP_FORCE_ISA set to something that this build must refuse.
TEST_SUITE("bad SIMDROP_FORCE_ISA" * doctest::skip()) {
  TEST_CASE("every kernel call throws, and writes nothing") {
    const char* forced = std::getenv("SIMDROP_FORCE_ISA");
    REQUIRE(forced != nullptr);
    for (int call = 0; call < 2; ++call) {
      const std::string message = message_of_active_isa();
      CAPTURE(message);
      CHECK(contains(message, "SIMDROP_FORCE_ISA"));
      CHECK(contains(message, forced));
      CHECK(contains(message, "scalar"));  // what is allowed
    }
    const std::vector<float> x(100, 1.0F);
    std::vector<float> y(100, 7.0F);
    CHECK_THROWS_AS(simdrop::dropout_forward({.keep_prob = 0.5}, std::span(x), std::span(y)),
                    std::runtime_error);
    CHECK(y == std::vector<float>(100, 7.0F));
    CHECK(simdrop::isa_list().size() == 4);
  }
}
