#include "cli/json_file.h"

#include <unistd.h>

#include <span>
#include <utility>

#include "cli/output_stream.h"
#include "cli/terminal.h"

namespace simdrop::cli {

JsonFile::JsonFile(const std::string& path, bool no_sync) {
  if (path == "-") {
    const char* const name = "standard output";
    file_.emplace(another_descriptor(STDOUT_FILENO, name), name);
    print_to_standard_error();
  } else if (!path.empty()) {
    auto stream = open_stream(path);
    if (stream) {
      file_.emplace(std::move(*stream), path);
    } else {
      file_.emplace(path, !no_sync);
    }
  }
}

void JsonFile::commit(const Json& json) {
  if (!file_) return;
  // Paths on the command line need not be UTF-8; JSON must be.
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
  file_->write(std::as_bytes(std::span(text)));
  file_->commit();
}

}  // namespace simdrop::cli
