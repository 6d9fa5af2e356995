#include "cli/file_options.h"

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "cli/output_stream.h"
#include "cli/train_config.h"
#include "io/output_path.h"

namespace simdrop::cli {
namespace {

namespace fs = std::filesystem;

// Of files that are not there yet.
bool same_place(const fs::path& a, const fs::path& b) {
  if (a.filename() != b.filename()) return false;
  const auto in_a = detail::status_of(detail::directory_of(a));
  const auto in_b = detail::status_of(detail::directory_of(b));
  if (in_a && in_b) return detail::same_inode(*in_a, *in_b);
  return a.lexically_normal() == b.lexically_normal();
}

bool same_file(const fs::path& a, const fs::path& b) {
  const auto at_a = detail::status_of(a);
  const auto at_b = detail::status_of(b);
  if (at_a && at_b) return detail::same_inode(*at_a, *at_b);
  if (at_a || at_b) return false;
  return same_place(detail::follow_links(a), detail::follow_links(b));
}

std::vector<FileOption> inputs_of(const TrainArguments& arguments) {
  const io::IdxPaths data = data_files(arguments);
  const bool each = !arguments.files.train_images.empty();
  return {{each ? "--train-images" : "--data", data.train_images},
          {each ? "--train-labels" : "--data", data.train_labels},
          {each ? "--test-images" : "--data", data.test_images},
          {each ? "--test-labels" : "--data", data.test_labels}};
}

}  // namespace

void check_apart(const FileOption& output, const std::vector<FileOption>& others) {
  if (output.path.empty() || output.path == "-") return;
  for (const FileOption& other : others) {
    if (other.path.empty() || !same_file(output.path, other.path)) continue;
    throw std::invalid_argument(output.option + " " + output.path + ": the same file as " +
                                other.option + " " + other.path);
  }
}

void check_files(const TrainArguments& arguments) {
  if (arguments.save == "-") {
    throw std::invalid_argument(
        "--save -: not to standard output; allowed: a file, which each epoch replaces (./- is "
        "one)");
  }
  if (descriptor_of(arguments.save)) {
    throw std::invalid_argument("--save " + arguments.save +
                                ": not to what is open already; allowed: a file, which each epoch "
                                "replaces");
  }
  const std::vector<FileOption> inputs = inputs_of(arguments);
  std::vector<FileOption> others = inputs;
  others.push_back({"standard output", "/dev/stdout"});
  others.push_back({"standard error", "/dev/stderr"});
  check_apart({"--save", arguments.save}, others);
  others = inputs;
  others.push_back({"--save", arguments.save});
  others.push_back({"--resume", arguments.resume});
  check_apart({"--json", arguments.json_path}, others);
}

}  // namespace simdrop::cli
