// A linear layer with all of its arguments, each between guard pages, for the three calls.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/element.h"
#include "helpers/guarded_buffer.h"
#include "simdrop/linear.hpp"

namespace test {

struct LinearCase {
  std::size_t batch = 1, in = 1, out = 1;
  std::size_t pad = 0;  // ld - cols, of every matrix (more of each next one)
  Edge edge = Edge::end;
  std::size_t offset = 0;  // elements from that edge
  simdrop::Activation activation = simdrop::Activation::relu;
  simdrop::Dropout dropout{.keep_prob = 0.7, .stream = {11, 12}, .first = 13};
  double alpha = 1.0;
  bool bias = true, mask = true, stored = true, accumulate = false, db = true;
};

#define INFO_LINEAR(c)                                                                        \
  INFO("batch ", (c).batch, ", in ", (c).in, ", out ", (c).out, ", pad ", (c).pad, ", edge ", \
       static_cast<int>((c).edge), ", offset ", (c).offset, ", activation ",                  \
       static_cast<int>((c).activation), ", keep_prob ", (c).dropout.keep_prob, ", alpha ",   \
       (c).alpha, ", bias ", (c).bias, ", mask ", (c).mask, ", stored ", (c).stored,          \
       ", accumulate ", (c).accumulate, ", db ", (c).db)

template <class T>
struct LinearBuffers {
  static constexpr std::size_t most = std::size_t{1} << 18;  // elements of a matrix
  GuardedBuffer<T> x{most}, weights{most}, bias{most}, dy{most}, stored{most};
  GuardedBuffer<T> y{most}, dx{most}, dw{most}, db{most};
  GuardedBuffer<std::uint8_t> mask{most / 8};
  simdrop::LinearWorkspace workspace;

  [[nodiscard]] bool intact() const {
    return x.intact() && weights.intact() && bias.intact() && dy.intact() && stored.intact() &&
           y.intact() && dx.intact() && dw.intact() && db.intact() && mask.intact();
  }
};

template <class T>
class LinearProblem {
 public:
  using Input = simdrop::MatrixView<const T>;
  using Output = simdrop::MatrixView<T>;
  static constexpr T in_padding = std::numeric_limits<T>::quiet_NaN();  // must not be read
  static constexpr T out_padding{-12345.5};                             // must stay
  static constexpr T value_before{0.75};  // in dw and db, if they accumulate

  LinearProblem(const LinearCase& c, LinearBuffers<T>& buffers)
      : x(place(buffers.x, c, c.batch, c.in, c.pad, 21)),
        weights(place(buffers.weights, c, c.out, c.in, c.pad * 2, 22)),
        dy(place(buffers.dy, c, c.batch, c.out, c.pad * 3, 23)),
        stored(c.stored ? place(buffers.stored, c, c.batch, c.in, c.pad * 4, 24) : Output{}),
        y(place(buffers.y, c, c.batch, c.out, c.pad, 0)),
        dx(place(buffers.dx, c, c.batch, c.in, c.pad * 2, 0)),
        dw(place(buffers.dw, c, c.out, c.in, c.pad * 3, 0)),
        bias(row(place(buffers.bias, c, c.bias && c.out > 0 ? 1 : 0, c.out, 0, 25))),
        db(row(place(buffers.db, c, c.db && c.out > 0 ? 1 : 0, c.out, 0, 0))),
        mask(buffers.mask.place(c.mask ? simdrop::mask_bytes(c.batch * c.out) : 0, c.edge)),
        case_(c),
        buffers_(buffers) {
    clear();
  }

  // Outputs as they are before a call.
  void clear() {
    const T before = case_.accumulate ? value_before : in_padding;
    fill(y, in_padding);
    fill(dx, in_padding);
    fill(dw, before);
    std::ranges::fill(db, before);
    std::ranges::fill(mask, std::uint8_t{0xCC});
  }
  void forward(int num_threads, simdrop::LinearWorkspace& workspace) {
    simdrop::linear_forward(Input(x), Input(weights), bias, case_.activation, case_.dropout, y,
                            workspace, mask, num_threads);
  }
  void backward_input(int num_threads, simdrop::LinearWorkspace& workspace) {
    simdrop::linear_backward_input(Input(dy), Input(weights), Input(stored),
                                   case_.dropout.keep_prob, dx, workspace, num_threads);
  }
  void backward_weights(int num_threads, simdrop::LinearWorkspace& workspace) {
    simdrop::linear_backward_weights(Input(dy), Input(x), case_.alpha, case_.accumulate, dw, db,
                                     workspace, num_threads);
  }
  // All three calls, with the workspace of the buffers or another.
  void run(int num_threads = 1) { run(num_threads, buffers_.workspace); }
  void run(int num_threads, simdrop::LinearWorkspace& workspace) {
    clear();
    forward(num_threads, workspace);
    backward_input(num_threads, workspace);
    backward_weights(num_threads, workspace);
  }
  // y, dx, dw and db with their padding, and the mask.
  [[nodiscard]] std::vector<std::uint8_t> outcome() const {
    std::vector<std::uint8_t> bytes(mask.begin(), mask.end());
    for (const Output& m : {y, dx, dw, Output(db)}) {
      if (m.size() == 0) continue;
      const auto* begin = reinterpret_cast<const std::uint8_t*>(m.data);
      bytes.insert(bytes.end(), begin, begin + ((m.rows - 1) * m.ld + m.cols) * sizeof(T));
    }
    return bytes;
  }

  const Output x, weights, dy, stored, y, dx, dw;  // inputs are writable, for a test to change
  const std::span<T> bias, db;
  const std::span<std::uint8_t> mask;

 private:
  // Random elements (seed 0: none) with padding between the rows.
  static Output place(GuardedBuffer<T>& buffer, const LinearCase& c, std::size_t rows,
                      std::size_t cols, std::size_t pad, std::uint32_t seed) {
    const std::size_t ld = cols + pad;
    const std::size_t n = rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
    const std::span<T> memory = buffer.place(n, c.edge, c.offset);
    std::ranges::fill(memory, seed == 0 ? out_padding : in_padding);
    const Output m{memory.data(), rows, cols, ld};
    if (seed == 0 || n == 0) return m;
    const auto values = random_elements<T>(rows * cols, seed);
    for (std::size_t i = 0; i < values.size(); ++i) m(i / cols, i % cols) = values[i];
    return m;
  }
  static std::span<T> row(const Output& m) { return {m.data, m.size()}; }
  static void fill(const Output& m, T value) {
    for (std::size_t r = 0; r < m.rows; ++r) std::fill_n(m.row(r), m.cols, value);
  }

  const LinearCase case_;
  LinearBuffers<T>& buffers_;
};

}  // namespace test
