#include "data/datasets/amazon_layout.h"

#include <algorithm>

#include "core/error.h"
#include "io/files.h"
#include "io/utf8.h"

namespace rallrec::data {
namespace {

using Names = std::vector<std::string>;

struct Release {
  const char* user;
  Names items;
  const char* rating;
  Names times;
};

const std::vector<Release>& releases() {
  static const std::vector<Release> list = {
      {"reviewerID", {"asin"}, "overall", {"unixReviewTime", "reviewTime"}},
      {"user_id", {"parent_asin", "asin"}, "rating", {"timestamp"}}};
  return list;
}

constexpr const char* kKnown =
    "known are reviews of 2014 and 2018 (reviewerID, asin, overall, unixReviewTime or reviewTime) "
    "and of 2023 (user_id, parent_asin or asin, rating, timestamp), and metadata (asin or "
    "parent_asin, title, and category, categories or genre)";

// The first of `names` that is a key of the file; "" where none is.
std::string first_key(const RecordFile& file, const Names& names) {
  for (const std::string& name : names) {
    if (file.has(name)) return name;
  }
  return "";
}

// False where the file holds no reviews of a known release.
bool find_review_keys(const RecordFile& file, ReviewKeys* keys) {
  for (const Release& release : releases()) {
    *keys = {release.user, first_key(file, release.items), release.rating,
             first_key(file, release.times)};
    const bool complete = file.has(keys->user) && !keys->item.empty() && file.has(keys->rating) &&
                          !keys->time.empty();
    if (complete) return true;
  }
  return false;
}

std::string metadata_item(const RecordFile& file) {
  const bool describes = !first_key(file, {"title", "category", "categories", "genre"}).empty();
  return describes ? first_key(file, {"parent_asin", "asin"}) : "";
}

std::string seen_in(const RecordFile& file) {
  std::string seen;
  for (const std::string& key : file.keys) {
    seen.append(seen.empty() ? "" : ", ").append(io::shown(key));
  }
  return seen.empty() ? "nothing, but is " + io::shown(first_line(file.path)) : seen;
}

[[noreturn]] void refuse(const RecordFile& file) {
  throw_bad_data(file.path + ":1",
                 "unknown layout: the first line names " + seen_in(file) + "; " + kKnown);
}

[[noreturn]] void throw_no_reviews(const std::string& folder, const std::string& seen) {
  throw_bad_data(folder, "holds no file of reviews: " + seen + "; " + kKnown +
                             "; what ends in .gz must be unpacked first");
}

[[noreturn]] void throw_two(const std::string& first, const std::string& second, const char* what,
                            const char* cure) {
  throw_usage(second + ": is a second file of " + what + " beside " + io::name_of(first) + "; " +
              cure);
}

// `strict`: a file that names columns must be reviews or metadata.
void add(RecordFile&& file, bool strict, AmazonFiles& files) {
  ReviewKeys keys;
  if (find_review_keys(file, &keys)) {
    if (!files.reviews.keys.empty()) {
      throw_two(files.reviews.path, file.path, "reviews", "let data.path name the one to read");
    }
    files.reviews = std::move(file);
    files.keys = std::move(keys);
  } else if (const std::string item = metadata_item(file); !item.empty()) {
    if (!files.metadata.keys.empty()) {
      throw_two(files.metadata.path, file.path, "metadata", "keep one of them in this folder");
    }
    files.metadata = std::move(file);
    files.metadata_item = item;
  } else if (file.keys.empty() ? io::name_of(file.path).rfind("meta", 0) == 0 : strict) {
    // Titles would be missing unseen. Metadata whose first line is broken goes by its name.
    refuse(file);
  }
}

}  // namespace

AmazonFiles find_amazon_files(const std::string& path) {
  const bool is_folder = io::is_folder(path);
  AmazonFiles files;
  if (!is_folder) {
    files.reviews = open_records(file_of(path, "the reviews"));
    if (!find_review_keys(files.reviews, &files.keys)) refuse(files.reviews);
  }
  const std::string folder = is_folder ? path : io::folder_of(path);
  const Names names = files_of(folder, {".csv", ".json", ".jsonl"});
  std::string seen;
  for (const std::string& name : names) {
    RecordFile file = open_records(name);
    seen += (seen.empty() ? "" : ", ") + io::name_of(name) + " has " + seen_in(file);
    ReviewKeys keys;
    if (is_folder || !find_review_keys(file, &keys)) add(std::move(file), is_folder, files);
  }
  if (names.empty())
    throw_missing(path,
                  "no .csv, .json or .jsonl file in this folder; unpack what ends in .gz first");
  if (files.reviews.keys.empty()) throw_no_reviews(folder, seen);
  return files;
}

}  // namespace rallrec::data
