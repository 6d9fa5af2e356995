// Memory runs out at every allocation of every function of the library.
#include <doctest/doctest.h>

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "failures/trial.h"

namespace {

using failures::Trials;

Trials all_trials() {
  Trials all;
  for (const Trials& some :
       {failures::array_trials(), failures::optimizer_trials(), failures::network_trials(),
        failures::file_trials(), failures::c_trials()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void run(const Trials& trials) {
  REQUIRE(!trials.empty());
  for (const failures::Trial& trial : trials) {
    const std::string wrong = trial.run();
    CHECK_MESSAGE(wrong.empty(), trial.function, ", ", trial.what, ": ", wrong);
  }
}

// Destructors, moves, and what is noexcept or returns no status, and so has no way to fail.
const std::set<std::string> cannot_fail{"simdrop::Executor::~Executor",
                                        "simdrop::FileError::~FileError",
                                        "simdrop::LinearWorkspace::LinearWorkspace",
                                        "simdrop::LinearWorkspace::bytes",
                                        "simdrop::LinearWorkspace::operator=",
                                        "simdrop::LinearWorkspace::~LinearWorkspace",
                                        "simdrop::Mlp::config",
                                        "simdrop::Mlp::num_layers",
                                        "simdrop::Mlp::num_parameters",
                                        "simdrop::Mlp::workspace_bytes",
                                        "simdrop::Mlp::~Mlp",
                                        "simdrop::Predictor::~Predictor",
                                        "simdrop::ThreadPool::max_concurrency",
                                        "simdrop::ThreadPool::parallel_for",
                                        "simdrop::ThreadPool::~ThreadPool",
                                        "simdrop::isa_list",
                                        "simdrop::isa_name",
                                        "simdrop::openmp_executor",
                                        "simdrop_abi_version",
                                        "simdrop_has_openmp",
                                        "simdrop_isa_count",
                                        "simdrop_linear_workspace_bytes",
                                        "simdrop_linear_workspace_destroy",
                                        "simdrop_mask_bytes",
                                        "simdrop_mask_contract_version",
                                        "simdrop_mlp_destroy",
                                        "simdrop_mlp_num_parameters",
                                        "simdrop_mlp_workspace_bytes",
                                        "simdrop_optimizer_destroy",
                                        "simdrop_optimizer_step_count",
                                        "simdrop_predictor_destroy",
                                        "simdrop_thread_pool_destroy",
                                        "simdrop_status_message",
                                        "simdrop_version",
                                        "simdrop_version_string"};

// "simdrop::Mlp::clone" of an exported symbol; "" if it is no function.
std::string function_of(const std::string& symbol) {
  if (!symbol.starts_with("_Z")) return symbol;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  std::string name = status == 0 ? text.get() : symbol;
  if (name.starts_with("vtable ") || name.starts_with("typeinfo ")) return "";
  name.resize(std::min(name.find('('), name.find('[')));
  return name;
}

}  // namespace

TEST_CASE("failures: a trial sees a leak, a change, and a swallowed failure") {
  struct Subject {
    int value = 0;
    std::string text;
  };
  const auto make = [] { return std::make_unique<Subject>(); };
  const auto look = [](Subject& s) {
    failures::Bytes all;
    failures::append(all, std::vector{s.value});
    failures::append(all, s.text);
    return all;
  };
  const std::string longer(40, 'x');
  const auto right = [&](Subject& s) {
    std::string text = longer;
    text += longer;
    s.text.swap(text);
    s.value = 1;
  };
  CHECK(failures::every_allocation_fails(make, right, look).empty());
  const auto changed = [&](Subject& s) {
    s.value = 1;
    s.text = longer;
  };
  CHECK(failures::every_allocation_fails(make, changed, look).find("not as it was") !=
        std::string::npos);
  static std::vector<std::unique_ptr<int>> lost;  // so that a sanitizer finds nothing
  lost.reserve(100);
  const auto leaks = [&](Subject& s) {
    lost.push_back(std::make_unique<int>());
    s.text = longer;
    lost.pop_back();
  };
  const std::string leak = failures::every_allocation_fails(make, leaks, look);
  CHECK(leak.find("allocation 2: ") == 0);
  CHECK(leak.find("2 leaked") != std::string::npos);
  const auto swallows = [&](Subject& s) {
    try {
      s.text = longer;
    } catch (const std::bad_alloc&) {
      s.text = "cut";
    }
  };
  CHECK(!failures::every_allocation_fails(make, swallows, look).empty());
}

TEST_CASE("failures: functions on arrays") {
  run(failures::array_trials());
}
TEST_CASE("failures: optimizers") {
  run(failures::optimizer_trials());
}
TEST_CASE("failures: networks") {
  run(failures::network_trials());
}
TEST_CASE("failures: files") {
  run(failures::file_trials());
}
TEST_CASE("failures: the C interface") {
  run(failures::c_trials());
}

TEST_CASE("failures: every exported function has a trial, or no way to fail") {
  std::set<std::string> tried;
  for (const failures::Trial& trial : all_trials()) tried.insert(trial.function);
  std::ifstream list(SIMDROP_TEST_DATA "/exported_symbols.txt");
  std::size_t count = 0;
  for (std::string symbol; std::getline(list, symbol);) {
    const std::string function = function_of(symbol);
    if (function.empty()) continue;
    ++count;
    CHECK_MESSAGE((tried.contains(function) || cannot_fail.contains(function)), function);
  }
  CHECK(count > 100);
}
