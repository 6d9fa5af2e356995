#include "base/matrix_check.h"

namespace simdrop::detail {
namespace {

std::string member(const char* name, const char* which) {
  return std::string(name) + which;
}

// WHAT = WANTED
std::string wanted_text(std::string what, std::size_t wanted) {
  return std::move(what) + " = " + std::to_string(wanted);
}

std::string shape_text(std::size_t rows, std::size_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

}  // namespace

void throw_rows(const char* name, std::size_t rows, std::size_t wanted, const char* what) {
  throw_invalid(member(name, ".rows"), rows, wanted_text(what, wanted));
}

void throw_cols(const char* name, std::size_t cols, std::size_t wanted, const char* what) {
  throw_invalid(member(name, ".cols"), cols, wanted_text(what, wanted));
}

void throw_shape(const char* name, const MemoryRegion& m, std::size_t rows, std::size_t cols,
                 const char* what) {
  throw_invalid(member(name, " shape"), shape_text(m.rows, m.cols),
                shape_text(rows, cols) + ", as " + what);
}

void throw_beyond_memory(const char* name, const MemoryRegion& m) {
  if (m.is_array) {
    throw_invalid(member(name, ".size()"), m.cols, "an array that fits in memory");
  }
  throw_invalid(member(name, ".rows"), m.rows, "a matrix that fits in memory");
}

void throw_ld(const char* name, const MemoryRegion& m) {
  throw_invalid(member(name, ".ld"), m.ld, wanted_text(">= cols", m.cols));
}

void throw_null(const char* name) {
  throw_invalid(member(name, ".data"), "null", "a valid pointer");
}

void throw_size(const char* name, std::size_t size, bool optional, std::size_t wanted,
                const char* what) {
  throw_invalid(member(name, ".size()"), size,
                wanted_text((optional ? std::string("0 or ") : std::string()) + what, wanted));
}

void throw_overlap(const char* out_name, const char* in_name, bool may_be_same) {
  std::string allowed = "memory that does not";
  if (may_be_same) allowed += std::string(", or ") + in_name + " itself with the same ld";
  throw_invalid(out_name, std::string("memory that overlaps ") + in_name, allowed);
}

}  // namespace simdrop::detail
