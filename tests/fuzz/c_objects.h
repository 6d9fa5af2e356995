// The objects that one input of the fuzzer makes, and what their functions need to be told of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fuzz/c_call.h"

namespace fuzz {

struct Network {
  simdrop_mlp* mlp = nullptr;  // NULL: none was made
  std::vector<std::int64_t> widths{1, 1};
  std::int64_t max_batch = 1;
  // What the last forward read, which must stay until its backward.
  std::vector<std::shared_ptr<Block>> inputs{};

  [[nodiscard]] std::int64_t in() const { return widths.front(); }
  [[nodiscard]] std::int64_t out() const { return widths.back(); }
};

class Objects {
 public:
  Objects() = default;
  ~Objects();
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;

  Network& network(Bytes& bytes) { return networks_[bytes.below(count)]; }
  simdrop_optimizer*& optimizer(Bytes& bytes) { return optimizers_[bytes.below(count)]; }
  // The same, made where there is none yet, as a rule.
  Network& made_network(Bytes& bytes);
  simdrop_optimizer* made_optimizer(Bytes& bytes, const Network& network);
  simdrop_predictor* made_predictor(Bytes& bytes);
  // Its network's, or any.
  Network& network_of(const simdrop_predictor* predictor);
  simdrop_linear_workspace*& workspace(Bytes& bytes) { return workspaces_[bytes.below(count)]; }

  // What was there is destroyed, and before a network its predictors.
  void put(Network& network, simdrop_mlp* mlp);
  void put(Bytes& bytes, simdrop_predictor* predictor, const Network& network);

 private:
  static constexpr std::size_t count = 3;
  struct Predicting {
    simdrop_predictor* object = nullptr;
    const Network* network = nullptr;
  };
  void destroy(Predicting& predictor);

  Network networks_[count]{};
  Predicting predictors_[count]{};
  simdrop_optimizer* optimizers_[count]{};
  simdrop_linear_workspace* workspaces_[count]{};
};

// The calls of each header, each of some function with any arguments.
using Function = void (*)(Objects& objects, Call& call);
std::vector<Function> base_calls();
std::vector<Function> dropout_calls();
std::vector<Function> files_calls();
std::vector<Function> linear_calls();
std::vector<Function> mlp_calls();
std::vector<Function> optimizer_calls();
std::vector<Function> predictor_calls();
std::vector<Function> random_calls();
std::vector<Function> threads_calls();

}  // namespace fuzz
