// Result files: complete or not there.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace simdrop::cli {

// Members in the order of insertion, as a reader expects them.
using Json = nlohmann::ordered_json;

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
