#include "linear/run.h"

#include <algorithm>
#include <cstring>

#include "linear/blocking.h"
#include "mask/mask_source.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

// Longer batches go a piece at a time, which bounds the workspace.
constexpr std::size_t piece_rows = 1024;

// Members that a product is worth.
Threads team_for(const LinearShape& shape, const Threads& threads) {
  const double multiply_adds = static_cast<double>(shape.batch) * static_cast<double>(shape.outs) *
                               static_cast<double>(shape.ins);
  return of_size(threads, useful_threads(team_size(threads), multiply_adds));
}

// What a call takes of the workspace: panels, scratch for each member, and mask bits at the end.
template <class T>
struct WorkspaceLayout {
  ProductBuffers<T> buffers;
  std::uint8_t* bits;

  WorkspaceLayout(LinearWorkspace::State& workspace, std::size_t panels, std::size_t scratch,
                  const Threads& team, std::size_t mask_bits) {
    constexpr std::size_t line = 64 / sizeof(T);
    const std::size_t before = (panels + line - 1) / line * line;
    const std::size_t all = before + scratch * static_cast<std::size_t>(team.count);
    const std::size_t bytes = mask_bits == 0 ? 0 : mask_bytes(mask_bits) + mask_slack;
    T* memory = workspace.reserve<T>(all + (bytes + sizeof(T) - 1) / sizeof(T));
    buffers = {memory, memory + before, scratch};
    bits = reinterpret_cast<std::uint8_t*>(memory + all);
  }
};

// `rows` rows of the batch from `first` on.
template <class T>
MatrixView<T> rows_of(const MatrixView<T>& m, std::size_t first, std::size_t rows) {
  return {m.row(first), rows, m.cols, m.ld};
}
// Nothing of linear.hpp asks for z or drops units.
template <class T>
ForwardProduct<T> rows_of(ForwardProduct<T> product, std::size_t first, std::size_t rows) {
  product.x = rows_of(product.x, first, rows);
  product.y = rows_of(product.y, first, rows);
  product.epilogue.first_bit += first * product.epilogue.bits_per_row;
  return product;
}
template <class T>
BackwardInputProduct<T> rows_of(BackwardInputProduct<T> product, std::size_t first,
                                std::size_t rows) {
  product.dy = rows_of(product.dy, first, rows);
  product.dx = rows_of(product.dx, first, rows);
  Rows<const T>& stored = product.epilogue.stored;
  if (stored.data != nullptr) stored.data += first * stored.ld;
  return product;
}

// The product of a batch of `rows`, a piece at a time.
template <class T, class Product>
void multiply_pieces(const KernelTable& table, const TeamMember& member, std::size_t rows,
                     const Product& product, const ProductBuffers<T>& buffers) {
  for (std::size_t first = 0; first < rows; first += piece_rows) {
    const Product piece = rows_of(product, first, std::min(piece_rows, rows - first));
    if (first != 0) member.barrier();
    pack(table, member, piece, buffers);
    member.barrier();
    multiply(table, member, piece, buffers);
  }
}

// A member's share of the mask: `n` bits, in `bits`.
void draw(const KernelTable& table, const TeamMember& member, const DrawnMask& mask, std::size_t n,
          std::uint8_t* bits) {
  const Range mine = share(n, mask_grain, member.rank, member.size);
  if (mine.empty()) return;
  std::uint8_t* drawn = bits + mine.begin / 8;
  table.bernoulli_mask(advance(mask.source, mine.begin), mine.end - mine.begin, drawn);
  if (mask.bits != nullptr) {
    std::memcpy(mask.bits + mine.begin / 8, drawn, mask_bytes(mine.end - mine.begin));
  }
}

}  // namespace

template <class T>
void run(const KernelTable& table, ForwardProduct<T> product, const DrawnMask& mask,
         LinearWorkspace::State& workspace, Threads threads) {
  const MatrixView<T>& y = product.y;
  const LinearShape shape{std::min(y.rows, piece_rows), product.x.cols, y.cols};
  const Threads team = team_for(shape, threads);
  const std::size_t bits = mask.drops || mask.bits != nullptr ? y.size() : 0;
  const WorkspaceLayout<T> layout(workspace, forward_panels<T>(table, shape),
                                  product_scratch<T>(table, shape), team, bits);
  product.epilogue.bits = mask.drops ? layout.bits : nullptr;
  product.epilogue.bits_per_row = y.cols;
  parallel_team(team, [&](const TeamMember& member) {
    draw(table, member, mask, bits, layout.bits);
    multiply_pieces(table, member, y.rows, product, layout.buffers);
  });
}

template <class T>
void run(const KernelTable& table, const BackwardInputProduct<T>& product,
         LinearWorkspace::State& workspace, Threads threads) {
  const MatrixView<T>& dx = product.dx;
  const LinearShape shape{std::min(dx.rows, piece_rows), dx.cols, product.dy.cols};
  const Threads team = team_for(shape, threads);
  const WorkspaceLayout<T> layout(workspace, backward_panels<T>(table, shape),
                                  product_scratch<T>(table, shape), team, 0);
  parallel_team(team, [&](const TeamMember& member) {
    multiply_pieces(table, member, dx.rows, product, layout.buffers);
  });
}

template <class T>
void run(const KernelTable& table, const BackwardWeightsProduct<T>& product,
         LinearWorkspace::State& workspace, Threads threads) {
  const LinearShape shape{product.dy.rows, product.x.cols, product.dy.cols};
  const Threads team = team_for(shape, threads);
  const WorkspaceLayout<T> layout(workspace, backward_panels<T>(table, shape),
                                  product_scratch<T>(table, shape), team, 0);
  parallel_team(team, [&](const TeamMember& member) {
    pack(table, member, product, layout.buffers);
    member.barrier();
    multiply(table, member, product, layout.buffers);
  });
}

#define SIMDROP_INSTANTIATE_FOR(T)                                                                 \
  template void run(const KernelTable&, ForwardProduct<T>, const DrawnMask&,                       \
                    LinearWorkspace::State&, Threads);                                             \
  template void run(const KernelTable&, const BackwardInputProduct<T>&, LinearWorkspace::State&,   \
                    Threads);                                                                      \
  template void run(const KernelTable&, const BackwardWeightsProduct<T>&, LinearWorkspace::State&, \
                    Threads);

SIMDROP_INSTANTIATE_FOR(float)
SIMDROP_INSTANTIATE_FOR(double)

#undef SIMDROP_INSTANTIATE_FOR

}  // namespace simdrop::detail
