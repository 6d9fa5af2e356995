#include "dropout_reference.h"

namespace reference {

double dropout(double x, bool kept, double keep_prob) {
  return kept ? x / keep_prob : 0.0;
}

double bias_relu_dropout(double x, double bias, bool kept, double keep_prob) {
  const double z = x + bias;
  const double relu = z > 0.0 ? z : 0.0;
  return dropout(relu, kept, keep_prob);
}

double relu_dropout_backward(double z, bool kept, double dy, double keep_prob) {
  const double relu_slope = z > 0.0 ? 1.0 : 0.0;
  return dropout(dy, kept, keep_prob) * relu_slope;
}

float scale_of(double keep_prob) {
  return static_cast<float>(1.0 / keep_prob);
}

float dropout_as_documented(float x, bool kept, float scale) {
  return kept ? x * scale : 0.0F;
}

float bias_relu_dropout_as_documented(float x, float bias, bool kept, float scale) {
  const float z = x + bias;
  if (!kept || z <= 0.0F) return 0.0F;
  return z * scale;
}

float relu_dropout_backward_as_documented(float y, float dy, float scale) {
  return y > 0.0F ? dy * scale : 0.0F;
}

}  // namespace reference
