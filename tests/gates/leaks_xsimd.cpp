// Not part of simdrop: the kernels with the renaming of xsimd forgotten. The symbol gate must
// refuse it.
#undef xsimd
#include "kernels/mask/mask_kernels.cpp"
