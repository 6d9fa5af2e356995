// The lists of a configuration's fields, and what a configuration allows without being told.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "mlp/config_fields.h"
#include "simdrop/mlp.hpp"

namespace {

using namespace simdrop;

struct Anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

// How many fields an aggregate has: with how many values it can be initialised.
template <class T, class... Values>
consteval std::size_t count_fields() {
  if constexpr (requires { T{Values{}..., Anything{}}; }) {
    return count_fields<T, Values..., Anything>();
  } else {
    return sizeof...(Values);
  }
}

// Notes what a list calls it with.
struct Seen {
  std::set<std::string>& names;
  std::set<const void*>& members;

  template <class Config, class T>
  void operator()(const detail::Field<Config>& field, const T& member) const {
    names.insert(field.name);
    members.insert(&member);
  }
};

}  // namespace

TEST_CASE("config: the lists have every field, once") {
  std::set<std::string> names;
  std::set<const void*> members;
  const MlpConfig network;
  detail::visit_mlp_fields(Seen{names, members}, network);
  CHECK(names.size() == count_fields<MlpConfig>());
  CHECK(members.size() == count_fields<MlpConfig>());
  names.clear();
  members.clear();
  const OptimizerConfig optimizer;
  detail::visit_optimizer_fields(Seen{names, members}, optimizer);
  CHECK(names.size() == count_fields<OptimizerConfig>());
  CHECK(members.size() == count_fields<OptimizerConfig>());
}

TEST_CASE("config: max_batch has a default, and a larger batch is told what limits it") {
  Mlp mlp({.widths = {3, 2}});
  CHECK(mlp.config().max_batch == 256);
  const std::vector<float> x(257 * std::size_t{3});
  CHECK(mlp.forward({x.data(), 256, 3}, 0).rows == 256);
  test::expect_invalid("x.rows", "257; allowed: 1 ... 256 = MlpConfig::max_batch", [&] {
    mlp.forward({x.data(), 257, 3}, 0);
  });
}
