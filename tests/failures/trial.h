// Makes every allocation of a call fail, one after the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "helpers/count_allocations.h"

namespace failures {

using Bytes = std::vector<std::uint8_t>;

template <class T>
void append(Bytes& all, std::span<const T> values) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  all.insert(all.end(), bytes, bytes + values.size_bytes());
}
template <class T>
void append(Bytes& all, const std::vector<T>& values) {
  append(all, std::span<const T>(values));
}
inline void append(Bytes& all, const std::string& text) {
  append(all, std::span<const char>(text));
}

// What a call under test says when it throws or returns an error, kept without allocating.
struct Message {
  char text[512] = "";
  void set(const char* what) noexcept {
    const std::size_t length = std::min(std::strlen(what), sizeof(text) - 1);
    std::memcpy(text, what, length);
    text[length] = '\0';
  }
};

// fn(), whose error is part of what is compared. That memory ran out is not: it passes through.
template <class Fn>
void keep_error(Message& message, const Fn& fn) {
  try {
    fn();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    message.set(error.what());
  }
}

struct Trial {
  std::string function;              // as its header names it, with its namespace
  std::string what;                  // which use of it
  std::function<std::string()> run;  // what is wrong, or nothing
};
using Trials = std::vector<Trial>;

// call(*subject) with `count` allocations refused from the n-th on; whether it threw bad_alloc.
template <class Subject, class Call>
bool runs_out_of_memory(Subject& subject, const Call& call, std::size_t n, std::size_t count) {
  test::refuse_allocations(n, count);
  bool failed = false;
  try {
    call(subject);
  } catch (const std::bad_alloc&) {
    failed = true;
  }
  test::refuse_allocations(0);
  return failed;
}

// make() gives a new subject, of a type that is not copied; call(subject) is what is tested, and
// throws std::bad_alloc when it runs out of memory; look(subject) tells all that can be seen of the
// subject, and may change it. Every allocation of the call fails once, alone and with all that
// follow: then the call must leave the subject as it was, a second call must do what an
// undisturbed one does, and nothing may leak.
template <class Make, class Call, class Look>
std::string every_allocation_fails(Make make, Call call, Look look) {
  const auto seen_after = [&](bool called) {
    auto subject = make();
    if (called) call(*subject);
    return look(*subject);
  };
  const Bytes before = seen_after(false);
  const Bytes after = seen_after(true);
  const auto trial = [&](std::size_t n, std::size_t count, bool again) {
    auto subject = make();
    const bool failed = runs_out_of_memory(*subject, call, n, count);
    if (failed && again) call(*subject);
    return look(*subject) == (failed && !again ? before : after);
  };
  for (const std::size_t count : {std::size_t{1}, test::all_later}) {
    std::size_t refused = 1;
    for (std::size_t n = 1; refused > 0; ++n) {
      const std::ptrdiff_t live = test::live_allocations();
      const std::size_t refusals = test::refusals();
      const bool as_it_was = trial(n, count, false);
      refused = test::refusals() - refusals;
      const bool same_bits = trial(n, count, true);
      if (as_it_was && same_bits && test::live_allocations() == live) continue;
      return "allocation " + std::to_string(n) + (count == 1 ? "" : " and all that follow") + ": " +
             (as_it_was ? "" : "not as it was; ") + (same_bits ? "" : "a second call differs; ") +
             std::to_string(test::live_allocations() - live) + " leaked";
    }
  }
  return "";
}

Trials array_trials();
Trials network_trials();
Trials optimizer_trials();
Trials file_trials();
Trials c_trials();

}  // namespace failures
