// Every option of the program: its smallest and largest value, what lies just outside, what is no
// value at all, and what the errors say. A table, whose options must be those that --help lists.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "helpers/expect_invalid.h"
#include "mlp/config_fields.h"

namespace {

using simdrop::cli::CommandLine;
using simdrop::cli::read_command_line;
using Texts = std::vector<std::string>;

const std::string largest = "18446744073709551615";
const std::string from_0 = "a whole number in digits, 0 to 2^64-1";
const std::string from_1 = "a whole number in digits, 1 to 2^64-1";
const std::string number = "a number without sign, ";
const Texts no_whole{
    "",     " 5",  "5 ",  "+5",  "-5",       "-0",   "0x10",  "1e3",
    "5.0",  "nan", "inf", "5\n", "\xd9\xa1", "five", "1_000", "18446744073709551616",
    "1e999"};
const Texts no_number{"",    " .5",  ".5 ",   "+.5",    "-.5", "-0", "0x1p-1",   "nan",  "-nan",
                      "inf", "-inf", "1e999", "1e-999", "1e",  ".",  "\xd9\xa1", "0.5f", "0.5\n"};
const Texts no_name{"", "none", " he", "2"};

Texts operator+(Texts a, const Texts& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string text(const std::string& value) {
  return value;
}
std::string text(double value) {
  return simdrop::cli::shortest(value);
}
template <class T>
std::string text(const T& value) {
  using simdrop::detail::name_of;
  if constexpr (simdrop::detail::NamedEnum<T>) {
    return name_of(value);
  } else {
    return std::to_string(value);
  }
}
template <class T>
std::string text(const std::optional<T>& value) {
  return value ? text(*value) : "none";
}
template <class T>
std::string text(const std::vector<T>& values) {
  Texts texts;
  for (const T& value : values) texts.push_back(text(value));
  return simdrop::cli::joined(texts, ",");
}

// A value that is taken, and what it means: "" if it means itself.
struct Good {
  std::string given, meant;
  Good(const char* value) : given(value) {}         // NOLINT(google-explicit-constructor)
  Good(const std::string& value) : given(value) {}  // NOLINT(google-explicit-constructor)
  Good(const char* value, const char* means) : given(value), meant(means) {}
};

struct Row {
  std::string option;
  std::vector<Good> good;
  Texts bad;
  std::string allowed;
  std::function<std::string(const CommandLine&)> read;
  Texts others = {};  // that it needs beside it
  bool is_list = false;
  bool is_switch = false;
};

#define SIMDROP_READS(member) [](const CommandLine& line) { return text(line.member); }

std::vector<Row> train_rows() {
  const Texts neuron{"--dropout-unit", "neuron", "--keep-prob", "0.5"};
  std::vector<Row> rows{
      {"epochs",
       {"1", largest, {"010", "10"}},
       no_whole + Texts{"0"},
       from_1,
       SIMDROP_READS(train.epochs)},
      {"data",
       {"moons", "fashion-mnist", "-", "/no/where"},
       {""},
       "a name that is not empty",
       SIMDROP_READS(train.data)},
      {"layers",
       {"1,1", "2,4,1", {"02,010,1", "2,10,1"}},
       no_whole + Texts{"0", "2,0,1"},
       from_1,
       SIMDROP_READS(train.layers),
       {"--loss", "identity_mse"},
       true},
      {"keep-prob",
       {"0", "1", "0.25", "0.5,1", {"5e-324,1.", "5e-324,1"}},
       no_number + Texts{"1.0000000000000002", "2", "-5e-324", "0.5,1.5"},
       number + "0 to 1",
       SIMDROP_READS(train.keep_prob),
       {},
       true},
      {"input-keep-prob",
       {"0", "1", "0.9999999999999999", {".50", "0.5"}},
       no_number + Texts{"1.0000000000000002", "-5e-324", "0.5,0.5"},
       number + "0 to 1",
       SIMDROP_READS(train.network.input_keep_prob)},
      {"dropout-unit",
       {"element", "neuron"},
       no_name + Texts{"element,neuron", "Neuron"},
       "element or neuron",
       SIMDROP_READS(train.network.dropout_unit),
       {"--keep-prob", "0.5"}},
      {"dropout-group",
       {"0", "1", largest},
       no_whole,
       from_0,
       SIMDROP_READS(train.network.dropout_group),
       neuron},
      {"lazy-updates",
       {{"", "1"}, {"=true", "1"}, {"=false", "0"}},
       {"2", "maybe", "-1"},
       "true or false",
       SIMDROP_READS(train.network.lazy_updates),
       neuron,
       false,
       true},
      {"loss",
       {"sigmoid_bce", "softmax_ce", "identity_mse"},
       no_name + Texts{"mse"},
       "sigmoid_bce, softmax_ce or identity_mse",
       SIMDROP_READS(train.loss)},
      {"init",
       {"he", "xavier"},
       no_name + Texts{"he,xavier"},
       "he or xavier",
       SIMDROP_READS(train.network.init)},
      {"optimizer",
       {"sgd", "adam", "adamw"},
       no_name + Texts{"rmsprop"},
       "sgd, adam or adamw",
       SIMDROP_READS(train.optimizer.kind)},
      {"momentum",
       {"0", "0.9", "0.99999997"},
       no_number + Texts{"1", "0.9999999999", "0.99999999", "1.5", "-5e-324"},
       number + "0 or more and below 1, also when rounded to float",
       SIMDROP_READS(train.momentum)},
      {"nesterov",
       {{"", "1"}, {"=on", "1"}, {"=OFF", "0"}},
       {"2", "maybe"},
       "true or false",
       SIMDROP_READS(train.optimizer.nesterov),
       {},
       false,
       true},
      {"weight-decay",
       {"0", "1e-45", {"3.4028235e38", "3.4028235e+38"}},
       no_number + Texts{"3.4028236e38", "1e39", "1e-46", "-1e-45"},
       number + "0, or what float rounds neither to 0 nor to infinity",
       SIMDROP_READS(train.optimizer.weight_decay)},
      {"max-norm",
       {"0", "1e-45", {"3.4028235e38", "3.4028235e+38"}},
       no_number + Texts{"3.4028236e38", "1.7976931348623159e308", "5e-324", "1e-46", "-1"},
       number + "0, or what float rounds neither to 0 nor to infinity",
       SIMDROP_READS(train.optimizer.max_norm)},
      {"lr",
       {"0", "1e-45", {"3.4028235e38", "3.4028235e+38"}, {"010", "10"}},
       no_number + Texts{"3.4028236e38", "1e39", "1e-46", "-1e-45"},
       number + "0, or what float rounds neither to 0 nor to infinity",
       SIMDROP_READS(train.learning_rate)},
      {"lr-schedule",
       {"constant", "linear"},
       no_name + Texts{"cosine"},
       "constant or linear",
       SIMDROP_READS(train.schedule)},
      {"batch",
       {"1", "1000", {"0128", "128"}},
       no_whole + Texts{"0"},
       from_1,
       SIMDROP_READS(train.batch)},
      {"train-limit", {"0", "1", largest}, no_whole, from_0, SIMDROP_READS(train.train_limit)},
      {"seed",
       {"0", "1", largest, {"010", "10"}},
       no_whole,
       from_0,
       SIMDROP_READS(train.network.seed)},
      {"eval-every",
       {"1", largest},
       no_whole + Texts{"0"},
       from_1,
       SIMDROP_READS(train.eval_every)},
      {"eval-train",
       {"every", "last"},
       no_name + Texts{"never"},
       "every or last",
       SIMDROP_READS(train.eval_train)},
      {"save", {"-", "a b"}, {""}, "a name that is not empty", SIMDROP_READS(train.save)},
      {"resume", {}, {""}, "a name that is not empty", SIMDROP_READS(train.resume)},
      {"stop-after", {"0", "1", largest}, no_whole, from_0, SIMDROP_READS(train.stop_after)},
      {"threads",
       {"0", "1", "1024"},
       no_whole + Texts{"1025", "-1"},
       "a whole number in digits, 0 to 1024",
       SIMDROP_READS(train.threads)},
      {"json", {"-", "a b"}, {""}, "a name that is not empty", SIMDROP_READS(train.json_path)},
      {"no-sync",
       {{"", "1"}, {"=true", "1"}, {"=no", "0"}},
       {"2", "maybe"},
       "true or false",
       SIMDROP_READS(train.no_sync),
       {"--json", "x"},
       false,
       true}};
  const Texts files{"train-images", "train-labels", "test-images", "test-labels"};
  for (const std::string& file : files) {
    Row row{file, {"x"}, {""}, "a name that is not empty", [file](const CommandLine& line) {
              const auto& f = line.train.files;
              return file == "train-images"   ? f.train_images
                     : file == "train-labels" ? f.train_labels
                     : file == "test-images"  ? f.test_images
                                              : f.test_labels;
            }};
    for (const std::string& other : files) {
      if (other != file) row.others = row.others + Texts{"--" + other, "y"};
    }
    rows.push_back(row);
  }
  return rows;
}

std::vector<Row> overhead_rows() {
  return {{"widths",
           {"1", "256,1024", {"016", "16"}},
           no_whole + Texts{"0", "16,0"},
           from_1,
           SIMDROP_READS(overhead.widths),
           {},
           true},
          {"batches",
           {"1", "1,2,3"},
           no_whole + Texts{"0"},
           from_1,
           SIMDROP_READS(overhead.batches),
           {},
           true},
          {"keep-probs",
           {"0", "1", "0.5,0.8"},
           no_number + Texts{"1.0000000000000002", "1.5"},
           number + "0 to 1",
           SIMDROP_READS(overhead.keep_probs),
           {},
           true},
          {"input-keep-prob",
           {"0", "1"},
           no_number + Texts{"1.0000000000000002"},
           number + "0 to 1",
           SIMDROP_READS(overhead.input_keep_prob)},
          {"units",
           {"element", "neuron", "lazy", "lazy,element"},
           no_name + Texts{"rows", "element,rows"},
           "element, neuron or lazy",
           SIMDROP_READS(overhead.units),
           {},
           true},
          {"seconds",
           {"0", "5e-324", {"1.7976931348623157e308", "1.7976931348623157e+308"}},
           no_number + Texts{"1.7976931348623159e308", "-5e-324"},
           number + "0 or more and finite",
           SIMDROP_READS(overhead.seconds)},
          {"threads",
           {"0", "1024"},
           no_whole + Texts{"1025"},
           "a whole number in digits, 0 to 1024",
           SIMDROP_READS(overhead.threads)},
          {"json", {"-"}, {""}, "a name that is not empty", SIMDROP_READS(overhead.json_path)},
          {"no-sync",
           {{"", "1"}, {"=true", "1"}, {"=no", "0"}},
           {"2", "maybe"},
           "true or false",
           SIMDROP_READS(overhead.no_sync),
           {"--json", "x"},
           false,
           true}};
}

std::vector<Row> info_rows() {
  return {{"json", {"-"}, {""}, "a name that is not empty", SIMDROP_READS(info.json_path)},
          {"no-sync",
           {{"", "1"}, {"=true", "1"}, {"=no", "0"}},
           {"2", "maybe"},
           "true or false",
           SIMDROP_READS(info.no_sync),
           {"--json", "x"},
           false,
           true}};
}

std::vector<Row> demo_rows() {
  return {{"quick",
           {{"", "1"}, {"=true", "1"}, {"=no", "0"}},
           {"2", "maybe"},
           "true or false",
           SIMDROP_READS(quick_demo),
           {},
           false,
           true}};
}

using Commands = std::pair<std::string, std::vector<Row>>;

const std::vector<Commands>& table() {
  static const std::vector<Commands> all{{"train", train_rows()},
                                         {"overhead", overhead_rows()},
                                         {"info", info_rows()},
                                         {"demo", demo_rows()}};
  return all;
}

// What --help says of each option, in one line: versions of CLI11 lay it out in different ways.
std::map<std::string, std::string> help_of(const std::string& command) {
  const std::string help = read_command_line({command, "--help"}).text;
  const std::regex option("\n +(?:-[a-z], *)?--([a-z-]+)");
  std::map<std::string, std::string> texts;
  for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end;) {
    const std::smatch match = *at++;
    const auto next = at == end ? std::string::npos : static_cast<std::size_t>(at->position());
    const auto begin = static_cast<std::size_t>(match.position());
    texts[match[1]] = std::regex_replace(help.substr(begin, next - begin), std::regex("\\s+"), " ");
  }
  texts.erase("help");
  return texts;
}

Texts words_of(const std::string& command, const Row& row, const std::string& value) {
  const std::string option = "--" + row.option;
  Texts words{command};
  if (row.is_switch) {
    words.push_back(option + value);
  } else {
    words = words + Texts{option, value};
  }
  return words + row.others;
}

// The error, which must be one about the arguments: exit code 2.
std::string error_of(const Texts& words) {
  return test::invalid_message([&] { (void)read_command_line(words); });
}

void check_bad(const std::string& command, const Row& row, const std::string& value) {
  const std::string message = error_of(words_of(command, row, row.is_switch ? "=" + value : value));
  INFO(command, " --", row.option, " '", value, "': ", message);
  CHECK(message.starts_with("--" + row.option + " is '"));
  CHECK(message.find("'" + value + "'") != std::string::npos);
  CHECK(message.find("; allowed: " + row.allowed) != std::string::npos);
}

}  // namespace

TEST_CASE("options: each that --help lists has a row in the table") {
  for (const Commands& entry : table()) {
    std::set<std::string> rows;
    std::set<std::string> listed;
    for (const Row& row : entry.second) rows.insert(row.option);
    for (const auto& text : help_of(entry.first)) listed.insert(text.first);
    CAPTURE(entry.first);
    CHECK(rows == listed);
  }
}

TEST_CASE("options: from the smallest value to the largest") {
  for (const Commands& entry : table()) {
    const std::string& command = entry.first;
    const std::vector<Row>& rows = entry.second;
    for (const Row& row : rows) {
      for (const Good& good : row.good) {
        INFO(command, " --", row.option, " '", good.given, "'");
        const CommandLine line = read_command_line(words_of(command, row, good.given));
        CHECK(row.read(line) == (good.meant.empty() ? good.given : good.meant));
        if (row.is_switch || good.given == "-") continue;
        // As --NAME=VALUE it is the same.
        const CommandLine same =
            read_command_line(Texts{command, "--" + row.option + "=" + good.given} + row.others);
        CHECK(row.read(same) == row.read(line));
      }
    }
  }
}

TEST_CASE("options: just outside, and no value at all") {
  for (const Commands& entry : table()) {
    const std::string& command = entry.first;
    const std::vector<Row>& rows = entry.second;
    for (const Row& row : rows) {
      for (const std::string& value : row.bad) check_bad(command, row, value);
      if (!row.is_list) continue;
      const std::string& one = row.good[0].given;
      for (const std::string& value :
           {one + ",", "," + one, one + ",," + one, std::string(","), "[" + one + "]",
            one + ";" + one, one + " " + one, one + ", " + one}) {
        check_bad(command, {row.option, {}, {}, row.allowed, {}, row.others}, value);
      }
    }
  }
}

TEST_CASE("options: the help says what each takes") {
  for (const Commands& entry : table()) {
    const auto help = help_of(entry.first);
    for (const Row& row : entry.second) {
      // A switch takes nothing, a file any name.
      if (row.is_switch || row.allowed == "a name that is not empty") continue;
      CAPTURE(row.option);
      CHECK(help.at(row.option).find(row.allowed + ")") != std::string::npos);
    }
  }
}

TEST_CASE("options: each once") {
  for (const Commands& entry : table()) {
    const std::string& command = entry.first;
    const std::vector<Row>& rows = entry.second;
    for (const Row& row : rows) {
      const std::string value = row.good.empty() ? "x" : row.good[0].given;
      const std::string option = "--" + row.option;
      const std::string once = row.is_switch ? option : option + "=" + value;
      CHECK(error_of({command, once, once}) == option + " is given twice; allowed: once");
      if (row.is_switch) continue;
      CHECK(error_of({command, option, value, once}) == option + " is given twice; allowed: once");
      CHECK(error_of({command, option}).starts_with(option + ": "));
      // No value: not the next option for one.
      CHECK(error_of({command, option + "="}).starts_with(option + " is ''"));
    }
  }
}

TEST_CASE("options: a list may also be words") {
  CHECK(read_command_line({"train", "--layers", "2", "4", "3", "--seed", "3"}).train.layers ==
        std::vector<std::size_t>{2, 4, 3});
  CHECK(error_of({"train", "--layers", "2", "", "1"}).starts_with("--layers is '' in '2,,1'"));
  CHECK(error_of({"train", "--layers", "-2", "1"}).starts_with("--layers is '-2' in '-2,1'"));
  CHECK(read_command_line({"train", "--keep-prob", "1", "1", "--layers=2,4,4,3", "--seed", "3"})
            .train.keep_prob == std::vector<double>{1.0, 1.0});
}

// What can have no effect says why. A default that is given, and states what happens anyway, may
// be.
TEST_CASE("options: those that can have no effect") {
  const auto moons = [](Texts words) {
    return Texts{"train", "--data", "moons"} + std::move(words);
  };
  const std::vector<std::pair<Texts, std::string>> refused{
      {{"--layers", "2,1", "--keep-prob", "0.5"}, "--keep-prob: without a hidden layer"},
      {{"--layers", "2,1", "--keep-prob", "1,0"}, "--keep-prob: without a hidden layer"},
      {{"--keep-prob", "0.5,0.5,0.5"}, "--keep-prob: 3 values given; allowed: 1, or one for each"},
      {{"--layers", "2"}, "--layers: 1 widths given; allowed: 2 to 65536"},
      {{"--lazy-updates"}, "--lazy-updates: only for --dropout-unit neuron"},
      {{"--no-sync"}, "--no-sync: nothing is written"},
      {{"--layers", "2,1", "--loss", "softmax_ce"},
       "--layers: 1 outputs; allowed: 2 to 256 with --loss softmax_ce"},
      {{"--layers", "2,257", "--loss", "softmax_ce"},
       "--layers: 257 outputs; allowed: 2 to 256 with --loss softmax_ce"},
      {{"--dropout-group", "8"}, "--dropout-group: only for --dropout-unit neuron"},
      {{"--dropout-unit", "neuron"}, "--dropout-unit neuron: nothing is dropped"},
      {{"--dropout-unit", "neuron", "--keep-prob", "1,1"}, "--dropout-unit neuron: nothing is"},
      {{"--dropout-unit", "neuron", "--keep-prob", "0.5", "--lazy-updates", "--dropout-group", "8"},
       "--dropout-group: only for --dropout-unit neuron without --lazy-updates"},
      {{"--optimizer", "adam", "--momentum", "0.5"}, "--momentum, --nesterov: only for"},
      {{"--optimizer", "adamw", "--nesterov"}, "--momentum, --nesterov: only for"},
      {{"--nesterov", "--momentum", "0"}, "--nesterov: only with --momentum above 0"},
      {{"--train-images", "a", "--train-labels", "b", "--test-images", "c", "--test-labels", "d"},
       "--train-images, --train-labels, --test-images, --test-labels: give all four, and no"},
      {{"--test-labels", "d"}, "--train-images, --train-labels, --test-images, --test-labels:"}};
  for (const auto& [words, message] : refused) {
    CHECK(error_of(moons(words)).starts_with(message));
  }
  for (const Texts& words :
       std::vector<Texts>{{"--layers", "2,1", "--keep-prob", "1"},
                          {"--dropout-unit", "element", "--dropout-group", "0"},
                          {"--momentum", "0.9"},
                          {"--dropout-unit", "neuron", "--input-keep-prob", "0.5"},
                          {"--nesterov=false", "--momentum", "0"},
                          {"--optimizer", "adam", "--nesterov=false"}}) {
    CHECK_NOTHROW((void)read_command_line(moons(words)));
  }
}

TEST_CASE("options: more memory than there is names what asked for it") {
  const auto message = [](const Texts& words) {
    try {
      (void)read_command_line(words);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message({"train", "--batch", largest}).starts_with("out of memory: --batch " + largest));
  CHECK(message({"train", "--layers", largest + ",2"})
            .starts_with("out of memory: --layers " + largest + ",2 asks for "));
  // Products that are small where they wrap: 2^64 weights, 2^65.
  CHECK(message({"train", "--layers", "4294967296,4294967296", "--loss", "identity_mse"})
            .starts_with("out of memory: --layers 4294967296,4294967296 asks for 147,57"));
  CHECK(message({"train", "--layers", "8589934592,4294967296", "--loss", "identity_mse"})
            .starts_with("out of memory: --layers 8589934592,4294967296 asks for 295,14"));
  CHECK(message({"overhead", "--batches", "1," + largest})
            .starts_with("out of memory: --batches " + largest));
  CHECK(
      message({"overhead", "--widths", largest}).starts_with("out of memory: --widths " + largest));
}
