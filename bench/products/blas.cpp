#include "products/blas.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace simdrop::bench {
namespace {

constexpr int row_major = 101;
constexpr int no_trans = 111;
constexpr int trans = 112;

constexpr int mkl_threading_intel = 0;
constexpr int mkl_threading_gnu = 3;

// Symbols of a library whose names may carry a prefix and a suffix.
struct Library {
  void* handle;
  std::string prefix, suffix;

  template <class Function>
  Function* find(const std::string& name) const {
    void* symbol = dlsym(handle, (prefix + name + suffix).c_str());
    if (symbol == nullptr) throw std::runtime_error("has no " + prefix + name + suffix);
    return reinterpret_cast<Function*>(symbol);
  }
};

template <class T, class Index>
BlasGemm<T> wrap(const Library& library, const char* name) {
  using Function =
      void(int, int, int, Index, Index, Index, T, const T*, Index, const T*, Index, T, T*, Index);
  auto* function = library.find<Function>(name);
  return [function](std::size_t m, std::size_t n, std::size_t k, const BlasOperand<T>& a,
                    const BlasOperand<T>& b, T* c, std::size_t ldc) {
    const auto index = [](std::size_t value) { return static_cast<Index>(value); };
    function(row_major, a.transposed ? trans : no_trans, b.transposed ? trans : no_trans, index(m),
             index(n), index(k), T{1}, a.data, index(a.ld), b.data, index(b.ld), T{0}, c,
             index(ldc));
  };
}

template <class Index>
Blas wrap(const Library& library) {
  return {.version = "",
          .code = "",
          .f32 = wrap<float, Index>(library, "cblas_sgemm"),
          .f64 = wrap<double, Index>(library, "cblas_dgemm"),
          .set_threads = {}};
}

Blas openblas(void* handle) {
  for (const char* prefix : {"", "scipy_"}) {
    for (const char* suffix : {"", "64_"}) {  // of builds whose integers have 64 bits
      const Library library{handle, prefix, suffix};
      if (dlsym(handle, (std::string(prefix) + "cblas_sgemm" + suffix).c_str()) == nullptr) {
        continue;
      }
      Blas blas = *suffix == 0 ? wrap<int>(library) : wrap<std::int64_t>(library);
      blas.version = library.find<const char*()>("openblas_get_config")();
      blas.code = library.find<const char*()>("openblas_get_corename")();
      blas.set_threads = library.find<void(int)>("openblas_set_num_threads");
      return blas;
    }
  }
  throw std::runtime_error("is no OpenBLAS");
}

std::string mkl_code_name(int branch) {
  switch (branch) {
    case 10:
      return "AVX2";
    case 12:
      return "AVX-512";
    case 14:
      return "AVX-512 E1";
    case 15:
      return "AVX10";
    default:
      return "generic branch " + std::to_string(branch);  // CPUs of other makers
  }
}

Blas mkl(void* handle) {
  const Library library{handle, "", ""};
  const char* layer = std::getenv("MKL_THREADING_LAYER");
  library.find<int(int)>("MKL_Set_Interface_Layer")(0);  // 32-bit integers
  library.find<int(int)>("MKL_Set_Threading_Layer")(
      layer != nullptr && std::string(layer) == "INTEL" ? mkl_threading_intel : mkl_threading_gnu);
  library.find<void(int)>("MKL_Set_Dynamic")(0);
  std::array<char, 256> version{};
  library.find<void(char*, int)>("MKL_Get_Version_String")(version.data(),
                                                           static_cast<int>(version.size()) - 1);
  Blas blas = wrap<int>(library);
  blas.version = version.data();
  blas.code = mkl_code_name(library.find<int()>("MKL_CBWR_Get_Auto_Branch")());
  blas.set_threads = library.find<void(int)>("MKL_Set_Num_Threads");
  return blas;
}

// In a Python package, the library does not find what lies beside it.
void load_own_openmp(const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().string().rfind("libomp", 0) == 0) {
      dlopen(entry.path().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    }
  }
}

Blas aocl(void* handle) {
  const Library library{handle, "", ""};
  Blas blas = wrap<int>(library);
  blas.version = library.find<const char*()>("bli_info_get_version_str")();
  blas.code =
      library.find<const char*(int)>("bli_arch_string")(library.find<int()>("bli_arch_query_id")());
  blas.set_threads = [set = library.find<void(std::int64_t)>("bli_thread_set_num_threads")](
                         int threads) { set(threads); };
  return blas;
}

bool matches(BlasChoice::Kind kind, const std::string& file) {
  const auto starts = [&](const char* with) { return file.rfind(with, 0) == 0; };
  switch (kind) {
    case BlasChoice::Kind::openblas:
      return starts("libscipy_openblas") || starts("libopenblas.so") || starts("libopenblasp");
    case BlasChoice::Kind::mkl:
      return starts("libmkl_rt.so");
    case BlasChoice::Kind::aocl:
      return starts("libblis-mt");
  }
  return false;
}

// A folder becomes the libraries in it.
std::vector<std::string> files(BlasChoice::Kind kind, const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      found.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
      if (matches(kind, entry.path().filename())) found.push_back(fs::canonical(entry.path()));
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// What users of each library are told to try. OpenBLAS may name a wrong core on a CPU that is newer
// than it or virtual; a shell may have set one that is as wrong.
std::vector<std::vector<Setting>> settings(BlasChoice::Kind kind) {
  std::vector<std::vector<Setting>> all;
  switch (kind) {
    case BlasChoice::Kind::openblas:
      if (std::getenv("OPENBLAS_CORETYPE") != nullptr) all.push_back({});
      for (const char* core : {"", "Haswell", "Zen", "SkylakeX"}) {
        all.push_back({{"OPENBLAS_CORETYPE", core}, {"OPENBLAS_L2_SIZE", ""}});
      }
      break;
    case BlasChoice::Kind::mkl:
      for (const char* layer : {"GNU", "INTEL"}) {
        for (const char* instructions : {"", "AVX512"}) {
          all.push_back(
              {{"MKL_THREADING_LAYER", layer}, {"MKL_ENABLE_INSTRUCTIONS", instructions}});
        }
      }
      break;
    case BlasChoice::Kind::aocl:
      all.push_back({});
      break;
  }
  return all;
}

}  // namespace

template <>
const BlasGemm<float>& Blas::gemm<float>() const {
  return f32;
}
template <>
const BlasGemm<double>& Blas::gemm<double>() const {
  return f64;
}

std::string BlasChoice::who() const {
  switch (kind) {
    case Kind::openblas:
      return "OpenBLAS";
    case Kind::mkl:
      return "MKL";
    case Kind::aocl:
      break;
  }
  return "AOCL-BLAS";
}

std::string BlasChoice::describe() const {
  std::string text = path;
  for (const Setting& setting : settings) {
    if (!setting.value.empty()) text += " " + setting.variable + "=" + setting.value;
  }
  return text;
}

Blas load(const BlasChoice& choice) {
  for (const Setting& setting : choice.settings) {
    if (setting.value.empty()) {
      unsetenv(setting.variable.c_str());
    } else {
      setenv(setting.variable.c_str(), setting.value.c_str(), 1);
    }
  }
  // AOCL-BLAS runs on LLVM's OpenMP, and must not find omp_get_thread_num() in GNU's, if loaded.
  const bool is_aocl = choice.kind == BlasChoice::Kind::aocl;
  if (is_aocl) load_own_openmp(choice.path);
  const int binding = is_aocl ? RTLD_DEEPBIND : 0;
  void* handle = dlopen(choice.path.c_str(), RTLD_NOW | RTLD_LOCAL | binding);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  switch (choice.kind) {
    case BlasChoice::Kind::openblas:
      return openblas(handle);
    case BlasChoice::Kind::mkl:
      return mkl(handle);
    case BlasChoice::Kind::aocl:
      break;
  }
  return aocl(handle);
}

template <class T>
void multiply(const Blas& blas, Product product, const Operands<T>& o) {
  const auto [batch, in, out] = o.shape;
  const BlasGemm<T>& gemm = blas.gemm<T>();
  switch (product) {
    case Product::y:
      gemm(batch, out, in, {o.x.get(), false, in}, {o.w.get(), true, in}, o.y.get(), out);
      break;
    case Product::dx:
      gemm(batch, in, out, {o.dy.get(), false, out}, {o.w.get(), false, in}, o.dx.get(), in);
      break;
    case Product::dw:
      gemm(out, in, batch, {o.dy.get(), true, out}, {o.x.get(), false, in}, o.dw.get(), in);
      break;
  }
}
template void multiply(const Blas&, Product, const Operands<float>&);
template void multiply(const Blas&, Product, const Operands<double>&);

std::vector<BlasChoice> choices(BlasChoice::Kind kind, const std::vector<std::string>& paths) {
  std::vector<BlasChoice> all;
  for (const std::string& path : files(kind, paths)) {
    for (auto& setting : settings(kind)) all.push_back({kind, path, std::move(setting)});
  }
  return all;
}

}  // namespace simdrop::bench
