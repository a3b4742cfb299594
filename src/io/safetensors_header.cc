#include "io/safetensors_header.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>

#include "core/error.h"
#include "io/json_writer.h"
#include "io/utf8.h"

namespace rallrec::io {
namespace {

constexpr std::size_t kMaxTensors = 100000;
constexpr std::size_t kMaxName = 512;
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kHeaderAlignment = 8;

// Receives the header's JSON token by token, so that every integer's kind and every repeated key is
// seen and nothing is built from a hostile header before it is checked. Throws at the first fault.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const std::string& path, SafetensorsHeader& header) : path_(path), header_(header) {}

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool number_float(number_float_t, const string_t& text) override {
    return unexpected("the number " + text.substr(0, 24));
  }
  bool number_integer(number_integer_t value) override {
    return unexpected("the number " + std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override;
  bool string(string_t& text) override;
  bool binary(binary_t&) override { return unexpected("binary data"); }
  bool start_object(std::size_t) override;
  bool key(string_t& name) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception&) override {
    fail("not valid JSON at byte " + std::to_string(position) + " near " +
         shown(token.substr(token.size() > 24 ? token.size() - 24 : 0)));
  }

  // Of a tensor's faults the caller finds later.
  [[noreturn]] void fail(const std::string& message) const {
    throw_bad_data(path_, "safetensors header: " + message);
  }
  [[noreturn]] void fail_in(const std::string& tensor, const std::string& message) const {
    fail("tensor " + shown(tensor) + ": " + message);
  }

 private:
  // Where in the header the next token is.
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool unexpected(const std::string& found);
  void begin_tensor(const std::string& name);
  void finish_tensor();

  const std::string& path_;
  SafetensorsHeader& header_;
  Place place_ = Place::kStart;
  std::unordered_set<std::string> names_;
  std::string key_;
  bool seen_metadata_ = false;
  bool seen_type_ = false;
  bool seen_shape_ = false;
  std::vector<std::uint64_t> offsets_;
  bool seen_offsets_ = false;
};

bool HeaderReader::unexpected(const std::string& found) {
  switch (place_) {
    case Place::kStart:
    case Place::kEnd:
      fail("expected one JSON object, found " + found);
    case Place::kTop:
      fail("key " + shown(key_) + ": expected an object, found " + found);
    case Place::kMetadata:
      fail("__metadata__ key " + shown(key_) + ": expected a string, found " + found);
    case Place::kShape:
      fail_in(header_.tensors.back().name, "shape: expected non-negative integers, found " + found);
    case Place::kOffsets:
      fail_in(header_.tensors.back().name,
              "data_offsets: expected two non-negative integers, found " + found);
    case Place::kTensor:
      fail_in(header_.tensors.back().name,
              "key " + shown(key_) + ": did not expect " + found + " there");
  }
  return false;
}

bool HeaderReader::number_unsigned(number_unsigned_t value) {
  if (place_ == Place::kShape) {
    TensorInfo& tensor = header_.tensors.back();
    if (tensor.shape.size() == kMaxRank) {
      fail_in(tensor.name, "more than 8 dimensions");
    }
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail_in(tensor.name, "dimension " + std::to_string(value) + " is too large");
    }
    tensor.shape.push_back(static_cast<std::int64_t>(value));
  } else if (place_ == Place::kOffsets) {
    if (offsets_.size() == 2) {
      fail_in(header_.tensors.back().name, "data_offsets: more than two numbers");
    }
    offsets_.push_back(value);
  } else {
    return unexpected("the number " + std::to_string(value));
  }
  return true;
}

bool HeaderReader::string(string_t& text) {
  if (place_ == Place::kMetadata) {
    header_.metadata[key_] = text;
  } else if (place_ == Place::kTensor && key_ == "dtype") {
    TensorInfo& tensor = header_.tensors.back();
    if (!parse_tensor_type(text, &tensor.type)) {
      fail_in(tensor.name,
              "dtype " + shown(text) +
                  " is not known; F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL are");
    }
    seen_type_ = true;
  } else {
    return unexpected("the string " + shown(text));
  }
  return true;
}

bool HeaderReader::start_object(std::size_t) {
  if (place_ == Place::kStart) {
    place_ = Place::kTop;
  } else if (place_ == Place::kTop) {
    place_ = key_ == "__metadata__" ? Place::kMetadata : Place::kTensor;
  } else {
    return unexpected("an object");
  }
  return true;
}

bool HeaderReader::key(string_t& name) {
  key_ = name;
  if (place_ == Place::kTop) {
    if (name == "__metadata__") {
      if (seen_metadata_) {
        fail("key '__metadata__' appears twice");
      }
      seen_metadata_ = true;
    } else {
      begin_tensor(name);
    }
  } else if (place_ == Place::kMetadata) {
    if (header_.metadata.count(name) != 0) {
      fail("__metadata__ key " + shown(name) + " appears twice");
    }
  } else {
    const std::string& tensor = header_.tensors.back().name;
    const bool repeated = (name == "dtype" && seen_type_) || (name == "shape" && seen_shape_) ||
                          (name == "data_offsets" && seen_offsets_);
    if (repeated) {
      fail_in(tensor, "key " + shown(name) + " appears twice");
    }
    if (name != "dtype" && name != "shape" && name != "data_offsets") {
      fail_in(tensor, "unknown key " + shown(name));
    }
  }
  return true;
}

void HeaderReader::begin_tensor(const std::string& name) {
  if (name.empty() || name.size() > kMaxName || name.find('\0') != std::string::npos) {
    fail("tensor name " + shown(name) + ": expected 1 to 512 bytes without NUL");
  }
  if (!names_.insert(name).second) {
    fail("tensor " + shown(name) + " appears twice");
  }
  if (header_.tensors.size() == kMaxTensors) {
    fail("more than 100000 tensors");
  }
  header_.tensors.push_back({name, TensorType::kF32, {}, 0, 0});
  seen_type_ = seen_shape_ = seen_offsets_ = false;
  offsets_.clear();
}

bool HeaderReader::start_array(std::size_t) {
  if (place_ == Place::kTensor && key_ == "shape") {
    place_ = Place::kShape;
    seen_shape_ = true;
  } else if (place_ == Place::kTensor && key_ == "data_offsets") {
    place_ = Place::kOffsets;
    seen_offsets_ = true;
  } else {
    return unexpected("an array");
  }
  return true;
}

bool HeaderReader::end_array() {
  if (place_ == Place::kOffsets && offsets_.size() != 2) {
    fail_in(header_.tensors.back().name, "data_offsets: expected two numbers");
  }
  place_ = Place::kTensor;
  return true;
}

bool HeaderReader::end_object() {
  if (place_ == Place::kTensor) {
    finish_tensor();
  }
  place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
  return true;
}

void HeaderReader::finish_tensor() {
  TensorInfo& tensor = header_.tensors.back();
  if (!seen_type_ || !seen_shape_ || !seen_offsets_) {
    fail_in(tensor.name, "dtype, shape and data_offsets must all be there");
  }
  tensor.begin = offsets_[0];
  tensor.end = offsets_[1];
  std::uint64_t bytes = size_of(tensor.type);
  for (const std::int64_t dimension : tensor.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes)) {
      fail_in(tensor.name, "the size of shape " + tensor.shape_text() + " overflows");
    }
  }
  if (tensor.begin > tensor.end) {
    fail_in(tensor.name, "data_offsets are reversed");
  }
  if (tensor.end - tensor.begin != bytes) {
    fail_in(tensor.name, "shape " + tensor.shape_text() + " of " + name_of(tensor.type) +
                             " takes " + std::to_string(bytes) + " bytes, data_offsets hold " +
                             std::to_string(tensor.end - tensor.begin));
  }
}

void check_coverage(const HeaderReader& reader, SafetensorsHeader& header,
                    std::uint64_t data_bytes) {
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) {
              return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
            });
  std::uint64_t expected = 0;
  for (const TensorInfo& tensor : header.tensors) {
    if (tensor.begin != expected) {
      reader.fail_in(tensor.name, std::string(tensor.begin < expected ? "overlaps the one before"
                                                                      : "leaves a hole before it") +
                                      ": starts at byte " + std::to_string(tensor.begin) +
                                      ", expected " + std::to_string(expected));
    }
    expected = tensor.end;
  }
  if (expected != data_bytes) {
    reader.fail("the tensors take " + std::to_string(expected) + " bytes, the file holds " +
                std::to_string(data_bytes) + " behind its header");
  }
}

}  // namespace

std::string TensorInfo::shape_text() const {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

SafetensorsHeader parse_safetensors_header(const std::string& path, std::string_view text,
                                           std::uint64_t data_bytes) {
  SafetensorsHeader header;
  HeaderReader reader(path, header);
  if (text.empty() || text.front() != '{') {
    reader.fail("must start with '{'");
  }
  const std::size_t end = text.find_last_not_of(' ');
  if (text[end] != '}') {
    reader.fail("only spaces may follow the closing '}'");
  }
  text = text.substr(0, end + 1);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  check_coverage(reader, header, data_bytes);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  std::string text = "{";
  const auto begin_member = [&](const std::string& key) {
    text += (text.back() == '{' ? "" : ",") + to_json(std::string_view(key)) + ":";
  };
  if (!header.metadata.empty()) {
    begin_member("__metadata__");
    text += "{";
    for (const auto& [key, value] : header.metadata) {
      begin_member(key);
      text += to_json(std::string_view(value));
    }
    text += "}";
  }
  for (const TensorInfo& tensor : header.tensors) {
    begin_member(tensor.name);
    std::string shape;
    for (const std::int64_t dimension : tensor.shape) {
      shape += (shape.empty() ? "" : ",") + std::to_string(dimension);
    }
    text += std::string("{\"dtype\":\"") + name_of(tensor.type) + "\",\"shape\":[" + shape +
            "],\"data_offsets\":[" + std::to_string(tensor.begin) + "," +
            std::to_string(tensor.end) + "]}";
  }
  text += "}";
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  return text;
}

}  // namespace rallrec::io
