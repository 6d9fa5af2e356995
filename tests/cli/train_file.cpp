// The file of a run: what does not belong to it.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/train_config.h"
#include "cli/train_file.h"
#include "helpers/expect_invalid.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "mlp/checkpoint_access.h"

namespace {

using namespace simdrop;

cli::TrainArguments moons() {
  cli::TrainArguments arguments;
  arguments.data = "moons";
  arguments.layers = {2, 4, 1};
  arguments.epochs = 2;
  arguments.keep_prob = {0.5};
  arguments.threads = 1;
  return arguments;
}

// The run after its first epoch.
std::string run_file(const test::TemporaryDirectory& dir) {
  const auto config = cli::make_config(moons());
  const auto data = cli::load_data(moons(), 1).data;
  cli::Trainer trainer(config, data.train);
  trainer.run_epoch();
  trainer.save(dir.name("run"), cli::run_metadata(moons(), config, data.train.rows()));
  return dir.name("run");
}

std::string load_error(const std::string& path, std::size_t examples = 1000) {
  return test::file_error([&] { (void)cli::load_run(path, cli::make_config(moons()), examples); });
}

std::string arguments_error(const std::string& path) {
  return test::file_error([&] { (void)cli::saved_arguments(path); });
}

bool has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("cli: a run's file gives back its arguments and where it stopped") {
  const test::TemporaryDirectory dir;
  const std::string path = run_file(dir);
  CHECK(load_error(path) == "no error");
  const auto saved = cli::saved_arguments(path);
  CHECK(saved.data == "moons");
  CHECK(saved.layers == moons().layers);
  CHECK(saved.keep_prob == moons().keep_prob);
  CHECK(saved.learning_rate == 0.05);
  CHECK(saved.momentum == 0.9);
  CHECK(saved.batch == 32);
  CHECK(saved.epochs == 2);
  const auto run = cli::load_run(path, cli::make_config(saved), 1000);
  CHECK(run.optimizer->step_count() == 32);
}

TEST_CASE("cli: files that are not of the run") {
  const test::TemporaryDirectory dir;
  const std::string path = run_file(dir);
  const std::string good = test::read_file(path);
  CHECK(has(load_error(path, 999), "was trained on 1000 examples, but there are 999"));
  const auto edited = [&](const std::string& from, const std::string& to) {
    return dir.write("edited", test::edited(good, from, to));
  };
  CHECK(
      has(load_error(edited(R"(\"seed\":0})", R"(\"seed\":1})")), "is not that of its arguments"));
  CHECK(has(load_error(edited(R"(\"nesterov\":false,\"weight_decay)",
                              R"(\"nesterov\":true,\"weight_decay)")),
            "is not that of its arguments"));
  CHECK(has(arguments_error(edited("simdrop.train", "simdrop.other")), "simdrop train --save"));
  CHECK(has(arguments_error(edited(R"("simdrop.train":"{)", R"("simdrop.train":"[)")),
            "no JSON object"));
  CHECK(has(arguments_error(edited(R"(\"lr\":)", R"(\"lrs\":)")), "--lr is missing or wrong"));
  CHECK(has(arguments_error(edited(R"(\"lr\":0.05)", R"(\"lr\":\"0.05\")")), "--lr is missing"));
  // Numbers that the command line would refuse.
  for (const char* batch : {"0", "-1", "32.5", "18446744073709551616", "true", "[32]"}) {
    const std::string wrong = std::string(R"(\"batch\":)") + batch;
    CHECK(has(arguments_error(edited(R"(\"batch\":32)", wrong)), "--batch is missing or wrong"));
  }
  for (const char* layers : {"[2,0,1]", "[2,-4,1]", "[2,4.5,1]", "2"}) {
    const std::string wrong = std::string(R"(\"layers\":)") + layers;
    CHECK(has(arguments_error(edited(R"(\"layers\":[2,4,1])", wrong)), "--layers is missing"));
  }
  CHECK(has(load_error(edited(R"(\"step_count\":32)", R"(\"step_count\":31)")),
            "ends within an epoch: after 31 steps, 32 of which are an epoch"));
  CHECK_THROWS_AS((void)cli::load_run(edited(R"(\"step_count\":32)", R"(\"step_count\":64)"),
                                      cli::make_config(moons()), 1000),
                  std::invalid_argument);
  CHECK(has(load_error(edited(R"(\"examples\":1000)", R"(\"examples\":\"1000\")")),
            "its number of examples is missing or wrong"));
  const Checkpoint run = load_checkpoint(path, cli::make_config(moons()).network);
  save_checkpoint(dir.name("weights"), run.mlp, nullptr, run.metadata);
  CHECK(has(load_error(dir.name("weights")), "has no optimiser to go on with"));
}

// What the file says beside the arguments of a run, and arguments that no run has.
TEST_CASE("cli: arguments in a run's file that nobody takes") {
  const test::TemporaryDirectory dir;
  const std::string good = test::read_file(run_file(dir));
  const auto error = [&](const std::string& from, const std::string& to) {
    return arguments_error(dir.write("edited", test::edited(good, from, to)));
  };
  const auto with = [&](const std::string& more) {
    return error(R"(\"examples\":1000)", R"(\"examples\":1000,)" + more);
  };
  CHECK(has(with(R"(\"lazzy\":true)"), R"(its argument "lazzy" is unknown)"));
  CHECK(has(with(R"(\"keep_prob\":[0.1])"), R"(its argument "keep_prob" is unknown)"));
  CHECK(has(with(R"(\"epochs\":3)"), R"(the argument "epochs" stands twice)"));
  CHECK(has(with(R"(\"z\":[[]])"), "its arguments are nested"));
  CHECK(has(with(R"(\"z\":{})"), "its arguments are nested"));
  CHECK(has(error(R"(\"data\":\"moons\")", R"(\"data\":\"moons\\u0000x\")"), "--data is missing"));
  CHECK(has(error(R"(\"data\":\"moons\")", R"(\"data\":\")" + std::string(5000, 'a') + R"(\")"),
            "--data is missing or wrong"));
  CHECK(has(error(R"(\"keep-prob\":[0.5])", R"(\"keep-prob\":[0.5,0.5])"),
            "its arguments are wrong: --keep-prob: 2 values given"));
  // Many of them cost no more than a few.
  std::string many, list = "1";
  for (int i = 0; i < 100; ++i)
    many += (i == 0 ? R"(\"a)" : R"(,\"a)") + std::to_string(i) + R"(\":0)";
  for (int i = 0; i < 300'000; ++i) list += ",1";
  CHECK(has(with(many), "it has too many arguments"));
  CHECK(has(with(R"(\"z\":[)" + list + "]"), "its arguments have too many values"));
}

TEST_CASE("cli: a run that had diverged is not resumed") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const test::TemporaryDirectory dir;
  const Checkpoint good = load_checkpoint(run_file(dir), cli::make_config(moons()).network);
  const auto error = [&](const auto& spoil) {
    Checkpoint run{good.mlp.clone(), good.optimizer, good.metadata};
    spoil(run);
    save_checkpoint(dir.name("diverged"), run.mlp, &*run.optimizer, run.metadata);
    return load_error(dir.name("diverged"));
  };
  CHECK(error([](Checkpoint&) {}) == "no error");
  CHECK(has(error([](Checkpoint& run) { run.mlp.weights(1)(3, 1) = std::nanf(""); }),
            "diverged: holds a run that had diverged: a weight of layer 1 is nan"));
  CHECK(has(error([](Checkpoint& run) { run.mlp.bias(2)[0] = -inf; }),
            "holds a run that had diverged: a bias of layer 2 is -inf"));
  CHECK(has(error([](Checkpoint& run) { detail::optimizer_state(*run.optimizer, 0, 2)[3] = inf; }),
            "diverged: the optimiser's state of a weight of layer 2 is inf"));
  // Even if it has done all its epochs.
  CHECK(has(error([](Checkpoint& run) {
              run.mlp.weights(2)(0, 0) = inf;
              detail::set_step_count(*run.optimizer, 64);
            }),
            "a weight of layer 2 is inf"));
}

TEST_CASE("cli: what a resumed run is given beside its file") {
  const test::TemporaryDirectory dir;
  const std::string path = run_file(dir);
  const auto resumed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"train", "--resume", path});
    return cli::read_command_line(words).train;
  };
  CHECK(resumed({}).layers == moons().layers);
  CHECK(resumed({"--keep-prob", "0.5", "--threads", "2"}).threads == 2);
  CHECK(test::invalid_message([&] {
          (void)resumed({"--seed", "1"});
        }).starts_with("--seed: 1 given, but "));
  CHECK(test::invalid_message([&] {
          (void)resumed({"--keep-prob", "0.25"});
        }).starts_with("--keep-prob: [0.25] given, but "));
  CHECK(test::invalid_message([&] {
          (void)resumed({"--seed", "-1"});
        }).starts_with("--seed is '-1'; allowed: "));
  // Data that are given anew take the place of those before.
  const auto files = resumed(
      {"--train-images", "a", "--train-labels", "b", "--test-images", "c", "--test-labels", "d"});
  CHECK(!files.data);
  CHECK(files.files.test_labels == "d");
  CHECK(resumed({"--data", "fashion-mnist"}).data == "fashion-mnist");
}

TEST_CASE("cli: a resumed run without hidden layers has no keep_prob but 1") {
  cli::TrainArguments saved = moons();
  saved.layers = {2, 1};
  saved.keep_prob = {};
  cli::TrainArguments given = saved;
  CHECK_NOTHROW(cli::check_same_run(saved, given));
  given.keep_prob = {1.0};
  CHECK_NOTHROW(cli::check_same_run(saved, given));
  given.keep_prob = {0.5};
  CHECK_THROWS_AS(cli::check_same_run(saved, given), std::invalid_argument);
}
