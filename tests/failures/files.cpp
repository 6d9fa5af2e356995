// Networks in files: the file that was there, or the new one, and nothing beside it.
#include <memory>
#include <optional>

#include "failures/networks.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "simdrop/checkpoint.hpp"

namespace failures {
namespace {

using namespace simdrop;

const Metadata metadata{{"a key that is longer than a short string", "\"and\" a value"}, {"k", ""}};

struct Saved {
  test::TemporaryDirectory folder;
  std::string path = folder.name("a file with a name that no short string holds");
  Mlp mlp = Mlp(network_configs()[0]);
  Optimizer optimizer = Optimizer({.kind = OptimizerKind::adam}, mlp);
  std::optional<Checkpoint> loaded;
  Message message;

  Saved() {
    const auto batch = fixture::make_batch(mlp.config(), mlp.config().max_batch, 5);
    mlp.train_step(batch.inputs(), batch.targets(), optimizer);
  }
};

// What is in the file before the call; saved once, as syncing takes long.
std::string file_of(bool with_optimizer) {
  const Saved saved;
  save_checkpoint(saved.path, saved.mlp, with_optimizer ? &saved.optimizer : nullptr, metadata);
  return test::read_file(saved.path);
}
void write(const Saved& saved, const std::string& bytes) {
  saved.folder.write(std::filesystem::path(saved.path).filename(), bytes);
}
void nothing(Saved& /*saved*/) {}
void weights(Saved& saved) {
  static const std::string file = file_of(false);
  write(saved, file);
}
void everything(Saved& saved) {
  static const std::string file = file_of(true);
  write(saved, file);
}

Bytes look(Saved& saved) {
  Bytes all;
  append(all, std::vector{saved.folder.entries()});
  if (std::filesystem::exists(saved.path)) append(all, test::read_file(saved.path));
  // Its path, with the folder's random name, does not count.
  const std::string text = saved.message.text;
  const std::size_t end = text.rfind('/');
  append(all, end == std::string::npos ? text : text.substr(end));
  if (!saved.loaded) return all;
  append(all, failures::look(saved.loaded->mlp));
  for (const auto& [key, value] : saved.loaded->metadata) append(all, key + value);
  if (!saved.loaded->optimizer) return all;
  Mlp& mlp = saved.loaded->mlp;
  const auto batch = fixture::make_batch(mlp.config(), mlp.config().max_batch, 5);
  append(all, std::vector{saved.loaded->optimizer->step_count()});
  mlp.train_step(batch.inputs(), batch.targets(), *saved.loaded->optimizer);
  append(all, fixture::parameters(mlp));
  return all;
}

template <class Before, class Call>
void add(Trials& trials, const std::string& function, const std::string& what, Before before,
         Call call) {
  const auto make = [before] {
    auto saved = std::make_unique<Saved>();
    before(*saved);
    return saved;
  };
  trials.push_back({"simdrop::" + function, what, [make, call] {
                      return every_allocation_fails(
                          make, [&](Saved& s) { keep_error(s.message, [&] { call(s); }); }, look);
                    }});
}

MlpConfig any_network() {
  MlpConfig config = network_configs()[0];
  config.widths.clear();
  config.keep_prob.clear();
  return config;
}

// Of others: weights, and no configuration.
const char* const foreign_header =
    R"({"0.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
    R"("0.bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";

// A file of these bytes, which is an error to load.
void add_broken(Trials& trials, const std::string& what, const std::string& header) {
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  bytes += header;
  add(
      trials, "load_checkpoint", what, [bytes](Saved& s) { write(s, bytes); },
      [](Saved& s) { s.loaded.emplace(load_checkpoint(s.path, any_network())); });
}

}  // namespace

Trials file_trials() {
  Trials trials;
  add(trials, "save_checkpoint", "a new file", nothing,
      [](Saved& s) { save_checkpoint(s.path, s.mlp, &s.optimizer, metadata); });
  add(trials, "save_checkpoint", "over another", weights,
      [](Saved& s) { save_checkpoint(s.path, s.mlp, &s.optimizer); });
  add(trials, "save_checkpoint", "options", weights, [](Saved& s) {
    save_checkpoint(s.path, s.mlp,
                    {.optimizer = &s.optimizer, .metadata = metadata, .sync = false});
  });
  add(trials, "save_checkpoint", "an error of metadata", weights, [](Saved& s) {
    static const Metadata wrong{{"format", "mine"}};
    save_checkpoint(s.path, s.mlp, nullptr, wrong);
  });
  add(trials, "save_checkpoint", "an error of the file", weights,
      [](Saved& s) { save_checkpoint(s.path + "/missing", s.mlp); });
  for (const auto& before : {weights, everything}) {
    add(trials, "load_checkpoint", "a file", before,
        [](Saved& s) { s.loaded.emplace(load_checkpoint(s.path, any_network())); });
  }
  add(trials, "load_checkpoint", "an error of the caller", weights, [](Saved& s) {
    MlpConfig wrong = any_network();
    wrong.input_keep_prob = 2.5;
    s.loaded.emplace(load_checkpoint(s.path, wrong));
  });
  add(trials, "load_checkpoint", "no file", nothing,
      [](Saved& s) { s.loaded.emplace(load_checkpoint(s.path, any_network())); });
  add(
      trials, "load_checkpoint", "a file of others",
      [](Saved& s) { write(s, test::safetensors_file(foreign_header, std::string(16, '\0'))); },
      [](Saved& s) {
        MlpConfig config;
        config.max_batch = 8;
        config.record = true;
        s.loaded.emplace(load_checkpoint(s.path, config, {.loss = Loss::softmax_ce}));
      });
  add(
      trials, "load_checkpoint", "a file that tells no loss",
      [](Saved& s) { write(s, test::safetensors_file(foreign_header, std::string(16, '\0'))); },
      [](Saved& s) { s.loaded.emplace(load_checkpoint(s.path, any_network())); });
  add_broken(trials, "no JSON", "{\"0.weight\":");
  add_broken(trials, "no Linear layer", "{\"__metadata__\":{\"simdrop\":\"{}\"}}");
  add_broken(trials, "a gap", R"({"0.bias":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})");
  return trials;
}

}  // namespace failures
