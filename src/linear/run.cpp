#include "linear/linear_impl.h"

#include <algorithm>
#include <cstring>

#include "linear/blocking.h"
#include "linear/products.h"
#include "mask/mask_source.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

// Longer batches go a piece at a time, which bounds the workspace.
constexpr std::size_t piece_rows = 1024;

// Members that a product is worth.
Threads team_for(std::size_t m, std::size_t n, std::size_t k, Threads threads) {
  const double multiply_adds =
      static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
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

// `rows` rows of a call from `first` on.
template <class T>
ForwardCall<T> piece_of(const LinearForward<T>& call, std::size_t first, std::size_t rows,
                        const std::uint8_t* bits) {
  ForwardCall<T> piece{{}, call.x.row(first), call.x.ld};
  ForwardProduct<T>& p = piece.product;
  p.batch = rows;
  p.outs = call.weights.rows;
  p.k = call.weights.cols;
  p.w = call.weights.data;
  p.ld_w = call.weights.ld;
  p.bias = call.bias;
  p.relu = call.activation == Activation::relu;
  p.scale = call.scale;
  p.bits = call.dropout ? bits : nullptr;
  p.first_bit = first * call.y.cols;
  p.bits_per_row = call.y.cols;
  p.y = call.y.row(first);
  p.ld_y = call.y.ld;
  return piece;
}

template <class T>
BackwardInputCall<T> piece_of(const LinearBackwardInput<T>& call, std::size_t first,
                              std::size_t rows) {
  BackwardInputCall<T> piece{{}, call.dy.row(first), call.dy.ld};
  BackwardInputProduct<T>& p = piece.product;
  p.batch = rows;
  p.ins = call.weights.cols;
  p.k = call.weights.rows;
  p.w = call.weights.data;
  p.ld_w = call.weights.ld;
  if (call.stored.data != nullptr) p.stored = call.stored.row(first);
  p.ld_stored = call.stored.ld;
  p.scale = call.scale;
  p.dx = call.dx.row(first);
  p.ld_dx = call.dx.ld;
  return piece;
}

// The product of a batch of `rows`, a piece at a time: make(first, rows of the piece) gives its
// call.
template <class T, class MakePiece>
void multiply_pieces(const KernelTable& table, const TeamMember& member, std::size_t rows,
                     const ProductBuffers<T>& buffers, MakePiece&& make) {
  for (std::size_t first = 0; first < rows; first += piece_rows) {
    const auto piece = make(first, std::min(piece_rows, rows - first));
    if (first != 0) member.barrier();
    pack(table, member, piece, buffers);
    member.barrier();
    multiply(table, member, piece, buffers);
  }
}

}  // namespace

template <class T>
void linear_forward_impl(const KernelTable& table, const LinearForward<T>& call,
                         LinearWorkspace::State& workspace, Threads threads) {
  const std::size_t rows = std::min(call.y.rows, piece_rows);
  const LinearShape shape{rows, call.weights.cols, call.weights.rows};
  const Threads team = team_for(rows, shape.outs, shape.ins, threads);
  const std::size_t bits = call.dropout || call.mask != nullptr ? call.y.size() : 0;
  const WorkspaceLayout<T> layout(workspace, forward_panels<T>(table, shape),
                                  product_scratch<T>(table, shape), team, bits);
  parallel_team(team, [&](const TeamMember& member) {
    const Range mine = share(bits, mask_grain, member.rank, member.size);
    if (!mine.empty()) {
      std::uint8_t* drawn = layout.bits + mine.begin / 8;
      table.bernoulli_mask(advance(call.source, mine.begin), mine.end - mine.begin, drawn);
      if (call.mask != nullptr) {
        std::memcpy(call.mask + mine.begin / 8, drawn, mask_bytes(mine.end - mine.begin));
      }
    }
    multiply_pieces(table, member, call.y.rows, layout.buffers,
                    [&](std::size_t first, std::size_t piece) {
                      return piece_of(call, first, piece, layout.bits);
                    });
  });
}

template <class T>
void linear_backward_input_impl(const KernelTable& table, const LinearBackwardInput<T>& call,
                                LinearWorkspace::State& workspace, Threads threads) {
  const std::size_t rows = std::min(call.dx.rows, piece_rows);
  const LinearShape shape{rows, call.weights.cols, call.weights.rows};
  const Threads team = team_for(rows, shape.outs, shape.ins, threads);
  const WorkspaceLayout<T> layout(workspace, backward_panels<T>(table, shape),
                                  product_scratch<T>(table, shape), team, 0);
  parallel_team(team, [&](const TeamMember& member) {
    multiply_pieces(
        table, member, call.dx.rows, layout.buffers,
        [&](std::size_t first, std::size_t piece) { return piece_of(call, first, piece); });
  });
}

template <class T>
void linear_backward_weights_impl(const KernelTable& table, const LinearBackwardWeights<T>& call,
                                  LinearWorkspace::State& workspace, Threads threads) {
  const LinearShape shape{call.dy.rows, call.dw.cols, call.dw.rows};
  const Threads team = team_for(shape.batch, shape.outs, shape.ins, threads);
  const WorkspaceLayout<T> layout(workspace, backward_panels<T>(table, shape),
                                  product_scratch<T>(table, shape), team, 0);
  BackwardWeightsCall<T> whole{{}, call.x.data, call.x.ld};
  BackwardWeightsProduct<T>& p = whole.product;
  const Update update = call.accumulate ? Update::add : Update::store;
  p.batch = shape.batch;
  p.outs = shape.outs;
  p.ins = shape.ins;
  p.dy = call.dy.data;
  p.ld_dy = call.dy.ld;
  p.alpha = call.alpha;
  p.weights = {update, call.dw.data, nullptr, nullptr, call.dw.ld};
  p.bias = {update, call.db, nullptr, nullptr, 0};
  parallel_team(team, [&](const TeamMember& member) {
    pack(table, member, whole, layout.buffers);
    member.barrier();
    multiply(table, member, whole, layout.buffers);
  });
}

#define SIMDROP_INSTANTIATE_FOR(T)                                                                \
  template void linear_forward_impl(const KernelTable&, const LinearForward<T>&,                  \
                                    LinearWorkspace::State&, Threads);                            \
  template void linear_backward_input_impl(const KernelTable&, const LinearBackwardInput<T>&,     \
                                           LinearWorkspace::State&, Threads);                     \
  template void linear_backward_weights_impl(const KernelTable&, const LinearBackwardWeights<T>&, \
                                             LinearWorkspace::State&, Threads);

SIMDROP_INSTANTIATE_FOR(float)
SIMDROP_INSTANTIATE_FOR(double)

#undef SIMDROP_INSTANTIATE_FOR

}  // namespace simdrop::detail
