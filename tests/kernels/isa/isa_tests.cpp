// Each operation that vector.h lists, on each instruction set that the build and the CPU have.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "helpers/guarded_buffer.h"
#include "operation_tests.h"
#include "simdrop/isa.hpp"

namespace simdrop::detail {

MemoryEdges memory_edges;

}  // namespace simdrop::detail

namespace {

using simdrop::Isa;
using simdrop::detail::OperationTest;

std::span<const OperationTest> tests_of(Isa isa) {
  using namespace simdrop::detail;
  const auto span = [](const OperationTests& tests) { return std::span(tests.first, tests.count); };
#ifdef SIMDROP_HAVE_AVX2
  if (isa == Isa::avx2) return span(avx2::operation_tests);
#endif
#ifdef SIMDROP_HAVE_AVX512
  if (isa == Isa::avx512) return span(avx512::operation_tests);
#endif
#ifdef SIMDROP_HAVE_NEON
  if (isa == Isa::neon) return span(neon::operation_tests);
#endif
  if (isa == Isa::scalar) return span(scalar::operation_tests);
  return {};
}

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "inline VecF load(const float* p)" is "load(const float*)".
std::string signature(std::string_view prototype) {
  const std::size_t open = prototype.find('(');
  std::size_t name = open;
  while (name > 0 && in_name(prototype[name - 1])) --name;
  std::string result(prototype.substr(name, open + 1 - name));
  std::string_view rest = prototype.substr(open + 1, prototype.rfind(')') - open - 1);
  while (!trimmed(rest).empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view parameter = trimmed(rest.substr(0, comma));
    while (!parameter.empty() && in_name(parameter.back())) parameter.remove_suffix(1);
    result.append(result.back() == '(' ? "" : ", ").append(trimmed(parameter));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return result + ")";
}

struct Listed {
  std::set<std::string> of_all;      // instruction sets, scalar too
  std::set<std::string> of_vectors;  // alone
};

Listed operations_of_vector_h() {
  std::ifstream file(SIMDROP_TEST_VECTOR_H);
  REQUIRE(file);
  Listed listed;
  bool vectors = false;
  std::string line;
  while (std::getline(file, line)) {
    if (line == "#if !defined(SIMDROP_ISA_SCALAR)") vectors = true;
    if (!line.starts_with("inline ")) continue;
    std::string prototype = line;
    while (prototype.find(';') == std::string::npos && std::getline(file, line)) prototype += line;
    (vectors ? listed.of_vectors : listed.of_all).insert(signature(prototype));
  }
  // Structures, of which vector.h has the description alone.
  listed.of_vectors.insert({"CorrectionLanes", "MaskBits"});
  return listed;
}

std::set<std::string> without(std::set<std::string> names, const std::set<std::string>& others) {
  for (const std::string& name : others) names.erase(name);
  return names;
}

}  // namespace

TEST_SUITE("isa operations") {
  TEST_CASE("signatures") {
    CHECK(signature("inline VecF load(const float* p)") == "load(const float*)");
    CHECK(signature("inline std::uint32_t f(VecU64& a,   std::size_t n)") ==
          "f(VecU64&, std::size_t)");
    CHECK(signature("inline void stream_fence();") == "stream_fence()");
  }

  TEST_CASE("every operation of vector.h has a test on every instruction set") {
    const Listed listed = operations_of_vector_h();
    CHECK(listed.of_all.size() >= 26);
    CHECK(listed.of_vectors.size() >= 44);
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      if (!info.compiled) continue;
      CAPTURE(info.name);
      std::set<std::string> wanted = listed.of_all;
      if (info.isa != Isa::scalar)
        wanted.insert(listed.of_vectors.begin(), listed.of_vectors.end());
      std::set<std::string> tested;
      for (const OperationTest& test : tests_of(info.isa)) tested.insert(test.operation);
      for (const std::string& name : without(wanted, tested)) FAIL_CHECK("no test of ", name);
      for (const std::string& name : without(tested, wanted)) FAIL_CHECK("not listed: ", name);
    }
  }

  TEST_CASE("operations do what vector.h says") {
    constexpr std::size_t size = 1024;
    test::GuardedBytes first(size);
    test::GuardedBytes last(size);
    simdrop::detail::memory_edges = {first.place(size, test::Edge::start, 0),
                                     last.place(size, test::Edge::end, 0) + size};
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      if (!info.compiled || !info.supported) continue;
      for (const OperationTest& test : tests_of(info.isa)) {
        const char* failure = test.failure();
        INFO(info.name, ": ", test.operation);
        CHECK_MESSAGE(failure == nullptr, failure);
      }
    }
    CHECK(first.intact());
    CHECK(last.intact());
  }
}
