// Locales that write and read numbers in another way: 1.234,5.
#pragma once

#include <doctest/doctest.h>

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <locale>
#include <string>
#include <vector>

#include "helpers/temporary_directory.h"

namespace test {

struct ForeignNumbers : std::numpunct<char> {
  explicit ForeignNumbers(char separator) : separator_(separator) {}

 protected:
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return separator_; }
  [[nodiscard]] std::string do_grouping() const override { return "\1"; }
  [[nodiscard]] std::string do_truename() const override { return "wahr"; }

 private:
  char separator_;
};

// The global locale of C++, while it lives; no locale of the system is needed. With a blank between
// digits, numbers that blanks divide are read as one.
class ForeignCppLocale {
 public:
  explicit ForeignCppLocale(char separator = '.')
      : before_(std::locale::global(
            std::locale(std::locale::classic(), new ForeignNumbers(separator)))) {}
  ~ForeignCppLocale() { std::locale::global(before_); }
  ForeignCppLocale(const ForeignCppLocale&) = delete;
  ForeignCppLocale& operator=(const ForeignCppLocale&) = delete;

 private:
  std::locale before_;
};

// The numbers of that of C, a German one: the system's or one made from its sources. (The system's
// own words for errors are in the language of the host.) set(): there was one.
class ForeignCLocale {
 public:
  ForeignCLocale() {
    set_ = try_names();
    if (set_) return;
    const std::string made = directory_.name("de_DE.UTF-8");
    const std::string command = "localedef -i de_DE -f UTF-8 '" + made + "' >/dev/null 2>&1";
    const bool failed = std::system(command.c_str()) != 0 && !std::filesystem::exists(made);
    if (failed) return;
    setenv("LOCPATH", directory_.path().c_str(), 1);
    set_ = try_names();
    unsetenv("LOCPATH");
  }
  ~ForeignCLocale() { std::setlocale(LC_NUMERIC, "C"); }
  ForeignCLocale(const ForeignCLocale&) = delete;
  ForeignCLocale& operator=(const ForeignCLocale&) = delete;
  [[nodiscard]] bool set() const { return set_; }

 private:
  static bool try_names() {
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"}) {
      if (std::setlocale(LC_NUMERIC, name) != nullptr && *std::localeconv()->decimal_point == ',') {
        return true;
      }
    }
    std::setlocale(LC_NUMERIC, "C");
    return false;
  }

  TemporaryDirectory directory_;
  bool set_ = false;
};

using Texts = std::vector<std::string>;

inline void check_same(const Texts& got, const Texts& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(got[i] == want[i]);
}

// Whether texts() are what they are in the locale that programs begin in.
inline void check_same_in_foreign_locales(const std::function<Texts()>& texts) {
  const Texts want = texts();
  {
    const ForeignCppLocale points('.');
    check_same(texts(), want);
  }
  const ForeignCppLocale blanks(' ');
  check_same(texts(), want);
  const ForeignCLocale german;
  if (!german.set()) {
    MESSAGE("skipped: no locale with a decimal comma, and no localedef to make one");
    return;
  }
  check_same(texts(), want);
}

}  // namespace test
