#include "data/datasets/registry.h"

#include "core/error.h"
#include "data/datasets/amazon.h"
#include "data/datasets/atomic.h"
#include "data/datasets/book_crossing.h"
#include "data/datasets/light_gcn_txt.h"
#include "data/datasets/movielens.h"

namespace rallrec::data {

const std::vector<DatasetReader>& dataset_readers() {
  static const std::vector<DatasetReader> readers = {
      {"amazon", "reviews and metadata of 2014, 2018 or 2023", read_amazon},
      {"atomic", "RecBole .inter, .item, .user", read_atomic},
      {"book-crossing", "BX-Book-Ratings.csv, BX-Books.csv, BX-Users.csv", read_book_crossing},
      {"light-gcn-txt", "train.txt and test.txt of LightGCN", read_light_gcn_txt},
      {"movielens-100k", "u.data, u.item, u.user, u.genre", read_movielens_100k},
      {"movielens-1m", "ratings.dat, movies.dat, users.dat", read_movielens_1m}};
  return readers;
}

RawData read_dataset(const std::string& name, const std::string& path, const ReadOptions& options) {
  std::string known;
  for (const DatasetReader& reader : dataset_readers()) {
    if (reader.name == name) return reader.read(path, options);
    known += (known.empty() ? "" : ", ") + reader.name + " (" + reader.files + ")";
  }
  throw_usage("data.dataset = \"" + name + "\" is not known; known: " + known);
}

}  // namespace rallrec::data
