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

const Dtype& dtype_named(std::string_view name) {
  const auto* const found = std::find_if(std::begin(dtypes), std::end(dtypes),
                                         [&](const Dtype& dtype) { return dtype.name == name; });
  if (found == std::end(dtypes)) throw JsonError("dtype " + in_quotes(name) + " is unknown");
  return *found;
}

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

constexpr const char* metadata_key = "__metadata__";

// An entry of the header while it is read.
class TensorReader {
 public:
  explicit TensorReader(const std::string& name) { tensor_.name = name; }

  // "shape" or "data_offsets" begins; false: it stands twice.
  bool open_list(bool shape) { return !std::exchange(shape ? has_shape_ : has_offsets_, true); }

  bool set_dtype(std::string_view name) {
    if (dtype_.bytes != 0) return false;
    dtype_ = dtype_named(name);
    return true;
  }

  void add_extent(std::uint64_t extent) {
    if (tensor_.rank == max_rank) wrong("has too many dimensions");
    if (tensor_.rank < TensorInfo::kept_extents) tensor_.shape[tensor_.rank] = extent;
    ++tensor_.rank;
    if (elements_) elements_ = product(*elements_, extent);
  }

  void add_offset(std::uint64_t offset) {
    if (offsets_ == 2) wrong("has no two data_offsets");
    (offsets_ == 0 ? tensor_.begin : tensor_.end) = offset;
    ++offsets_;
  }

  // What must hold at its end.
  TensorInfo finish() {
    if (dtype_.bytes == 0) wrong("has no dtype");
    if (!has_shape_) wrong("has no shape");
    if (offsets_ != 2) wrong("has no two data_offsets");
    tensor_.dtype = dtype_.name;
    const auto bytes = elements_ ? product(dtype_.bytes, *elements_) : std::nullopt;
    if (!bytes) wrong("has a shape that overflows");
    if (tensor_.end < tensor_.begin) wrong("ends before it begins");
    if (tensor_.end - tensor_.begin != *bytes) {
      wrong("has " + std::to_string(tensor_.end - tensor_.begin) + " bytes of data, but is " +
            describe(tensor_));
    }
    return std::move(tensor_);
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    throw JsonError("tensor " + in_quotes(tensor_.name) + " " + what);
  }

  TensorInfo tensor_;
  Dtype dtype_{nullptr, 0};
  std::optional<std::uint64_t> elements_ = 1;  // nothing: they overflow
  bool has_shape_ = false, has_offsets_ = false;
  int offsets_ = 0;
};

// Builds the header from the values of its JSON.
class HeaderConsumer final : public JsonConsumer {
 public:
  explicit HeaderConsumer(SafetensorsHeader& header) : header_(header) {}

  void open(const JsonPath& path, bool array) override {
    if (path.size() == 1 && !array) return open_entry(path);
    if (path.empty() && !array) return;
    if (path.size() != 2 || !array || !tensor_ || !is_list(path)) {
      fail(path, array ? "an array" : "an object");
    }
    if (!tensor_->open_list(path[1] == "shape")) throw_stands_twice(path);
  }

  void close(const JsonPath& path) override {
    if (path.size() != 1 || !tensor_) return;
    header_.tensors.insert(tensor_->finish());
    tensor_.reset();
  }

  void scalar(const JsonPath& path, JsonScalar value) override {
    const auto* const text = std::get_if<std::string>(&value);
    const auto* const number = std::get_if<std::uint64_t>(&value);
    if (path.size() == 2 && !tensor_ && text != nullptr) {
      add_metadata(path, *text);
    } else if (path.size() == 2 && path[1] == "dtype" && text != nullptr) {
      if (!tensor_->set_dtype(*text)) throw_stands_twice(path);
    } else if (path.size() == 3 && number != nullptr) {
      path[1] == "shape" ? tensor_->add_extent(*number) : tensor_->add_offset(*number);
    } else {
      fail(path, "a value");
    }
  }

 private:
  static bool is_list(const JsonPath& path) {
    return path[1] == "shape" || path[1] == "data_offsets";
  }

  void open_entry(const JsonPath& path) {
    if (path[0] == metadata_key) {
      if (std::exchange(has_metadata_, true)) throw_stands_twice(path);
      return;
    }
    if (header_.tensors.contains(path[0])) throw_stands_twice(path);
    if (header_.tensors.size() == max_tensors) {
      throw JsonError("there are more than " + std::to_string(max_tensors) +
                      " tensors, which no network has");
    }
    tensor_.emplace(path[0]);
  }

  // A copy: the value that was read may have room for more.
  void add_metadata(const JsonPath& path, const std::string& text) {
    if (header_.metadata.size() == max_metadata) {
      throw JsonError("there are more than " + std::to_string(max_metadata) + " keys of metadata");
    }
    if (!header_.metadata.emplace(path[1], text).second) throw_stands_twice(path);
  }

  [[noreturn]] static void fail(const JsonPath& path, const char* what) {
    throw JsonError(path.empty() ? std::string(what) + " where an object should be"
                                 : in_quotes(path) + " is " + what + " of the wrong kind");
  }

  SafetensorsHeader& header_;
  std::optional<TensorReader> tensor_;  // nothing: outside of tensors
  bool has_metadata_ = false;
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
  order.reserve(header.tensors.size());
  for (const TensorInfo& tensor : header.tensors) order.push_back(&tensor);
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

std::string describe(const TensorInfo& tensor) {
  std::string text = std::string(tensor.dtype) + " of ";
  for (std::uint32_t i = 0; i < tensor.rank && i < TensorInfo::kept_extents; ++i) {
    text += (i == 0 ? "" : " x ") + std::to_string(tensor.shape[i]);
  }
  if (tensor.rank > TensorInfo::kept_extents) text += " x ...";
  return text + (tensor.rank == 0 ? "no dimension" : "");
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
    read_json(std::move(text), consumer);
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
