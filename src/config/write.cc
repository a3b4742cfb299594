#include "config/write.h"

#include <algorithm>

#include "config/field.h"

namespace rallrec::config {
namespace {

// "\n[section]\n" where a section begins.
std::string header(const Field& field, std::string& section) {
  if (field.section == section) {
    return "";
  }
  section = field.section;
  return "\n[" + section + "]\n";
}

std::string line(const Field& field, const Options& options) {
  return field.key + " = " + to_toml(field.get(options));
}

}  // namespace

std::string resolved_toml(const Options& options) {
  std::string text;
  std::string section;
  for (const Field& field : fields()) {
    text += header(field, section) + line(field, options) + "\n";
  }
  return text;
}

std::string section_text(const Options& options, const std::string& section) {
  std::string text;
  for (const Field& field : fields()) {
    if (field.section == section || field.name() == section) {
      text += field.name() + " = " + to_toml(field.get(options)) + "\n";
    }
  }
  return text;
}

std::string described_toml(const Config& config) {
  constexpr std::size_t kValueWidth = 40;
  std::string text;
  std::string section;
  for (const Field& field : fields()) {
    std::string row = line(field, config.options);
    row.resize(std::max(row.size(), kValueWidth), ' ');
    text += header(field, section) + row + "  # " + field.help + " [" +
            config.origins.at(field.name()) + "]\n";
  }
  return text;
}

}  // namespace rallrec::config
