// Networks in files through the C API: a run that is saved and loaded goes on bit for bit.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "helpers/c_api_network.h"
#include "helpers/safetensors_file.h"

namespace {

using c_api::Batch;
using c_api::create;
using c_api::expect_error;
using c_api::expect_invalid;
using c_api::made;
using c_api::make_config;

// A folder that goes away.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("simdrop_c_api_" + std::to_string(std::hash<const void*>{}(this)));

  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path / name).string(); }
};

void train(simdrop_mlp* mlp, simdrop_optimizer* optimizer, int steps) {
  const Batch batch;
  const simdrop_targets targets = batch.targets(SIMDROP_LOSS_SOFTMAX_CE);
  for (int i = 0; i < steps; ++i) {
    REQUIRE(simdrop_mlp_train_step(mlp, 8, batch.x.data(), 5, &targets, optimizer, 0, nullptr,
                                   nullptr, nullptr) == SIMDROP_OK);
  }
}

bool same_networks(simdrop_mlp* a, simdrop_mlp* b) {
  for (std::size_t l = 1; l <= 3; ++l) {
    for (const simdrop_tensor_kind kind : {SIMDROP_TENSOR_WEIGHTS, SIMDROP_TENSOR_BIAS}) {
      simdrop_tensor t{sizeof(simdrop_tensor), nullptr, 0, 0, 0, 0, 0};
      simdrop_mlp_tensor(b, kind, static_cast<std::int64_t>(l), &t, nullptr);
      const simdrop::ConstMatrix want(
          static_cast<const float*>(t.data), static_cast<std::size_t>(t.rows),
          static_cast<std::size_t>(t.cols), static_cast<std::size_t>(t.ld));
      if (!c_api::same(a, kind, l, want)) return false;
    }
  }
  return true;
}

simdrop_mlp_config reader() {
  auto config = made(simdrop_mlp_config_init);
  config.max_batch = 8;
  return config;
}

std::size_t tasks = 0;
void in_turn(void*, size_t count, void (*task)(void*, size_t), void* task_context) {
  tasks += count;
  for (size_t i = 0; i < count; ++i) task(task_context, i);
}

}  // namespace

TEST_SUITE("C API files") {
  TEST_CASE("a run that is saved and loaded goes on bit for bit") {
    const Folder folder;
    const std::string path = folder.file("run.safetensors");
    const auto mlp = create(make_config());
    auto adam = made(simdrop_optimizer_config_init);
    adam.kind = SIMDROP_ADAM;
    const auto optimizer = create(adam, mlp.get());
    train(mlp.get(), optimizer.get(), 3);
    REQUIRE(simdrop_mlp_save(path.c_str(), mlp.get(), optimizer.get(), nullptr) == SIMDROP_OK);

    const simdrop_mlp_config defaults = reader();
    simdrop_mlp* loaded = nullptr;
    simdrop_optimizer* state = nullptr;
    REQUIRE(simdrop_mlp_load(path.c_str(), &defaults, &loaded, &state, nullptr) == SIMDROP_OK);
    const c_api::Handle<simdrop_mlp> other(loaded);
    const c_api::Handle<simdrop_optimizer> other_state(state);
    CHECK(same_networks(loaded, mlp.get()));
    CHECK(simdrop_optimizer_step_count(state) == 3);
    auto told = made(simdrop_mlp_config_init);
    REQUIRE(simdrop_mlp_get_config(loaded, &told, nullptr) == SIMDROP_OK);
    CHECK(told.num_widths == 4);
    CHECK(told.keep_prob[0] == 0.5);
    CHECK(told.input_keep_prob == 0.9);
    CHECK(told.seed == 42);
    train(mlp.get(), optimizer.get(), 2);
    train(loaded, state, 2);
    CHECK(same_networks(loaded, mlp.get()));
  }

  TEST_CASE("weights alone, on the caller's executor") {
    const Folder folder;
    const std::string path = folder.file("weights.safetensors");
    const std::vector<std::int64_t> widths{256, 512, 10};
    auto config = made(simdrop_mlp_config_init);
    config.widths = widths.data();
    config.num_widths = 3;
    const auto mlp = create(config);
    REQUIRE(simdrop_mlp_save(path.c_str(), mlp.get(), nullptr, nullptr) == SIMDROP_OK);

    const simdrop_executor executor{sizeof(simdrop_executor), nullptr, in_turn, 2, 0};
    simdrop_mlp_config defaults = reader();
    defaults.executor = &executor;
    defaults.num_threads = 0;
    defaults.max_batch = 64;
    simdrop_mlp* loaded = nullptr;
    auto* state = reinterpret_cast<simdrop_optimizer*>(&config);  // must become null
    REQUIRE(simdrop_mlp_load(path.c_str(), &defaults, &loaded, &state, nullptr) == SIMDROP_OK);
    const c_api::Handle<simdrop_mlp> other(loaded);
    CHECK(state == nullptr);
    const std::vector<float> x = test::random_floats(64 * 256, 1);
    std::vector<float> got(640), want(640);
    REQUIRE(simdrop_mlp_predict(loaded, 64, x.data(), 256, got.data(), 10, nullptr, nullptr) ==
            SIMDROP_OK);
    CHECK(tasks > 0);
    const auto big = [&] {
      auto c = config;
      c.max_batch = 64;
      return create(c);
    }();
    REQUIRE(simdrop_mlp_predict(big.get(), 64, x.data(), 256, want.data(), 10, nullptr, nullptr) ==
            SIMDROP_OK);
    CHECK(got == want);
  }

  TEST_CASE("a save with arguments by name, synced or not, is the same file") {
    const Folder folder;
    const std::string path = folder.file("named"), plain = folder.file("plain");
    const auto mlp = create(make_config());
    const auto optimizer = create(made(simdrop_optimizer_config_init), mlp.get());
    const auto bytes = [](const std::string& file) {
      std::ifstream in(file, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    auto args = made(simdrop_mlp_save_args_init);
    CHECK(args.optimizer == nullptr);
    CHECK(args.no_sync == 0);
    CHECK(args.reserved == 0);
    for (const simdrop_optimizer* state :
         {optimizer.get(), static_cast<simdrop_optimizer*>(nullptr)}) {
      args.optimizer = state;
      REQUIRE(simdrop_mlp_save(plain.c_str(), mlp.get(), state, nullptr) == SIMDROP_OK);
      for (const std::int32_t no_sync : {0, 1, -1}) {
        std::filesystem::remove(path);
        args.no_sync = no_sync;
        REQUIRE(simdrop_mlp_save_run(path.c_str(), mlp.get(), &args, nullptr) == SIMDROP_OK);
        CHECK(bytes(path) == bytes(plain));
      }
    }
    using E = simdrop_error*;
    const std::string before = bytes(path);
    args.reserved = 7;
    expect_invalid("args->reserved", "7",
                   [&](E e) { return simdrop_mlp_save_run(path.c_str(), mlp.get(), &args, e); });
    args.reserved = 0;
    expect_invalid("args", "NULL",
                   [&](E e) { return simdrop_mlp_save_run(path.c_str(), mlp.get(), nullptr, e); });
    expect_invalid("path", "NULL",
                   [&](E e) { return simdrop_mlp_save_run(nullptr, mlp.get(), &args, e); });
    expect_invalid("mlp", "NULL",
                   [&](E e) { return simdrop_mlp_save_run(path.c_str(), nullptr, &args, e); });
    CHECK(bytes(path) == before);
  }

  TEST_CASE("a file of others, whose activation and loss the caller tells") {
    const Folder folder;
    const std::string path = folder.file("torch.safetensors");
    const std::string header = R"({"0.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                               R"("0.bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
                               R"("2.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]},)"
                               R"("2.bias":{"dtype":"F32","shape":[2],"data_offsets":[32,40]}})";
    std::ofstream(path, std::ios::binary) << test::safetensors_file(header, std::string(40, '\0'));
    const simdrop_mlp_config defaults = reader();
    simdrop_mlp_load_args args{};
    args.struct_size = sizeof(args);  // zeros are the defaults
    simdrop_mlp* loaded = nullptr;
    using E = simdrop_error*;
    const auto load = [&](E e) {
      return simdrop_mlp_load_run(path.c_str(), &args, &loaded, nullptr, e);
    };
    const std::string silent = "does not tell its activation (relu) and loss (sigmoid_bce, softm";
    expect_error(SIMDROP_FILE_ERROR, silent, "", load);
    expect_error(SIMDROP_FILE_ERROR, silent, "", [&](E e) {
      return simdrop_mlp_load(path.c_str(), &defaults, &loaded, nullptr, e);
    });
    args.activation = SIMDROP_LOAD_ACTIVATION_RELU;
    expect_error(SIMDROP_FILE_ERROR, "does not tell its loss", "", load);
    CHECK(loaded == nullptr);
    const std::pair<simdrop_load_loss, simdrop_loss> losses[] = {
        {SIMDROP_LOAD_LOSS_SIGMOID_BCE, SIMDROP_LOSS_SIGMOID_BCE},
        {SIMDROP_LOAD_LOSS_SOFTMAX_CE, SIMDROP_LOSS_SOFTMAX_CE},
        {SIMDROP_LOAD_LOSS_IDENTITY_MSE, SIMDROP_LOSS_IDENTITY_MSE}};
    for (const auto& [given, want] : losses) {
      for (const simdrop_mlp_config* const of :
           {static_cast<const simdrop_mlp_config*>(nullptr), &defaults}) {
        args.loss = given;
        args.defaults = of;
        REQUIRE(load(nullptr) == SIMDROP_OK);
        const c_api::Handle<simdrop_mlp> other(loaded);
        auto told = made(simdrop_mlp_config_init);
        REQUIRE(simdrop_mlp_get_config(loaded, &told, nullptr) == SIMDROP_OK);
        CHECK(told.loss == want);
        CHECK(told.max_batch == (of == nullptr ? 256 : 8));
      }
    }
    args.loss = 4;
    expect_invalid("args->loss", "4", load);
    args.loss = SIMDROP_LOAD_LOSS_SOFTMAX_CE;
    args.activation = 2;
    expect_invalid("args->activation", "2", load);
    expect_invalid("args", "NULL", [&](E e) {
      return simdrop_mlp_load_run(path.c_str(), nullptr, &loaded, nullptr, e);
    });
    args = made(simdrop_mlp_load_args_init);
    CHECK(args.defaults == nullptr);
    CHECK(args.activation == SIMDROP_LOAD_ACTIVATION_NOT_GIVEN);
    CHECK(args.loss == SIMDROP_LOAD_LOSS_NOT_GIVEN);
    simdrop_mlp_config wrong = defaults;
    wrong.struct_size = 3;
    args.defaults = &wrong;
    expect_invalid("args->defaults->struct_size", "3", load);
  }

  TEST_CASE("files that are not there or broken, and places that are none") {
    const Folder folder;
    const std::string none = folder.file("none.safetensors"), broken = folder.file("broken");
    std::ofstream(broken) << "not a safetensors file at all";
    const auto mlp = create(make_config());
    const simdrop_mlp_config defaults = reader();
    simdrop_mlp* loaded = nullptr;
    simdrop_optimizer* state = nullptr;
    using E = simdrop_error*;
    const auto load = [&](const char* path, const simdrop_mlp_config* d, simdrop_mlp** out) {
      return [=, &state](E e) { return simdrop_mlp_load(path, d, out, &state, e); };
    };
    expect_error(SIMDROP_FILE_ERROR, none, "", load(none.c_str(), &defaults, &loaded));
    expect_error(SIMDROP_FILE_ERROR, broken, "", load(broken.c_str(), &defaults, &loaded));
    expect_invalid("path", "NULL", load(nullptr, &defaults, &loaded));
    expect_invalid("defaults", "NULL", load(none.c_str(), nullptr, &loaded));
    expect_invalid("mlp", "NULL", load(none.c_str(), &defaults, nullptr));
    CHECK(loaded == nullptr);
    CHECK(state == nullptr);
    const std::string nowhere = folder.file("no_such_folder/file");
    expect_error(SIMDROP_FILE_ERROR, nowhere, "",
                 [&](E e) { return simdrop_mlp_save(nowhere.c_str(), mlp.get(), nullptr, e); });
    expect_invalid("path", "NULL",
                   [&](E e) { return simdrop_mlp_save(nullptr, mlp.get(), nullptr, e); });
    expect_invalid("mlp", "NULL",
                   [&](E e) { return simdrop_mlp_save(none.c_str(), nullptr, nullptr, e); });
    CHECK(!std::filesystem::exists(none));
  }
}
