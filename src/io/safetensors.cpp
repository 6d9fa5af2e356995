#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "io/float_bytes.h"
#include "io/json_reader.h"

namespace simdrop::detail {
namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::size_t max_rank = 64;  // as PyTorch's tensors have at most

struct Dtype {
  const char* name;
  std::uint64_t bytes;
};
// Those of whole bytes: a file may have any of them, though a network is F32.
constexpr Dtype dtypes[] = {{"BOOL", 1},    {"U8", 1},          {"I8", 1},          {"F8_E5M2", 1},
                            {"F8_E4M3", 1}, {"F8_E5M2FNUZ", 1}, {"F8_E4M3FNUZ", 1}, {"F8_E8M0", 1},
                            {"I16", 2},     {"U16", 2},         {"F16", 2},         {"BF16", 2},
                            {"I32", 4},     {"U32", 4},         {"F32", 4},         {"F64", 8},
                            {"I64", 8},     {"U64", 8},         {"C64", 8}};

std::uint64_t dtype_bytes(std::string_view name) {
  const auto* const found = std::find_if(std::begin(dtypes), std::end(dtypes),
                                         [&](const Dtype& dtype) { return dtype.name == name; });
  if (found == std::end(dtypes)) throw JsonError("dtype " + in_quotes(name) + " is unknown");
  return found->bytes;
}

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

// Builds the header from the values of its JSON.
class HeaderConsumer final : public JsonConsumer {
 public:
  explicit HeaderConsumer(SafetensorsHeader& header) : header_(header) {}

  void open(const JsonPath& path, bool array) override {
    const bool wanted = array ? path.size() == 2 && path[0] != metadata_key &&
                                    (path[1] == "shape" || path[1] == "data_offsets")
                              : path.size() < 2;
    if (!wanted) fail(path, array ? "an array" : "an object");
    if (path.size() == 1 && path[0] != metadata_key) {
      header_.tensors[path[0]].name = path[0];
      fields_.push_back({});
      fields_.back().tensor = &header_.tensors[path[0]];
    }
    if (!array) return;
    (path[1] == "shape" ? fields_.back().shape : fields_.back().has_offsets) = true;
  }

  void scalar(const JsonPath& path, JsonScalar value) override {
    auto* const text = std::get_if<std::string>(&value);
    const auto* const number = std::get_if<std::uint64_t>(&value);
    const bool tensor = path.size() >= 2 && path[0] != metadata_key;
    if (path.size() == 2 && !tensor && text != nullptr) {
      header_.metadata[path[1]] = std::move(*text);
    } else if (tensor && path.size() == 2 && path[1] == "dtype" && text != nullptr) {
      (void)dtype_bytes(*text);
      fields_.back().tensor->dtype = std::move(*text);
    } else if (tensor && path.size() == 3 && number != nullptr) {
      element(path[1], *number);
    } else {
      fail(path, "a value");
    }
  }

  // What must hold when all of the JSON is read.
  void finish() const {
    for (const Fields& fields : fields_) check(fields);
  }

 private:
  static constexpr const char* metadata_key = "__metadata__";

  struct Fields {
    TensorInfo* tensor = nullptr;
    bool shape = false, has_offsets = false;
    std::size_t offsets = 0;
  };

  [[noreturn]] static void fail(const JsonPath& path, const char* what) {
    std::string where;
    for (const std::string& key : path) where += (where.empty() ? "" : ".") + key;
    throw JsonError(path.empty() ? std::string(what) + " where an object should be"
                                 : in_quotes(where) + " is " + what + " of the wrong kind");
  }

  void element(const std::string& key, std::uint64_t number) {
    Fields& fields = fields_.back();
    TensorInfo& tensor = *fields.tensor;
    if (key == "shape") {
      if (tensor.shape.size() == max_rank) {
        throw JsonError("tensor " + in_quotes(tensor.name) + " has too many dimensions");
      }
      tensor.shape.push_back(number);
    } else {
      if (fields.offsets < 2) (fields.offsets == 0 ? tensor.begin : tensor.end) = number;
      ++fields.offsets;
    }
  }

  static void check(const Fields& fields) {
    const TensorInfo& tensor = *fields.tensor;
    const auto wrong = [&](const std::string& what) {
      throw JsonError("tensor " + in_quotes(tensor.name) + " " + what);
    };
    if (tensor.dtype.empty()) wrong("has no dtype");
    if (!fields.shape) wrong("has no shape");
    if (fields.offsets != 2) wrong("has no two data_offsets");
    std::optional<std::uint64_t> bytes = dtype_bytes(tensor.dtype);
    for (const std::uint64_t extent : tensor.shape) {
      if (bytes) bytes = product(*bytes, extent);
    }
    if (!bytes) wrong("has a shape that overflows");
    if (tensor.end < tensor.begin) wrong("ends before it begins");
    if (tensor.end - tensor.begin != *bytes) {
      wrong("has " + std::to_string(tensor.end - tensor.begin) + " bytes of data, but is " +
            describe(tensor));
    }
  }

  SafetensorsHeader& header_;
  std::vector<Fields> fields_;
};

std::uint64_t read_length(ByteSource& source) {
  if (source.size() < length_bytes) {
    source.fail("not a safetensors file: it has " + std::to_string(source.size()) + " bytes");
  }
  std::array<std::byte, length_bytes> bytes{};
  source.read(0, bytes);
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i > 0; --i) {
    length = length << 8 | std::to_integer<std::uint64_t>(bytes[i - 1]);
  }
  const std::uint64_t most = std::min(source.size() - length_bytes, max_header_bytes);
  if (length > most) {
    source.fail("not a safetensors file: its header would have " + std::to_string(length) +
                " bytes; possible: at most " + std::to_string(most));
  }
  return length;
}

// Tensors, in the order of their data, follow each other from 0 to the end of the file.
void check_layout(const ByteSource& source, const SafetensorsHeader& header) {
  std::vector<const TensorInfo*> order;
  for (const auto& [name, tensor] : header.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorInfo* a, const TensorInfo* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;
  for (const TensorInfo* tensor : order) {
    if (tensor->begin < at) source.fail("tensor " + in_quotes(tensor->name) + " overlaps another");
    if (tensor->begin > at) source.fail("before tensor " + in_quotes(tensor->name) + " is a gap");
    at = tensor->end;
  }
  const std::uint64_t bytes = source.size() - header.data;
  if (at != bytes) {
    source.fail("has " + std::to_string(bytes) + " bytes of data, but its tensors have " +
                std::to_string(at));
  }
}

}  // namespace

std::uint64_t TensorInfo::elements() const noexcept {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;
  return count;
}

std::string describe(const TensorInfo& tensor) {
  std::string text = tensor.dtype + " of ";
  for (std::size_t i = 0; i < tensor.shape.size() && i < 8; ++i) {
    text += (i == 0 ? "" : " x ") + std::to_string(tensor.shape[i]);
  }
  if (tensor.shape.size() > 8) text += " x ...";
  return text + (tensor.shape.empty() ? "no dimension" : "");
}

SafetensorsHeader read_header(ByteSource& source) {
  const std::uint64_t length = read_length(source);
  std::string text(static_cast<std::size_t>(length), '\0');
  source.read(length_bytes, std::as_writable_bytes(std::span(text)));
  SafetensorsHeader header;
  header.data = length_bytes + length;
  try {
    if (text.empty() || text.front() != '{') throw JsonError("it does not begin with {");
    HeaderConsumer consumer(header);
    read_json(text, consumer);
    consumer.finish();
  } catch (const JsonError& error) {
    source.fail(std::string("not a safetensors file: in its header, ") + error.what());
  }
  check_layout(source, header);
  return header;
}

void read_tensor(ByteSource& source, const SafetensorsHeader& header, const TensorInfo& tensor,
                 Matrix out) {
  std::uint64_t at = header.data + tensor.begin;
  const bool whole = out.ld == out.cols;
  const std::size_t runs = whole ? 1 : out.rows;
  const std::size_t length = whole ? out.size() : out.cols;
  for (std::size_t r = 0; r < runs; ++r) {
    const std::span<float> run(out.data + r * out.ld, length);
    source.read(at, std::as_writable_bytes(run));
    from_little_endian(run);
    at += run.size_bytes();
  }
}

}  // namespace simdrop::detail
