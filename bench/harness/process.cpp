#include "harness/process.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <stdexcept>

namespace simdrop::bench {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe to a child process");
    read = ends[0];
    write = ends[1];
  }
};

[[noreturn]] void run_child(const std::function<void()>& body, const Pipe& questions,
                            const Pipe& answers) {
  setpgid(0, 0);  // what it starts is killed with it
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(questions.read, STDIN_FILENO);
  dup2(answers.write, STDOUT_FILENO);
  for (const int end : {questions.read, questions.write, answers.read, answers.write}) close(end);
  int status = 1;
  try {
    body();
    status = 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
  std::fflush(stdout);
  _exit(status);
}

}  // namespace

Process::Process(const std::function<void()>& body) {
  const Pipe questions;
  const Pipe answers;
  std::fflush(stdout);  // else the child would print it again
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("no child process");
  if (child_ == 0) run_child(body, questions, answers);
  setpgid(child_, child_);  // whoever is first
  close(questions.read);
  close(answers.write);
  to_ = fdopen(questions.write, "w");
  from_ = fdopen(answers.read, "r");
  std::signal(SIGPIPE, SIG_IGN);  // a child that has ended says so by its silence
}

Process::~Process() {
  kill(-child_, SIGKILL);
  waitpid(child_, nullptr, 0);
  std::fclose(to_);
  std::fclose(from_);
}

void Process::tell(const std::string& line) {
  std::fprintf(to_, "%s\n", line.c_str());
  std::fflush(to_);
}

std::string Process::hear() {
  std::string line;
  for (int c = 0; (c = std::fgetc(from_)) != EOF && c != '\n';) line += static_cast<char>(c);
  return line;
}

}  // namespace simdrop::bench
