#include "mlp/loss.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"
#include "base/matrix_check.h"

namespace simdrop::detail {
namespace {

std::string place(const char* name, std::size_t row, std::size_t col) {
  return std::string(name) + "(" + std::to_string(row) + ", " + std::to_string(col) + ")";
}

// The shortest text that reads back as the same float.
std::string text_of(float value) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

// Values where the loss takes labels, or labels where it takes values.
void check_kind(Loss loss, const Targets& targets) {
  const bool has_labels = !targets.labels.empty();
  const bool has_values = targets.values.rows != 0 || targets.values.cols != 0;
  if (loss == Loss::softmax_ce) {
    if (has_labels || !has_values) return;
    throw_invalid("targets", std::string("values"),
                  "labels, one class of each example, for Loss::softmax_ce");
  }
  if (has_values || !has_labels) return;
  throw_invalid("targets", std::string("labels"),
                loss == Loss::sigmoid_bce
                    ? "values, batch x outputs in [0, 1], for Loss::sigmoid_bce"
                    : "values, batch x outputs, for Loss::identity_mse");
}

void check_labels(std::span<const std::uint8_t> labels, std::size_t rows, std::size_t outputs) {
  check_array(labels, "targets.labels", rows, "number of examples");
  const auto bad = std::ranges::find_if(labels, [=](std::uint8_t y) { return y >= outputs; });
  if (bad == labels.end()) return;
  throw_invalid("targets.labels[" + std::to_string(bad - labels.begin()) + "]",
                static_cast<unsigned>(*bad), "0 ... " + std::to_string(outputs - 1));
}

void check_values(ConstMatrix y, std::size_t rows, std::size_t outputs) {
  check_shape(y, "targets.values", rows, outputs, "number of examples x number of outputs");
  check_memory(y, "targets.values");
}

void check_probabilities(ConstMatrix values) {
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < values.cols; ++c) {
      const float y = values(r, c);
      if (!(y >= 0.0F && y <= 1.0F)) {
        throw_invalid(place("targets.values", r, c), text_of(y), "0 <= target <= 1");
      }
    }
  }
}

double as_double(float value) {
  return static_cast<double>(value);
}

double squared_error_row_loss(const float* a, const float* y, std::size_t n) {
  double loss = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double error = as_double(a[i]) - as_double(y[i]);
    loss += error * error;
  }
  return loss / static_cast<double>(n);
}

double clamped_log(double value) {
  return std::max(std::log(value), -100.0);
}

double sigmoid_row_loss(const float* a, const float* y, std::size_t n) {
  double loss = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double p = as_double(a[i]);
    const double target = as_double(y[i]);
    loss -= target * clamped_log(p) + (1.0 - target) * clamped_log(1.0 - p);
  }
  return loss;
}

}  // namespace

void check_targets(Loss loss, const Targets& targets, std::size_t rows, std::size_t outputs) {
  check_kind(loss, targets);
  if (loss == Loss::softmax_ce) {
    check_labels(targets.labels, rows, outputs);
    return;
  }
  check_values(targets.values, rows, outputs);
  if (loss == Loss::sigmoid_bce) check_probabilities(targets.values);
}

void output_rows(const KernelTable& table, Loss loss, const OutputRows& all, const Targets* targets,
                 std::size_t begin, std::size_t end) {
  OutputRows part = all;
  part.rows = end - begin;
  part.z += begin * all.ld;
  part.a += begin * all.ld;
  if (targets != nullptr) {
    part.dz += begin * all.ld;
    part.losses += begin;
  }
  if (loss == Loss::softmax_ce) {
    table.softmax_ce_f32(part, targets == nullptr ? nullptr : targets->labels.data() + begin);
    return;
  }
  const auto kernel = loss == Loss::sigmoid_bce ? table.sigmoid_bce_f32 : table.identity_mse_f32;
  if (targets == nullptr) {
    kernel(part, nullptr, 0);
  } else {
    kernel(part, targets->values.row(begin), targets->values.ld);
  }
}

double mean_loss(Loss loss, ConstMatrix a, const Targets& targets) {
  double sum = 0.0;
  for (std::size_t r = 0; r < a.rows; ++r) {
    if (loss == Loss::softmax_ce) {
      sum -= clamped_log(as_double(a(r, targets.labels[r])));
    } else if (loss == Loss::sigmoid_bce) {
      sum += sigmoid_row_loss(a.row(r), targets.values.row(r), a.cols);
    } else {
      sum += squared_error_row_loss(a.row(r), targets.values.row(r), a.cols);
    }
  }
  return sum / static_cast<double>(a.rows);
}

}  // namespace simdrop::detail
