// The list of kernels names every function of a table, and no table lacks one.
#include <cstddef>
#include <cstdint>

#include "helpers/kernel_test.h"

namespace {

using simdrop::detail::KernelTable;

// In its own functions, the members that a line of the list names are expressions.
struct Listed : KernelTable {
  template <class... Kernels>
  static constexpr std::size_t count_of(const Kernels&... /*kernels*/) {
    return sizeof...(Kernels);
  }
  [[nodiscard]] constexpr std::size_t count() const {
    std::size_t sum = 0;
#define SIMDROP_KERNEL(operation, kernel, ...) sum += count_of(__VA_ARGS__);
#include "kernels/kernel_list.inc"
#undef SIMDROP_KERNEL
    return sum;
  }

  template <class... Kernels>
  static void check_one(const char* name, const Kernels&... kernels) {
    INFO("kernel: ", name);
    CHECK((... && (kernels != nullptr)));
  }
  void check() const {
#define SIMDROP_KERNEL(operation, kernel, ...) check_one(#kernel, __VA_ARGS__);
#include "kernels/kernel_list.inc"
#undef SIMDROP_KERNEL
  }
};

// All else that a table has: its name, and of the products of each type three numbers and
// scratch_size().
struct Others {
  struct Products {
    std::uint32_t numbers[3];
    void (*scratch_size)();
  } products[2];
  simdrop::Isa isa;
  const char* name;
};
static_assert(sizeof(KernelTable) == Listed{}.count() * sizeof(void (*)()) + sizeof(Others),
              "src/kernels/kernel_list.inc must name every kernel of KernelTable");

}  // namespace

TEST_SUITE("kernel_table") {
  TEST_CASE("every table has every kernel") {
    test::for_each_table([](const KernelTable& table) {
      Listed listed;
      static_cast<KernelTable&>(listed) = table;
      listed.check();
      const bool sized =
          table.products_f32.scratch_size != nullptr && table.products_f64.scratch_size != nullptr;
      CHECK(sized);
    });
  }
}
