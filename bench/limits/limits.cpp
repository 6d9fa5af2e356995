// What one core of this machine can do, and every kernel as a fraction of its
// roofline: the time that its random bits take at the rate of Philox's own mix
// of instructions, or that its bytes take at the rate of the best copy of as
// many, whichever is longer. All of it from one run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "harness/timing_options.h"
#include "limits/limits_cases.h"

namespace {

using namespace simdrop::bench;

void print_machine(const Rates& rates) {
  std::printf("cpu: %s\ninstruction sets:", simdrop::cpu_name().c_str());
  for (const IsaLimits* limits : supported_limits()) std::printf(" %s", limits->name);
  std::printf("\nclock: %.2f GHz (dependent additions)\n", rates["clock"] / 1e9);
}

void print_operations(const Rates& rates) {
  const double clock = rates["clock"];
  std::printf("\noperations on one core   isa      G vectors/s  per clock\n");
  for (const IsaLimits* limits : supported_limits()) {
    for (const char* name : {"mul_low32", "shift_right32", "xor", "xor3"}) {
      const double rate = rates[case_name(name, limits->name)];
      std::printf("%-24s %-8s %11.2f %10.2f\n", name, limits->name, rate / 1e9, rate / clock);
    }
    const double mix = rates[case_name("half_rounds", limits->name)] * limits->ops_per_half_round;
    std::printf("%-24s %-8s %11.2f %10.2f\n", "Philox mix", limits->name, mix / 1e9, mix / clock);
  }
  std::printf("\nPhilox limit, GB/s       isa      10 rounds   7 rounds\n");
  for (const IsaLimits* limits : supported_limits()) {
    const double mix = rates[case_name("half_rounds", limits->name)];
    const auto lanes = static_cast<double>(limits->lanes_u64);
    std::printf("%-24s %-8s %9.2f %10.2f\n", "mix alone", limits->name,
                random_bits_per_second(mix, lanes, 10) / 8e9,
                random_bits_per_second(mix, lanes, 7) / 8e9);
    std::printf("%-24s %-8s %9.2f %10.2f\n", "mix, packed, stored", limits->name,
                rates[case_name("words10", limits->name)] * 4e-9,
                rates[case_name("words7", limits->name)] * 4e-9);
  }
}

void print_memory_row(const Rates& rates, const char* name, const char* isa) {
  std::printf("%-24s %-8s", name, isa);
  for (const std::size_t n : array_sizes) {
    const double rate = rates[case_name(name, isa, n)];
    rate > 0.0 ? std::printf(" %9.1f", rate / 1e9) : std::printf(" %9s", "-");
  }
  const double both = rates[case_name(std::string(name) + "x2", isa, array_sizes.back())];
  if (both > 0.0) std::printf(" %12.1f", both / 1e9);
  std::printf("\n");
}

void print_memory(const Rates& rates) {
  std::printf("\nGB/s read and written    isa   ");
  for (const std::size_t n : array_sizes) std::printf(" %6zu KiB", n * sizeof(float) / 1024);
  std::printf("    2 threads\n");
  print_memory_row(rates, "memcpy", "libc");
  for (const IsaLimits* limits : supported_limits()) {
    for (const char* name :
         {"load", "store", "copy", "read_two", "stream_store", "stream_copy", "stream_read_two"}) {
      print_memory_row(rates, name, limits->name);
    }
  }
}

void print_threads(const Rates& rates) {
  const double both = rates[case_name("memcpyx2", "libc", array_sizes.back())];
  if (both == 0.0) return;
  std::printf("\ntwo threads, %zu KiB        G elem/s  of memcpy\n",
              array_sizes.back() * sizeof(float) / 1024);
  for (const double keep_prob : threaded_keep_probs) {
    const double rate = rates[threaded_name(keep_prob)];
    std::printf("dropout_forward, keep %-8g %8.3f %10.2f\n", keep_prob, rate / 8e9, rate / both);
  }
}

// Bytes per second of the best loop for a kernel's traffic, on its instruction
// set or a lesser one.
double best_traffic(const Rates& rates, const KernelCase& c) {
  static const std::map<Traffic, std::vector<const char*>> loops{
      {Traffic::write, {"store", "stream_store"}},
      {Traffic::copy, {"copy", "stream_copy"}},
      {Traffic::read_two, {"read_two", "stream_read_two"}}};
  double best =
      c.work.traffic == Traffic::copy ? rates[case_name("memcpy", "libc", c.elements)] : 0.0;
  for (const IsaLimits* limits : supported_limits()) {
    for (const char* loop : loops.at(c.work.traffic)) {
      best = std::max(best, rates[case_name(loop, limits->name, c.elements)]);
    }
    if (limits == c.limits) break;
  }
  return best;
}

double bits_limit(const Rates& rates, const KernelCase& c) {
  if (c.work.stores_words) {
    return rates[case_name(c.work.rounds == 7 ? "words7" : "words10", c.limits->name)] * 32.0;
  }
  return random_bits_per_second(rates[case_name("half_rounds", c.limits->name)],
                                static_cast<double>(c.limits->lanes_u64), c.work.rounds);
}

void print_kernels(const Rates& rates, const std::vector<KernelCase>& cases) {
  std::printf("\n%-33s %-7s %9s %5s %9s %9s %-8s %9s\n", "kernel", "isa", "elements", "keep",
              "G elem/s", "roofline", "bound by", "fraction");
  for (const KernelCase& c : cases) {
    const double rate = rates[c.timed.name];
    const Roofline roof = roofline(c.work, bits_limit(rates, c), best_traffic(rates, c));
    std::printf("%-33s %-7s %9zu %5s %9.3f %9.3f %-8s %9.2f\n", c.kernel.c_str(), c.limits->name,
                c.elements, c.keep_prob.c_str(), rate / 1e9, roof.per_second / 1e9,
                roof.by_memory ? "memory" : "Philox", rate / roof.per_second);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What this machine can do, and each kernel as a fraction of that");
  std::string filter;
  Timing timing;
  bool quick = false;
  app.add_option("--filter", filter,
                 "only kernels whose kernel/isa/elements[/keep_prob] contains this");
  add_timing_options(app, timing);
  app.add_flag("--quick", quick, "short samples, no arrays of 256 MiB");
  CLI11_PARSE(app, argc, argv);
  if (quick) timing.seconds = std::min(timing.seconds, 0.002);
  const std::size_t max_floats = array_sizes[quick ? 2 : 3];

  const Arrays arrays(max_floats);
  const std::vector<KernelCase> kernels = kernel_cases(arrays, max_floats, filter);
  std::vector<Case> cases = limit_cases(arrays, max_floats);
  for (const KernelCase& kernel : kernels) cases.push_back(kernel.timed);
  for (Case& threaded : threaded_cases(arrays, max_floats)) cases.push_back(std::move(threaded));
  const Rates rates = measure(cases, timing);
  print_machine(rates);
  print_operations(rates);
  print_memory(rates);
  print_threads(rates);
  print_kernels(rates, kernels);
  report_disturbance();
  return 0;
}
