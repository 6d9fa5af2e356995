#include "products/blas_process.h"

#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace simdrop::bench {
namespace {

// Questions and answers are lines; an answer is "ok" and what was asked for, or what is wrong.
//   (start)                                 ok CODE
//   row TYPE BATCH IN OUT PRODUCT THREADS   ok
//   run FIRST COUNT                         ok SECONDS PREEMPTIONS
constexpr const char* ok = "ok ";

// The operands of a row: of one type at a time, and made anew for another shape alone.
template <class T>
class Calls {
 public:
  explicit Calls(const Blas& blas) : blas_(&blas) {}

  std::string prepare(const Shape& shape, Product product) {
    if (pool_ == nullptr || (*pool_)[0].shape != shape) pool_ = std::make_unique<Pool<T>>(shape);
    product_ = product;
    const Rival<T> rival{"", [&](const Operands<T>& o) { multiply(*blas_, product, o); }};
    return check(rival, (*pool_)[0], product);
  }
  void run(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) multiply(*blas_, product_, (*pool_)[i]);
  }
  void clear() { pool_.reset(); }

 private:
  const Blas* blas_;
  std::unique_ptr<Pool<T>> pool_;
  Product product_{};
};

// What the child does: answers until nobody asks any more.
class Server {
 public:
  explicit Server(const Blas& blas) : blas_(&blas), f32_(blas), f64_(blas) {}

  std::string answer(const std::string& question) {
    std::istringstream in(question);
    std::string command;
    in >> command;
    if (command == "row") return prepare(in);
    std::size_t first = 0;
    std::size_t count = 0;
    if (command != "run" || !(in >> first >> count)) return "does not know: " + question;
    const Taken taken =
        timed([&](std::size_t f, std::size_t c) { is_f64_ ? f64_.run(f, c) : f32_.run(f, c); },
              first, count);
    std::ostringstream text;
    text << ok << taken.seconds << ' ' << taken.preemptions;
    return text.str();
  }

 private:
  std::string prepare(std::istream& in) {
    std::string type;
    Shape shape{};
    std::size_t product = 0;
    int threads = 1;
    in >> type >> shape.batch >> shape.in >> shape.out >> product >> threads;
    blas_->set_threads(threads);
    is_f64_ = type == "f64";
    if (is_f64_) {
      f32_.clear();
    } else {
      f64_.clear();
    }
    const std::string wrong = is_f64_ ? f64_.prepare(shape, products.at(product))
                                      : f32_.prepare(shape, products.at(product));
    return wrong.empty() ? ok : wrong;
  }

  const Blas* blas_;
  Calls<float> f32_;
  Calls<double> f64_;
  bool is_f64_ = false;
};

void serve(const BlasChoice& choice) {
  const Blas blas = load(choice);
  Server server(blas);
  std::cout << ok << blas.code << std::endl;
  for (std::string question; std::getline(std::cin, question);) {
    std::cout << server.answer(question) << std::endl;
  }
}

// What follows "ok", or nothing.
bool accepted(const std::string& answer, std::string& rest) {
  if (answer.rfind(ok, 0) != 0) return false;
  rest = answer.substr(std::string(ok).size());
  return true;
}

}  // namespace

BlasProcess::BlasProcess(const BlasChoice& choice)
    : who_(choice.who()), process_(std::make_unique<Process>([&choice] { serve(choice); })) {
  const std::string answer = process_->hear();
  if (!accepted(answer, code_)) throw std::runtime_error(answer.empty() ? "crashed" : answer);
}

std::string BlasProcess::prepare(const Row& row) {
  std::ostringstream question;
  question << "row " << row.type << ' ' << row.shape.batch << ' ' << row.shape.in << ' '
           << row.shape.out << ' ' << static_cast<std::size_t>(row.product) << ' ' << row.threads;
  const std::string found = answer(question.str());
  std::string rest;
  return accepted(found, rest) ? "" : found;
}

Taken BlasProcess::run(std::size_t first, std::size_t count) {
  const std::string found = answer("run " + std::to_string(first) + ' ' + std::to_string(count));
  std::string rest;
  Taken taken;
  if (!accepted(found, rest) || !(std::istringstream(rest) >> taken.seconds >> taken.preemptions)) {
    throw std::runtime_error(who_ + ": " + found);
  }
  return taken;
}

std::string BlasProcess::answer(const std::string& question) {
  process_->tell(question);
  const std::string found = process_->hear();
  return found.empty() ? "has ended" : found;
}

}  // namespace simdrop::bench
