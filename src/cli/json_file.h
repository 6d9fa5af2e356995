// JSON, and files of results: complete or not there.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "mlp/config_fields.h"

namespace simdrop::cli {

// Members in the order of insertion, as a reader expects them.
using Json = nlohmann::ordered_json;

// A value: of an enum its name, of what may be missing null.
template <class T>
Json json_of(const T& value) {
  if constexpr (detail::NamedEnum<T>) {
    return detail::name_of(value);
  } else {
    return value;
  }
}
template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json();
}

// Opens a temporary file beside `path` at once, so that a path that can't be written is known
// before the work, and renames it over `path` when the results are there. An empty path: nothing is
// written. Throws std::runtime_error naming the file.
class JsonFile {
 public:
  explicit JsonFile(const std::string& path);
  ~JsonFile();
  JsonFile(const JsonFile&) = delete;
  JsonFile& operator=(const JsonFile&) = delete;

  void commit(const Json& json);

 private:
  std::string path_;
  std::string temporary_;
  std::ofstream out_;
  bool committed_ = false;
};

}  // namespace simdrop::cli
