#include "linear/products.h"

#include <algorithm>

#include "linear/blocking.h"

namespace simdrop::detail {
namespace {

template <class T>
const ProductKernels<T>& kernels_of(const KernelTable& table) noexcept;
template <>
const ProductKernels<float>& kernels_of(const KernelTable& table) noexcept {
  return table.products_f32;
}
template <>
const ProductKernels<double>& kernels_of(const KernelTable& table) noexcept {
  return table.products_f64;
}

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

double multiply_adds(std::size_t m, std::size_t n, std::size_t k) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

// The rectangle of a grid that a member computes; nothing if the grid has no place for it.
struct Rectangle {
  Range m{0, 0}, n{0, 0};
};

Rectangle rectangle_of(const TeamMember& member, std::size_t m, std::size_t m_tile, std::size_t n,
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

template <class T>
T* scratch_of(const TeamMember& member, const ProductBuffers<T>& buffers) {
  return buffers.scratch + member.rank * buffers.scratch_stride;
}

// The weights of a part from output `out` and row `row` of the batch on.
template <class T>
void place_weights(const ForwardProduct<T>& product, std::size_t out, std::size_t /*row*/,
                   ForwardPart<T>& part) {
  part.weights = {product.weights.row(out), product.weights.ld};
}
void place_weights(const ForwardProduct<float>& product, std::size_t out, std::size_t row,
                   ForwardPart<float>& part) {
  if (!product.kept.drops_units) {
    place_weights<float>(product, out, row, part);
    return;
  }
  part.weights = {product.weights.data, product.weights.ld};
  // The first rows of the batch leave the kept weights for all.
  const Rows<float> kept = product.kept.weights;
  part.kept.weights.data = row == 0 && kept.data != nullptr ? kept.data + out * kept.ld : nullptr;
}

template <class T>
GradientTarget<T> at(GradientTarget<T> target, std::size_t offset) {
  if (target.data != nullptr) target.data += offset;
  if (target.first != nullptr) target.first += offset;
  if (target.second != nullptr) target.second += offset;
  return target;
}

// The targets of a part from output `out` and input `in` on.
template <class T>
void place_targets(const BackwardWeightsProduct<T>& product, std::size_t out, std::size_t in,
                   BackwardWeightsPart<T>& part) {
  part.use.dw = at(product.use.dw, out * product.use.dw.ld + in);
  part.use.db = at(product.use.db, out);
}
void place_targets(const BackwardWeightsProduct<float>& product, std::size_t out, std::size_t in,
                   BackwardWeightsPart<float>& part) {
  if (!product.kept.drops_units) place_targets<float>(product, out, in, part);
}

// Inputs that a part must not cut: whole rows for a max-norm.
template <class T>
std::size_t input_grain(const BackwardWeightsProduct<T>& /*product*/, std::size_t panel) {
  return panel;
}
std::size_t input_grain(const BackwardWeightsProduct<float>& product, std::size_t panel) {
  return product.use.step.max_norm == 0.0 ? panel : std::max<std::size_t>(product.x.cols, 1);
}

// Activations that are used where they lie.
template <class T>
bool in_place(const BackwardInputProduct<T>& product) {
  return fits_l1<T>(product.dy.rows, product.dy.ld);
}
template <class T>
bool in_place(const BackwardWeightsProduct<T>& product, std::size_t tile) {
  return product.x.cols % tile == 0 && fits_l1<T>(product.x.rows, product.x.ld);
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
void pack(const KernelTable& table, const TeamMember& member, const ForwardProduct<T>& product,
          const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const MatrixView<const T>& x = product.x;
  const std::size_t nr = kernels.nr;
  const Range mine = panels_of(member, round_up(x.rows, nr) / nr, x.size());
  for (std::size_t row = mine.begin * nr; row < std::min(x.rows, mine.end * nr); row += nr) {
    kernels.pack_rows(std::min(nr, x.rows - row), x.cols, x.row(row), x.ld, nr,
                      buffers.panels + row * x.cols);
  }
}

template <class T>
void multiply(const KernelTable& table, const TeamMember& member, const ForwardProduct<T>& product,
              const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const MatrixView<T>& y = product.y;
  const std::size_t ins = product.x.cols;
  const Rectangle mine = rectangle_of(member, y.cols, kernels.vector, y.rows, kernels.nr, ins);
  if (mine.m.empty()) return;
  const std::size_t block = block_rows(mine.n.end - mine.n.begin, ins, sizeof(T), kernels.nr);
  const std::size_t out = mine.m.begin;
  const ForwardEpilogue<T>& whole = product.epilogue;
  ForwardPart<T> part{.batch = 0,
                      .outs = mine.m.end - out,
                      .ins = ins,
                      .x = nullptr,
                      .weights = {},
                      .kept = product.kept,
                      .first_out = out,
                      .epilogue = whole,
                      .y = {nullptr, y.ld},
                      .scratch = scratch_of(member, buffers)};
  if (whole.bias != nullptr) part.epilogue.bias = whole.bias + out;
  for (std::size_t row = mine.n.begin; row < mine.n.end; row += block) {
    part.batch = std::min(block, mine.n.end - row);
    part.x = buffers.panels + row * ins;
    place_weights(product, out, row, part);
    part.epilogue.first_bit = whole.first_bit + row * whole.bits_per_row + out;
    if (whole.z.data != nullptr) part.epilogue.z.data = whole.z.data + row * whole.z.ld + out;
    part.y.data = y.row(row) + out;
    kernels.forward(part);
  }
}

// The batch is packed by blocks, each in panels of nearly equal height.
template <class T>
void pack(const KernelTable& table, const TeamMember& member,
          const BackwardInputProduct<T>& product, const ProductBuffers<T>& buffers) {
  if (in_place(product)) return;
  const auto& kernels = kernels_of<T>(table);
  const MatrixView<const T>& dy = product.dy;
  const std::size_t block = block_rows(dy.rows, dy.cols, sizeof(T), 1);
  for (std::size_t row = 0; row < dy.rows; row += block) {
    const EvenSplit tiles(std::min(block, dy.rows - row), kernels.mr);
    const Range mine = panels_of(member, tiles.count, tiles.rows * dy.cols);
    for (std::size_t t = mine.begin; t < mine.end; ++t) {
      const std::size_t first = row + tiles.begin(t);
      kernels.pack_rows(tiles.size(t), dy.cols, dy.row(first), dy.ld, tiles.size(t),
                        buffers.panels + first * dy.cols);
    }
  }
}

template <class T>
void multiply(const KernelTable& table, const TeamMember& member,
              const BackwardInputProduct<T>& product, const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const MatrixView<const T>& dy = product.dy;
  const MatrixView<T>& dx = product.dx;
  const std::size_t block = block_rows(dy.rows, dy.cols, sizeof(T), 1);
  const Rectangle mine = rectangle_of(member, dx.cols, kernels.nr, dx.rows, block, dy.cols);
  const std::size_t in = mine.m.begin;
  const bool dy_in_place = in_place(product);
  const Rows<const T> stored = product.epilogue.stored;
  BackwardInputPart<T> part{.batch = 0,
                            .outs = dy.cols,
                            .ins = mine.m.end - in,
                            .dy = {nullptr, dy_in_place ? dy.ld : 0},
                            .weights = {product.weights.data + in, product.weights.ld},
                            .epilogue = product.epilogue,
                            .dx = {nullptr, dx.ld},
                            .scratch = scratch_of(member, buffers)};
  for (std::size_t row = mine.n.begin; row < mine.n.end; row += block) {
    part.batch = std::min(block, mine.n.end - row);
    part.dy.data = dy_in_place ? dy.row(row) : buffers.panels + row * dy.cols;
    if (stored.data != nullptr) part.epilogue.stored.data = stored.data + row * stored.ld + in;
    part.dx.data = dx.row(row) + in;
    kernels.backward_input(part);
  }
}

template <class T>
void pack(const KernelTable& table, const TeamMember& member,
          const BackwardWeightsProduct<T>& product, const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  if (in_place(product, kernels.vector)) return;
  const MatrixView<const T>& x = product.x;
  const std::size_t nr = kernels.nr;
  const Range mine = panels_of(member, round_up(x.cols, nr) / nr, x.size());
  for (std::size_t in = mine.begin * nr; in < std::min(x.cols, mine.end * nr); in += nr) {
    kernels.pack_cols(std::min(nr, x.cols - in), x.rows, x.data + in, x.ld, nr,
                      buffers.panels + in * x.rows);
  }
}

template <class T>
void multiply(const KernelTable& table, const TeamMember& member,
              const BackwardWeightsProduct<T>& product, const ProductBuffers<T>& buffers) {
  const auto& kernels = kernels_of<T>(table);
  const MatrixView<const T>& dy = product.dy;
  const MatrixView<const T>& x = product.x;
  const std::size_t grain = input_grain(product, kernels.nr);
  const Rectangle mine = rectangle_of(member, dy.cols, 1, x.cols, grain, x.rows);
  // Without outputs, one member lets the weights of dropped units see their zero gradients.
  const bool no_outputs = dy.cols == 0 && member.rank == 0;
  if ((mine.m.empty() && !no_outputs) || (mine.n.empty() && x.cols != 0)) return;
  const std::size_t out = mine.m.begin;
  const bool x_in_place = in_place(product, kernels.vector);
  BackwardWeightsPart<T> part{.batch = x.rows,
                              .outs = mine.m.end - out,
                              .ins = 0,
                              .dy = {dy.data + out, dy.ld},
                              .x = {nullptr, x_in_place ? x.ld : 0},
                              .kept = product.kept,
                              .first_out = out,
                              .first_in = 0,
                              .use = product.use,
                              .scratch = scratch_of(member, buffers)};
  // All outputs pass a block of inputs while its panels are in L2.
  const std::size_t block = columns_in_l2(mine.n.end - mine.n.begin, x.rows, sizeof(T), grain);
  for (std::size_t in = mine.n.begin; in == mine.n.begin || in < mine.n.end; in += block) {
    part.ins = std::min(block, mine.n.end - in);
    part.x.data = x_in_place ? x.data + in : buffers.panels + in * x.rows;
    part.first_in = in;
    place_targets(product, out, in, part);
    if (in != 0) part.use.db.data = nullptr;
    kernels.backward_weights(part);
  }
}

#define SIMDROP_INSTANTIATE(T)                                                                    \
  template std::size_t forward_panels<T>(const KernelTable&, const LinearShape&) noexcept;        \
  template std::size_t backward_weights_offset<T>(const LinearShape&) noexcept;                   \
  template std::size_t backward_panels<T>(const KernelTable&, const LinearShape&) noexcept;       \
  template std::size_t product_scratch<T>(const KernelTable&, const LinearShape&) noexcept;       \
  template void pack(const KernelTable&, const TeamMember&, const ForwardProduct<T>&,             \
                     const ProductBuffers<T>&);                                                   \
  template void multiply(const KernelTable&, const TeamMember&, const ForwardProduct<T>&,         \
                         const ProductBuffers<T>&);                                               \
  template void pack(const KernelTable&, const TeamMember&, const BackwardInputProduct<T>&,       \
                     const ProductBuffers<T>&);                                                   \
  template void multiply(const KernelTable&, const TeamMember&, const BackwardInputProduct<T>&,   \
                         const ProductBuffers<T>&);                                               \
  template void pack(const KernelTable&, const TeamMember&, const BackwardWeightsProduct<T>&,     \
                     const ProductBuffers<T>&);                                                   \
  template void multiply(const KernelTable&, const TeamMember&, const BackwardWeightsProduct<T>&, \
                         const ProductBuffers<T>&)

SIMDROP_INSTANTIATE(float);
SIMDROP_INSTANTIATE(double);
#undef SIMDROP_INSTANTIATE

}  // namespace simdrop::detail
