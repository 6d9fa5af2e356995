/// @file
/// A multi-layer perceptron with dropout: Linear, ReLU, Dropout hidden layers, trained on the CPU.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "simdrop/api.h"
#include "simdrop/matrix.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/requirements.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

/// What the last layer computes, and the loss that trains it (both numerically stable).
/// The loss of a batch of m examples, and dZ of the last layer (not divided by m):
/// - sigmoid_bce: A = sigmoid(Z); loss = 1/m sum over examples and outputs of
///   -(y log a + (1 - y) log(1 - a)); dZ = A - Y. Targets in [0, 1].
/// - softmax_ce: A = softmax(Z) by row; loss = 1/m sum of -log a[label]; dZ = A - onehot. Of 2 to
///   256 outputs: one alone would always be 1, and labels, which are bytes, name no more.
/// - identity_mse: A = Z; loss = mean over examples and outputs of (a - y)^2;
///   dZ = 2 (A - Y) / outputs.
enum class Loss { sigmoid_bce, softmax_ce, identity_mse };

/// Weights start at N(0, gain / fan): he = N(0, 2 / fan_in) (He et al., arXiv 1502.01852);
/// xavier = U(-a, a), a = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010).
/// Biases start at 0. Values come from Philox: a function of (seed, layer, index) alone.
enum class Init { he, xavier };

/// What dropout drops.
/// - element: each unit in each example, by itself.
/// - neuron: a unit of a layer (or a feature of the input) for the whole mini-batch, or for groups
///   of its examples, with every connection into it and out of it. The step then is that of the
///   smaller network which is left: products run on the kept rows and columns of the weights alone.
///   What is kept is scaled by 1 / keep_prob, as ever. A layer of which nothing is kept passes on
///   zeros. All examples of a group err in the same direction, which small groups average out and
///   large ones answer with a smaller learning rate.
/// Source of neuron: Graham, Reizenstein and Robinson, "Efficient batchwise dropout training using
/// submatrices", arXiv 1502.02478.
enum class DropoutUnit { element, neuron };

/// What a network is, and how it is run.
struct SIMDROP_CONTAINERS MlpConfig {
  /// Units of the input, each hidden layer, and the output: at least {in, out}, each >= 1.
  std::vector<std::size_t> widths{};
  /// keep_prob of each hidden layer's output (widths.size() - 2 values), or empty for 1.0 all over.
  std::vector<double> keep_prob{};
  double input_keep_prob = 1.0;                     ///< keep_prob of the input features
  DropoutUnit dropout_unit = DropoutUnit::element;  ///< what dropout drops
  /// With DropoutUnit::neuron and dropout_group 0 alone: what train_step() does to parameters of
  /// dropped units (weights into and out of them, and their biases), whose gradient is exactly 0.
  /// false: what the optimiser does with a gradient of 0, so momentum, Adam's moments and weight
  /// decay act on them. true: nothing, neither to them nor to their state, as sparse optimisers do;
  /// max_norm looks at the rows that are touched. Faster. (Adam's bias correction counts steps, not
  /// touches.)
  bool lazy_updates = false;
  /// With DropoutUnit::neuron alone: so many examples share a mask, those whose first_row + row
  /// divided by dropout_group is the same. 0: all rows of a call do. Small groups cost speed: each
  /// is a small batch, and with several in a batch gradients are added up in memory, where nothing
  /// is dropped too. (Groups of 1 drop what DropoutUnit::element does, which is the fast way; its
  /// gradients are rounded elsewhere.) Rows are not counted past 2^64 then: a first_row above
  /// 2^64 - batch is an error.
  std::size_t dropout_group = 0;
  Loss loss = Loss::softmax_ce;  ///< what the last layer computes
  Init init = Init::he;          ///< how weights start
  std::uint64_t seed = 0;        ///< of the initialisation and of the masks
  /// Most rows of a forward() or train_step(), >= 1. Memory for so many is set aside when the
  /// object is made (see workspace_bytes()), and touched only as far as batches use it.
  std::size_t max_batch = 256;
  /// Who runs the calls of this object, unless a call says otherwise: threads.hpp.
  int num_threads = 1;           ///< at most so many threads; 0: as Threads::count
  Executor* executor = nullptr;  ///< null: the library's; else it must live as long as the Mlp
  /// Keep Z, the masks and dA of every layer for reading (slower, more memory; same results).
  bool record = false;
  /// Make train_step() leave dw() and db() too, as record does. Without, each gradient is used
  /// where it is computed and never written to memory: faster, same results.
  bool keep_gradients = false;
};

/// Targets of a batch: class labels (softmax_ce; one per example, 0 <= label < outputs) or a
/// matrix of batch x outputs values (sigmoid_bce, identity_mse). Neither is copied.
struct Targets {
  std::span<const std::uint8_t> labels{};  ///< one for each example, or empty
  ConstMatrix values{};                    ///< batch x outputs, or empty

  /// Class labels.
  Targets(std::span<const std::uint8_t> labels_) : labels(labels_) {}  // NOLINT
  /// Class labels in a std::vector, std::array, C array or other contiguous range.
  template <detail::RangeOf<const std::uint8_t> Range>
  Targets(Range&& labels_) : labels(std::forward<Range>(labels_)) {}  // NOLINT
  /// Values. (A std::span is a matrix of one row, also here.)
  Targets(ConstMatrix values_) : values(values_) {}  // NOLINT
  /// Values in a Matrix that may be written.
  template <std::same_as<float> T>
  Targets(MatrixView<T> values_) : values(values_) {}  // NOLINT
  /// Values in a std::vector, std::array, C array or other contiguous range that is no span, of a
  /// network with one output: one for each example, a matrix of n x 1. For more outputs, give a
  /// ConstMatrix(range, batch, outputs).
  template <detail::OwnedRangeOf<const float> Range>
  Targets(Range&& column) {  // NOLINT
    const std::span<const float> elements = std::forward<Range>(column);
    values = {elements.data(), elements.size(), 1};
  }
};

/// What may be said of one training step, besides its batch. Fields are given by name:
/// train_step(x, targets, optimizer, {.first_row = 64, .threads = 2}).
struct TrainStepOptions {
  std::uint64_t first_row = 0;       ///< number of the batch's first row, for the masks
  std::optional<Threads> threads{};  ///< who runs the call; nothing: as MlpConfig says
};

/// What may be said of one forward(), besides its batch.
struct ForwardOptions {
  std::uint64_t step = 0;            ///< of training, for the masks; < 2^40
  std::uint64_t first_row = 0;       ///< number of the batch's first row, for the masks
  std::optional<Threads> threads{};  ///< who runs the call; nothing: as MlpConfig says
};

/// How predict_monte_carlo() samples.
struct MonteCarloOptions {
  std::size_t samples = 0;           ///< passes; must be given, >= 1
  std::uint64_t first_sample = 0;    ///< number of the first pass, for the masks
  std::uint64_t first_row = 0;       ///< number of x's first row, for the masks
  std::optional<Threads> threads{};  ///< who runs the call; nothing: as the object's creator said
};

/// The network. Layers are counted from 1 as in the textbooks; layer 0 is the input.
/// Layer l has weights(l) of widths[l] x widths[l-1] (row-major, as PyTorch stores them) and
/// bias(l) of widths[l]. Activations are batch x features.
///
/// Randomness: the mask of layer l in step t of row r is that of stream
/// (seed, id = mask_stream_id(l, t)), elements (first_row + r) * widths[l] onwards. So a batch that
/// is split over calls or machines draws the same masks, and a run can be resumed at a step.
/// With DropoutUnit::neuron the mask of group (first_row + r) / dropout_group is elements
/// group * widths[l] onwards of that stream; with dropout_group 0 there is group 0 alone, whatever
/// first_row. (So a dropout_group of 1 draws what DropoutUnit::element does.)
///
/// These numbers are modulo 2^64, as in masks; row numbers alone may not pass 2^64 where
/// dropout_group says so.
///
/// What is handed to a call must not lie in memory of the network that weights(), bias() and the
/// readers below show: it would be overwritten while it is read. That is an error, of batches,
/// targets, and outputs of predictions. (The x of a prediction may lie there, and inject_mask()
/// copies.)
///
/// Results are bitwise the same on any number of threads, whoever runs them: config.num_threads and
/// config.executor, or for one call its `threads`. After the first call of each kind, forward(),
/// backward(), train_step(), predict() and predict_monte_carlo() allocate nothing, unless a call
/// asks for more threads than any before it (then it may throw std::bad_alloc, before it writes
/// anything). One object must not be used from two threads at once, but for its const members (so
/// any number of Predictors may share it; see predictor.hpp). Move-only. Every
/// member throws std::invalid_argument on misuse, naming the argument, and writes nothing then; a
/// layer number out of range is misuse too. NaN in inputs or weights spreads as IEEE 754 says (ReLU
/// keeps it).
class SIMDROP_API SIMDROP_CONTAINERS Mlp {
 public:
  /// Throws std::invalid_argument naming the field that is out of its range, std::bad_alloc.
  explicit Mlp(const MlpConfig& config);
  ~Mlp();
  Mlp(Mlp&&) noexcept;             ///< leaves an object that may only be assigned to or destroyed
  Mlp& operator=(Mlp&&) noexcept;  ///< the same

  /// An independent network of the same configuration with the same weights, biases, keep_probs and
  /// injected masks, as for early stopping: best = mlp.clone(). What forward() and backward() kept
  /// is not copied. It costs the memory of a new network and a copy of the weights; to copy weights
  /// alone into a network that is there, write to its weights() and bias().
  /// threads: who runs the clone's calls, unless they say otherwise; nothing: as this network's, an
  /// executor too. Others may read the network meanwhile, but not train it. Throws std::bad_alloc.
  [[nodiscard]] Mlp clone(std::optional<Threads> threads = {}) const;

  /// As given, with keep_prob filled in and as set_keep_prob() left it.
  [[nodiscard]] const MlpConfig& config() const noexcept;
  [[nodiscard]] std::size_t num_layers() const noexcept;      ///< widths.size() - 1
  [[nodiscard]] std::size_t num_parameters() const noexcept;  ///< weights and biases
  /// Lengths of weights(1), bias(1), weights(2), ...: what an Optimizer for this network needs.
  [[nodiscard]] std::vector<std::size_t> parameter_sizes() const;

  ///@{
  /// W of layer 1 ... num_layers(), widths[layer] x widths[layer - 1]: a view of the network's own
  /// memory, valid as long as the object, also after it was moved. Write to it between steps.
  [[nodiscard]] Matrix weights(std::size_t layer);
  [[nodiscard]] ConstMatrix weights(std::size_t layer) const;
  ///@}
  ///@{
  /// b of layer 1 ... num_layers(), widths[layer] values; the same otherwise.
  [[nodiscard]] std::span<float> bias(std::size_t layer);
  [[nodiscard]] std::span<const float> bias(std::size_t layer) const;
  ///@}

  /// The stream id of the mask of `layer` (0 = the input) in step `step` (< 2^40).
  [[nodiscard]] static std::uint64_t mask_stream_id(std::size_t layer, std::uint64_t step);
  /// The stream id of the mask of `layer` in sample `sample` (< 2^40) of predict_monte_carlo().
  [[nodiscard]] static std::uint64_t sample_stream_id(std::size_t layer, std::uint64_t sample);

  /// Changes the keep_prob of hidden layer `layer` (or of the input: 0), from the next forward on.
  void set_keep_prob(std::size_t layer, double keep_prob);

  /// Makes every following forward() use these bits for `layer` (0 = the input, or a hidden
  /// layer): bit r * widths[layer] + c, mask_bytes(max_batch * widths[layer]) bytes, copied; with
  /// DropoutUnit::neuron bit i * widths[layer] + c for the i-th group of a call's rows,
  /// mask_bytes(groups * widths[layer]) bytes, where groups is 1 for dropout_group 0 and else
  /// 1 + (max_batch - 1) / dropout_group, rounded up. The
  /// scale stays 1 / keep_prob of the layer; with keep_prob 0 everything is dropped, whatever the
  /// bits (mask() shows them as injected). An empty span goes back to drawn masks. Allocates.
  void inject_mask(std::size_t layer, std::span<const std::uint8_t> bits);

  /// Training-mode forward: drops, keeps what backward() needs. x: batch x widths[0] with
  /// 1 <= batch <= max_batch; it is not copied and must stay valid and unchanged until after
  /// backward(). Nor may weights change until then. Returns A of the last layer (valid until the
  /// next forward).
  ConstMatrix forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row = 0,
                      std::optional<Threads> threads = {});

  /// The same: forward(x, {.step = 3, .first_row = 64, .threads = 2}).
  ConstMatrix forward(ConstMatrix x, const ForwardOptions& options) {
    return forward(x, options.step, options.first_row, options.threads);
  }

  /// Gradients for the batch of the last forward(): afterwards dw(), db() hold
  /// dW = dZ^T A_prev / m and db = sum dZ / m. Returns the mean loss of the batch.
  /// Throws std::logic_error without a forward() before.
  double backward(const Targets& targets, std::optional<Threads> threads = {});

  /// forward(), backward() and one optimiser step, with the same results as the three. Masks are
  /// those of step optimizer.step_count(). Returns the mean loss before the update. Leaves dw() and
  /// db() only if config.keep_gradients or config.record.
  double train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                    std::uint64_t first_row = 0, std::optional<Threads> threads = {});

  /// The same: train_step(x, targets, optimizer, {.first_row = 64, .threads = 2}).
  double train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                    const TrainStepOptions& options) {
    return train_step(x, targets, optimizer, options.first_row, options.threads);
  }

  /// Inference: no dropout, nothing rescaled. x: any number of rows; out: rows x outputs, gets A
  /// of the last layer. out must not overlap x, nor the network's memory. Leaves what forward()
  /// kept untouched. A row of out depends on the same row of x alone, but for rounding: few rows (a
  /// call of at most 32, or max_batch that small) read the weights in another order than many do.
  void predict(ConstMatrix x, Matrix out, std::optional<Threads> threads = {});

  /// Monte Carlo dropout: the mean and the variance of the outputs (A of the last layer) over
  /// `samples` >= 1 passes that drop as training does, with every keep_prob and the scale
  /// 1 / keep_prob; injected masks are not used. Each row has a mask of its own, whatever the
  /// DropoutUnit: to a row it is the same. The variance is the unbiased one, divided by
  /// samples - 1; with one sample it is 0. For a predictive variance of a regression, add the
  /// inverse of the model's precision (equation 9 of the source).
  /// x: any number of rows; mean and variance: rows x outputs; none of them may overlap, nor may
  /// mean and variance overlap the network's memory. Leaves what forward() kept untouched.
  /// Sample s draws the mask of layer l (0 = the input) in row r from stream (seed, id =
  /// sample_stream_id(l, first_sample + s)), elements (first_row + r) * widths[l] onwards, unless
  /// that keep_prob is 1. So results are a function of the weights, the row, the seed, the samples
  /// and first_row + r: the same bits for any max_batch, split of the rows over calls and number of
  /// threads. Samples that a second call must not repeat: first_sample + samples <= 2^40.
  /// max_batch >= samples lets one row's samples pass together, which is the fastest for few rows.
  /// Source: Gal and Ghahramani, "Dropout as a Bayesian approximation", arXiv 1506.02142.
  void predict_monte_carlo(ConstMatrix x, std::size_t samples, Matrix mean, Matrix variance,
                           std::uint64_t first_sample = 0, std::uint64_t first_row = 0,
                           std::optional<Threads> threads = {});

  /// The same: predict_monte_carlo(x, mean, variance, {.samples = 50, .threads = 2}).
  void predict_monte_carlo(ConstMatrix x, Matrix mean, Matrix variance,
                           const MonteCarloOptions& options) {
    predict_monte_carlo(x, options.samples, mean, variance, options.first_sample, options.first_row,
                        options.threads);
  }

  /// Mean loss of predictions (as predict() returns them; at least one row) against targets.
  /// Logarithms are clamped at -100, as PyTorch's BCELoss does: a saturated prediction costs 100.
  [[nodiscard]] double loss_of(ConstMatrix predictions, const Targets& targets) const;

  /// @name Intermediates of the last forward() and backward()
  /// batch x widths[layer]. z, mask and da need config.record (else std::logic_error). With
  /// DropoutUnit::neuron so do a and dz of all layers but the last; dropped units have +0 in each
  /// of them (their z is not computed), and a mask has widths[layer] bits for each group of the
  /// rows.
  ///@{
  [[nodiscard]] ConstMatrix z(std::size_t layer) const;  ///< W A_prev + b, before the activation
  [[nodiscard]] ConstMatrix a(std::size_t layer) const;  ///< after dropout; 0 = the input as used
  [[nodiscard]] std::span<const std::uint8_t> mask(std::size_t layer) const;  ///< not of the last
  /// dA after the mask and the division by keep_prob, as the textbook's last value of dA. Hidden
  /// layers only.
  [[nodiscard]] ConstMatrix da(std::size_t layer) const;
  /// The gradient of z, of the sum over the batch: not divided by m.
  [[nodiscard]] ConstMatrix dz(std::size_t layer) const;
  /// The gradient of weights(layer). Throws std::logic_error after a train_step() that kept no
  /// gradients.
  [[nodiscard]] ConstMatrix dw(std::size_t layer) const;
  /// The gradient of bias(layer), likewise.
  [[nodiscard]] std::span<const float> db(std::size_t layer) const;
  ///@}

  /// Memory for packed operands and what each thread needs beside them, allocated at construction:
  /// about max_batch * (two layers' widths) * 2 floats, and some 100 KiB a thread; with
  /// DropoutUnit::neuron also room for the weights of all layers but the first, for each group that
  /// max_batch rows may touch, of which a step touches what it keeps. (Activations, gradients and
  /// masks are max_batch * width for each layer and come on top.)
  [[nodiscard]] std::size_t workspace_bytes() const noexcept;

 private:
  friend class Predictor;
  struct State;
  [[gnu::visibility("hidden")]] Mlp(const MlpConfig& config, const Mlp& other);
  std::unique_ptr<State> state_;
};

}  // namespace simdrop
