// What the program writes to the terminal: numbers, tables and a line updated in place.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace simdrop::cli {

// Numbers are written the same whatever the locale is.
[[nodiscard]] std::string fixed(double value, int decimals);
[[nodiscard]] std::string shortest(double value);       // 0.5, 1e-06: reads back as it was
[[nodiscard]] std::string grouped(std::size_t value);   // 60,000
[[nodiscard]] std::string grouped(std::string digits);  // likewise
[[nodiscard]] std::string percent(double fraction);     // 0.8123 -> "81.23 %"
[[nodiscard]] std::string duration(double seconds);     // 9 s, 1 min 05 s, 2 h 03 min
[[nodiscard]] std::string joined(const std::vector<std::string>& parts, const char* separator);

// Control characters as \x0a, so that an error stays one line.
[[nodiscard]] std::string on_one_line(std::string_view text);

// A table with columns of fixed widths, so that rows can be printed as they come.
class Table {
 public:
  struct Column {
    std::string title;
    std::size_t width = 0;  // at least that of the title
    bool left = false;
  };

  explicit Table(std::vector<Column> columns);

  // Lines end in a line feed. A row has at most as many cells as there are columns.
  [[nodiscard]] std::string header() const;
  [[nodiscard]] std::string row(const std::vector<std::string>& cells) const;

 private:
  std::vector<Column> columns_;
};

// A line of what is printed that is overwritten in place, on terminals only: nothing is shown
// elsewhere.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // True if a new line would be shown now: a terminal, and the last one is some time ago.
  [[nodiscard]] bool due() const;
  void show(const std::string& text);
  void clear();

 private:
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_{};
};

// Writes to standard output at once. Throws std::runtime_error if that fails.
void print(const std::string& text);

// From now on what is printed, and the line that is updated, go to standard error.
void print_to_standard_error();

// Opens what stands for standard input, output or error where there is none, so that no file of
// ours gets its number and what is printed. Writing to them stays an error.
void fill_standard_descriptors();

}  // namespace simdrop::cli
