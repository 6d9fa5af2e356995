#include "linear/products.h"

#include <algorithm>

#include "linear/blocking.h"

namespace simdrop::detail {
namespace {

template <class T>
const ProductKernels<T>& kernels_of(const KernelTable& table) noexcept {
  if constexpr (sizeof(T) == sizeof(float)) {
    return table.products_f32;
  } else {
    return table.products_f64;
  }
}

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

double multiply_adds(std::size_t m, std::size_t n, std::size_t k) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

// The rectangle of a grid that a member computes; nothing if the grid has no place for it.
struct Part {
  Range m{0, 0}, n{0, 0};
};

Part part_of(const TeamMember& member, std::size_t m, std::size_t m_tile, std::size_t n,
             std::size_t n_tile, std::size_t k) {
  if (member.size == 1) return {{0, m}, {0, n}};
  const std::size_t threads = useful_threads(member.size, multiply_adds(m, n, k));
  const Grid grid =
      choose_grid(round_up(m, m_tile) / m_tile, round_up(n, n_tile) / n_tile, threads);
  if (member.rank >= grid.m_parts * grid.n_parts) return {};
  return {share(m, m_tile, member.rank % grid.m_parts, grid.m_parts),
          share(n, n_tile, member.rank / grid.m_parts, grid.n_parts)};
}

// Which of `panels` panels, that have `elements` together, a member packs.
Range panels_of(const TeamMember& member, std::size_t panels, std::size_t elements) {
  if (member.size == 1) return {0, panels};
  const std::size_t threads = useful_threads(member.size, 8.0 * static_cast<double>(elements));
  if (member.rank >= threads) return {0, 0};
  return share(panels, 1, member.rank, threads);
}

// Activations that are used where they lie.
template <class T>
bool in_place(const BackwardInputCall<T>& call) {
  return fits_l1<T>(call.product.batch, call.ld_dy);
}
template <class T>
bool in_place(const BackwardWeightsCall<T>& call, std::size_t tile) {
  return call.product.ins % tile == 0 && fits_l1<T>(call.product.batch, call.ld_x);
}

}  // namespace

template <class T>
std::size_t forward_panels(const KernelTable& table, const LinearShape& shape) noexcept {
  return round_up(shape.batch, kernels_of<T>(table).nr) * shape.ins;
}

template <class T>
std::size_t backward_weights_offset(const LinearShape& shape) noexcept {
  return round_up(shape.batch * shape.outs, 64 / sizeof(T));
}

template <class T>
std::size_t backward_panels(const KernelTable& table, const LinearShape& shape) noexcept {
  return backward_weights_offset<T>(shape) +
         round_up(shape.ins, kernels_of<T>(table).nr) * shape.batch;
}

template <class T>
std::size_t product_scratch(const KernelTable& table, const LinearShape& shape) noexcept {
  const auto& kernels = kernels_of<T>(table);
  const std::size_t rows = std::min(round_up(shape.batch, kernels.nr),
                                    std::max<std::size_t>(max_block_rows, kernels.nr));
  return kernels.scratch_size(rows, std::max(shape.ins, shape.outs), shape.batch);
}

template <class T>
void pack(const KernelTable& table, const TeamMember& member, const ForwardCall<T>& call,
          const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const std::size_t k = call.product.k;
  const std::size_t batch = call.product.batch;
  const std::size_t nr = kernels.nr;
  const Range mine = panels_of(member, round_up(batch, nr) / nr, batch * k);
  for (std::size_t row = mine.begin * nr; row < std::min(batch, mine.end * nr); row += nr) {
    kernels.pack_rows(std::min(nr, batch - row), k, call.x + row * call.ld_x, call.ld_x, nr,
                      buffers.panels + row * k);
  }
}

template <class T>
void multiply(const KernelTable& table, const TeamMember& member, const ForwardCall<T>& call,
              const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const ForwardProduct<T>& whole = call.product;
  const Part part = part_of(member, whole.outs, kernels.vector, whole.batch, kernels.nr, whole.k);
  if (part.m.empty()) return;
  const std::size_t block = block_rows(part.n.end - part.n.begin, whole.k, sizeof(T), kernels.nr);
  ForwardProduct<T> p = whole;
  p.outs = part.m.end - part.m.begin;
  if (whole.rows != nullptr) {
    p.rows = whole.rows + part.m.begin;
  } else {
    p.w = whole.w + part.m.begin * whole.ld_w;
  }
  if (whole.bias != nullptr) p.bias = whole.bias + part.m.begin;
  p.scratch = buffers.scratch + member.rank * buffers.scratch_stride;
  for (std::size_t row = part.n.begin; row < part.n.end; row += block) {
    p.batch = std::min(block, part.n.end - row);
    p.x = buffers.panels + row * whole.k;
    p.first_bit = whole.first_bit + row * whole.bits_per_row + part.m.begin;
    p.y = whole.y + row * whole.ld_y + part.m.begin;
    if (whole.z != nullptr) p.z = whole.z + row * whole.ld_z + part.m.begin;
    // The first rows of the batch store the kept weights for all.
    const bool stores = whole.kept_w != nullptr && row == 0;
    p.kept_w = stores ? whole.kept_w + part.m.begin * whole.ld_kept_w : nullptr;
    kernels.forward(p);
  }
}

// The batch is packed by blocks, each in panels of nearly equal height.
template <class T>
void pack(const KernelTable& table, const TeamMember& member, const BackwardInputCall<T>& call,
          const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const BackwardInputProduct<T>& p = call.product;
  if (in_place(call)) return;
  const std::size_t block = block_rows(p.batch, p.k, sizeof(T), 1);
  for (std::size_t row = 0; row < p.batch; row += block) {
    const EvenSplit tiles(std::min(block, p.batch - row), kernels.mr);
    const Range mine = panels_of(member, tiles.count, tiles.rows * p.k);
    for (std::size_t t = mine.begin; t < mine.end; ++t) {
      const std::size_t first = row + tiles.begin(t);
      kernels.pack_rows(tiles.size(t), p.k, call.dy + first * call.ld_dy, call.ld_dy, tiles.size(t),
                        buffers.panels + first * p.k);
    }
  }
}

template <class T>
void multiply(const KernelTable& table, const TeamMember& member, const BackwardInputCall<T>& call,
              const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const BackwardInputProduct<T>& whole = call.product;
  const std::size_t block = block_rows(whole.batch, whole.k, sizeof(T), 1);
  const Part part = part_of(member, whole.ins, kernels.nr, whole.batch, block, whole.k);
  BackwardInputProduct<T> p = whole;
  p.ins = part.m.end - part.m.begin;
  p.w = whole.w + part.m.begin;
  p.scratch = buffers.scratch + member.rank * buffers.scratch_stride;
  for (std::size_t row = part.n.begin; row < part.n.end; row += block) {
    p.batch = std::min(block, part.n.end - row);
    p.dy = in_place(call) ? call.dy + row * call.ld_dy : buffers.panels + row * whole.k;
    p.ld_dy = in_place(call) ? call.ld_dy : 0;
    if (whole.stored != nullptr) p.stored = whole.stored + row * whole.ld_stored + part.m.begin;
    p.dx = whole.dx + row * whole.ld_dx + part.m.begin;
    kernels.backward_input(p);
  }
}

template <class T>
void pack(const KernelTable& table, const TeamMember& member, const BackwardWeightsCall<T>& call,
          const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const std::size_t batch = call.product.batch;
  const std::size_t ins = call.product.ins;
  const std::size_t nr = kernels.nr;
  if (in_place(call, kernels.vector)) return;
  const Range mine = panels_of(member, round_up(ins, nr) / nr, batch * ins);
  for (std::size_t in = mine.begin * nr; in < std::min(ins, mine.end * nr); in += nr) {
    kernels.pack_cols(std::min(nr, ins - in), batch, call.x + in, call.ld_x, nr,
                      buffers.panels + in * batch);
  }
}

template <class T>
void multiply(const KernelTable& table, const TeamMember& member,
              const BackwardWeightsCall<T>& call, const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const BackwardWeightsProduct<T>& whole = call.product;
  const std::size_t grain =
      whole.max_norm == 0.0 ? kernels.nr : std::max<std::size_t>(whole.ins, 1);
  const Part part = part_of(member, whole.outs, 1, whole.ins, grain, whole.batch);
  // Without kept outputs, one member lets the weights see their zero gradients.
  const bool no_outputs = whole.drops_units && whole.outs == 0 && member.rank == 0;
  if ((part.m.empty() && !no_outputs) || (part.n.empty() && whole.ins != 0)) return;
  const auto at = [](GradientUse<T> use, std::size_t offset) {
    if (use.target != nullptr) use.target += offset;
    if (use.first != nullptr) use.first += offset;
    if (use.second != nullptr) use.second += offset;
    return use;
  };
  BackwardWeightsProduct<T> p = whole;
  p.outs = part.m.end - part.m.begin;
  p.dy = whole.dy + part.m.begin;
  p.scratch = buffers.scratch + member.rank * buffers.scratch_stride;
  // All outputs pass a block of inputs while its panels are in L2; whole rows for a max-norm.
  const std::size_t block = whole.max_norm == 0.0 ? columns_in_l2(part.n.end - part.n.begin,
                                                                  whole.batch, sizeof(T), grain)
                                                  : grain;
  const bool use_in_place = in_place(call, kernels.vector);
  for (std::size_t in = part.n.begin; in == part.n.begin || in < part.n.end; in += block) {
    p.ins = std::min(block, part.n.end - in);
    p.x = use_in_place ? call.x + in : buffers.panels + in * whole.batch;
    p.ld_x = use_in_place ? call.ld_x : 0;
    p.first_out = part.m.begin;
    p.first_in = in;
    if (!whole.drops_units) {
      p.weights = at(whole.weights, part.m.begin * whole.weights.ld + in);
      p.bias = at(whole.bias, part.m.begin);
    }
    if (in != 0) p.bias.target = nullptr;
    kernels.backward_weights(p);
  }
}

#define SIMDROP_INSTANTIATE(T)                                                                 \
  template std::size_t forward_panels<T>(const KernelTable&, const LinearShape&) noexcept;     \
  template std::size_t backward_weights_offset<T>(const LinearShape&) noexcept;                \
  template std::size_t backward_panels<T>(const KernelTable&, const LinearShape&) noexcept;    \
  template std::size_t product_scratch<T>(const KernelTable&, const LinearShape&) noexcept;    \
  template void pack(const KernelTable&, const TeamMember&, const ForwardCall<T>&,             \
                     const ProductBuffers<T>&);                                                \
  template void multiply(const KernelTable&, const TeamMember&, const ForwardCall<T>&,         \
                         const ProductBuffers<T>&);                                            \
  template void pack(const KernelTable&, const TeamMember&, const BackwardInputCall<T>&,       \
                     const ProductBuffers<T>&);                                                \
  template void multiply(const KernelTable&, const TeamMember&, const BackwardInputCall<T>&,   \
                         const ProductBuffers<T>&);                                            \
  template void pack(const KernelTable&, const TeamMember&, const BackwardWeightsCall<T>&,     \
                     const ProductBuffers<T>&);                                                \
  template void multiply(const KernelTable&, const TeamMember&, const BackwardWeightsCall<T>&, \
                         const ProductBuffers<T>&)

SIMDROP_INSTANTIATE(float);
SIMDROP_INSTANTIATE(double);
#undef SIMDROP_INSTANTIATE

}  // namespace simdrop::detail
