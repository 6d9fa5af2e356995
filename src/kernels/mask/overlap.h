// Applying one chunk's mask while the next one's is drawn: the former waits for memory, the latter
// is arithmetic, and a core does both at once if they are close enough in the instruction stream.
// Included inside an anonymous namespace.

struct SideWork {
  void (*run)(void* context, std::size_t elements) = nullptr;  // does that much, or what is left
  void* context = nullptr;
  std::size_t elements = 0;  // all of the work
  std::size_t share = 0;

  // Announces how many step units will come.
  void plan(std::size_t units) { share = (elements / 64 + units) / units * 64; }
  void step(std::size_t units) const {
    if (run != nullptr) run(context, share * units);
  }
};
