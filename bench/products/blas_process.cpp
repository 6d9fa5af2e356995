#include "products/blas_process.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace simdrop::bench {
namespace {

// The program that lies beside this one; its arguments are described there.
void become_worker(const BlasChoice& choice) {
  const std::string worker =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "blas_worker";
  std::vector<std::string> arguments{worker, std::to_string(static_cast<int>(choice.kind)),
                                     choice.path};
  for (const Setting& setting : choice.settings) {
    arguments.push_back(setting.variable + "=" + setting.value);
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv(worker.c_str(), pointers.data());
  throw std::runtime_error("cannot start " + worker);
}

}  // namespace

BlasProcess::BlasProcess(const BlasChoice& choice)
    : who_(choice.who()),
      process_(std::make_unique<Process>([&choice] { become_worker(choice); })),
      about_(hear()) {}

double BlasProcess::probe(int threads) {
  return std::stod(ask("probe " + std::to_string(threads)));
}

std::string BlasProcess::prepare(const Row& row) {
  std::ostringstream question;
  question << "row " << row.type << ' ' << row.shape.batch << ' ' << row.shape.in << ' '
           << row.shape.out << ' ' << static_cast<std::size_t>(row.product) << ' ' << row.threads;
  try {
    ask(question.str());
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

Taken BlasProcess::run(std::size_t first, std::size_t count) {
  std::istringstream answer(ask("run " + std::to_string(first) + ' ' + std::to_string(count)));
  Taken taken;
  answer >> taken.seconds >> taken.preemptions;
  return taken;
}

std::string BlasProcess::ask(const std::string& question) {
  process_->tell(question);
  return hear();
}

std::string BlasProcess::hear() {
  const std::string answer = process_->hear();
  if (answer.empty()) throw std::runtime_error("crashed");
  if (answer.rfind("ok", 0) != 0) throw std::runtime_error(answer);
  return answer.substr(std::min<std::size_t>(3, answer.size()));
}

}  // namespace simdrop::bench
