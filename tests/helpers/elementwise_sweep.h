// The shapes, alignments and mask parameters that every elementwise kernel is tested over.
#pragma once

#include <array>
#include <cstddef>
#include <random>

#include "helpers/elementwise.h"

namespace test {

// One row: lengths 0 ... 257, each with all alignments of its input (16 of float), with others of
// its output and other masks.
template <class Check>
void sweep_lengths(Check check) {
  std::mt19937 engine(11);
  for (std::size_t n = 0; n <= 257; ++n) {
    for (std::size_t offset = 0; offset < 32; ++offset) {
      ElementwiseCase c;
      c.cols = n;
      c.offset_in = offset;
      randomize(c, engine);
      check(c);
    }
  }
}

// Lengths 0 ... 257 with all buffers flush against the pages behind, or before, them.
template <class Check>
void sweep_flush(Check check) {
  std::mt19937 engine(12);
  for (std::size_t n = 0; n <= 257; ++n) {
    for (const Edge edge : {Edge::start, Edge::end}) {
      ElementwiseCase c;
      c.cols = n;
      randomize(c, engine);
      c.edge_in = c.edge_out = edge;
      c.offset_out = 0;
      check(c);
    }
  }
}

template <class Check>
void sweep_large(Check check) {
  std::mt19937 engine(13);
  for (const std::size_t n : {std::size_t{4095}, std::size_t{4097}, std::size_t{8193},
                              std::size_t{65537}, std::size_t{100003}}) {
    for (int variant = 0; variant < 4; ++variant) {
      ElementwiseCase c;
      c.cols = n;
      c.offset_in = engine() % 32;
      randomize(c, engine);
      check(c);
    }
  }
}

// Rows with and without padding; mask bytes shared by the end of one row and the start of the next.
template <class Check>
void sweep_matrices(Check check) {
  std::mt19937 engine(14);
  constexpr std::array<std::size_t, 20> all_cols{0,  1,  2,  3,  5,  7,  8,   9,   13,  15,
                                                 16, 17, 31, 33, 63, 65, 100, 255, 257, 1023};
  for (const std::size_t cols : all_cols) {
    for (std::size_t rows = 0; rows <= 9; ++rows) {
      for (const std::size_t pad : {0U, 1U, 3U, 16U}) {
        ElementwiseCase c;
        c.rows = rows;
        c.cols = cols;
        c.pad_in = pad;
        c.pad_out = engine() % 6;
        c.offset_in = engine() % 32;
        randomize(c, engine);
        check(c);
      }
    }
  }
  for (const std::size_t cols : {1U, 3U, 37U, 515U}) {
    ElementwiseCase c;
    c.rows = 20001 / cols;
    c.cols = cols;
    c.pad_in = c.pad_out = 2;
    randomize(c, engine);
    check(c);
  }
}

// Every keep_prob, rule, number of rounds and use of a mask.
template <class Check>
void sweep_masks(Check check) {
  std::mt19937 engine(15);
  for (const double keep_prob : keep_probs) {
    for (const auto rule : {reference::Rule::dyadic, reference::Rule::words}) {
      for (const int rounds : {7, 10}) {
        for (const auto use : {MaskUse::drawn, MaskUse::written, MaskUse::given}) {
          ElementwiseCase c;
          c.cols = 777;
          randomize(c, engine);
          c.mask.keep_prob = keep_prob;
          c.mask.rule = rule;
          c.mask.rounds = rounds;
          c.mask_use = use;
          check(c);
        }
      }
    }
  }
}

template <class Check>
void sweep_all(Check check) {
  sweep_lengths(check);
  sweep_flush(check);
  sweep_large(check);
  sweep_matrices(check);
  sweep_masks(check);
}

}  // namespace test
