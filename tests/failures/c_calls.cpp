// Every function of the C interface that can fail.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>

#include "c_api/handles.h"
#include "failures/networks.h"
#include "helpers/c_api_network.h"
#include "helpers/temporary_directory.h"

namespace failures {
namespace {

using c_api::Handle;

constexpr std::int64_t rows = 8, ins = 5, outs = 3;

struct DestroyWorkspace {
  void operator()(simdrop_linear_workspace* w) const { simdrop_linear_workspace_destroy(w); }
};

// Runs tasks one after the other, and claims three threads.
void run_tasks(void* /*context*/, size_t count, void (*task)(void*, size_t), void* task_context) {
  for (std::size_t i = 0; i < count; ++i) task(task_context, i);
}

struct Calls {
  test::TemporaryDirectory folder;
  std::string path = folder.name("a file with a name that no short string holds");
  simdrop_executor executor{sizeof(simdrop_executor), nullptr, run_tasks, 3, 0};
  simdrop_exec three = c_api::make_exec(0);
  simdrop_mlp_config config = c_api::make_config();
  simdrop_optimizer_config adam = c_api::made(simdrop_optimizer_config_init);
  simdrop_dropout dropout = c_api::make_dropout(0.5);
  c_api::Batch batch;
  simdrop_targets targets = batch.targets(SIMDROP_LOSS_SOFTMAX_CE);
  Handle<simdrop_mlp> mlp;
  Handle<simdrop_optimizer> optimizer;
  Handle<simdrop_predictor> predictor;
  std::unique_ptr<simdrop_linear_workspace, DestroyWorkspace> workspace;
  simdrop_mlp* new_mlp = nullptr;
  simdrop_optimizer* new_optimizer = nullptr;
  simdrop_predictor* new_predictor = nullptr;
  simdrop_linear_workspace* new_workspace = nullptr;
  std::vector<float> out = std::vector<float>(rows * outs), spread = out,
                     input = std::vector<float>(rows * ins), w = std::vector<float>(outs * ins);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(100);
  double loss = 0.0;
  std::uint64_t id = 0;
  std::int64_t length = 0;
  simdrop_status status = SIMDROP_OK;
  simdrop_error error = SIMDROP_ERROR_INIT;

  Calls() {
    three.executor = &executor;
    config.executor = &executor;
    adam.kind = SIMDROP_ADAM;
    mlp = c_api::create(config);
    optimizer = c_api::create(adam, mlp.get());
    simdrop_predictor* p = nullptr;
    if (simdrop_predictor_create(mlp.get(), rows, nullptr, &p, nullptr) != SIMDROP_OK) std::abort();
    predictor.reset(p);
    simdrop_linear_workspace* s = nullptr;
    if (simdrop_linear_workspace_create(&s, nullptr) != SIMDROP_OK) std::abort();
    workspace.reset(s);
    static const std::string file = saved();  // once, as syncing takes long
    folder.write(std::filesystem::path(path).filename(), file);
  }
  std::string saved() const {
    const simdrop_status done = simdrop_mlp_save(path.c_str(), mlp.get(), optimizer.get(), nullptr);
    if (done != SIMDROP_OK) std::abort();
    return test::read_file(path);
  }
  ~Calls() {
    simdrop_mlp_destroy(new_mlp);
    simdrop_optimizer_destroy(new_optimizer);
    simdrop_predictor_destroy(new_predictor);
    simdrop_linear_workspace_destroy(new_workspace);
  }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
};

Bytes look(Calls& c) {
  Bytes all;
  append(all, std::vector{c.folder.entries()});
  append(all, test::read_file(c.path));
  append(all, std::string(c.error.message));
  append(all, std::vector{c.status, c.error.status});
  append(all, c.out);
  append(all, c.spread);
  append(all, c.input);
  append(all, c.w);
  append(all, c.mask);
  append(all, std::vector{c.loss});
  append(all, std::vector{c.id});
  append(all, std::vector{c.length});
  append(all, std::vector{simdrop_optimizer_step_count(c.optimizer.get())});
  append(all, std::vector<int>{c.new_predictor != nullptr, c.new_workspace != nullptr,
                               c.new_optimizer != nullptr});
  append(all, failures::look(c.mlp->mlp));
  if (c.new_mlp != nullptr) append(all, failures::look(c.new_mlp->mlp));
  return all;
}

// call(c, &c.error): what it returns is what is compared, but for a lack of memory, which must say
// so.
template <class Call>
void add(Trials& trials, const std::string& function, const std::string& what, Call call) {
  const auto checked = [call](Calls& c) {
    simdrop_error error = SIMDROP_ERROR_INIT;
    const simdrop_status status = call(c, &error);
    const bool no_memory = status == SIMDROP_OUT_OF_MEMORY;
    const std::string_view message = error.message;
    if (no_memory && error.status == status && message == "simdrop: out of memory") {
      throw std::bad_alloc();
    }
    c.status = status;
    c.error = error;
  };
  trials.push_back({"simdrop_" + function, what, [checked] {
                      return every_allocation_fails([] { return std::make_unique<Calls>(); },
                                                    checked, look);
                    }});
}

using C = Calls;
using E = simdrop_error*;

void add_base(Trials& t) {
  add(t, "exec_init", "an error", [](C& c, E e) { return simdrop_exec_init(&c.three, 3, e); });
  add(t, "isa_get", "an error", [](C&, E e) { return simdrop_isa_get(77, nullptr, e); });
  add(t, "active_isa", "an error", [](C&, E e) { return simdrop_active_isa(nullptr, e); });
  add(t, "cpu_name", "its length",
      [](C& c, E e) { return simdrop_cpu_name(nullptr, 0, &c.length, e); });
  add(t, "dropout_init", "an error",
      [](C& c, E e) { return simdrop_dropout_init(&c.dropout, 1, e); });
  add(t, "philox_fill", "an error",
      [](C&, E e) { return simdrop_philox_fill(1, 2, 3, nullptr, 4, 10, nullptr, e); });
  add(t, "bernoulli_mask", "an error",
      [](C& c, E e) { return simdrop_bernoulli_mask(&c.dropout, -8, c.mask.data(), nullptr, e); });
}

void add_pool(Trials& t) {
  add(t, "thread_pool_create", "one", [](C& c, E e) {
    simdrop_thread_pool* pool = nullptr;
    const simdrop_status status = simdrop_thread_pool_create(2, &pool, e);
    c.length = pool != nullptr ? 1 : 0;
    simdrop_thread_pool_destroy(pool);
    return status;
  });
  add(t, "openmp_executor", "an error",
      [](C& c, E e) { return simdrop_openmp_executor(&c.executor, 1, e); });
  add(t, "thread_pool_executor", "an error",
      [](C& c, E e) { return simdrop_thread_pool_executor(nullptr, &c.executor, 8, e); });
}

void add_elementwise(Trials& t) {
  add(t, "dropout_forward", "an error", [](C& c, E e) {
    return simdrop_dropout_forward(&c.dropout, 9, rows, outs, c.out.data(), outs, c.out.data(),
                                   outs, nullptr, &c.three, e);
  });
  add(t, "dropout_backward", "an error", [](C& c, E e) {
    return simdrop_dropout_backward(&c.dropout, 0, rows, outs, c.out.data(), 1, c.out.data(), outs,
                                    &c.three, e);
  });
  add(t, "dropout_backward_from_mask", "an error", [](C& c, E e) {
    return simdrop_dropout_backward_from_mask(2.5, c.mask.data(), 0, rows, outs, c.out.data(), outs,
                                              c.out.data(), outs, &c.three, e);
  });
  add(t, "residual_dropout_forward", "an error", [](C& c, E e) {
    return simdrop_residual_dropout_forward(&c.dropout, 0, rows, outs, nullptr, outs, c.out.data(),
                                            outs, c.out.data(), outs, nullptr, &c.three, e);
  });
  add(t, "residual_dropout_forward_from_mask", "an error", [](C& c, E e) {
    return simdrop_residual_dropout_forward_from_mask(0.5, nullptr, 0, rows, outs, c.out.data(),
                                                      outs, c.out.data(), outs, c.out.data(), outs,
                                                      &c.three, e);
  });
  add(t, "bias_relu_dropout_forward", "an error", [](C& c, E e) {
    return simdrop_bias_relu_dropout_forward(nullptr, 0, rows, outs, c.out.data(), outs, nullptr,
                                             c.out.data(), outs, nullptr, &c.three, e);
  });
  add(t, "bias_relu_dropout_forward_from_mask", "an error", [](C& c, E e) {
    return simdrop_bias_relu_dropout_forward_from_mask(-1.5, c.mask.data(), 0, rows, outs,
                                                       c.out.data(), outs, nullptr, c.out.data(),
                                                       outs, &c.three, e);
  });
  add(t, "relu_dropout_backward", "an error", [](C& c, E e) {
    return simdrop_relu_dropout_backward(0.5, 0, rows, outs, c.out.data(), outs, c.out.data(), outs,
                                         c.out.data() + 1, outs, &c.three, e);
  });
}

void add_linear(Trials& t) {
  add(t, "linear_workspace_create", "one",
      [](C& c, E e) { return simdrop_linear_workspace_create(&c.new_workspace, e); });
  add(t, "linear_forward", "a workspace that grows", [](C& c, E e) {
    return simdrop_linear_forward(SIMDROP_F32, rows, ins, outs, c.batch.x.data(), ins, c.w.data(),
                                  ins, nullptr, 0, nullptr, c.out.data(), outs, nullptr,
                                  c.workspace.get(), &c.three, e);
  });
  add(t, "linear_forward_args_init", "an error",
      [](C&, E e) { return simdrop_linear_forward_args_init(nullptr, 8, e); });
  add(t, "linear_forward_run", "a workspace that grows", [](C& c, E e) {
    simdrop_linear_forward_args args;
    simdrop_linear_forward_args_init(&args, sizeof(args), nullptr);
    args.batch = rows, args.in = ins, args.out = outs;
    args.x = c.batch.x.data(), args.weights = c.w.data(), args.y = c.out.data();
    args.workspace = c.workspace.get();
    return simdrop_linear_forward_run(&args, e);
  });
  add(t, "linear_backward_input", "a workspace that grows", [](C& c, E e) {
    return simdrop_linear_backward_input(SIMDROP_F32, rows, ins, outs, c.out.data(), outs,
                                         c.w.data(), ins, nullptr, 0, 1.0, c.input.data(), ins,
                                         c.workspace.get(), &c.three, e);
  });
  add(t, "linear_backward_weights", "a workspace that grows", [](C& c, E e) {
    return simdrop_linear_backward_weights(SIMDROP_F32, rows, ins, outs, c.out.data(), outs,
                                           c.batch.x.data(), ins, 1.0, 0, c.w.data(), ins, nullptr,
                                           c.workspace.get(), &c.three, e);
  });
}

void add_network(Trials& t) {
  add(t, "mlp_config_init", "an error",
      [](C& c, E e) { return simdrop_mlp_config_init(&c.config, 1, e); });
  add(t, "mlp_create", "one",
      [](C& c, E e) { return simdrop_mlp_create(&c.config, &c.new_mlp, e); });
  add(t, "mlp_clone", "one",
      [](C& c, E e) { return simdrop_mlp_clone(c.mlp.get(), &c.new_mlp, e); });
  add(t, "mlp_get_config", "an error",
      [](C& c, E e) { return simdrop_mlp_get_config(c.mlp.get(), nullptr, e); });
  add(t, "mlp_tensor", "an error", [](C& c, E e) {
    simdrop_tensor tensor{sizeof(simdrop_tensor), nullptr, 0, 0, 0, 0, 0};
    return simdrop_mlp_tensor(c.mlp.get(), SIMDROP_TENSOR_WEIGHTS, 12, &tensor, e);
  });
  add(t, "mlp_set_keep_prob", "an error",
      [](C& c, E e) { return simdrop_mlp_set_keep_prob(c.mlp.get(), 1, 1.0 / 0.3, e); });
  add(t, "mlp_inject_mask", "bits", [](C& c, E e) {
    return simdrop_mlp_inject_mask(c.mlp.get(), 1, c.mask.data(), 8 * 17 / 8, e);
  });
  add(t, "mlp_mask_stream_id", "an error",
      [](C& c, E e) { return simdrop_mlp_mask_stream_id(-1, 0, &c.id, e); });
  add(t, "mlp_sample_stream_id", "an error",
      [](C& c, E e) { return simdrop_mlp_sample_stream_id(0, ~0ULL, &c.id, e); });
  add(t, "mlp_save", "over another file",
      [](C& c, E e) { return simdrop_mlp_save(c.path.c_str(), c.mlp.get(), nullptr, e); });
  add(t, "mlp_save", "an error of the file", [](C& c, E e) {
    return simdrop_mlp_save("/dev/null/a folder that is none/x", c.mlp.get(), nullptr, e);
  });
  add(t, "mlp_save_args_init", "an error",
      [](C&, E e) { return simdrop_mlp_save_args_init(nullptr, 8, e); });
  add(t, "mlp_save_run", "without sync", [](C& c, E e) {
    simdrop_mlp_save_args args;
    simdrop_mlp_save_args_init(&args, sizeof(args), nullptr);
    args.no_sync = 1;
    return simdrop_mlp_save_run(c.path.c_str(), c.mlp.get(), &args, e);
  });
  add(t, "mlp_load", "with an optimizer", [](C& c, E e) {
    return simdrop_mlp_load(c.path.c_str(), &c.config, &c.new_mlp, &c.new_optimizer, e);
  });
  add(t, "mlp_load_args_init", "an error",
      [](C&, E e) { return simdrop_mlp_load_args_init(nullptr, 1, e); });
  add(t, "mlp_load_run", "with an optimizer", [](C& c, E e) {
    const simdrop_mlp_load_args args{sizeof(args), &c.config, SIMDROP_LOAD_ACTIVATION_RELU, 0};
    return simdrop_mlp_load_run(c.path.c_str(), &args, &c.new_mlp, &c.new_optimizer, e);
  });
  add(t, "mlp_load_run", "an error", [](C& c, E e) {
    const simdrop_mlp_load_args args{sizeof(args), &c.config, 0, 9};
    return simdrop_mlp_load_run(c.path.c_str(), &args, &c.new_mlp, &c.new_optimizer, e);
  });
}

void add_passes(Trials& t) {
  static const simdrop_executor many{sizeof(simdrop_executor), nullptr, run_tasks, 9, 0};
  static const simdrop_exec more{sizeof(simdrop_exec), &many, 0, 0};
  add(t, "mlp_forward", "more threads", [](C& c, E e) {
    return simdrop_mlp_forward(c.mlp.get(), rows, c.batch.x.data(), ins, 1, 0, &more, e);
  });
  add(t, "mlp_backward", "an error",
      [](C& c, E e) { return simdrop_mlp_backward(c.mlp.get(), &c.targets, &c.loss, &more, e); });
  add(t, "mlp_train_step", "more threads", [](C& c, E e) {
    return simdrop_mlp_train_step(c.mlp.get(), rows, c.batch.x.data(), ins, &c.targets,
                                  c.optimizer.get(), 0, &c.loss, &more, e);
  });
  add(t, "mlp_predict", "more threads", [](C& c, E e) {
    return simdrop_mlp_predict(c.mlp.get(), rows, c.batch.x.data(), ins, c.out.data(), outs, &more,
                               e);
  });
  add(t, "mlp_predict_monte_carlo", "more threads", [](C& c, E e) {
    return simdrop_mlp_predict_monte_carlo(c.mlp.get(), rows, c.batch.x.data(), ins, 3, 0, 0,
                                           c.out.data(), outs, c.spread.data(), outs, &more, e);
  });
  add(t, "mlp_loss", "an error", [](C& c, E e) {
    return simdrop_mlp_loss(c.mlp.get(), rows, nullptr, outs, &c.targets, &c.loss, e);
  });
  add(t, "optimizer_config_init", "an error",
      [](C& c, E e) { return simdrop_optimizer_config_init(&c.adam, 7, e); });
  add(t, "optimizer_create", "one", [](C& c, E e) {
    return simdrop_optimizer_create(&c.adam, c.mlp.get(), &c.new_optimizer, e);
  });
  add(t, "optimizer_set_learning_rate", "an error",
      [](C& c, E e) { return simdrop_optimizer_set_learning_rate(c.optimizer.get(), -0.125, e); });
  add(t, "optimizer_get_config", "an error",
      [](C& c, E e) { return simdrop_optimizer_get_config(nullptr, &c.adam, e); });
  add(t, "predictor_create", "one, with an executor", [](C& c, E e) {
    return simdrop_predictor_create(c.mlp.get(), rows, &more, &c.new_predictor, e);
  });
  add(t, "predictor_predict", "more threads", [](C& c, E e) {
    return simdrop_predictor_predict(c.predictor.get(), rows, c.batch.x.data(), ins, c.out.data(),
                                     outs, &more, e);
  });
  add(t, "predictor_predict_monte_carlo", "more threads", [](C& c, E e) {
    return simdrop_predictor_predict_monte_carlo(c.predictor.get(), rows, c.batch.x.data(), ins, 2,
                                                 0, 0, c.out.data(), outs, c.spread.data(), outs,
                                                 &more, e);
  });
}

}  // namespace

Trials c_trials() {
  Trials trials;
  add_base(trials);
  add_pool(trials);
  add_elementwise(trials);
  add_linear(trials);
  add_network(trials);
  add_passes(trials);
  return trials;
}

}  // namespace failures
