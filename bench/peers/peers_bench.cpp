// Compares simdrop's dropout with other libraries', in one run on one core: see README.md here.
#include <dlfcn.h>
#include <malloc.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <sstream>

#include "harness/timing_options.h"
#include "peers/check.h"
#include "peers/simdrop_cases.h"
#include "peers/workspace.h"
#include "simdrop/isa.hpp"
#include "simdrop/mask.hpp"

namespace {

using namespace simdrop::bench;

// Before anything starts threads: whatever a peer does, it does on one core.
void stay_on_this_core() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &here);
  if (sched_setaffinity(0, sizeof here, &here) != 0) std::puts("warning: not pinned to one core");
}

// Tensors that a peer allocates come from memory it has freed: fresh pages would cost it more.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

// Modules stay loaded until the program ends.
std::vector<Peer> load_peers() {
  std::vector<Peer> peers;
  std::stringstream paths(SIMDROP_PEER_MODULES);
  for (std::string path; std::getline(paths, path, ':');) {
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = module == nullptr ? nullptr : dlsym(module, "simdrop_bench_peer");
    if (symbol == nullptr) {
      std::printf("SKIPPED %s\n", dlerror());
      continue;
    }
    reinterpret_cast<void (*)(Peer&)>(symbol)(peers.emplace_back());
    std::printf("peer: %s\n", peers.back().version.c_str());
  }
  return peers;
}

// simdrop's cases and the peers', sorted by operation.
std::vector<Implementation> all_cases(const std::vector<Peer>& peers, const Problem& problem) {
  std::vector<Implementation> cases = own_cases(problem);
  for (const Peer& peer : peers) {
    try {
      for (Implementation& what : peer.cases(problem)) cases.push_back(std::move(what));
    } catch (const std::exception& error) {
      std::printf("SKIPPED %s: %s\n", peer.version.c_str(), error.what());
    }
  }
  std::stable_sort(
      cases.begin(), cases.end(),
      [](const Implementation& a, const Implementation& b) { return a.operation < b.operation; });
  return cases;
}

const char* name_of(const Implementation& what) {
  return operation_names[static_cast<std::size_t>(what.operation)];
}

// The cases that are right; says which are not, and counts them.
std::vector<Implementation> checked(std::vector<Implementation> cases, const Problem& problem,
                                    const Workspace& workspace, int& failures) {
  std::vector<Implementation> right;
  for (Implementation& what : cases) {
    std::string wrong;
    try {
      wrong = check(what, problem, workspace.arrays(0));
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    if (wrong.empty()) {
      right.push_back(std::move(what));
      continue;
    }
    ++failures;
    std::printf("FAILED CHECK %s, %s, %zu, %g: %s\n", name_of(what), what.who.c_str(), problem.n,
                problem.keep_prob, wrong.c_str());
  }
  return right;
}

std::vector<Case> timed(const std::vector<Implementation>& all, const Workspace& workspace) {
  std::vector<Case> cases;
  for (const Implementation& what : all) {
    cases.push_back(make_case(what.who, 1.0, [&what, &workspace](std::size_t turn) {
      what.run(workspace.arrays(turn));
    }));
  }
  return cases;
}

void print_table(const std::vector<Implementation>& cases, const std::vector<double>& seconds,
                 const Problem& problem) {
  std::map<Operation, double> yardsticks;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    if (cases[c].is_yardstick) yardsticks[cases[c].operation] = seconds[c];
  }
  // NaN where the yardstick failed its check.
  const auto ratio = [&](Operation yardstick, double case_seconds) {
    const auto found = yardsticks.find(yardstick);
    return found == yardsticks.end() ? std::nan("") : found->second / case_seconds;
  };
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const Implementation& what = cases[c];
    std::printf("%-22s %9zu ", name_of(what), problem.n);
    std::printf(problem.drops() ? "%5.2g" : "    -", problem.keep_prob);
    std::printf("  %-44s %9.3f %9.3f %9.3f\n", what.who.c_str(),
                static_cast<double>(problem.n) / seconds[c] * 1e-9,
                ratio(Operation::copy, seconds[c]), ratio(what.operation, seconds[c]));
  }
}

struct Options {
  std::vector<std::size_t> sizes{65536, 1048576};
  std::vector<double> keep_probs{1.0, 0.9, 0.5};
  bool large = false;
  Timing timing{.rounds = 11, .seconds = 8e-3};
};

std::vector<float> some_bias() {
  std::vector<float> bias(row_length);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i % 7) * 0.01F - 0.03F;
  return bias;
}

// Returns the number of failed checks.
int compare(const std::vector<Peer>& peers, const Options& options) {
  const std::vector<float> bias = some_bias();
  int failures = 0;
  std::printf("\n%-22s %9s %5s  %-44s %9s %9s %9s\n", "operation", "elements", "keep", "who",
              "G elem/s", "of memcpy", "of simdrop");
  for (const std::size_t n : options.sizes) {
    const Workspace workspace(n);
    std::vector<std::uint8_t> bits(simdrop::mask_bytes(n));
    for (const double keep_prob : options.keep_probs) {
      simdrop::bernoulli_mask({.keep_prob = keep_prob, .stream = {.seed = 3, .id = 4}}, n, bits);
      const Problem problem{n, keep_prob, bits, bias};
      const std::vector<Implementation> cases =
          checked(all_cases(peers, problem), problem, workspace, failures);
      print_table(cases, median_seconds(timed(cases, workspace), options.timing), problem);
      std::fflush(stdout);
    }
  }
  report_disturbance();
  return failures;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"simdrop's dropout beside other libraries', on one core"};
  app.add_option("--sizes", options.sizes, "Elements, multiples of 65536")->delimiter(',');
  app.add_flag("--large", options.large, "Adds 67108864 elements (1.5 GB of memory, minutes)");
  add_timing_options(app, options.timing);
  CLI11_PARSE(app, argc, argv);
  for (const std::size_t n : options.sizes) {
    if (n == 0 || n % 65536 != 0) {
      std::fprintf(stderr, "--sizes: %zu is not a multiple of 65536\n", n);
      return 2;
    }
  }
  if (options.large) options.sizes.push_back(67108864);

  stay_on_this_core();
  keep_freed_memory();
  std::printf("cpu: %s\nsimdrop: table %s, one thread\n", simdrop::cpu_name().c_str(),
              simdrop::isa_name(simdrop::active_isa()));
  const std::vector<Peer> peers = load_peers();
  return compare(peers, options) == 0 ? 0 : 1;
}
