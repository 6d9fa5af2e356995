// Dropout twice over, sharing no code with src: the textbook's division (Srivastava et al., JMLR
// 15, inverted form), in double or wider; and the operations that dropout.hpp documents, in the
// type of the arithmetic, to which the kernels must be equal bit for bit.
#pragma once

namespace reference {

// W: double, or long double to judge double.
template <class W>
W dropout(W x, bool kept, double keep_prob);
template <class W>
W bias_relu_dropout(W x, W bias, bool kept, double keep_prob);
// From the mask and the pre-activation z, as the textbook has it.
template <class W>
W relu_dropout_backward(W z, bool kept, W dy, double keep_prob);

// A: float or double.
template <class A = float>
A scale_of(double keep_prob);
template <class A>
A dropout_as_documented(A x, bool kept, A scale);
template <class A>
A residual_dropout_as_documented(A residual, A x, bool kept, A scale);
template <class A>
A bias_relu_dropout_as_documented(A x, A bias, bool kept, A scale);
template <class A>
A relu_dropout_backward_as_documented(A y, A dy, A scale);

}  // namespace reference
