#include "config/toml_document.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "core/error.h"

namespace rallrec::config {
namespace {

// A run's config has some hundred lines; what is larger was named by mistake.
constexpr std::size_t kLargestFile = 1 << 20;

std::string read_file(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      throw_missing(path, "no such config file");
    }
    throw_io(path, "reading the config", errno);
  }
  if (!S_ISREG(info.st_mode)) {
    throw_usage(path + ": is not a file; --config takes a TOML file");
  }
  if (static_cast<std::size_t>(info.st_size) > kLargestFile) {
    throw_usage(path + ": is larger than 1 MiB; --config takes a TOML file");
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream.good() && !stream.eof()) {
    throw_io(path, "reading the config", errno);
  }
  return text;
}

}  // namespace

std::string place_of(const std::string& path, const toml::source_position& position) {
  return path + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

toml::table read_toml_document(const std::string& path) {
  const std::string text = read_file(path);
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    throw_usage(place_of(path, error.source().begin) + ": " + std::string(error.description()));
  }
}

}  // namespace rallrec::config
