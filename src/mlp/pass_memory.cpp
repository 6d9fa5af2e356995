#include "mlp/pass_memory.h"

#include <algorithm>

#include "threading/parallel.h"

namespace simdrop::detail {

// All at once, so that no later call allocates. Pages that are never written cost nothing.
PassMemory::PassMemory(const KernelTable& table, std::span<const std::size_t> widths,
                       std::size_t max_batch, Passes passes, const Threads& threads) {
  for (std::size_t l = 1; l < widths.size(); ++l) {
    const LinearShape shape{max_batch, widths[l - 1], widths[l]};
    panel_floats_ = std::max(panel_floats_, forward_panels<float>(table, shape));
    if (passes == Passes::both) {
      panel_floats_ = std::max(panel_floats_, backward_panels<float>(table, shape));
    }
    scratch_floats_ = std::max(scratch_floats_, product_scratch<float>(table, shape));
  }
  for (auto& buffer : panels_) buffer = make_buffer<float>(panel_floats_);
  allocate_scratch(largest_team(threads));
}

void PassMemory::allocate_scratch(std::size_t team) {
  scratch_ = make_buffer<float>(checked_product(scratch_floats_, team));
  team_ = team;
}

Threads PassMemory::reserve(const std::optional<Threads>& threads, const Threads& own) {
  if (threads.has_value()) check_threads(*threads);
  const Threads wanted = threads.value_or(own);
  const std::size_t team = largest_team(wanted);
  if (team > team_) allocate_scratch(team);
  return of_size(wanted, std::min(team_size(wanted), team_));
}

}  // namespace simdrop::detail
