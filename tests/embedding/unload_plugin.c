/* A program without OpenMP that loads a plugin, has it start threads, and unloads it; often. */
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

static int use(const char* path) {
  void* plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int (*run)(void);
  *(void**)&run = dlsym(plugin, "plugin_run");
  const int failed = run == NULL || run() != 0;
  return dlclose(plugin) != 0 || failed;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (int i = 0; i < 5; ++i) {
    if (use(argv[1]) != 0) return 1;
    /* Threads that are left alone with unloaded code are woken by what comes next, or by time. */
    const struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
  }
  puts("unloaded");
  return 0;
}
