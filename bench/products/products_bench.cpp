// simdrop's matrix products beside other libraries': see bench/peers/README.md.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "harness/timing_options.h"
#include "probes/fma_peak.h"
#include "products/blas_probe.h"
#include "products/blas_process.h"
#include "products/simdrop_products.h"
#include "simdrop/isa.hpp"

namespace {

using namespace simdrop::bench;

// Runs the loop on so many threads at once; returns with the last.
void run_on(int threads, const FmaLoop& loop, std::size_t repeats) {
  std::vector<std::jthread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back([&] { loop.run(repeats); });
  loop.run(repeats);
}

// Some milliseconds of a core, beside which the start of a thread is little.
constexpr double peak_call_flops = 2e9;

struct Options {
  std::vector<std::string> shape_texts{"256x1024x1024", "128x784x1024", "64x256x256", "32x64x64"};
  std::vector<Shape> shapes{};
  std::vector<std::string> types{"f32", "f64"};
  std::vector<int> threads{1, 2};
  std::array<std::vector<std::string>, 3> paths{};
  bool probe = true;
  Timing timing{.rounds = 9, .seconds = 6e-3};
};

constexpr std::array<BlasChoice::Kind, 3> kinds{BlasChoice::Kind::openblas, BlasChoice::Kind::mkl,
                                                BlasChoice::Kind::aocl};

// The best way to run each library that is there, or just the first as the environment sets it.
std::vector<BlasChoice> choose(const Options& options) {
  const int threads = *std::max_element(options.threads.begin(), options.threads.end());
  if (options.probe) {
    std::printf("GFLOP/s, geometric mean over some products, %d threads:\n", threads);
  }
  std::vector<BlasChoice> chosen;
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const std::vector<BlasChoice> all = choices(kinds[k], options.paths[k]);
    if (options.probe) {
      const auto found = fastest(all, threads);
      if (found) chosen.push_back(*found);
    } else if (!all.empty()) {
      chosen.push_back({kinds[k], all.front().path});
    }
  }
  return chosen;
}

// Each in a process of its own, with its own settings.
std::vector<BlasProcess> start_peers(const Options& options) {
  // Else a pool spins on, beside the next rival, for longer than the pause between two.
  setenv("OPENBLAS_THREAD_TIMEOUT", "22", 0);  // 2^22 cycles
  setenv("KMP_BLOCKTIME", "2", 0);             // milliseconds
  std::vector<BlasProcess> peers;
  for (const BlasChoice& choice : choose(options)) {
    try {
      peers.emplace_back(choice);
      std::printf("peer: %s, %s\n", choice.describe().c_str(), peers.back().about().c_str());
    } catch (const std::runtime_error& error) {
      std::printf("SKIPPED %s: %s\n", choice.who().c_str(), error.what());
    }
  }
  return peers;
}

// Whether a result is right; says so if not.
bool right(const std::string& who, Product product, const std::string& wrong) {
  if (wrong.empty()) return true;
  std::printf("FAILED CHECK %s, %s: %s\n", who.c_str(),
              product_names[static_cast<std::size_t>(product)], wrong.c_str());
  return false;
}

void print_rate(double rate) {
  std::printf(rate > 0.0 ? " %7.1f |" : "       - |", rate);
}
void print_ratio(double ratio) {
  std::printf(ratio > 0.0 ? " %5.2f |" : "     - |", ratio);
}

// rates: GFLOP/s of simdrop, simdrop fused, the peers, the peak; 0 where there is none.
void print_row(const Row& row, const std::vector<double>& rates) {
  const double best_peer =
      rates.size() > 3 ? *std::max_element(rates.begin() + 2, rates.end() - 1) : 0.0;
  std::printf("| %s | %4zu, %4zu, %4zu | %-11s | %d |", row.type.c_str(), row.shape.batch,
              row.shape.in, row.shape.out, product_names[static_cast<std::size_t>(row.product)],
              row.threads);
  for (const double rate : rates) print_rate(rate);
  print_ratio(best_peer > 0.0 ? rates[0] / best_peer : 0.0);
  print_ratio(rates.back() > 0.0 ? rates[0] / rates.back() : 0.0);
  print_ratio(rates[0] > 0.0 ? rates[1] / rates[0] : 0.0);
  std::puts("");
  std::fflush(stdout);
}

void print_header(const std::vector<BlasProcess>& peers) {
  std::printf("\n| type | batch, in, out | product | threads | simdrop | fused |");
  for (const BlasProcess& peer : peers) std::printf(" %s |", peer.who().c_str());
  std::printf(" FMA peak | simdrop / best peer | simdrop / peak | fused / simdrop |\n|");
  for (std::size_t c = 0; c < 10 + peers.size(); ++c) std::printf(" --- |");
  std::puts("");
}

// What a row of the table times, in turn, and the column of each case.
struct Contest {
  std::vector<Case> cases{};
  std::vector<std::size_t> columns{};
  int failures = 0;

  void add(Case timed_case, std::size_t column) {
    cases.push_back(std::move(timed_case));
    columns.push_back(column);
  }
};

template <class T>
void add_simdrop(Contest& contest, const Pool<T>& pool, const Row& row) {
  for (const Rival<T>& rival : simdrop_rivals<T>(row.product, row.threads)) {
    if (!right(rival.who, row.product, check(rival, pool[0], row.product))) {
      ++contest.failures;
      continue;
    }
    contest.add(make_case(rival.who, row.shape.flops(),
                          [&pool, run = rival.run](std::size_t turn) { run(pool[turn]); }),
                rival.fused ? 1 : 0);
  }
}

void add_peers(Contest& contest, std::vector<BlasProcess>& peers, const Row& row) {
  for (std::size_t p = 0; p < peers.size(); ++p) {
    BlasProcess& peer = peers[p];
    if (!right(peer.who(), row.product, peer.prepare(row))) {
      ++contest.failures;
      continue;
    }
    contest.add({peer.who(),
                 row.shape.flops(),
                 {},
                 [&peer](std::size_t first, std::size_t count) { return peer.run(first, count); }},
                2 + p);
  }
}

void add_peak(Contest& contest, const FmaLoop& peak, const Row& row, std::size_t column) {
  if (peak.run == nullptr) return;
  const auto repeats = static_cast<std::size_t>(peak_call_flops / peak.flops);
  contest.add(make_case("FMA peak", peak.flops * static_cast<double>(repeats) * row.threads,
                        [&, repeats](std::size_t) { run_on(row.threads, peak, repeats); }),
              column);
}

// Times the rivals of a row and the peak in turn. Returns the number of failed checks.
template <class T>
int compare(std::vector<BlasProcess>& peers, const FmaLoop& peak, const Pool<T>& pool,
            const Row& row, Timing timing) {
  std::vector<double> rates(3 + peers.size(), 0.0);
  Contest contest;
  add_simdrop(contest, pool, row);
  add_peers(contest, peers, row);
  add_peak(contest, peak, row, rates.size() - 1);
  timing.pause_seconds = row.threads > 1 ? 4e-3 : 0.0;
  const std::vector<double> seconds = median_seconds(contest.cases, timing);
  for (std::size_t c = 0; c < seconds.size(); ++c) {
    rates[contest.columns[c]] = contest.cases[c].units / seconds[c] * 1e-9;
  }
  print_row(row, rates);
  return contest.failures;
}

template <class T>
int compare_type(std::vector<BlasProcess>& peers, const FmaLoop& peak, const Options& options,
                 const char* type) {
  int failures = 0;
  for (const Shape& shape : options.shapes) {
    const Pool<T> pool(shape);
    for (const Product product : products) {
      for (const int threads : options.threads) {
        failures += compare(peers, peak, pool, {type, shape, product, threads}, options.timing);
      }
    }
  }
  return failures;
}

std::string parse_shape(const std::string& text, std::vector<Shape>& shapes) {
  std::istringstream in(text);
  Shape shape{};
  char x1 = 0;
  char x2 = 0;
  if (!(in >> shape.batch >> x1 >> shape.in >> x2 >> shape.out) || x1 != 'x' || x2 != 'x' ||
      !in.eof() || shape.flops() == 0.0) {
    return "\"" + text + "\" is not BATCHxINxOUT";
  }
  shapes.push_back(shape);
  return "";
}

// Prints the table; returns the number of failed checks.
int compare_all(std::vector<BlasProcess>& peers, const Options& options) {
  const FmaLoops peak = fma_loops();
  print_header(peers);
  int failures = 0;
  for (const std::string& type : options.types) {
    failures += type == "f32" ? compare_type<float>(peers, peak.f32, options, "f32")
                              : compare_type<double>(peers, peak.f64, options, "f64");
  }
  report_disturbance();
  return failures;
}

// A virtual environment has what pip installs, and the linker knows what the system has.
std::vector<std::string> usual_paths(const char* soname) {
  const char* environment = std::getenv("VIRTUAL_ENV");
  std::vector<std::string> paths{environment != nullptr ? environment : "peers"};
  std::error_code error;
  if (!std::filesystem::is_directory(paths[0], error)) paths.clear();
  if (soname != nullptr) paths.emplace_back(soname);
  return paths;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.paths = {usual_paths("libopenblas.so.0"), usual_paths("libmkl_rt.so.3"),
                   usual_paths("libblis-mt.so.5")};
  CLI::App app{"simdrop's matrix products beside other libraries'"};
  app.add_option("--shapes", options.shape_texts, "BATCHxINxOUT,...")->delimiter(',');
  app.add_option("--types", options.types, "f32,f64")
      ->delimiter(',')
      ->check(CLI::IsMember({"f32", "f64"}));
  app.add_option("--threads", options.threads, "1,2,...")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  app.add_option("--openblas", options.paths[0], "Libraries, or folders to search")->delimiter(',');
  app.add_option("--mkl", options.paths[1], "Libraries, or folders to search")->delimiter(',');
  app.add_option("--aocl", options.paths[2], "Libraries, or folders to search")->delimiter(',');
  app.add_flag("!--no-probe", options.probe,
               "Take the first library of each kind, as the environment sets it");
  add_timing_options(app, options.timing);
  CLI11_PARSE(app, argc, argv);
  for (const std::string& text : options.shape_texts) {
    const std::string wrong = parse_shape(text, options.shapes);
    if (!wrong.empty()) {
      std::fprintf(stderr, "--shapes: %s\n", wrong.c_str());
      return 2;
    }
  }
  std::printf("cpu: %s\nsimdrop: table %s\n", simdrop::cpu_name().c_str(),
              simdrop::isa_name(simdrop::active_isa()));
  try {
    std::vector<BlasProcess> peers = start_peers(options);
    return compare_all(peers, options) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "products_bench: %s\n", error.what());
    return 1;
  }
}
