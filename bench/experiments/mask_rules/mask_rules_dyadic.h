// MaskRule::dyadic by the library's own kernel, written where it belongs: the table's
// bernoulli_mask() takes any first element and any length, and so copies every bit once.
// Included inside an anonymous namespace.

std::uint64_t draw_dyadic_in_place(const RuleSource& source, std::size_t elements,
                                   std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  const std::uint64_t block = source.first / mask_block_elements;
  SideWork none;
  for (std::size_t b = 0; b < elements / mask_block_elements; b += batch_blocks) {
    draw_batch<rule_rounds, mask_groups>(source.library, philox, block + b, bits + b * 4, none);
  }
  return elements / mask_block_elements * dyadic_pieces(source.library.dyadic);
}
