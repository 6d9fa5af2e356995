#include "c_api/catch_exceptions.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "dispatch/dispatch.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::c_api {
namespace {

simdrop_status fill(simdrop_error* error, simdrop_status status, const char* text) noexcept {
  if (error != nullptr && error->struct_size >= sizeof(simdrop_error)) {
    error->status = status;
    const std::size_t length = std::min(std::strlen(text), sizeof(error->message) - 1);
    std::memcpy(error->message, text, length);
    error->message[length] = '\0';
  }
  return status;
}

}  // namespace

simdrop_status report_exception(simdrop_error* error) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return fill(error, SIMDROP_OUT_OF_MEMORY, "simdrop: out of memory");
  } catch (const std::length_error&) {  // a container beyond its max_size()
    return fill(error, SIMDROP_OUT_OF_MEMORY, "simdrop: out of memory");
  } catch (const std::invalid_argument& e) {
    return fill(error, SIMDROP_INVALID_ARGUMENT, e.what());
  } catch (const std::logic_error& e) {
    return fill(error, SIMDROP_INVALID_STATE, e.what());
  } catch (const FileError& e) {
    return fill(error, SIMDROP_FILE_ERROR, e.what());
  } catch (const detail::UnsupportedIsa& e) {
    return fill(error, SIMDROP_UNSUPPORTED, e.what());
  } catch (const std::exception& e) {
    return fill(error, SIMDROP_INTERNAL, e.what());
  } catch (...) {
    return fill(error, SIMDROP_INTERNAL, "simdrop: an exception of unknown type");
  }
}

}  // namespace simdrop::c_api
