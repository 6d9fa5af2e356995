// The linear layer in every shape up to 40 x 40 x 40, against the oracle.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/linear_compare.h"
#include "helpers/public_mask.h"
#include "helpers/test_sizes.h"

namespace {

using simdrop::Activation;
using simdrop::Dropout;
using simdrop::MatrixView;

constexpr std::size_t max_size = 40;

struct Shape {
  std::size_t batch, in, out;
  [[nodiscard]] std::size_t index() const { return (batch * max_size + in) * max_size + out; }
};

// Top left corners of one large matrix, whose rows begin at odd places.
template <class T>
struct Corner {
  std::size_t ld;
  std::vector<T> values;

  Corner(std::size_t ld_, std::uint32_t seed)
      : ld(ld_), values(test::random_elements<T>((max_size + 1) * ld_, seed)) {}
  [[nodiscard]] MatrixView<const T> view(std::size_t rows, std::size_t cols) const {
    return {values.data() + 1, rows, cols, ld};
  }
};

// Where results go: rows of `cols` elements, then padding that must stay as it was.
template <class T>
class Output {
 public:
  static constexpr T padding{-12345.5};

  MatrixView<T> place(std::size_t rows, std::size_t cols, std::size_t pad, T fill) {
    values_.assign((rows + 1) * (cols + pad) + 1, padding);
    view_ = {values_.data() + 1, rows, cols, cols + pad};
    for (std::size_t r = 0; r < rows; ++r) std::fill_n(view_.row(r), cols, fill);
    return view_;
  }
  // Elements that are not right(r, c, value), and padding that was written to.
  template <class Right>
  [[nodiscard]] std::size_t count_wrong(Right right) const {
    std::size_t wrong = values_[0] == padding ? 0 : 1;
    for (std::size_t r = 0; r <= view_.rows; ++r) {
      for (std::size_t c = 0; c < view_.ld; ++c) {
        const bool inside = r < view_.rows && c < view_.cols;
        const T value = view_(r, c);
        wrong += (inside ? right(r, c, value) : value == padding) ? 0 : 1;
      }
    }
    return wrong;
  }

 private:
  std::vector<T> values_;
  MatrixView<T> view_;
};

template <class T>
class Sweep {
 public:
  using W = test::Textbook<T>;

  void forward(const Shape& s, Activation activation, double keep_prob, bool with_bias,
               bool with_mask) {
    const Dropout dropout{.keep_prob = keep_prob, .stream = {3, 4}, .first = 977 * s.index()};
    const auto bits = test::api_mask(dropout, s.batch * s.out);
    std::vector<std::uint8_t> mask(with_mask ? bits.size() : 0, 0xCC);
    const auto bias = std::span<const T>(bias_).first(with_bias ? s.out : 0);
    const auto y = output_.place(s.batch, s.out, s.index() % 3, quiet_nan);
    simdrop::linear_forward(x_.view(s.batch, s.in), weights_.view(s.out, s.in), bias, activation,
                            dropout, y, workspace_, mask);
    const bool relu = activation == Activation::relu;
    const W gamma = test::linear_gamma<T>(test::linear_roundings(s.in));
    const auto right = [&](std::size_t r, std::size_t c, T value) {
      if (!simdrop::mask_bit(bits, r * s.out + c)) return test::is_plus_zero(value);
      const W b = with_bias ? static_cast<W>(bias_[c]) : W{0};
      const auto want = reference::linear_forward(products_.at(r, c, s.in), b, relu, keep_prob);
      return test::within(value, want, gamma) && !(relu && std::signbit(value));
    };
    CHECK(output_.count_wrong(right) == 0);
    if (with_mask) CHECK(mask == bits);
  }

  void backward_input(const Shape& s, bool with_stored, double keep_prob) {
    const auto stored = with_stored ? stored_.view(s.batch, s.in) : MatrixView<const T>{};
    const auto dx = output_.place(s.batch, s.in, s.index() % 4, quiet_nan);
    simdrop::linear_backward_input(dy_.view(s.batch, s.out), weights_.view(s.out, s.in), stored,
                                   keep_prob, dx, workspace_);
    const W gamma = test::linear_gamma<T>(test::linear_roundings(s.out));
    const auto right = [&](std::size_t r, std::size_t c, T value) {
      if (with_stored && !(stored(r, c) > T{0})) return test::is_plus_zero(value);
      const double keep = with_stored ? keep_prob : 1.0;
      return test::within(
          value, reference::linear_backward_input(input_products_.at(r, c, s.out), keep), gamma);
    };
    CHECK(output_.count_wrong(right) == 0);
  }

  void backward_weights(const Shape& s, double alpha, bool accumulate, bool with_db) {
    const T before = accumulate ? T{0.75} : quiet_nan;
    const auto dw = output_.place(s.out, s.in, s.index() % 5, before);
    const auto db = db_.place(1, with_db ? s.out : 0, 0, before);
    simdrop::linear_backward_weights(dy_.view(s.batch, s.out), x_.view(s.batch, s.in), alpha,
                                     accumulate, dw, std::span<T>(db.data, db.cols), workspace_);
    const W gamma = test::linear_gamma<T>(test::linear_roundings(s.batch));
    const W rounded_alpha = static_cast<W>(static_cast<T>(alpha));
    const W old = accumulate ? static_cast<W>(before) : W{0};
    const auto near = [&](T value, const reference::LinearSum<W>& product) {
      const auto want = reference::linear_backward_weights(product, rounded_alpha, old);
      return test::within(value, want, gamma);
    };
    CHECK(output_.count_wrong([&](std::size_t r, std::size_t c, T value) {
      return near(value, weight_products_.at(r, c, s.batch));
    }) == 0);
    CHECK(db_.count_wrong([&](std::size_t, std::size_t c, T value) {
      return near(value, column_sums_.at(c, 0, s.batch));
    }) == 0);
  }

 private:
  static constexpr T quiet_nan = std::numeric_limits<T>::quiet_NaN();

  Corner<T> x_{43, 1}, weights_{45, 2}, dy_{47, 3}, stored_{42, 4};
  std::vector<T> bias_ = test::random_elements<T>(max_size, 5);
  std::vector<T> ones_ = std::vector<T>(max_size, T{1});
  Output<T> output_, db_;
  simdrop::LinearWorkspace workspace_;
  reference::InnerProducts<W> products_{test::by_rows(x_.view(max_size, max_size)),
                                        test::by_rows(weights_.view(max_size, max_size)), max_size,
                                        max_size, max_size};
  reference::InnerProducts<W> input_products_{test::by_rows(dy_.view(max_size, max_size)),
                                              test::by_columns(weights_.view(max_size, max_size)),
                                              max_size, max_size, max_size};
  reference::InnerProducts<W> weight_products_{test::by_columns(dy_.view(max_size, max_size)),
                                               test::by_columns(x_.view(max_size, max_size)),
                                               max_size, max_size, max_size};
  reference::InnerProducts<W> column_sums_{
      test::by_columns(dy_.view(max_size, max_size)),
      test::by_rows(MatrixView<const T>(ones_.data(), 1, max_size)), max_size, 1, max_size};
};

// Every shape, or one in `stride` and the corners.
template <class Fn>
void over_shapes(Fn fn) {
  const std::size_t stride = test::case_stride();
  const auto corner = [](std::size_t n) { return n == 1 || n == 16 || n == 33 || n == max_size; };
  for (std::size_t batch = 1; batch <= max_size; ++batch) {
    for (std::size_t in = 1; in <= max_size; ++in) {
      for (std::size_t out = 1; out <= max_size; ++out) {
        const Shape shape{batch, in, out};
        if (shape.index() % stride != 0 && !(corner(batch) && corner(in) && corner(out))) continue;
        INFO("batch ", batch, ", in ", in, ", out ", out);
        fn(shape, shape.index() / stride);
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("linear: forward in every shape", T, float, double) {
  Sweep<T> sweep;
  over_shapes([&](const Shape& shape, std::size_t i) {
    sweep.forward(shape, Activation::identity, 1.0, i % 3 != 0, i % 5 == 0);
    sweep.forward(shape, i % 4 == 0 ? Activation::identity : Activation::relu, 0.7, i % 3 != 1,
                  i % 2 == 0);
  });
}

TEST_CASE_TEMPLATE("linear: backward_input in every shape", T, float, double) {
  Sweep<T> sweep;
  over_shapes([&](const Shape& shape, std::size_t /*i*/) {
    sweep.backward_input(shape, false, 0.5);
    sweep.backward_input(shape, true, 0.7);
  });
}

TEST_CASE_TEMPLATE("linear: backward_weights in every shape", T, float, double) {
  Sweep<T> sweep;
  over_shapes([&](const Shape& shape, std::size_t i) {
    sweep.backward_weights(shape, 1.0, false, i % 2 == 0);
    sweep.backward_weights(shape, -0.37, true, i % 3 != 0);
  });
}
