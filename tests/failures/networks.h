// Networks of all kinds, and all that can be seen of one.
#pragma once

#include <vector>

#include "failures/trial.h"
#include "simdrop/mlp.hpp"

namespace failures {

// On one thread, on two, and on an executor; element and neuron dropout; with everything recorded.
std::vector<simdrop::MlpConfig> network_configs();

// Parameters, and what passes over a batch leave, trains and predict. Changes the network.
Bytes look(simdrop::Mlp& mlp);

}  // namespace failures
