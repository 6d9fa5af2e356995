// Dropout twice over, sharing no code with src: in double with the textbook's division (Srivastava
// et al., JMLR 15, inverted form), and in float with the operations that dropout.hpp documents,
// to which the kernels must be equal bit for bit.
#pragma once

namespace reference {

double dropout(double x, bool kept, double keep_prob);
double bias_relu_dropout(double x, double bias, bool kept, double keep_prob);
// From the mask and the pre-activation z, as the textbook has it.
double relu_dropout_backward(double z, bool kept, double dy, double keep_prob);

float scale_of(double keep_prob);
float dropout_as_documented(float x, bool kept, float scale);
float bias_relu_dropout_as_documented(float x, float bias, bool kept, float scale);
float relu_dropout_backward_as_documented(float y, float dy, float scale);

}  // namespace reference
