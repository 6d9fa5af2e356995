// Ranges as targets: labels, a column of values; which convert, and which must not.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;
using Labels = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

template <class From>
constexpr bool converts = std::is_convertible_v<From, Targets>;

static_assert(converts<Labels&> && converts<const Labels&> && converts<Labels>);
static_assert(converts<std::array<std::uint8_t, 3>&> && converts<const std::uint8_t (&)[3]>);
static_assert(converts<std::span<std::uint8_t>> && converts<std::span<const std::uint8_t>>);
static_assert(converts<Floats&> && converts<const Floats&> && converts<float (&)[3]>);
static_assert(converts<Matrix> && converts<ConstMatrix>);
static_assert(!converts<std::vector<int>&> && !converts<std::vector<double>&>);
static_assert(!converts<std::vector<bool>&> && !converts<std::vector<std::int8_t>&>);
static_assert(!converts<MatrixView<double>> && !converts<int> && !converts<const char*>);

}  // namespace

TEST_CASE("mlp targets: a range of bytes is labels") {
  const Labels labels{1, 0, 2};
  const Targets targets = labels;
  CHECK(targets.labels.data() == labels.data());
  CHECK(targets.labels.size() == 3);
  CHECK(targets.values.size() == 0);
  const std::uint8_t array[2] = {1, 0};
  CHECK(Targets(array).labels.data() == array);
  CHECK(Targets{labels}.labels.size() == 3);
}

TEST_CASE("mlp targets: a range of floats is a column, a span or a matrix is what it is") {
  Floats values{1, 0, 2};
  const Targets column = values;
  CHECK(column.values.data == values.data());
  CHECK(column.values.rows == 3);
  CHECK(column.values.cols == 1);
  CHECK(column.values.ld == 1);
  CHECK(column.labels.empty());
  CHECK(Targets{values}.values.rows == 3);
  CHECK(Targets(std::span(values)).values.rows == 1);
  CHECK(Targets(std::span<const float, 3>(values)).values.rows == 1);
  struct Row : std::span<float> {
    using span::span;
  };
  CHECK(Targets(Row(values)).values.rows == 1);
  CHECK(Targets(Matrix(values, 1, 3)).values.cols == 3);
  CHECK(Targets(ConstMatrix(values)).values.rows == 1);
}

TEST_CASE("mlp targets: of the wrong kind, and the message says what this loss takes") {
  const Labels labels{0, 1};
  const Floats values{0, 1};
  for (const Loss loss : fixture::all_losses) {
    const bool softmax = loss == Loss::softmax_ce;
    Mlp mlp(fixture::make_config({2, 9, softmax ? 2U : 1U}, loss, {1.0, 0.8}, 2));
    Optimizer sgd({}, mlp);
    const Targets wrong = softmax ? Targets(values) : Targets(labels);
    const std::string message = test::invalid_message([&] {
      mlp.train_step(ConstMatrix(Floats{1, 2, 3, 4}, 2, 2), wrong, sgd);
    });
    CAPTURE(message);
    CHECK(message.starts_with(softmax ? "simdrop: targets is values; allowed: labels"
                                      : "simdrop: targets is labels; allowed: values"));
    const std::string names[] = {"Loss::sigmoid_bce", "Loss::softmax_ce", "Loss::identity_mse"};
    CHECK(message.ends_with(names[static_cast<std::size_t>(loss)]));
    CHECK(sgd.step_count() == 0);
    Floats out(4, 0.5F);
    CHECK_THROWS_AS((void)mlp.loss_of(Matrix(out.data(), 2, softmax ? 2 : 1), wrong),
                    std::invalid_argument);
  }
}

TEST_CASE("mlp targets: a network with one output learns a column") {
  Mlp mlp(fixture::make_config({2, 9, 1}, Loss::identity_mse, {1.0, 0.8}, 4));
  Mlp twin(mlp.config());
  Optimizer sgd({}, mlp), other({}, twin);
  const Floats x{1, 2, 3, 4, 5, 6, 7, 8}, y{1, -1, 1, -1};
  const ConstMatrix in(x, 4, 2);
  CHECK(mlp.train_step(in, y, sgd) == twin.train_step(in, ConstMatrix(y.data(), 4, 1), other));
  Floats out(4);
  mlp.predict(in, Matrix(out, 4, 1));
  CHECK(mlp.loss_of(Matrix(out, 4, 1), y) == twin.loss_of({out.data(), 4, 1}, {y}));
}
