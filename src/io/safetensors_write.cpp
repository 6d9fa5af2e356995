#include <algorithm>
#include <stdexcept>

#include "base/check.h"
#include "io/float_bytes.h"
#include "io/json_reader.h"
#include "io/safetensors.h"

namespace simdrop::detail {
namespace {

constexpr std::size_t alignment = 8;  // of the data, as the format's own writer has it
constexpr std::size_t piece = std::size_t{1} << 16;

std::string joined(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape) {
    if (!text.empty()) text += ',';
    text += std::to_string(extent);
  }
  return text;
}

std::string header_text(std::span<const TensorData> tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{\"__metadata__\":{";
  for (const auto& [key, value] : metadata) {
    if (text.back() != '{') text += ',';
    text += json_string(key) + ':' + json_string(value);
  }
  text += "}";
  std::uint64_t at = 0;
  for (const TensorData& tensor : tensors) {
    const std::uint64_t end = at + tensor.values.size() * sizeof(float);
    text += ',' + json_string(tensor.name) + ":{\"dtype\":\"F32\",\"shape\":[" +
            joined(tensor.shape) + "],\"data_offsets\":[" + std::to_string(at) + "," +
            std::to_string(end) + "]}";
    at = end;
  }
  text += "}";
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  return text;
}

void write_values(OutputFile& file, std::vector<float>& buffer, ConstMatrix values) {
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < values.cols; c += piece) {
      const std::size_t n = std::min(piece, values.cols - c);
      // Rows may be short: they are gathered, and written together.
      if (buffer.size() + n > piece) {
        from_little_endian(buffer);
        file.write(std::as_bytes(std::span(buffer)));
        buffer.clear();
      }
      const float* from = values.row(r) + c;
      buffer.insert(buffer.end(), from, from + n);
    }
  }
}

}  // namespace

void write_safetensors(OutputFile& file, std::span<const TensorData> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_argument(metadata.size() <= max_metadata, "metadata: number of keys", metadata.size(),
                 "at most " + std::to_string(max_metadata) + ", simdrop's own two among them");
  const std::string header = header_text(tensors, metadata);
  check_argument(header.size() <= max_header_bytes, "metadata: header size", header.size(),
                 std::to_string(max_header_bytes) + " bytes, which readers take at most");
  std::byte length[8];
  for (unsigned i = 0; i < 8; ++i) {
    length[i] = static_cast<std::byte>(std::uint64_t{header.size()} >> (8 * i));
  }
  file.write(length);
  file.write(std::as_bytes(std::span(header)));
  std::vector<float> buffer;
  buffer.reserve(piece);
  for (const TensorData& tensor : tensors) write_values(file, buffer, tensor.values);
  from_little_endian(buffer);
  file.write(std::as_bytes(std::span(buffer)));
}

}  // namespace simdrop::detail
