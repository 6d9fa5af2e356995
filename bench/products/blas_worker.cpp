// A library of matrix products in a process of its own, which answers products_bench. The program
// links no OpenMP: MKL's Intel layer would take omp_get_thread_num() from GNU's runtime and give
// wrong sums.
//
// blas_worker KIND PATH [VARIABLE=VALUE...], an empty value unsets the variable. Questions and
// answers are lines; an answer is "ok" and what was asked for, or what is wrong.
//   (start)                                 ok CODE; VERSION
//   probe THREADS                           ok GFLOP/s
//   row TYPE BATCH IN OUT PRODUCT THREADS   ok
//   run FIRST COUNT                         ok SECONDS PREEMPTIONS
#include <array>
#include <cmath>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "harness/timing.h"
#include "products/blas.h"

namespace {

using namespace simdrop::bench;

constexpr std::array<Shape, 2> probe_shapes{{{256, 1024, 1024}, {64, 256, 256}}};
constexpr Timing probe_timing{.rounds = 3, .seconds = 4e-3};

template <class T>
Rival<T> rival(const Blas& blas, Product product) {
  return {"", [&blas, product](const Operands<T>& o) { multiply(blas, product, o); }};
}

// 0 if a result is wrong.
template <class T>
double rate(const Blas& blas) {
  double sum = 0.0;
  for (const Shape& shape : probe_shapes) {
    const Pool<T> pool(shape);
    std::vector<Case> cases;
    for (const Product product : products) {
      if (!check(rival<T>(blas, product), pool[0], product).empty()) return 0.0;
      cases.push_back(make_case("", shape.flops(), [&, product](std::size_t turn) {
        multiply(blas, product, pool[turn]);
      }));
    }
    for (const double seconds : median_seconds(cases, probe_timing)) {
      sum += std::log(shape.flops() / seconds * 1e-9);
    }
  }
  return std::exp(sum / static_cast<double>(probe_shapes.size() * products.size()));
}

// The calls of a row, on operands that are made anew for another shape alone.
template <class T>
class Calls {
 public:
  explicit Calls(const Blas& blas) : blas_(&blas) {}

  // What is wrong with the result, or "".
  std::string prepare(const Shape& shape, Product product) {
    if (pool_ == nullptr || (*pool_)[0].shape != shape) pool_ = std::make_unique<Pool<T>>(shape);
    product_ = product;
    return check(rival<T>(*blas_, product), (*pool_)[0], product);
  }
  Taken run(std::size_t first, std::size_t count) const {
    return timed(
        [this](std::size_t f, std::size_t n) {
          for (std::size_t i = f; i < f + n; ++i) multiply(*blas_, product_, (*pool_)[i]);
        },
        first, count);
  }

 private:
  const Blas* blas_;
  std::unique_ptr<Pool<T>> pool_;
  Product product_{};
};

class Worker {
 public:
  explicit Worker(const Blas& blas) : blas_(&blas), f32_(blas), f64_(blas) {}

  std::string answer(const std::string& question) {
    std::istringstream in(question);
    std::string command;
    in >> command;
    if (command == "probe") return probe(in);
    if (command == "row") return prepare(in);
    std::size_t first = 0;
    std::size_t count = 0;
    if (command != "run" || !(in >> first >> count)) return "does not know: " + question;
    const Taken taken = is_f64_ ? f64_.run(first, count) : f32_.run(first, count);
    std::ostringstream text;
    text << "ok " << taken.seconds << ' ' << taken.preemptions;
    return text.str();
  }

 private:
  // Geometric mean of both types.
  std::string probe(std::istream& in) {
    int threads = 1;
    in >> threads;
    blas_->set_threads(threads);
    const double both = std::sqrt(rate<float>(*blas_) * rate<double>(*blas_));
    return both > 0.0 ? "ok " + std::to_string(both) : "gives wrong results";
  }

  std::string prepare(std::istream& in) {
    std::string type;
    Shape shape{};
    std::size_t product = 0;
    int threads = 1;
    in >> type >> shape.batch >> shape.in >> shape.out >> product >> threads;
    blas_->set_threads(threads);
    is_f64_ = type == "f64";
    const std::string wrong = is_f64_ ? f64_.prepare(shape, products.at(product))
                                      : f32_.prepare(shape, products.at(product));
    return wrong.empty() ? "ok" : wrong;
  }

  const Blas* blas_;
  Calls<float> f32_;
  Calls<double> f64_;
  bool is_f64_ = false;
};

BlasChoice choice(const std::vector<std::string>& arguments) {
  BlasChoice chosen{static_cast<BlasChoice::Kind>(std::stoi(arguments.at(0))), arguments.at(1)};
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::size_t equals = arguments[i].find('=');
    chosen.settings.push_back({arguments[i].substr(0, equals), arguments[i].substr(equals + 1)});
  }
  return chosen;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Blas blas = load(choice({argv + 1, argv + argc}));
    Worker worker(blas);
    std::cout << "ok " << blas.code << "; " << blas.version << std::endl;
    for (std::string question; std::getline(std::cin, question);) {
      std::cout << worker.answer(question) << std::endl;
    }
  } catch (const std::exception& error) {
    std::cout << error.what() << std::endl;
    return 1;
  }
  return 0;
}
