/* A program in C99 that uses simdrop as its users do, and checks what it got. */
#include <math.h>
#include <simdrop/simdrop.h>
#include <stdio.h>
#include <string.h>

enum { rows = 8, cols = 125, count = rows * cols };

static int failures = 0;

static void expect(int holds, const char* what, const simdrop_error* error) {
  if (!holds) {
    ++failures;
    printf("not so: %s (%s)\n", what, error->message);
  }
}

/* The header, the library and pkg-config must be of one version. */
static void check_version(simdrop_error* error) {
  expect(strcmp(simdrop_version_string(), EXPECTED_VERSION) == 0, "version", error);
  expect(simdrop_abi_version() == SIMDROP_ABI_VERSION, "version of the ABI", error);
}

/* Philox4x32-10's published answer for key 0 and counter 0. */
static void check_words(simdrop_error* error) {
  static const uint32_t expected[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  uint32_t words[4] = {0, 0, 0, 0};
  expect(simdrop_philox_fill(0, 0, 0, words, 4, 10, NULL, error) == SIMDROP_OK, "words", error);
  expect(memcmp(words, expected, sizeof words) == 0, "values of words", error);
}

/* Forward writes the mask that a call of its own gives, and what the mask says. */
static void check_dropout(simdrop_error* error) {
  float x[count];
  float y[count];
  uint8_t drawn[(count + 7) / 8];
  uint8_t written[(count + 7) / 8];
  simdrop_dropout dropout;
  simdrop_exec exec;
  int kept = 0;
  int i;
  for (i = 0; i < count; ++i) x[i] = 3.0f;
  expect(simdrop_dropout_init(&dropout, sizeof dropout, error) == SIMDROP_OK, "defaults", error);
  expect(simdrop_exec_init(&exec, sizeof exec, error) == SIMDROP_OK, "defaults of exec", error);
  exec.num_threads = 2;
  dropout.keep_prob = 0.75;
  dropout.seed = 5;
  expect(simdrop_mask_bytes(count) == (int64_t)sizeof drawn, "bytes of a mask", error);
  expect(simdrop_bernoulli_mask(&dropout, count, drawn, NULL, error) == SIMDROP_OK, "mask", error);
  expect(simdrop_dropout_forward(&dropout, SIMDROP_F32, rows, cols, x, cols, y, cols, written,
                                 &exec, error) == SIMDROP_OK,
         "forward", error);
  expect(memcmp(drawn, written, sizeof drawn) == 0, "one mask by two ways", error);
  for (i = 0; i < count; ++i) {
    const int keeps = drawn[i / 8] >> (i % 8) & 1;
    kept += keeps;
    if (y[i] != (keeps ? 4.0f : 0.0f) || signbit(y[i])) break;
  }
  expect(i == count, "elements are x / keep_prob or 0", error);
  expect(kept > 680 && kept < 820, "three quarters are kept", error); /* 750, deviation 14 */
}

/* A wrong argument is a status and a message that names it; nothing is written. */
static void check_errors(simdrop_error* error) {
  simdrop_dropout dropout;
  float x = 1.0f;
  float y = 2.0f;
  expect(simdrop_dropout_init(&dropout, sizeof dropout, error) == SIMDROP_OK, "defaults", error);
  dropout.keep_prob = 1.5;
  expect(simdrop_dropout_forward(&dropout, SIMDROP_F32, 1, 1, &x, 1, &y, 1, NULL, NULL, error) ==
             SIMDROP_INVALID_ARGUMENT,
         "keep_prob 1.5 is refused", error);
  expect(strstr(error->message, "keep_prob") != NULL && y == 2.0f, "message, y", error);
}

int main(void) {
  simdrop_error error = SIMDROP_ERROR_INIT;
  check_version(&error);
  check_words(&error);
  check_dropout(&error);
  check_errors(&error);
  if (failures == 0) printf("simdrop %s in C: all right\n", simdrop_version_string());
  return failures != 0;
}
