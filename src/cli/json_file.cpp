#include "cli/json_file.h"

#include <unistd.h>

#include <span>

#include "cli/terminal.h"

namespace simdrop::cli {

JsonFile::JsonFile(const std::string& path, bool no_sync) {
  if (path == "-") {
    file_.emplace(STDOUT_FILENO, "standard output");
    print_to_standard_error();
  } else if (!path.empty()) {
    file_.emplace(path, simdrop::detail::OutputOptions{.sync = !no_sync, .streams = true});
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
