// JSON, and files of results: complete or not there.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "io/output_file.h"
#include "mlp/config_fields.h"

// In JSON an enum is its name, and what may be missing null.
template <simdrop::detail::NamedEnum T>
struct nlohmann::adl_serializer<T> {
  static void to_json(auto& json, T value) { json = simdrop::detail::name_of(value); }
  static void from_json(const auto& json, T& value) {
    value = simdrop::detail::value_named<T>(json.template get<std::string>()).value();
  }
};
template <class T>
struct nlohmann::adl_serializer<std::optional<T>> {
  static void to_json(auto& json, const std::optional<T>& value) {
    if (value) json = *value;  // else it is null
  }
  static void from_json(const auto& json, std::optional<T>& value) {
    value.reset();
    if (!json.is_null()) json.get_to(value.emplace());
  }
};

namespace simdrop::cli {

// Members in the order of insertion, as a reader expects them.
using Json = nlohmann::ordered_json;

// Where --json leads. A path that can't be written is known at once, before the work; a file is
// made when the results are there, so that a run that is interrupted leaves nothing. An empty path:
// nothing is written. "-": standard output, which then holds the JSON alone; what is printed goes
// to standard error. Throws FileError.
class JsonFile {
 public:
  JsonFile(const std::string& path, bool no_sync);

  void commit(const Json& json);

 private:
  std::string path_;
  bool no_sync_;
  std::optional<simdrop::detail::OutputFile> output_;  // once it is open
};

}  // namespace simdrop::cli
