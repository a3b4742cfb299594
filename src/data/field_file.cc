#include "data/field_file.h"

#include <algorithm>

#include "core/error.h"

namespace rallrec::data {
namespace {

constexpr std::uint8_t kLastKind = static_cast<std::uint8_t>(FieldKind::kFloatSequence);

std::string array_of(const std::string& prefix, std::size_t index, const char* part) {
  return prefix + "." + std::to_string(index) + "." + part;
}

void check_offsets(const io::Hdf5File& file, const std::string& array, const Field& field,
                   std::int64_t rows) {
  const auto& offsets = field.offsets;
  const std::size_t values = is_token(field.kind) ? field.codes.size() : field.numbers.size();
  const bool fits = offsets.size() == static_cast<std::size_t>(rows) + 1 && offsets.front() == 0 &&
                    offsets.back() == static_cast<std::int64_t>(values) &&
                    std::is_sorted(offsets.begin(), offsets.end());
  if (!fits) {
    throw_bad_array(file, array,
                    "expected " + std::to_string(rows + 1) + " ascending offsets from 0 to " +
                        std::to_string(values));
  }
}

void check_codes(const io::Hdf5File& file, const std::string& array, const Field& field) {
  const auto words = static_cast<std::int32_t>(field.vocabulary.size());
  const bool fits = std::all_of(field.codes.begin(), field.codes.end(),
                                [&](std::int32_t code) { return code >= 0 && code < words; });
  if (!fits) throw_bad_array(file, array, "a code outside [0, " + std::to_string(words) + ")");
}

Field read_field(const io::Hdf5File& file, const std::string& prefix, std::size_t index,
                 Field field, std::int64_t rows) {
  field.offsets = file.read<std::int64_t>(array_of(prefix, index, "offsets"));
  if (is_token(field.kind)) {
    field.vocabulary = file.read_strings(array_of(prefix, index, "vocabulary"));
    field.codes = file.read<std::int32_t>(array_of(prefix, index, "codes"));
    check_codes(file, array_of(prefix, index, "codes"), field);
  } else {
    field.numbers = file.read<float>(array_of(prefix, index, "numbers"));
  }
  check_offsets(file, array_of(prefix, index, "offsets"), field, rows);
  return field;
}

}  // namespace

void throw_bad_array(const io::Hdf5File& file, const std::string& array,
                     const std::string& message) {
  throw_bad_data(file.path(), "array " + array + ": " + message + "; run the stage ingest again");
}

void write_fields(io::Hdf5Writer& file, const std::string& prefix, const FieldTable& table) {
  std::vector<std::string> names;
  std::vector<std::uint8_t> kinds;
  std::vector<std::uint8_t> derived;
  for (const Field& field : table.fields) {
    const std::size_t index = names.size();
    names.push_back(field.name);
    kinds.push_back(static_cast<std::uint8_t>(field.kind));
    derived.push_back(field.derived ? 1 : 0);
    file.add(array_of(prefix, index, "offsets"), field.offsets);
    if (is_token(field.kind)) {
      file.add_strings(array_of(prefix, index, "vocabulary"), field.vocabulary);
      file.add(array_of(prefix, index, "codes"), field.codes);
    } else {
      file.add(array_of(prefix, index, "numbers"), field.numbers);
    }
  }
  file.add_strings(prefix + ".names", names);
  file.add(prefix + ".kinds", kinds);
  file.add(prefix + ".derived", derived);
}

FieldTable read_fields(const io::Hdf5File& file, const std::string& prefix, std::int64_t rows) {
  const auto names = file.read_strings(prefix + ".names");
  const auto kinds = file.read<std::uint8_t>(prefix + ".kinds");
  const auto derived = file.read<std::uint8_t>(prefix + ".derived");
  if (kinds.size() != names.size() || derived.size() != names.size()) {
    throw_bad_array(file, prefix + ".kinds", "expected one entry per field name");
  }
  FieldTable table;
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (kinds[index] > kLastKind) throw_bad_array(file, prefix + ".kinds", "an unknown kind");
    Field field;
    field.name = names[index];
    field.kind = static_cast<FieldKind>(kinds[index]);
    field.derived = derived[index] != 0;
    table.fields.push_back(read_field(file, prefix, index, std::move(field), rows));
  }
  return table;
}

}  // namespace rallrec::data
