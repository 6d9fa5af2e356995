// The statistics themselves: p-values against known ones, and masks with a fault, which each must
// find. The faults are made in masks that are without, so the others find nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "helpers/mask_dependence.h"
#include "helpers/mask_statistics.h"
#include "helpers/statistics.h"

namespace {

using test::Bits;

Bits sound_mask(double keep_prob, std::size_t n, std::uint64_t id = 0) {
  return Bits({.keep_prob = keep_prob, .stream = {.seed = 2718, .id = id}}, n);
}

// True with probability `share`.
class Chance {
 public:
  bool operator()(double share) { return static_cast<double>(engine_()) < share * 0x1p32; }

 private:
  std::mt19937 engine_{42};
};

bool finds(std::span<const double> tails) {
  return std::any_of(tails.begin(), tails.end(), [](double tail) { return tail < test::alarm; });
}

// No alarm, in what the cases below judge besides their faults: as many p-values as planned.
bool quiet(std::span<const double> tails) {
  static std::size_t judged = 0;
  judged += tails.size();
  return std::all_of(tails.begin(), tails.end(), [](double tail) { return tail > test::alarm; }) &&
         judged <= test::planned::controls;
}

bool quiet(double tail) {
  return quiet(std::span(&tail, 1));
}

// Each element copies the one `lag` before it, as often as that.
Bits with_copies(Bits bits, std::size_t lag, double share) {
  Chance chance;
  for (std::size_t i = lag; i < bits.size(); ++i) {
    if (chance(share)) bits.set(i, bits[i - lag]);
  }
  return bits;
}

// Elements b * 256 + to copy b * 256 + from, as often as that.
void copy_place(Bits& bits, std::size_t from, std::size_t to, double share, Chance& chance) {
  for (std::size_t block = 0; block < bits.size(); block += 256) {
    if (chance(share)) bits.set(block + to, bits[block + from]);
  }
}

std::vector<Bits> sound_streams() {
  std::vector<Bits> masks;
  for (std::uint64_t id = 0; id < 32; ++id) {
    masks.push_back(sound_mask(0.5, std::size_t{1} << 17, id));
  }
  return masks;
}

}  // namespace

TEST_SUITE("mask statistics") {
  // Even degrees of freedom have a closed form, summed with 60 digits; 3.84 is 1.959964 squared.
  TEST_CASE("chi-square tails are the known ones") {
    const auto near = [](double want) { return doctest::Approx(want).epsilon(1e-9); };
    CHECK(test::chi_square_tail(3.841458820694124, 1) == near(0.05));
    CHECK(test::chi_square_tail(18.307038053275146, 10) == near(0.05));
    CHECK(test::chi_square_tail(128, 128) == near(4.833760124961735e-01));
    CHECK(test::chi_square_tail(300, 128) == near(7.681474872264123e-16));
    CHECK(test::chi_square_tail(900, 900) == near(4.937311498412321e-01));
    CHECK(test::chi_square_tail(1000, 900) == near(1.099460894213585e-02));
    CHECK(test::chi_square_tail(1400, 900) == near(1.993469443256664e-24));
    CHECK(test::chi_square_tail(2, 256) == near(1.0));
    CHECK(test::chi_square_tail(0, 3) == 1.0);
    for (const double z : {0.5, 2.0, 6.0}) {
      CHECK(test::chi_square_tail(z * z, 1) == near(std::erfc(z / std::sqrt(2.0))));
    }
  }

  TEST_CASE("a bound of a binomial tail is above the tail, and not far above it") {
    for (const double p : {0.5, 0.9, 0.3, 0.01}) {
      constexpr std::size_t n = 100000;
      const auto shares = test::binomial_shares(n, p);
      const auto total = static_cast<double>(n);
      const double sigma = std::sqrt(total * p * (1.0 - p));
      for (const double z : {1.0, 3.0, 5.0, 6.5}) {
        const double count = std::ceil(total * p + z * sigma);
        double upper = 0.0;
        for (auto k = static_cast<std::size_t>(count); k <= n; ++k) upper += shares[k];
        double lower = 0.0;
        const double mirrored = 2.0 * total * p - count;
        for (std::size_t k = 0; static_cast<double>(k) <= mirrored; ++k) lower += shares[k];
        CAPTURE(p);
        CAPTURE(z);
        const double bound = test::binomial_tail(count, total, p);
        CHECK(bound >= upper + lower);
        CHECK(bound <= std::min(1.0, 100.0 * (upper + lower)));
      }
    }
  }

  TEST_CASE("goodness of fit: exact counts, pooled cells, and too little to test") {
    const std::vector<double> shares{0.5, 0.25, 0.2496, 0.0004};
    CHECK(test::goodness_of_fit(std::vector<double>{5000, 2500, 2496, 4}, shares) == 1.0);
    // (100^2 / 5000 + 100^2 / 2500) with two degrees of freedom: the last cell joins the third.
    CHECK(test::goodness_of_fit(std::vector<double>{5100, 2400, 2490, 10}, shares) ==
          doctest::Approx(std::exp(-3.0)));
    CHECK(std::isnan(test::goodness_of_fit(std::vector<double>{5, 2, 3, 0}, shares)));
    double sum = 0.0;
    for (const double share : test::geometric_shares(20, 0.3)) sum += share;
    CHECK(sum == doctest::Approx(1.0));
    CHECK(test::binomial_shares(4, 0.5)[2] == doctest::Approx(6.0 / 16));
  }

  TEST_CASE("a keep rate that is off by 0.002 is found") {
    const Bits bits = sound_mask(0.502, std::size_t{1} << 24);
    CHECK(test::rate_tail(bits, 0.5) < test::alarm);
    CHECK(quiet(test::rate_tail(bits, 0.502)));
  }

  TEST_CASE("one place of a block that is kept 1 % too often is found") {
    Bits bits = sound_mask(0.9, std::size_t{1} << 25);
    CHECK(quiet(test::plane_tails(bits, 0.9)));
    Chance chance;
    for (std::size_t i = 37; i < bits.size(); i += 256) {
      if (chance(0.1)) bits.set(i, true);  // a tenth of the tenth
    }
    CHECK(finds(test::plane_tails(bits, 0.9)));
    CHECK(quiet(test::rate_tail(bits, 0.9)));
  }

  TEST_CASE("a bias of each bit of a byte that cancels over the byte is found") {
    Bits bits = sound_mask(0.5, std::size_t{1} << 22);
    Chance chance;
    for (std::size_t i = 0; i < bits.size(); ++i) {
      if (chance(0.01)) bits.set(i, i % 2 == 0);
    }
    CHECK(test::plane_tails(bits, 0.5)[0] < test::alarm);
    CHECK(quiet(test::rate_tail(bits, 0.5)));
  }

  TEST_CASE("blocks that all keep the same number are found") {
    Bits bits = sound_mask(0.5, std::size_t{1} << 20);
    CHECK(quiet(test::block_tails(bits, 0.5, 256)));
    for (std::size_t block = 0; block < bits.size(); block += 256) {
      const auto kept = static_cast<int>(test::count_of(bits.slice(block, 256)));
      int excess = kept - 128;
      for (std::size_t i = block; excess != 0; ++i) {
        if (bits[i] != (excess > 0)) continue;
        bits.set(i, !bits[i]);
        excess += excess > 0 ? -1 : 1;
      }
    }
    CHECK(test::rate_tail(bits, 0.5) == 1.0);
    CHECK(test::block_tails(bits, 0.5, 256)[0] < test::alarm);
    CHECK(test::block_tails(bits, 0.5, 1024)[0] < test::alarm);
  }

  TEST_CASE("one block of a mask that was not written is found") {
    Bits bits = sound_mask(0.5, std::size_t{1} << 24);
    for (std::size_t i = 0; i < 256; ++i) bits.set(256 * 4567 + i, false);
    CHECK(test::block_tails(bits, 0.5, 256)[1] < test::alarm);
    CHECK(quiet(test::rate_tail(bits, 0.5)));
  }

  TEST_CASE("elements that now and then copy their neighbour are found by their gaps") {
    const Bits sound = sound_mask(0.9, std::size_t{1} << 22);
    const Bits copies = with_copies(sound, 1, 0.02);
    for (const bool kept : {false, true}) {
      CHECK(quiet(test::gap_tail(sound, kept, kept ? 0.9 : 0.1)));
      CHECK(test::gap_tail(copies, kept, kept ? 0.9 : 0.1) < test::alarm);
    }
    CHECK(quiet(test::rate_tail(copies, 0.9)));
    CHECK(test::gap_tail(Bits(std::vector<std::uint8_t>{}, 4096), true, 0.5) == 0.0);
  }

  TEST_CASE("elements that now and then copy the seventh before them are found at lag 7 alone") {
    for (const double keep_prob : {0.5, 0.01}) {
      const Bits bits = with_copies(sound_mask(keep_prob, std::size_t{1} << 21), 7, 0.02);
      CAPTURE(keep_prob);
      for (const double tail : test::lag_tails(bits, keep_prob, 7)) CHECK(tail < test::alarm);
      for (const std::size_t lag : {1U, 6U, 8U, 128U, 1024U}) {
        CAPTURE(lag);
        CHECK(quiet(test::lag_tails(bits, keep_prob, lag)));
      }
    }
  }

  TEST_CASE("places of a block that copy others are found: much of one, a little of all") {
    Chance chance;
    Bits one = sound_mask(0.5, std::size_t{1} << 22);
    CHECK(quiet(test::block_pair_tails(one, 0.5)));
    copy_place(one, 3, 200, 0.1, chance);
    CHECK(test::block_pair_tails(one, 0.5).back() < test::alarm);
    Bits all = sound_mask(0.5, std::size_t{1} << 22);
    for (std::size_t i = 0; i < 256; ++i) {
      if (i < (i ^ 85U)) copy_place(all, i, i ^ 85U, 0.025, chance);
    }
    const auto tails = test::block_pair_tails(all, 0.5);
    CHECK(tails[85 - 1] < test::alarm);
    CHECK(quiet(tails[84 - 1]));
    CHECK(quiet(tails.back()));
  }

  TEST_CASE("one row that repeats another is found") {
    for (const std::size_t columns : {1024U, 784U, 100U}) {
      auto rows = test::rows_of(sound_mask(0.5, std::size_t{1} << 20), 512, columns);
      CAPTURE(columns);
      CHECK(quiet(test::pairwise_tail(rows, 0.5)));
      rows[1] = rows[0];
      CHECK(test::pairwise_tail(rows, 0.5) < test::alarm);
    }
  }

  TEST_CASE("rows that copy a little of the row before them are found") {
    const Bits bits = with_copies(sound_mask(0.9, std::size_t{1} << 20), 784, 0.02);
    CHECK(finds(test::lag_tails(bits, 0.9, 784)));
    CHECK(quiet(test::lag_tails(bits, 0.9, 1024)));
  }

  TEST_CASE("a stream that repeats another, and a little that all of them share, are found") {
    auto twice = sound_streams();
    CHECK(quiet(test::pairwise_tail(twice, 0.5)));
    CHECK(quiet(test::together_tail(twice, 0.5)));
    twice[31] = twice[4];
    CHECK(test::pairwise_tail(twice, 0.5) < test::alarm);
    auto shared = sound_streams();
    Chance chance;
    for (std::size_t mask = 1; mask < shared.size(); ++mask) {
      for (std::size_t i = 0; i < shared[0].size(); ++i) {
        if (chance(0.02)) shared[mask].set(i, shared[0][i]);
      }
    }
    CHECK(test::together_tail(shared, 0.5) < test::alarm);
    CHECK(quiet(test::rate_tail(shared[31], 0.5)));
  }
}
