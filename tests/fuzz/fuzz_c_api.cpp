// Any sequence of calls of the C functions with any arguments: sanitizers see nothing, statuses and
// errors are what simdrop.h says, and a call that fails writes nothing.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzz/bytes.h"
#include "fuzz/c_call.h"
#include "fuzz/c_objects.h"

namespace {

std::vector<fuzz::Function> all_calls() {
  std::vector<fuzz::Function> all;
  for (const auto& calls : {fuzz::mlp_calls(), fuzz::dropout_calls(), fuzz::linear_calls(),
                            fuzz::predictor_calls(), fuzz::optimizer_calls(), fuzz::random_calls(),
                            fuzz::files_calls(), fuzz::base_calls(), fuzz::threads_calls()}) {
    all.insert(all.end(), calls.begin(), calls.end());
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<fuzz::Function> calls = all_calls();
  fuzz::Bytes bytes(data, size);
  fuzz::Objects objects;
  fuzz::Call::executor_is_faulty = false;
  while (!bytes.empty()) {
    fuzz::Call call(bytes);
    calls[bytes.below(calls.size())](objects, call);
  }
  return 0;
}
