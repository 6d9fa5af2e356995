// Keeps the calling thread from being cancelled.
#pragma once

#include <pthread.h>

namespace simdrop::detail {

// While one lives, pthread_cancel() of this thread waits for the first cancellation point after it.
// System calls are such points: the unwinding that begins there would leave work half-done, and end
// the process at the first function that lets no exception through.
class NoCancellation {
 public:
#ifdef PTHREAD_CANCEL_DISABLE
  NoCancellation() noexcept {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
  }
  ~NoCancellation() {
    int ignored = 0;
    pthread_setcancelstate(before_, &ignored);
  }
#else  // a system without cancellation
  NoCancellation() noexcept {}
  ~NoCancellation() {}
#endif
  NoCancellation(const NoCancellation&) = delete;
  NoCancellation& operator=(const NoCancellation&) = delete;

#ifdef PTHREAD_CANCEL_DISABLE
 private:
  int before_ = 0;
#endif
};

}  // namespace simdrop::detail
