#include <simdrop/simdrop.h>
#include <stdio.h>

int main(void) {
  float x[1000], y[1000];
  int kept = 0;
  for (int i = 0; i < 1000; ++i) x[i] = 1.0f;

  simdrop_error error = SIMDROP_ERROR_INIT;
  simdrop_dropout dropout;
  simdrop_dropout_init(&dropout, sizeof dropout, &error);
  dropout.keep_prob = 0.8;
  dropout.seed = 1;
  if (simdrop_dropout_forward(&dropout, SIMDROP_F32, 1, 1000, x, 1000, y, 1000, NULL, NULL,
                              &error) != SIMDROP_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }

  for (int i = 0; i < 1000; ++i) kept += y[i] > 0.0f;
  printf("kept %d of 1000\n", kept);
  return 0;
}
