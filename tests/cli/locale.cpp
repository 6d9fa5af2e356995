// Whatever the locale is, the program reads and writes the same numbers.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/disturbance.h"
#include "cli/json_file.h"
#include "cli/terminal.h"
#include "cli/train_config.h"
#include "helpers/foreign_locale.h"

namespace {

using namespace simdrop::cli;
using test::Texts;

std::string error_of(const Texts& words) {
  try {
    (void)read_command_line(words);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

Texts all() {
  Texts texts{fixed(1234567.125, 3),
              shortest(1234.5678),
              shortest(1234567.0),
              percent(12.345),
              duration(1234567.0),
              grouped(1234567),
              Json(1234567.125).dump(),
              Json::parse("1234.5").dump(),
              busy_machine({.core_share = 0.25, .spread = 12.5}),
              error_of({"train", "--batch", "1000000000000"}),
              error_of({"train", "--keep-prob", "1234.5"}),
              error_of({"train", "--keep-prob", "0,5"}),
              error_of({"train", "--epochs", "1.234"}),
              error_of({"train", "--layers", "1234,5678,1234567", "--keep-prob", "0.5,1,1"})};
  for (const char* command : {"train", "overhead", "info", "demo"}) {
    texts.push_back(read_command_line({command, "--help"}).text);
  }
  const CommandLine line = read_command_line(
      {"train", "--data", "moons", "--lr", "1234.5", "--epochs", "123456", "--seed", "1234567"});
  const TrainerConfig config = make_config(line.train);
  texts.push_back(shortest(config.optimizer.learning_rate) + " " + std::to_string(config.epochs));
  return texts;
}

}  // namespace

TEST_CASE("locale: the program's numbers are the same in every one") {
  const Texts want = all();
  CHECK(want.front() == "1234567.125");
  CHECK(want.back() == "1234.5 123456");
  for (const std::string& text : want) CHECK(text != "no error");
  test::check_same_in_foreign_locales(all);
}

TEST_CASE("locale: what Linux counts is read as it is written") {
  const test::TemporaryDirectory directory;
  directory.write("schedstat", "12345678901 2500000000 7\n");
  const test::ForeignCppLocale blanks(' ');
  const CoreTime time = read_schedstat(directory.path());
  CHECK(time.ran == 1e-9 * 12345678901.0);
  CHECK(time.waited == 2.5);
  CHECK(read_schedstat(directory.path() / "none").ran == 0.0);
}
