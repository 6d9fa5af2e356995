#include "cli/json_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace simdrop::cli {

JsonFile::JsonFile(const std::string& path) : path_(path) {
  if (path_.empty()) return;
  if (std::filesystem::is_directory(path_)) throw std::runtime_error(path_ + ": is a directory");
  temporary_ = path_ + ".tmp" + std::to_string(getpid());
  out_.open(temporary_);
  if (!out_) throw std::runtime_error(path_ + ": can't be written: " + std::strerror(errno));
}

JsonFile::~JsonFile() {
  std::error_code ignored;
  if (!path_.empty() && !committed_) std::filesystem::remove(temporary_, ignored);
}

void JsonFile::commit(const Json& json) {
  if (path_.empty()) return;
  // Paths on the command line need not be UTF-8; JSON must be.
  out_ << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  out_.close();
  std::error_code error;
  if (out_) std::filesystem::rename(temporary_, path_, error);
  if (!out_ || error) {
    throw std::runtime_error(path_ + ": write failed" + (error ? ": " + error.message() : ""));
  }
  committed_ = true;
}

}  // namespace simdrop::cli
