// Configurations of the C API to those of the C++ API and back, over the lists of
// mlp/config_fields.h. Pointers are left out: a count or an owner stands beside them.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/check.h"
#include "c_api/arguments.h"
#include "mlp/config_fields.h"

namespace simdrop::c_api {

// Throws for what the C type alone can hold; ranges are checked behind this.
inline constexpr auto from_c = []<class T, class C>(const auto& field, T& value, const C& given) {
  if constexpr (std::is_same_v<T, bool>) {
    detail::check_argument(given == 0 || given == 1, field.name, given, "0 or 1");
    value = given == 1;
  } else if constexpr (std::is_same_v<C, std::int64_t>) {
    value = count_of(given, field.name);
  } else if constexpr (!std::is_pointer_v<C>) {
    value = static_cast<T>(given);
  }
};

inline constexpr auto to_c = []<class T, class C>(const auto& /*field*/, const T& value, C& out) {
  if constexpr (!std::is_pointer_v<C>) out = static_cast<C>(value);
};

}  // namespace simdrop::c_api
