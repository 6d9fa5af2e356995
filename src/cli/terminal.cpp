#include "cli/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace simdrop::cli {
namespace {

constexpr std::chrono::milliseconds kRedrawInterval{100};
constexpr std::size_t kColumnGap = 2;

// Where all of it goes.
struct Printed {
  int descriptor;
  std::ostream& stream;
  const char* name;
};
const Printed standard_output{STDOUT_FILENO, std::cout, "standard output"};
const Printed standard_error{STDERR_FILENO, std::cerr, "standard error"};
const Printed* printed = &standard_output;

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(printed->descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string two_digits(std::size_t value) {
  const std::string digits = std::to_string(100 + value % 100);
  return digits.substr(1);
}

}  // namespace

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};  // room for the largest double, with 80 decimals
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value,
                                    std::chars_format::fixed, decimals);
  return {text.data(), result.ptr};
}

std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

std::string grouped(std::string digits) {
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string grouped(std::size_t value) {
  return grouped(std::to_string(value));
}

std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line += c;
      continue;
    }
    line += "\\x";
    for (const unsigned digit : {byte / 16U, byte % 16U}) line += "0123456789abcdef"[digit];
  }
  return line;
}

std::string percent(double fraction) {
  return fixed(100.0 * fraction, 2) + " %";
}

std::string duration(double seconds) {
  const auto total = static_cast<std::size_t>(std::llround(std::max(seconds, 0.0)));
  if (total < 60) return std::to_string(total) + " s";
  if (total < 3600) return std::to_string(total / 60) + " min " + two_digits(total % 60) + " s";
  return std::to_string(total / 3600) + " h " + two_digits(total / 60 % 60) + " min";
}

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : separator) + parts[i];
  return text;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) column.width = std::max(column.width, column.title.size());
}

std::string Table::header() const {
  std::vector<std::string> titles;
  std::size_t width = 0;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    width += column.width + kColumnGap;
  }
  return row(titles) + std::string(width - kColumnGap, '-') + "\n";
}

std::string Table::row(const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& cell = cells[i];
    const std::string padding(columns_[i].width - std::min(columns_[i].width, cell.size()), ' ');
    line += std::string(i == 0 ? 0 : kColumnGap, ' ');
    line += columns_[i].left ? cell + padding : padding + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

ProgressLine::ProgressLine() : terminal_(isatty(printed->descriptor) == 1) {}

bool ProgressLine::due() const {
  return terminal_ && std::chrono::steady_clock::now() >= next_;
}

void ProgressLine::show(const std::string& text) {
  if (!terminal_) return;
  // A line that wrapped could not be overwritten.
  printed->stream << "\r" << text.substr(0, terminal_width() - 1) << "\x1b[K" << std::flush;
  shown_ = true;
  next_ = std::chrono::steady_clock::now() + kRedrawInterval;
}

void ProgressLine::clear() {
  if (shown_) printed->stream << "\r\x1b[K" << std::flush;
  shown_ = false;
}

void print(const std::string& text) {
  printed->stream << text << std::flush;
  if (!printed->stream) throw std::runtime_error(std::string(printed->name) + ": write failed");
}

void print_to_standard_error() {
  printed = &standard_error;
}

void fill_standard_descriptors() {
  for (const int wanted : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(wanted, F_GETFD) >= 0) continue;
    // The lowest number that is free: this one. Nothing can be written to it, as if it were closed.
    static_cast<void>(open("/dev/null", O_RDONLY));
  }
}

}  // namespace simdrop::cli
