#include "simdrop/c/base.h"

#include <array>
#include <cstring>
#include <string>

#include "c_api/arguments.h"
#include "c_api/catch_exceptions.h"
#include "c_api/exec.h"
#include "simdrop/isa.hpp"
#include "simdrop/mask.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace {

constexpr const char* version_text = SIMDROP_VERSION_TEXT;

}  // namespace

const char* simdrop_status_message(simdrop_status status) {
  switch (status) {
    case SIMDROP_OK:
      return "success";
    case SIMDROP_INVALID_ARGUMENT:
      return "an argument is out of its range";
    case SIMDROP_OUT_OF_MEMORY:
      return "out of memory";
    case SIMDROP_FILE_ERROR:
      return "a file cannot be read or written";
    case SIMDROP_INVALID_STATE:
      return "the object lacks what is asked for";
    case SIMDROP_UNSUPPORTED:
      return "this build or CPU lacks what is asked for";
    case SIMDROP_INTERNAL:
      return "internal error";
    default:
      return "unknown status";
  }
}

simdrop_status simdrop_exec_init(simdrop_exec* exec, size_t struct_size, simdrop_error* error) {
  return catch_exceptions(error, [&] { write_struct(exec, struct_size, exec_defaults, "exec"); });
}

int32_t simdrop_version(void) {
  return SIMDROP_VERSION_NUMBER;
}

const char* simdrop_version_string(void) {
  return version_text;
}

int32_t simdrop_abi_version(void) {
  return SIMDROP_ABI_VERSION;
}

int32_t simdrop_mask_contract_version(void) {
  return simdrop::mask_contract_version;
}

int32_t simdrop_has_openmp(void) {
#ifdef SIMDROP_WITH_OPENMP
  return 1;
#else
  return 0;
#endif
}

int32_t simdrop_isa_count(void) {
  return static_cast<int32_t>(simdrop::isa_list().size());
}

simdrop_status simdrop_isa_get(int32_t index, simdrop_isa_info* info, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const auto list = simdrop::isa_list();
    const auto position = static_cast<std::size_t>(index);
    if (index < 0 || position >= list.size()) {
      simdrop::detail::throw_invalid("index", index, "0 ... simdrop_isa_count() - 1");
    }
    check_not_null(info, "info");
    const simdrop::IsaInfo& isa = list[position];
    write_struct(info, info->struct_size,
                 simdrop_isa_info{sizeof(simdrop_isa_info), isa.name, isa.compiled, isa.supported},
                 "info");
  });
}

simdrop_status simdrop_active_isa(const char** name, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(name, "name");
    *name = simdrop::isa_name(simdrop::active_isa());
  });
}

simdrop_status simdrop_cpu_name(char* buffer, int64_t size, int64_t* length, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const std::string name = simdrop::cpu_name();
    const std::size_t room = count_of(size, "size");
    if (buffer != nullptr) {
      if (room <= name.size()) {
        simdrop::detail::throw_invalid("size", size, "> " + std::to_string(name.size()));
      }
      std::memcpy(buffer, name.c_str(), name.size() + 1);
    }
    if (length != nullptr) *length = static_cast<int64_t>(name.size());
  });
}
