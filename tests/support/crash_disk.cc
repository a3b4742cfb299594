#include "tests/support/crash_disk.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace rallrec::testing {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// SplitMix64.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

}  // namespace

CrashDisk::CrashDisk(const std::string& folder) : root_path_(folder), root_(read(folder)) {}

CrashDisk::NodePtr CrashDisk::read(const std::string& path) {
  auto node = std::make_shared<Node>();
  node->is_folder = fs::is_directory(path);
  if (!node->is_folder) {
    node->bytes = bytes_of(path);
    node->certain = node->bytes.size();
    return node;
  }
  for (const auto& entry : fs::directory_iterator(path)) {
    node->entries[entry.path().filename().string()] = read(entry.path().string());
  }
  node->certain_entries = node->entries;
  return node;
}

CrashDisk::NodePtr CrashDisk::find(const std::string& path) const {
  NodePtr node = root_;
  for (const fs::path& part : fs::path(path).lexically_relative(root_path_)) {
    if (part == ".") {
      continue;
    }
    const auto found = node->entries.find(part.string());
    if (found == node->entries.end()) {
      throw std::logic_error("CrashDisk: no " + path);
    }
    node = found->second;
  }
  return node;
}

CrashDisk::NodePtr CrashDisk::parent_of(const std::string& path, std::string& name) const {
  name = fs::path(path).filename().string();
  return find(fs::path(path).parent_path().string());
}

void CrashDisk::apply(std::map<std::string, NodePtr>& entries, const Node::Change& change) {
  entries.erase(change.removed);
  if (change.node) {
    entries[change.added] = change.node;
  }
}

void CrashDisk::change(Node& folder, const Node::Change& change) {
  apply(folder.entries, change);
  folder.changes.push_back(change);
}

void CrashDisk::create(const std::string& path) {
  std::string name;
  const NodePtr folder = parent_of(path, name);
  change(*folder, {"", name, std::make_shared<Node>()});
}

void CrashDisk::make_folder(const std::string& path) {
  std::string name;
  const NodePtr folder = parent_of(path, name);
  auto made = std::make_shared<Node>();
  made->is_folder = true;
  change(*folder, {"", name, made});
}

void CrashDisk::write(const std::string& path, const std::string& bytes) {
  find(path)->bytes += bytes;
}

void CrashDisk::rename(const std::string& from, const std::string& to) {
  std::string old_name;
  std::string new_name;
  const NodePtr source = parent_of(from, old_name);
  const NodePtr target = parent_of(to, new_name);
  const NodePtr node = find(from);
  if (source == target) {
    change(*source, {old_name, new_name, node});
    return;
  }
  change(*target, {"", new_name, node});
  change(*source, {old_name, "", nullptr});
}

void CrashDisk::remove(const std::string& path) {
  std::string name;
  const NodePtr folder = parent_of(path, name);
  change(*folder, {name, "", nullptr});
}

void CrashDisk::fsync(const std::string& path) {
  Node& node = *find(path);
  node.certain = node.bytes.size();
  node.certain_entries = node.entries;
  node.changes.clear();
}

void CrashDisk::write_node(const Node& node, const Crash& crash, std::uint64_t& random,
                           const std::string& path) {
  if (!node.is_folder) {
    const auto uncertain = static_cast<double>(node.bytes.size() - node.certain);
    const std::size_t left = node.certain + static_cast<std::size_t>(crash.bytes * uncertain);
    std::ofstream(path, std::ios::binary)
        .write(node.bytes.data(), static_cast<std::streamsize>(left));
    return;
  }
  fs::create_directories(path);
  std::map<std::string, NodePtr> entries = node.certain_entries;
  std::size_t kept = crash.names == 0 ? 0 : node.changes.size();
  if (crash.names != 0 && ~crash.names != 0) {
    kept = next_random(random) % (node.changes.size() + 1);
  }
  for (std::size_t i = 0; i < kept; ++i) {
    apply(entries, node.changes[i]);
  }
  for (const auto& [name, child] : entries) {
    write_node(*child, crash, random, (fs::path(path) / name).string());
  }
}

void CrashDisk::write_out(const Crash& crash, const std::string& folder) const {
  std::uint64_t random = crash.names;
  write_node(*root_, crash, random, folder);
}

}  // namespace rallrec::testing
