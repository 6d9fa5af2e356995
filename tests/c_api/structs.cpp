// A structure that grew: what a library of the second version makes of programs of the first, and
// what one of the first makes of programs of the second.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>

#include "c_api/structs.h"
#include "helpers/expect_invalid.h"

namespace {

struct First {
  std::size_t struct_size;
  std::int64_t a;
};
struct Second {
  std::size_t struct_size;
  std::int64_t a;
  std::int64_t b;
};

template <class To, class From>
const To* as(const From& from) {
  return reinterpret_cast<const To*>(&from);
}

}  // namespace

template <>
inline constexpr std::size_t simdrop::c_api::first_size<Second> = sizeof(First);

using simdrop::c_api::read_struct;
using simdrop::c_api::write_struct;

TEST_SUITE("C API structures") {
  TEST_CASE("an older program's structure is read as far as it goes") {
    const First old{sizeof(First), 5};
    alignas(Second) unsigned char memory[sizeof(Second)];
    std::memset(memory, 0xA5, sizeof(memory));
    std::memcpy(memory, &old, sizeof(old));
    const Second got = read_struct(as<Second>(memory), {sizeof(Second), 1, 2}, "s");
    CHECK(got.a == 5);
    CHECK(got.b == 2);
  }

  TEST_CASE("a newer program's structure is taken if what is unknown is zero") {
    const Second plain{sizeof(Second), 5, 0};
    CHECK(read_struct(as<First>(plain), {sizeof(First), 1}, "s").a == 5);
    const Second asks{sizeof(Second), 5, 1};
    test::expect_invalid("s->struct_size", "24", [&] {
      read_struct(as<First>(asks), {sizeof(First), 1}, "s");
    });
  }

  TEST_CASE("sizes that no version had") {
    const First none{0, 5};
    test::expect_invalid("s->struct_size", "0", [&] {
      read_struct(as<Second>(none), {sizeof(Second), 1, 2}, "s");
    });
    const First cut{sizeof(First) - 1, 5};
    test::expect_invalid("s->struct_size", "15", [&] {
      read_struct(as<Second>(cut), {sizeof(Second), 1, 2}, "s");
    });
    test::expect_invalid("s", "NULL", [&] {
      read_struct<First>(nullptr, {sizeof(First), 1}, "s");
    });
  }

  TEST_CASE("what is written stays within the caller's size") {
    struct {
      First s;
      std::int64_t behind;
    } old{{sizeof(First), 0}, 77};
    write_struct(reinterpret_cast<Second*>(&old.s), old.s.struct_size, {sizeof(Second), 1, 2}, "s");
    CHECK(old.s.a == 1);
    CHECK(old.s.struct_size == sizeof(First));
    CHECK(old.behind == 77);
  }
}
