// Packed mask bits, LSB first. Included inside an anonymous namespace; uses no std:: templates,
// whose weak symbols the linker could share between instruction sets.

inline std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

// 64 mask bits from bit `position` on; reads bytes position / 8 ... position / 8 + 8.
inline std::uint64_t load_bits64(const std::uint8_t* bits, std::size_t position) {
  const std::uint8_t* p = bits + position / 8;
  const unsigned shift = static_cast<unsigned>(position % 8);
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return (word >> shift) | (std::uint64_t{p[8]} << 1 << (63 - shift));
}

// Copies n bits that start at bit `position`; unused bits of the last byte become 0.
inline void copy_bits(const std::uint8_t* bits, std::size_t position, std::size_t n,
                      std::uint8_t* out) {
  const std::uint8_t* p = bits + position / 8;
  const unsigned shift = static_cast<unsigned>(position % 8);
  const std::size_t bytes = (n + 7) / 8;
  if (shift == 0) {
    std::memcpy(out, p, bytes);
  } else {
    for (std::size_t i = 0; i < bytes; ++i) {
      out[i] = static_cast<std::uint8_t>((p[i] >> shift) | (p[i + 1] << (8 - shift)));
    }
  }
  if (n % 8 != 0) out[bytes - 1] &= static_cast<std::uint8_t>((1U << (n % 8)) - 1);
}
