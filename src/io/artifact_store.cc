#include "io/artifact_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/atomic_file.h"
#include "io/files.h"
#include "io/hash.h"

namespace rallrec::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;

Json to_json(const std::vector<FileRecord>& records) {
  Json list = Json::array();
  for (const FileRecord& record : records) {
    list.push_back({{"path", record.path}, {"size", record.size}, {"sha256", record.sha256}});
  }
  return list;
}

std::vector<FileRecord> records_of(const Json& list) {
  std::vector<FileRecord> records;
  for (const Json& item : list) {
    records.push_back({item.at("path").get<std::string>(), item.at("size").get<std::uint64_t>(),
                       item.at("sha256").get<std::string>()});
  }
  return records;
}

Json to_json(const Figures& figures) {
  Json object = Json::object();
  for (const auto& [name, figure] : figures) {
    std::visit([&, key = name](const auto& value) { object[key] = value; }, figure);
  }
  return object;
}

Figures figures_of(const Json& object) {
  Figures figures;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number_integer()) {
      figures.emplace_back(name, value.get<std::int64_t>());
    } else if (value.is_number()) {
      figures.emplace_back(name, value.get<double>());
    } else {
      figures.emplace_back(name, value.get<std::string>());
    }
  }
  return figures;
}

Manifest manifest_of(const Json& json) {
  Manifest manifest;
  manifest.stage = json.at("stage").get<std::string>();
  manifest.code_version = json.at("code_version").get<std::string>();
  manifest.config_sha256 = json.at("config_sha256").get<std::string>();
  manifest.model_sha256 = json.at("model_sha256").get<std::string>();
  manifest.inputs = records_of(json.at("inputs"));
  manifest.outputs = records_of(json.at("outputs"));
  manifest.seconds = json.at("seconds").get<double>();
  manifest.ranks = json.at("ranks").get<std::int64_t>();
  manifest.threads = json.at("threads").get<std::int64_t>();
  manifest.figures = figures_of(json.at("summary"));
  return manifest;
}

}  // namespace

std::optional<Manifest> read_manifest(const std::string& path) {
  if (!file_exists(path) || is_folder(path)) {
    return std::nullopt;
  }
  try {
    const Json json = Json::parse(read_file(path));
    if (json.at("format_version").get<int>() != kFormatVersion) {
      return std::nullopt;
    }
    return manifest_of(json);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void write_manifest(const std::string& path, const Manifest& manifest) {
  Json json;
  json["format_version"] = kFormatVersion;
  json["stage"] = manifest.stage;
  json["code_version"] = manifest.code_version;
  json["config_sha256"] = manifest.config_sha256;
  json["model_sha256"] = manifest.model_sha256;
  json["inputs"] = to_json(manifest.inputs);
  json["outputs"] = to_json(manifest.outputs);
  json["seconds"] = manifest.seconds;
  json["ranks"] = manifest.ranks;
  json["threads"] = manifest.threads;
  json["summary"] = to_json(manifest.figures);
  write_file_atomically(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string key_of(const Manifest& manifest) {
  Json json = {manifest.stage, manifest.code_version, manifest.config_sha256, manifest.model_sha256,
               to_json(manifest.inputs)};
  return sha256_hex(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace rallrec::io
