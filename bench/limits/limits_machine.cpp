// The cases that measure the machine.
#include <cstring>

#include "limits/limits_cases.h"

namespace simdrop::bench {
namespace {

void run_additions(std::size_t, std::size_t repeats) {
  std::size_t sum = 1;
  std::size_t addend = repeats;
  for (std::size_t r = 0; r < repeats; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      sum += addend;
      asm volatile("" : "+r"(sum), "+r"(addend));
    }
  }
}

void run_memcpy(const float* a, const float*, float* y, std::size_t n, std::size_t repeats) {
  for (std::size_t r = 0; r < repeats; ++r) {
    std::memcpy(y, a, n * sizeof(float));
    asm volatile("" ::"r"(y) : "memory");
  }
}

struct NamedLoop {
  const char* name;
  MemoryLoop run;
  double arrays;  // read or written
};

void add_loop(std::vector<Case>& cases, const NamedLoop& loop, const char* isa,
              const Arrays& arrays, std::size_t n) {
  if (loop.run == nullptr) return;
  cases.push_back({case_name(loop.name, isa, n),
                   loop.arrays * static_cast<double>(n * sizeof(float)),
                   [&arrays, run = loop.run, n](std::size_t, std::size_t repeats) {
                     run(arrays.x(), arrays.z(), arrays.y(), n, repeats);
                   }});
}

#if defined(_OPENMP)
// Half of the arrays to each of two threads.
void add_loop_x2(std::vector<Case>& cases, const NamedLoop& loop, const char* isa,
                 const Arrays& arrays, std::size_t n) {
  if (loop.run == nullptr) return;
  cases.push_back({case_name(std::string(loop.name) + "x2", isa, n),
                   loop.arrays * static_cast<double>(n * sizeof(float)),
                   [&arrays, run = loop.run, n](std::size_t, std::size_t repeats) {
#pragma omp parallel for num_threads(2) schedule(static, 1)
                     for (std::size_t half = 0; half < 2; ++half) {
                       const std::size_t first = half * (n / 2);
                       run(arrays.x() + first, arrays.z() + first, arrays.y() + first, n / 2,
                           repeats);
                     }
                   }});
}
#endif

void add_operations(std::vector<Case>& cases, const IsaLimits& limits) {
  const auto add = [&](const char* name, const OpLoop& loop) {
    cases.push_back({case_name(name, limits.name), loop.units,
                     [run = loop.run](std::size_t, std::size_t repeats) { run(repeats); }});
  };
  add("mul_low32", limits.mul_low32);
  add("shift_right32", limits.shift_right32);
  add("xor", limits.bit_xor);
  add("xor3", limits.xor3);
  add("half_rounds", limits.half_rounds);
  add("words10", limits.words10);
  add("words7", limits.words7);
}

}  // namespace

Arrays::Arrays(std::size_t floats)
    : x_(floats, 0), y_(floats, 3), z_(floats, 6), bits_(floats / 32 + 16, 9) {
  std::memset(bits_.data(), 0xA5, floats / 8 + 64);
}

std::vector<const IsaLimits*> supported_limits() {
  std::vector<const IsaLimits*> supported;
  for (const IsaInfo& info : isa_list()) {
    const IsaLimits* limits = isa_limits(info.isa);
    if (limits != nullptr && info.supported) supported.push_back(limits);
  }
  return supported;
}

std::string case_name(const std::string& what, const char* isa) {
  return std::string(what).append("/").append(isa);
}

std::string case_name(const std::string& what, const char* isa, std::size_t floats) {
  return case_name(what, isa).append("/").append(std::to_string(floats));
}

std::vector<Case> limit_cases(const Arrays& arrays, std::size_t max_floats) {
  std::vector<Case> cases;
  cases.push_back({"clock", 16.0, run_additions});
  const NamedLoop libc{"memcpy", run_memcpy, 2};
  for (const IsaLimits* limits : supported_limits()) add_operations(cases, *limits);
  for (const std::size_t n : array_sizes) {
    if (n > max_floats) continue;
    add_loop(cases, libc, "libc", arrays, n);
    for (const IsaLimits* limits : supported_limits()) {
      for (const NamedLoop& loop :
           {NamedLoop{"load", limits->load, 1}, NamedLoop{"store", limits->store, 1},
            NamedLoop{"copy", limits->copy, 2}, NamedLoop{"read_two", limits->read_two, 3},
            NamedLoop{"stream_store", limits->stream_store, 1},
            NamedLoop{"stream_copy", limits->stream_copy, 2},
            NamedLoop{"stream_read_two", limits->stream_read_two, 3}}) {
        add_loop(cases, loop, limits->name, arrays, n);
      }
    }
  }
#if defined(_OPENMP)
  if (max_floats >= array_sizes.back()) {
    add_loop_x2(cases, libc, "libc", arrays, array_sizes.back());
    for (const IsaLimits* limits : supported_limits()) {
      add_loop_x2(cases, {"copy", limits->copy, 2}, limits->name, arrays, array_sizes.back());
      add_loop_x2(cases, {"stream_copy", limits->stream_copy, 2}, limits->name, arrays,
                  array_sizes.back());
    }
  }
#endif
  return cases;
}

}  // namespace simdrop::bench
