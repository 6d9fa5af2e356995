// Messages that do not fit: what stands at their beginning and at their end is kept, and no letter
// is cut.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "c_api/catch_exceptions.h"
#include "helpers/c_api.h"

namespace {

constexpr std::size_t room = sizeof(simdrop_error::message) - 1;

// What a C caller gets of an error with this text. What lies behind the structure stays.
std::string message_of(const std::string& text) {
  struct {
    simdrop_error error = SIMDROP_ERROR_INIT;
    char behind[8] = "behind.";
  } memory;
  std::memset(memory.error.message, '#', sizeof memory.error.message);
  const auto status =
      simdrop::c_api::catch_exceptions(&memory.error, [&] { throw std::invalid_argument(text); });
  CHECK(status == SIMDROP_INVALID_ARGUMENT);
  CHECK(std::string(memory.behind) == "behind.");
  REQUIRE(std::memchr(memory.error.message, '\0', sizeof memory.error.message) != nullptr);
  return memory.error.message;
}

std::string repeated(const std::string& letter, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += letter;
  return text;
}

// Whether `text` is whole letters of UTF-8.
bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80   ? 1
                               : byte < 0xC0 ? 0
                               : byte < 0xE0 ? 2
                               : byte < 0xF0 ? 3
                                             : 4;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0U) != 0x80U) return false;
    }
    i += length;
  }
  return true;
}

// The message begins as the text does, ends as it does, and has nothing else but dots between.
void check_shortened(const std::string& text, std::size_t most_lost) {
  const std::string message = message_of(text);
  INFO(message);
  if (text.size() <= room) {
    CHECK(message == text);
    return;
  }
  CHECK(message.size() <= room);
  CHECK(message.size() + most_lost >= room);
  const std::size_t gap = message.find("...");
  REQUIRE(gap != std::string::npos);
  CHECK(gap >= 32);
  CHECK(text.starts_with(message.substr(0, gap)));
  const std::string end = message.substr(gap + 3);
  CHECK(end.size() >= 128);
  CHECK(text.ends_with(end));
}

}  // namespace

TEST_CASE("C messages: as they are, as long as they fit") {
  for (std::size_t size = 0; size <= room + 300; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
    check_shortened(text, 0);
  }
}

TEST_CASE("C messages: no letter is cut, wherever it stands") {
  for (const std::string letter : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t offset = 0; offset < 8; ++offset) {
      for (std::size_t count = 0; count <= 400; ++count) {
        const std::string text = std::string(offset, 'x') + repeated(letter, count) + ": a reason";
        check_shortened(text, 2 * (letter.size() - 1));
        CHECK(is_utf8(message_of(text)));
      }
    }
  }
}

TEST_CASE("C messages: one letter among others, at every offset") {
  for (const std::string letter : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t at = 0; at < 400; ++at) {
      const std::string text = std::string(at, 'x') + letter + std::string(400 - at, 'y');
      CHECK(is_utf8(message_of(text)));
      check_shortened(text, 2 * (letter.size() - 1));
    }
  }
}

TEST_CASE("C messages: a text that is not UTF-8") {
  for (const std::string byte : {"\x80", "\xbf", "\xff", "\xc3", "\xf0"}) {
    for (std::size_t size = room - 8; size <= room + 300; ++size) {
      check_shortened(repeated(byte, size), 6);
    }
  }
  // Continuation bytes without end behind one letter.
  check_shortened("\xf0" + repeated("\x80", 500), 6);
}

TEST_CASE("C messages: a long path keeps its reason") {
  for (std::size_t size : {100U, 200U, 230U, 240U, 250U, 280U, 1000U, 4000U, 5000U}) {
    const std::string path = "/" + repeated("folder/", size / 7) + "no.safetensors";
    simdrop_error error = SIMDROP_ERROR_INIT;
    const auto defaults = c_api::made(simdrop_mlp_config_init);
    simdrop_mlp* mlp = nullptr;
    CHECK(simdrop_mlp_load(path.c_str(), &defaults, &mlp, nullptr, &error) == SIMDROP_FILE_ERROR);
    const std::string message = error.message;
    CAPTURE(message);
    CHECK(message.starts_with("simdrop: /folder/"));
    CHECK(message.ends_with(size > 4096 ? "File name too long" : "No such file or directory"));
    CHECK(message.size() <= room);
  }
}

TEST_CASE("C messages: out of memory, and what has no message") {
  simdrop_error error = SIMDROP_ERROR_INIT;
  CHECK(simdrop::c_api::catch_exceptions(&error, [] { throw std::bad_alloc(); }) ==
        SIMDROP_OUT_OF_MEMORY);
  CHECK(std::string(error.message) == "simdrop: out of memory");
  CHECK(simdrop::c_api::catch_exceptions(&error, [] { throw 7; }) == SIMDROP_INTERNAL);
  // One that is too small for this version is left alone.
  error.struct_size = sizeof error - 1;
  CHECK(simdrop::c_api::catch_exceptions(&error, [] { throw std::bad_alloc(); }) ==
        SIMDROP_OUT_OF_MEMORY);
  CHECK(error.status == SIMDROP_INTERNAL);
}
