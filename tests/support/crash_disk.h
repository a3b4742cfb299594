#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rallrec::testing {

// A disk under a page cache, as far as POSIX promises anything about one: bytes of a file are
// certain after its fsync, names in a folder after the folder's. Calls are played into it, then
// the power fails, and what is left is written out as a real folder.
class CrashDisk {
 public:
  // What is there before the first call, certain in all parts.
  explicit CrashDisk(const std::string& folder);

  void create(const std::string& path);
  void write(const std::string& path, const std::string& bytes);
  void make_folder(const std::string& path);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& path);
  void fsync(const std::string& path);

  // What a crash leaves of that which was not made certain.
  struct Crash {
    // Share of a file's bytes after those that are certain.
    double bytes;
    // 0: no change of names; ~0: all; else a seed: of each folder a random number of changes, the
    // first ones.
    std::uint64_t names;
  };
  void write_out(const Crash& crash, const std::string& folder) const;

 private:
  struct Node {
    bool is_folder = false;
    std::string bytes;                                     // of a file
    std::size_t certain = 0;                               // how many of them
    std::map<std::string, std::shared_ptr<Node>> entries;  // of a folder, by name
    // Changes of names since the folder's last fsync, from an entry to another; null: none.
    struct Change {
      std::string removed;
      std::string added;
      std::shared_ptr<Node> node;
    };
    std::map<std::string, std::shared_ptr<Node>> certain_entries;
    std::vector<Change> changes;
  };
  using NodePtr = std::shared_ptr<Node>;

  static NodePtr read(const std::string& path);
  NodePtr find(const std::string& path) const;
  NodePtr parent_of(const std::string& path, std::string& name) const;
  static void change(Node& folder, const Node::Change& change);
  static void apply(std::map<std::string, NodePtr>& entries, const Node::Change& change);
  static void write_node(const Node& node, const Crash& crash, std::uint64_t& random,
                         const std::string& path);

  std::string root_path_;
  NodePtr root_;
};

}  // namespace rallrec::testing
