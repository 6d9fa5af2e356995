// Rules for making mask bits from Philox words, measured side by side: the evidence for the one
// that the library froze as MaskRule::dyadic.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "experiments/mask_rules/mask_rules_cases.h"
#include "harness/timing.h"
#include "harness/timing_options.h"
#include "simdrop/isa.hpp"

namespace {

using namespace simdrop::bench;

const std::vector<double> keep_probs{.999, .9, .8, .75, .7, .5, .25, .1};
constexpr std::size_t call_elements = rule_unit;

// Neither dyadic nor close to it or to 1: what a rule gives whoever picks any probability.
bool counts_as_any(double keep_prob) {
  return keep_prob == .9 || keep_prob == .8 || keep_prob == .7 || keep_prob == .1;
}

std::string case_name(const RuleCase& c) {
  return c.rule + "/" + c.table->name + "/" + std::to_string(c.keep_prob);
}

// Every call goes on where the one before it ended.
Case timed(const RuleCase& c, std::vector<std::uint64_t>& bits) {
  return make_case(case_name(c), static_cast<double>(call_elements),
                   [&bits, draw = c.draw](std::size_t call) {
                     draw(call * call_elements, call_elements, bits.data());
                   });
}

// One line a rule, one column a keep_prob: value(case), or where the checks failed. The last column
// is of any p: pick(its values).
template <class Value, class Pick>
void print_table(const std::vector<RuleCase>& cases, const RuleTable& table, Value value,
                 Pick pick) {
  for (std::size_t i = 0; i < cases.size();) {
    const std::string& rule = cases[i].rule;
    std::printf("%-20s", rule.c_str());
    std::vector<double> any;
    bool failed = false;
    for (; i < cases.size() && cases[i].rule == rule; ++i) {
      if (cases[i].table != &table) continue;
      const RuleCase& c = cases[i];
      c.failure.empty() ? std::printf(" %7.2f", value(c)) : std::printf(" %7s", "FAILED");
      failed = failed || !c.failure.empty();
      if (counts_as_any(c.keep_prob)) any.push_back(value(c));
    }
    failed ? std::printf(" %7s\n", "-") : std::printf(" %7.2f\n", pick(any));
  }
}

void print_header(const std::string& title, const std::string& last) {
  std::printf("\n%-20s", title.c_str());
  for (const double keep_prob : keep_probs) std::printf(" %7g", keep_prob);
  std::printf(" %7s\n", last.c_str());
}

bool print_failures(const std::vector<RuleCase>& cases) {
  bool failed = false;
  for (const RuleCase& c : cases) {
    if (c.failure.empty()) continue;
    std::printf("FAILED CHECK %s: %s\n", case_name(c).c_str(), c.failure.c_str());
    failed = true;
  }
  return failed;
}

void print_rates(const std::vector<RuleCase>& cases, const std::vector<const RuleTable*>& tables,
                 const Rates& rates) {
  const auto smallest = [](const std::vector<double>& v) {
    return *std::min_element(v.begin(), v.end());
  };
  const auto largest = [](const std::vector<double>& v) {
    return *std::max_element(v.begin(), v.end());
  };
  for (const RuleTable* table : tables) {
    print_header(std::string("G elements/s, ") + table->name, "any p");
    print_table(
        cases, *table, [&](const RuleCase& c) { return rates[case_name(c)] / 1e9; }, smallest);
  }
  for (const RuleTable* table : tables) {
    print_header(std::string("bits drawn, ") + table->name, "any p");
    print_table(
        cases, *table, [](const RuleCase& c) { return c.bits_per_element; }, largest);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Rules for making mask bits, side by side");
  Timing timing{.rounds = 21, .seconds = 0.005};
  std::string isa;
  add_timing_options(app, timing);
  app.add_option("--isa", isa, "only this instruction set");
  CLI11_PARSE(app, argc, argv);

  const std::vector<const RuleTable*> tables = rule_tables(isa);
  if (tables.empty()) {
    std::fprintf(stderr, "no such instruction set here\n");
    return 1;
  }
  std::vector<RuleCase> cases = rule_cases(tables, keep_probs);
  check_cases(cases);
  std::vector<std::uint64_t> bits(call_elements / 64);
  std::vector<Case> to_time;
  for (const RuleCase& c : cases) {
    if (c.failure.empty()) to_time.push_back(timed(c, bits));
  }
  const Rates rates = measure(to_time, timing);

  std::printf("cpu: %s\n%zu elements a call; \"any p\": the worst of .9 .8 .7 .1\n",
              simdrop::cpu_name().c_str(), call_elements);
  const bool failed = print_failures(cases);
  print_rates(cases, tables, rates);
  report_disturbance();
  return failed ? 1 : 0;
}
