/// @file
/// Networks in files: safetensors, named and shaped as PyTorch saves them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "simdrop/api.h"
#include "simdrop/linear.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/requirements.hpp"

namespace simdrop {

/// A file that can't be read or written, or that does not hold what it should:
/// "simdrop: PATH: what is wrong".
class SIMDROP_API FileError : public std::runtime_error {
 public:
  /// what: the part behind the path.
  FileError(const std::string& path, const std::string& what);
  ~FileError() override;
};

/// Text of the caller's own that a file carries, UTF-8. The keys "format" and "simdrop" are taken.
using Metadata = std::map<std::string, std::string>;

/// Writes a network, and where training stands if there is an optimizer, to a safetensors file.
///
/// Tensors are those of PyTorch's torch.nn.Sequential(Dropout if input_keep_prob < 1; for each
/// hidden layer Linear, ReLU, Dropout if its keep_prob < 1; Linear): "0.weight" of
/// widths[1] x widths[0] and "0.bias", then "3.weight" or, without dropout, "2.weight", and so on,
/// all F32. Without an optimizer there is nothing else, so that load_state_dict(strict=True) takes
/// the file. With one, its state follows, as "optimizer.momentum_buffer.0.weight", or
/// "optimizer.exp_avg.0.weight" and "optimizer.exp_avg_sq.0.weight". The configuration (but for
/// max_batch, num_threads, record and keep_gradients) and the step count are JSON text in the
/// file's metadata; a resumed run goes on bit for bit, since masks are a function of seed and step.
/// Injected masks are not saved. NaN is a value like any other.
///
/// The file is written beside `path` as .simdrop-*.tmp, synced to the disk and renamed: whatever
/// happens, `path` is the old file or the new one. (A process that is killed leaves the temporary
/// file.) Of a symbolic link, the target is replaced. A file that was there keeps its mode, owner
/// and group as far as the system lets it; where it does not, the new file has fewer rights, never
/// more. Other hard links keep the old content, access control lists are not kept. Only regular
/// files are replaced: a device, FIFO, socket or folder is an error.
///
/// Throws FileError or std::bad_alloc, and leaves `path` as it was; std::invalid_argument if the
/// optimizer is not for this network, or metadata has a key that is taken or text that is not
/// UTF-8. "can't be synced to the disk": SaveOptions::sync tells how to go on without. One
/// FileError alone comes after `path` was replaced: "was written, but its directory can't be
/// synced", when the disk fails there, so that a loss of power may bring the old file back. Thread
/// safe with others that only read these objects. Signals and pthread_cancel() do no harm:
/// interrupted system calls are begun again, and a thread that is cancelled meanwhile ends at its
/// next cancellation point after the call. So does load_checkpoint().
SIMDROP_API void save_checkpoint(const std::filesystem::path& path, const Mlp& mlp,
                                 const Optimizer* optimizer = nullptr,
                                 const Metadata& metadata = {});

/// What may be said of a save, each field by its name:
/// save_checkpoint(path, mlp, {.optimizer = &adam, .sync = false}).
struct SaveOptions {
  const Optimizer* optimizer = nullptr;  ///< null: weights alone
  Metadata metadata{};                   ///< text of the caller's own
  /// Wait until the file is on the disk. Without, a loss of power soon after the call may leave an
  /// empty or broken file where the old one was; a process that is killed still does not. For file
  /// systems that refuse to sync, and files that are easily made again.
  bool sync = true;
};

/// save_checkpoint() of these options.
SIMDROP_API void save_checkpoint(const std::filesystem::path& path, const Mlp& mlp,
                                 const SaveOptions& options);

/// What a file holds.
struct Checkpoint {
  Mlp mlp;                             ///< the network, with its weights
  std::optional<Optimizer> optimizer;  ///< if the file was saved with one
  Metadata metadata;                   ///< without the keys "format" and "simdrop"
};

/// What a file that save_checkpoint() did not write leaves to its reader: its tensors are weights
/// alone. Fields are given by name: {.activation = Activation::relu, .loss = Loss::identity_mse}.
struct LoadOptions {
  /// What lies between the layers. An Mlp has Activation::relu there: a model with another one
  /// (GELU, tanh, LeakyReLU) would predict something else, and cannot be loaded.
  std::optional<Activation> activation{};
  /// What the last layer computes, and what trains it.
  std::optional<Loss> loss{};
};

///@{
/// Reads a file of save_checkpoint(), or any safetensors file of a PyTorch Sequential of Linear
/// layers: all tensors are named PREFIX INTEGER ".weight" or ".bias" with one prefix for all of
/// them (which may be empty), sorted by the integer, which is written without leading zeros and
/// below 2^64; weights have two dimensions, each layer has a bias, and its inputs are the outputs
/// of the layer before. If the prefix is empty or ends with ".", integers count modules, and two
/// that follow each other have nothing between them, no ReLU either: an error. (Multiply such
/// layers into one; or leave a gap in the numbers of a ModuleList whose forward() applies ReLU.)
///
/// `options`: must say the loss of a file that is not of save_checkpoint(), and the activation if
/// it has several layers, or the file's own metadata must: "activation", which is "relu", and
/// "loss", which is "sigmoid_bce", "softmax_ce" or "identity_mse". Both may say it, but not
/// different things; nor may options contradict a file of save_checkpoint(). (Such a file's
/// metadata "activation" and "loss" are the caller's own text, and mean nothing here.)
///
/// `defaults`: of the network. What the file and options tell replaces its fields: widths and loss
/// always, and in files of save_checkpoint() everything but max_batch, num_threads, record and
/// keep_gradients.
///
/// Nothing in the file is trusted: each length, offset, dtype and shape is checked before memory
/// is taken. A header is refused at its first wrong entry, at more than 393,216 tensors (the
/// deepest network has fewer) and at more than 4096 keys of metadata, and takes less than 4 times
/// its size while it is read. Throws FileError for a file that is not there, no regular file,
/// broken, of another kind of network, or silent about what must be told; std::invalid_argument
/// naming the field of `defaults` or `options` that is out of its range; std::bad_alloc.
[[nodiscard]] SIMDROP_API Checkpoint load_checkpoint(const std::filesystem::path& path,
                                                     const MlpConfig& defaults);
[[nodiscard]] SIMDROP_API Checkpoint load_checkpoint(const std::filesystem::path& path,
                                                     const MlpConfig& defaults,
                                                     const LoadOptions& options);
///@}

}  // namespace simdrop
