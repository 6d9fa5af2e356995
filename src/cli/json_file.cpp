#include "cli/json_file.h"

#include <unistd.h>

#include <span>
#include <utility>

#include "cli/output_stream.h"
#include "cli/terminal.h"

namespace simdrop::cli {

using simdrop::detail::OutputFile;

JsonFile::JsonFile(const std::string& path, bool no_sync) : path_(path), no_sync_(no_sync) {
  if (path_.empty()) return;
  if (path_ == "-") {
    const char* const name = "standard output";
    output_.emplace(another_descriptor(STDOUT_FILENO, name), name);
    print_to_standard_error();
  } else if (auto stream = open_stream(path_)) {
    output_.emplace(std::move(*stream), path_);
  } else {
    (void)OutputFile(path_);  // fails where commit() would
  }
}

void JsonFile::commit(const Json& json) {
  if (path_.empty()) return;
  // Paths on the command line need not be UTF-8; JSON must be.
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
  if (!output_) output_.emplace(path_, !no_sync_);
  output_->write(std::as_bytes(std::span(text)));
  output_->commit();
}

}  // namespace simdrop::cli
