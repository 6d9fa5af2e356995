#include "io/json_reader.h"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

namespace simdrop::detail {
namespace {

using Json = nlohmann::json;

// Names of nlohmann's interface.
class Events {
 public:
  explicit Events(JsonConsumer& consumer) : consumer_(consumer) {}

  bool null() { return value(nullptr); }
  bool boolean(bool given) { return value(given); }
  bool number_integer(std::int64_t given) { return value(static_cast<double>(given)); }
  bool number_unsigned(std::uint64_t given) { return value(given); }
  bool number_float(double given, const std::string& /*text*/) { return value(given); }
  bool string(std::string& given) { return value(std::move(given)); }
  bool binary(Json::binary_t& /*given*/) { return false; }

  bool start_object(std::size_t /*size*/) { return open(false); }
  bool start_array(std::size_t /*size*/) { return open(true); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (!keys_.back().insert(name).second) {
      throw JsonError("the key " + in_quotes(name) + " stands twice");
    }
    path_.back() = std::move(name);
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) {
    // Without the name of the exception in brackets; the rest quotes the file.
    std::string_view what = error.what();
    const std::size_t end = what.find("] ");
    if (end != std::string_view::npos) what.remove_prefix(end + 2);
    const std::string text = in_quotes(what);
    throw JsonError(text.substr(1, text.size() - 2));
  }

 private:
  bool value(JsonScalar given) {
    consumer_.scalar(path_, std::move(given));
    return true;
  }

  bool open(bool array) {
    consumer_.open(path_, array);
    path_.emplace_back(json_element);
    keys_.emplace_back();
    return true;
  }

  bool close() {
    path_.pop_back();
    keys_.pop_back();
    return true;
  }

  JsonConsumer& consumer_;
  JsonPath path_;
  std::vector<std::unordered_set<std::string>> keys_;  // of each object that is open
};

}  // namespace

void read_json(std::string_view text, JsonConsumer& consumer) {
  // The parser takes a byte 0 for the end.
  if (text.find('\0') != std::string_view::npos) throw JsonError("a byte in it is 0");
  Events events(consumer);
  Json::sax_parse(text.data(), text.data() + text.size(), &events);
}

}  // namespace simdrop::detail
