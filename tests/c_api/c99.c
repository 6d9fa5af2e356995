/* The C API from C99: calls every function, with results that are easy to know. */
#include <simdrop/simdrop.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) {                                              \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                    \
    }                                                                \
  } while (0)

static simdrop_error error = SIMDROP_ERROR_INIT;

#define OK(call)                                                           \
  do {                                                                     \
    if ((call) != SIMDROP_OK) {                                            \
      printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, error.message); \
      ++failures;                                                          \
    }                                                                      \
  } while (0)

static void in_turn(void* context, size_t count, void (*task)(void*, size_t), void* task_context) {
  size_t i;
  for (i = 0; i < count; ++i) task(task_context, i);
  *(int*)context += 1;
}

static void about_the_library(void) {
  char name[256];
  int64_t length = 0;
  const char* active = NULL;
  simdrop_isa_info info;
  info.struct_size = sizeof(info);
  CHECK(strchr(simdrop_version_string(), '.') != NULL);
  CHECK(simdrop_version() > 0);
  CHECK(simdrop_abi_version() >= SIMDROP_ABI_VERSION);
  CHECK(simdrop_mask_contract_version() == 1);
  CHECK(simdrop_has_openmp() == 0 || simdrop_has_openmp() == 1);
  CHECK(strcmp(simdrop_status_message(SIMDROP_OK), "success") == 0);
  CHECK(simdrop_isa_count() > 0);
  OK(simdrop_isa_get(0, &info, &error));
  CHECK(strcmp(info.name, "scalar") == 0 && info.compiled == 1 && info.supported == 1);
  OK(simdrop_active_isa(&active, &error));
  CHECK(active != NULL);
  OK(simdrop_cpu_name(name, (int64_t)sizeof(name), &length, &error));
  CHECK((int64_t)strlen(name) == length);
}

static void thread_pools(void) {
  uint8_t alone[8], shared[8];
  simdrop_dropout dropout;
  simdrop_exec exec;
  simdrop_executor executor;
  simdrop_thread_pool* pool = NULL;
  simdrop_status status;
  OK(simdrop_dropout_init(&dropout, sizeof(dropout), &error));
  OK(simdrop_exec_init(&exec, sizeof(exec), &error));
  OK(simdrop_thread_pool_create(2, &pool, &error));
  OK(simdrop_thread_pool_executor(pool, &executor, sizeof(executor), &error));
  exec.executor = &executor;
  OK(simdrop_bernoulli_mask(&dropout, 64, alone, NULL, &error));
  OK(simdrop_bernoulli_mask(&dropout, 64, shared, &exec, &error));
  CHECK(memcmp(alone, shared, sizeof(alone)) == 0);
  simdrop_thread_pool_destroy(pool);
  status = simdrop_openmp_executor(&executor, sizeof(executor), &error);
  CHECK(status == (simdrop_has_openmp() ? SIMDROP_OK : SIMDROP_INVALID_STATE));
}

static void masks_and_dropout(void) {
  const float x[8] = {1, 2, 3, 4, -5, 6, 7, 8};
  const float bias[4] = {1, 1, 1, 1};
  float y[8], z[8], dx[8];
  uint8_t mask[1], drawn[1];
  uint32_t words[4];
  int calls = 0, i;
  simdrop_dropout dropout;
  simdrop_exec exec;
  simdrop_executor executor = {sizeof(simdrop_executor), NULL, in_turn, 2, 0};
  executor.context = &calls;
  OK(simdrop_dropout_init(&dropout, sizeof(dropout), &error));
  OK(simdrop_exec_init(&exec, sizeof(exec), &error));
  exec.executor = &executor;
  dropout.keep_prob = 0.5;
  dropout.seed = 1;
  CHECK(simdrop_mask_bytes(8) == 1);
  OK(simdrop_philox_fill(0, 0, 0, words, 4, 10, NULL, &error));
  CHECK(words[0] == 0x6627e8d5u && words[3] == 0x9b00dbd8u); /* of Random123 */
  OK(simdrop_bernoulli_mask(&dropout, 8, drawn, &exec, &error));
  OK(simdrop_dropout_forward(&dropout, SIMDROP_F32, 2, 4, x, 4, y, 4, mask, &exec, &error));
  CHECK(mask[0] == drawn[0]);
  for (i = 0; i < 8; ++i) CHECK(y[i] == ((mask[0] >> i & 1) ? 2 * x[i] : 0));
  OK(simdrop_dropout_backward(&dropout, SIMDROP_F32, 2, 4, x, 4, dx, 4, NULL, &error));
  CHECK(memcmp(dx, y, sizeof(y)) == 0);
  OK(simdrop_dropout_backward_from_mask(0.5, mask, SIMDROP_F32, 2, 4, x, 4, dx, 4, NULL, &error));
  CHECK(memcmp(dx, y, sizeof(y)) == 0);
  OK(simdrop_residual_dropout_forward(&dropout, SIMDROP_F32, 2, 4, x, 4, x, 4, y, 4, NULL, NULL,
                                      &error));
  for (i = 0; i < 8; ++i) CHECK(y[i] == x[i] + ((mask[0] >> i & 1) ? 2 * x[i] : 0));
  OK(simdrop_residual_dropout_forward_from_mask(0.5, mask, SIMDROP_F32, 2, 4, x, 4, x, 4, z, 4,
                                                NULL, &error));
  CHECK(memcmp(y, z, sizeof(y)) == 0);
  OK(simdrop_bias_relu_dropout_forward(&dropout, SIMDROP_F32, 2, 4, x, 4, bias, y, 4, mask, NULL,
                                       &error));
  OK(simdrop_bias_relu_dropout_forward_from_mask(0.5, mask, SIMDROP_F32, 2, 4, x, 4, bias, z, 4,
                                                 NULL, &error));
  CHECK(memcmp(y, z, sizeof(y)) == 0);
  CHECK(y[4] == 0);
  OK(simdrop_relu_dropout_backward(0.5, SIMDROP_F32, 2, 4, y, 4, x, 4, dx, 4, NULL, &error));
  for (i = 0; i < 8; ++i) CHECK(dx[i] == (y[i] > 0 ? 2 * x[i] : 0));
  CHECK(simdrop_dropout_forward(&dropout, SIMDROP_F32, -2, 4, x, 4, y, 4, mask, NULL, &error) ==
        SIMDROP_INVALID_ARGUMENT);
  CHECK(strcmp(error.message, "simdrop: rows is -2; allowed: >= 0") == 0);
}

static void linear(void) {
  const double x[2] = {1, 2}, w[6] = {1, 0, 0, 1, 1, 1}, b[3] = {0, -9, 1};
  double y[3], by_name[3], dx[2], dw[6], db[3];
  simdrop_linear_forward_args args;
  simdrop_linear_workspace* workspace = NULL;
  OK(simdrop_linear_workspace_create(&workspace, &error));
  OK(simdrop_linear_forward(SIMDROP_F64, 1, 2, 3, x, 2, w, 2, b, SIMDROP_ACTIVATION_RELU, NULL, y,
                            3, NULL, workspace, NULL, &error));
  CHECK(y[0] == 1 && y[1] == 0 && y[2] == 4);
  OK(simdrop_linear_forward_args_init(&args, sizeof(args), &error));
  args.batch = 1;
  args.in = 2;
  args.out = 3;
  args.x = x;
  args.weights = w;
  args.bias = b;
  args.y = by_name;
  args.workspace = workspace;
  args.dtype = SIMDROP_F64;
  args.activation = SIMDROP_ACTIVATION_RELU;
  OK(simdrop_linear_forward_run(&args, &error));
  CHECK(memcmp(by_name, y, sizeof(y)) == 0);
  OK(simdrop_linear_backward_input(SIMDROP_F64, 1, 2, 3, y, 3, w, 2, NULL, 0, 1, dx, 2, workspace,
                                   NULL, &error));
  CHECK(dx[0] == 5 && dx[1] == 4);
  OK(simdrop_linear_backward_weights(SIMDROP_F64, 1, 2, 3, y, 3, x, 2, 1, 0, dw, 2, db, workspace,
                                     NULL, &error));
  CHECK(dw[0] == 1 && dw[1] == 2 && dw[5] == 8 && db[2] == 4);
  CHECK(simdrop_linear_workspace_bytes(workspace) > 0);
  simdrop_linear_workspace_destroy(workspace);
}

static simdrop_mlp* make_network(void) {
  static const int64_t widths[3] = {2, 4, 2};
  static const double keep_prob[1] = {0.5};
  simdrop_mlp_config config;
  simdrop_mlp* mlp = NULL;
  OK(simdrop_mlp_config_init(&config, sizeof(config), &error));
  config.widths = widths;
  config.num_widths = 3;
  config.keep_prob = keep_prob;
  config.num_keep_prob = 1;
  config.max_batch = 4;
  config.record = 1;
  OK(simdrop_mlp_create(&config, &mlp, &error));
  OK(simdrop_mlp_get_config(mlp, &config, &error));
  CHECK(config.widths[1] == 4 && config.keep_prob[0] == 0.5 && config.max_batch == 4);
  CHECK(simdrop_mlp_num_parameters(mlp) == 22);
  CHECK(simdrop_mlp_workspace_bytes(mlp) > 0);
  return mlp;
}

static simdrop_optimizer* make_optimizer(const simdrop_mlp* mlp) {
  simdrop_optimizer_config config;
  simdrop_optimizer* optimizer = NULL;
  OK(simdrop_optimizer_config_init(&config, sizeof(config), &error));
  config.kind = SIMDROP_ADAMW;
  OK(simdrop_optimizer_create(&config, mlp, &optimizer, &error));
  OK(simdrop_optimizer_set_learning_rate(optimizer, 0.05, &error));
  OK(simdrop_optimizer_get_config(optimizer, &config, &error));
  CHECK(config.kind == SIMDROP_ADAMW && config.learning_rate == 0.05);
  return optimizer;
}

static void network(void) {
  static const float x[8] = {0, 0, 0, 1, 1, 0, 1, 1};
  static const uint8_t labels[4] = {0, 1, 1, 0}, bits[2] = {0xff, 0xff};
  simdrop_mlp* mlp = make_network();
  simdrop_mlp* best = NULL;
  simdrop_optimizer* optimizer = make_optimizer(mlp);
  simdrop_targets targets = {sizeof(simdrop_targets), labels, NULL, 0};
  simdrop_tensor tensor;
  uint64_t id = 0, other = 0;
  float out[8], mean[8], variance[8];
  double loss = 0, first = 0;
  int step;
  tensor.struct_size = sizeof(tensor);
  OK(simdrop_mlp_inject_mask(mlp, 1, bits, 2, &error));
  OK(simdrop_mlp_set_keep_prob(mlp, 1, 1.0, &error));
  OK(simdrop_mlp_forward(mlp, 4, x, 2, 0, 0, NULL, &error));
  OK(simdrop_mlp_backward(mlp, &targets, &first, NULL, &error));
  OK(simdrop_mlp_tensor(mlp, SIMDROP_TENSOR_A, 2, &tensor, &error));
  CHECK(tensor.rows == 4 && tensor.cols == 2 && tensor.dtype == SIMDROP_F32);
  OK(simdrop_mlp_predict(mlp, 4, x, 2, out, 2, NULL, &error));
  OK(simdrop_mlp_loss(mlp, 4, out, 2, &targets, &loss, &error));
  CHECK(loss > first - 1e-5 && loss < first + 1e-5);
  for (step = 0; step < 300; ++step) {
    OK(simdrop_mlp_train_step(mlp, 4, x, 2, &targets, optimizer, 0, &loss, NULL, &error));
  }
  CHECK(loss < first);
  CHECK(simdrop_optimizer_step_count(optimizer) == 300);
  OK(simdrop_mlp_clone(mlp, &best, &error));
  OK(simdrop_mlp_predict(mlp, 4, x, 2, out, 2, NULL, &error));
  OK(simdrop_mlp_predict(best, 4, x, 2, mean, 2, NULL, &error));
  CHECK(memcmp(out, mean, sizeof(out)) == 0);
  simdrop_mlp_destroy(best);
  OK(simdrop_mlp_predict_monte_carlo(mlp, 4, x, 2, 3, 0, 0, mean, 2, variance, 2, NULL, &error));
  CHECK(variance[0] == 0);
  OK(simdrop_mlp_mask_stream_id(1, 5, &id, &error));
  OK(simdrop_mlp_sample_stream_id(1, 5, &other, &error));
  CHECK(id != other);
  simdrop_optimizer_destroy(optimizer);
  simdrop_mlp_destroy(mlp);
}

static void predictions(void) {
  static const float x[8] = {0, 0, 0, 1, 1, 0, 1, 1};
  simdrop_mlp* mlp = make_network();
  simdrop_predictor* predictor = NULL;
  float got[8], want[8], mean[8], variance[8], wanted[8];
  OK(simdrop_predictor_create(mlp, 4, NULL, &predictor, &error));
  OK(simdrop_predictor_predict(predictor, 4, x, 2, got, 2, NULL, &error));
  OK(simdrop_mlp_predict(mlp, 4, x, 2, want, 2, NULL, &error));
  CHECK(memcmp(got, want, sizeof(got)) == 0);
  OK(simdrop_predictor_predict_monte_carlo(predictor, 4, x, 2, 5, 0, 0, mean, 2, variance, 2, NULL,
                                           &error));
  OK(simdrop_mlp_predict_monte_carlo(mlp, 4, x, 2, 5, 0, 0, wanted, 2, got, 2, NULL, &error));
  CHECK(memcmp(mean, wanted, sizeof(mean)) == 0 && memcmp(variance, got, sizeof(got)) == 0);
  simdrop_predictor_destroy(predictor);
  simdrop_mlp_destroy(mlp);
}

static void files(const char* path) {
  simdrop_mlp* mlp = make_network();
  simdrop_optimizer* optimizer = make_optimizer(mlp);
  simdrop_mlp* loaded = NULL;
  simdrop_optimizer* state = NULL;
  simdrop_mlp_config defaults;
  simdrop_mlp_save_args save_args;
  simdrop_mlp_load_args load_args;
  OK(simdrop_mlp_config_init(&defaults, sizeof(defaults), &error));
  OK(simdrop_mlp_save(path, mlp, optimizer, &error));
  OK(simdrop_mlp_save_args_init(&save_args, sizeof(save_args), &error));
  save_args.optimizer = optimizer;
  save_args.no_sync = 1;
  OK(simdrop_mlp_save_run(path, mlp, &save_args, &error));
  OK(simdrop_mlp_load(path, &defaults, &loaded, &state, &error));
  CHECK(simdrop_mlp_num_parameters(loaded) == 22 && state != NULL);
  simdrop_mlp_destroy(loaded);
  OK(simdrop_mlp_load_args_init(&load_args, sizeof(load_args), &error));
  load_args.activation = SIMDROP_LOAD_ACTIVATION_RELU;
  OK(simdrop_mlp_load_run(path, &load_args, &loaded, NULL, &error));
  CHECK(simdrop_mlp_num_parameters(loaded) == 22);
  CHECK(remove(path) == 0);
  CHECK(simdrop_mlp_load(path, &defaults, &loaded, &state, &error) == SIMDROP_FILE_ERROR);
  simdrop_optimizer_destroy(optimizer);
  simdrop_optimizer_destroy(state);
  simdrop_mlp_destroy(mlp);
  simdrop_mlp_destroy(loaded);
}

int main(int argc, char** argv) {
  about_the_library();
  thread_pools();
  masks_and_dropout();
  linear();
  network();
  predictions();
  files(argc > 1 ? argv[1] : "c_api_c99.safetensors");
  printf("%s\n", failures == 0 ? "all as it should be" : "FAILED");
  return failures != 0;
}
