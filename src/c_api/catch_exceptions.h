// The border between C callers and C++: no exception crosses it, and errno stays as it was.
#pragma once

#include <cerrno>

#include "simdrop/c/base.h"

namespace simdrop::c_api {

// What the exception that is being handled means to a C caller; fills `error` if it is fit.
simdrop_status report_exception(simdrop_error* error) noexcept;

inline void report_success(simdrop_error* error) noexcept {
  if (error == nullptr || error->struct_size < sizeof(simdrop_error)) return;
  error->status = SIMDROP_OK;
  error->message[0] = '\0';
}

template <class Fn>
simdrop_status catch_exceptions(simdrop_error* error, Fn&& fn) noexcept {
  const int saved_errno = errno;
  simdrop_status status = SIMDROP_OK;
  try {
    fn();
    report_success(error);
  } catch (...) {
    status = report_exception(error);
  }
  errno = saved_errno;
  return status;
}

}  // namespace simdrop::c_api
