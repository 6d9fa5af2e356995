#include "c_api/catch_exceptions.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>

#include "dispatch/dispatch.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::c_api {
namespace {

constexpr std::size_t longest = sizeof(simdrop_error::message) - 1;
constexpr std::size_t head = 64;  // of a text that is too long; its end has the reason

bool continues_letter(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// The first place from `at` on, or the last one before it, that is in no UTF-8 letter, which has at
// most 3 bytes after its first; `at` itself in a text that is not UTF-8.
const char* letter_border(const char* at, int direction) noexcept {
  constexpr int most = 3;
  for (int moved = 0; moved <= most; ++moved) {
    const char* const border = at + direction * moved;
    if (!continues_letter(*border)) return border;
  }
  return at;
}

void copy_shortened(char* out, const char* text) noexcept {
  const char* const end = text + std::strlen(text);
  if (end - text > static_cast<std::ptrdiff_t>(longest)) {
    constexpr std::string_view gap = "...";
    const char* const from = letter_border(end - (longest - head - gap.size()), 1);
    out = std::copy(text, letter_border(text + head, -1), out);
    out = std::copy(gap.begin(), gap.end(), out);
    text = from;
  }
  *std::copy(text, end, out) = '\0';
}

simdrop_status fill(simdrop_error* error, simdrop_status status, const char* text) noexcept {
  if (error != nullptr && error->struct_size >= sizeof(simdrop_error)) {
    error->status = status;
    copy_shortened(error->message, text);
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
