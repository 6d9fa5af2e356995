#include "fuzz/c_structs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

namespace fuzz {
namespace {

using Task = void (*)(void* task_context, std::size_t index);

void run_serially(void* /*context*/, std::size_t count, Task task, void* task_context) {
  for (std::size_t i = count; i > 0; --i) task(task_context, i - 1);
}

void run_on_threads(void* /*context*/, std::size_t count, Task task, void* task_context) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(task, task_context, i);
  for (std::thread& thread : threads) thread.join();
}

void run_none(void* /*context*/, std::size_t /*count*/, Task /*task*/, void* /*task_context*/) {}

const simdrop_executor* any_executor(Call& call) {
  Bytes& bytes = call.bytes;
  simdrop_executor executor = {sizeof(executor), nullptr, run_on_threads, 3, 0};
  switch (bytes.below(8)) {
    case 0:
    case 1:
    case 2:
      return nullptr;
    case 3:
      executor.parallel_for = run_serially;
      break;
    case 4:
      executor.parallel_for = bytes.one_in(2) ? nullptr : run_none;
      Call::executor_is_faulty = Call::executor_is_faulty || executor.parallel_for == run_none;
      break;
    case 5:
      executor.max_concurrency = bytes.any<std::int32_t>() % 100;
      executor.reserved = bytes.one_in(4) ? 1 : 0;
      break;
    default:
      break;
  }
  return call.structure(executor);
}

std::int32_t any_flag(Call& call) {
  return call.bytes.one_in(32) ? call.bytes.any<std::int32_t>()
                               : static_cast<std::int32_t>(call.bytes.below(2));
}

std::int32_t any_enumerator(Call& call, std::size_t count) {
  return call.bytes.one_in(32) ? call.bytes.any<std::int32_t>()
                               : static_cast<std::int32_t>(call.bytes.below(count));
}

std::int32_t any_num_threads(Call& call) {
  return call.bytes.one_in(32) ? -1 : static_cast<std::int32_t>(call.bytes.below(5));
}

double any_rate(Call& call) {
  constexpr double usual[] = {.01, 0.0, .1, .9, .999};
  constexpr double unusual[] = {1.0, -1.0, 1e-300, 1e300, 1.0 - 0x1p-53, 1.0 - 0x1p-25};
  return call.bytes.one_in(8) ? call.bytes.choice(unusual) : usual[call.bytes.below(5)];
}

// Of weights of `layers` layers; more of them for narrow ones.
std::vector<std::int64_t> any_widths(Call& call) {
  Bytes& bytes = call.bytes;
  std::vector<std::int64_t> widths(bytes.one_in(24) ? bytes.below(2) : 2 + bytes.below(4));
  for (auto& width : widths) {
    width = static_cast<std::int64_t>(1 + bytes.below(bytes.one_in(4) ? 130 : 12));
  }
  if (!widths.empty() && bytes.one_in(32)) widths[bytes.below(widths.size())] = -(bytes.size() & 1);
  return widths;
}

// As many rows as 16 MB hold, with room for the weights of each group of them.
std::int64_t any_max_batch(Call& call, const std::vector<std::int64_t>& widths,
                           std::int64_t group) {
  const std::int64_t rows = call.bytes.size();
  if (rows <= 0) return rows;
  std::int64_t weights = 0;
  for (std::size_t l = 1; l < widths.size(); ++l) weights += widths[l] * widths[l - 1];
  const std::int64_t most = group == 0 ? 256 : 4'000'000 / std::max<std::int64_t>(weights, 1) + 1;
  return std::min({rows, most, std::int64_t{256}});
}

}  // namespace

simdrop_dropout* any_dropout(Call& call) {
  Bytes& bytes = call.bytes;
  simdrop_dropout dropout{};
  dropout.keep_prob = bytes.keep_prob();
  dropout.seed = bytes.below(200);
  dropout.stream_id = bytes.position();
  dropout.first = bytes.position();
  dropout.rule = any_enumerator(call, 2);
  dropout.rounds = bytes.one_in(32) ? bytes.any<std::int32_t>() : bytes.one_in(3) ? 7 : 10;
  return call.structure(dropout);
}

simdrop_exec* any_exec(Call& call) {
  if (call.bytes.one_in(4)) return nullptr;
  simdrop_exec exec{};
  exec.executor = any_executor(call);
  exec.num_threads = any_num_threads(call);
  exec.stores = any_enumerator(call, 3);
  return call.structure(exec);
}

simdrop_targets* any_targets(Call& call, std::int64_t rows, std::int64_t outputs) {
  Bytes& bytes = call.bytes;
  simdrop_targets targets{};
  const std::size_t kind = bytes.below(24);
  if (kind % 2 == 0 || kind == 23) {
    auto* const labels = call.array_of<std::uint8_t>(rows);
    const auto limit = static_cast<std::uint8_t>(std::clamp<std::int64_t>(outputs, 1, 255));
    const std::int64_t n = rows < 0 || rows > 1 << 19 ? 0 : rows;
    for (std::int64_t i = 0; labels != nullptr && i < n && !bytes.one_in(64); ++i) {
      labels[i] = static_cast<std::uint8_t>(labels[i] % limit);
    }
    targets.labels = labels;
  }
  if (kind % 2 == 1) {
    targets.values_ld = call.ld(outputs);
    auto* const values =
        static_cast<float*>(call.matrix(rows, outputs, targets.values_ld, sizeof(float)));
    targets.values = values;
    // In [0, 1], as a sigmoid's must be, as a rule.
    const auto n = static_cast<std::size_t>(values == nullptr || rows < 0 || outputs < 0 ||
                                                    rows > 1 << 19 || outputs > 1 << 19
                                                ? 0
                                                : rows * outputs);
    if (targets.values_ld == outputs && !bytes.one_in(8)) {
      for (std::size_t i = 0; i < n && n <= 1 << 17; ++i) {
        values[i] = static_cast<float>(i % 5) / 4.0F;
      }
    }
  }
  return call.structure(targets);
}

simdrop_optimizer_config* any_optimizer_config(Call& call) {
  simdrop_optimizer_config config{};
  config.learning_rate = any_rate(call);
  config.momentum = any_rate(call);
  config.weight_decay = any_rate(call);
  config.beta1 = any_rate(call);
  config.beta2 = any_rate(call);
  config.epsilon = call.bytes.one_in(8) ? any_rate(call) : 1e-8;
  config.max_norm = any_rate(call);
  config.kind = any_enumerator(call, 3);
  config.nesterov = any_flag(call);
  return call.structure(config);
}

simdrop_mlp_config* any_mlp_config(Call& call) {
  Bytes& bytes = call.bytes;
  simdrop_mlp_config config{};
  const auto widths = any_widths(call);
  config.widths = bytes.one_in(64) ? nullptr : call.copy_of(widths.data(), widths.size());
  config.num_widths = static_cast<std::int64_t>(widths.size());
  const std::size_t hidden = widths.size() < 2 ? 0 : widths.size() - 2;
  std::vector<double> keep_prob(bytes.one_in(32) ? bytes.below(4) : hidden);
  for (double& p : keep_prob) p = bytes.keep_prob();
  config.keep_prob = bytes.one_in(16) ? nullptr : call.copy_of(keep_prob.data(), keep_prob.size());
  config.num_keep_prob = config.keep_prob == nullptr && !bytes.one_in(4)
                             ? 0
                             : static_cast<std::int64_t>(keep_prob.size());
  config.input_keep_prob = bytes.keep_prob();
  config.seed = bytes.below(200);
  config.dropout_unit = any_enumerator(call, 2);
  config.dropout_group = config.dropout_unit == 0 && !bytes.one_in(16) ? 0 : bytes.size();
  config.max_batch = any_max_batch(call, widths, config.dropout_group);
  config.lazy_updates = config.dropout_unit == 1 ? any_flag(call) : bytes.one_in(16) ? 1 : 0;
  config.executor = any_executor(call);
  config.loss = any_enumerator(call, 3);
  config.init = any_enumerator(call, 2);
  config.num_threads = any_num_threads(call);
  config.record = any_flag(call);
  config.keep_gradients = any_flag(call);
  config.reserved = bytes.one_in(64) ? 1 : 0;
  return call.structure(config);
}

simdrop_dtype any_dtype(Call& call) {
  return any_enumerator(call, 5);
}

std::size_t element_size(simdrop_dtype dtype) {
  if (dtype == SIMDROP_F64) return 8;
  if (dtype == SIMDROP_BF16 || dtype == SIMDROP_F16) return 2;
  return dtype == SIMDROP_U8 ? 1 : 4;
}

}  // namespace fuzz
