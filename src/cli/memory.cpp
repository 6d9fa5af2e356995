#include "cli/memory.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include "cli/terminal.h"
#include "cli/train_config.h"

#ifdef __linux__
#include <sys/sysinfo.h>
#endif

namespace simdrop::cli {
namespace {

double as_double(std::size_t n) {
  return static_cast<double>(n);
}

// Weights and what the optimiser keeps of each, and the activations of a batch.
double network_bytes(const std::vector<std::size_t>& widths, std::size_t batch, double states) {
  double weights = 0.0;
  double units = as_double(widths.front());
  for (std::size_t l = 1; l < widths.size(); ++l) {
    weights += as_double(widths[l - 1]) * as_double(widths[l]);
    units += as_double(widths[l]);
  }
  return sizeof(float) * (weights * (1.0 + states) + units * as_double(batch));
}

// Memory and swap space.
double machine_bytes() {
#ifdef __linux__
  struct sysinfo info {};
  if (sysinfo(&info) == 0) {
    return as_double(info.mem_unit) * (as_double(info.totalram) + as_double(info.totalswap));
  }
#endif
  return std::numeric_limits<double>::infinity();
}

}  // namespace

MemoryNeed memory_need(const TrainArguments& arguments) {
  const TrainerConfig config = make_config(arguments);
  const std::vector<std::size_t>& widths = config.network.widths;
  const std::size_t batch = config.network.max_batch;
  const bool sgd = config.optimizer.kind == OptimizerKind::sgd;
  const double states = !sgd ? 2.0 : config.optimizer.momentum > 0.0 ? 1.0 : 0.0;
  std::vector<std::string> texts;
  texts.reserve(widths.size());
  for (const std::size_t width : widths) texts.push_back(std::to_string(width));
  return {network_bytes(widths, batch, states), batch > std::ranges::max(widths)
                                                    ? "--batch " + std::to_string(batch)
                                                    : "--layers " + joined(texts, ",")};
}

MemoryNeed memory_need(const OverheadConfig& config) {
  const std::size_t width = std::ranges::max(config.widths);
  const std::size_t batch = std::ranges::max(config.batches);
  return {
      network_bytes({784, width, width, 10}, batch, 1.0),
      batch > width ? "--batches " + std::to_string(batch) : "--widths " + std::to_string(width)};
}

std::string out_of_memory_text(const MemoryNeed& need) {
  if (need.options.empty()) return "out of memory";
  return "out of memory: " + need.options + " asks for " + grouped(fixed(need.bytes, 0)) + " bytes";
}

void check_memory(const MemoryNeed& need) {
  const double most = machine_bytes();
  if (need.bytes <= most) return;
  throw std::runtime_error(out_of_memory_text(need) + "; this machine has " +
                           grouped(fixed(most, 0)));
}

}  // namespace simdrop::cli
