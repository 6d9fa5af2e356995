/// @file
/// All of simdrop's C++ interface. (The C interface is simdrop/simdrop.h.)
///
/// Every function computes in the default floating-point environment (to nearest, subnormal numbers
/// kept, no traps), whatever its caller's is, and gives the caller's back, exception flags
/// included; where the caller's is the default, flags may be raised as by any arithmetic.
#pragma once

// IWYU pragma: begin_exports
#include "simdrop/checkpoint.hpp"
#include "simdrop/dropout.hpp"
#include "simdrop/float16.hpp"
#include "simdrop/isa.hpp"
#include "simdrop/linear.hpp"
#include "simdrop/mask.hpp"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/predictor.hpp"
#include "simdrop/requirements.hpp"
#include "simdrop/rng.hpp"
#include "simdrop/threads.hpp"
// IWYU pragma: end_exports
