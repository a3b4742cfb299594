#include "metrics/score_file.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "core/error.h"
#include "distributed/joint_error.h"
#include "distributed/partition.h"
#include "io/hash.h"
#include "io/json_parser.h"
#include "io/json_record.h"
#include "io/json_writer.h"
#include "io/row_scanner.h"

namespace rallrec::metrics {
namespace {

using distributed::Range;

// Where the samples of a file are, found without parsing them.
struct RowIndex {
  std::vector<io::RowPlace> places;
  // The rows themselves, where the file cannot be read twice.
  std::vector<std::string> texts;
};

RowIndex index_rows(const io::InputFile& file) {
  io::RowScanner scanner(file);
  const bool is_array = scanner.starts_json_array();
  RowIndex index;
  io::Row row;
  while (is_array ? scanner.next_array_element(&row) : scanner.next_line(&row)) {
    if (row.too_long) {
      throw_bad_data(io::where(file.path(), row.place),
                     "the line is longer than " + std::to_string(io::kDefaultRowLimit) + " bytes");
    }
    if (row.text.find_first_not_of(" \t") == std::string::npos) {
      continue;
    }
    index.places.push_back(row.place);
    if (!file.is_regular()) {
      index.texts.push_back(row.text);
    }
  }
  return index;
}

std::uint8_t label_of(const io::JsonRecord& record) {
  if (record.has("label")) {
    const double label = record.get_number("label");
    if (label != 0.0 && label != 1.0) {
      record.fail("label", "expected 0 or 1, found " + io::to_json(label));
    }
    return label == 1.0 ? 1 : 0;
  }
  if (!record.has("output")) {
    throw_bad_data(record.where(), "neither 'label' (0 or 1) nor 'output' (Yes. or No.) is there");
  }
  const std::string& output = record.get_string("output");
  if (output != "Yes." && output != "No.") {
    record.fail("output", "expected \"Yes.\" or \"No.\" where there is no label");
  }
  return output == "Yes." ? 1 : 0;
}

double probability_of(const io::JsonRecord& record, const char* key) {
  const double value = record.get_number(key);
  if (!(value >= 0.0 && value <= 1.0)) {
    record.fail(key, "expected a probability between 0 and 1, found " + io::to_json(value));
  }
  return value;
}

// An id: a string or an integer; nothing for other kinds and where there is none.
std::optional<std::string> id_of(const io::JsonRecord& record, const char* key) {
  const io::JsonValue* id = record.value().find(key);
  if (id == nullptr) {
    return std::nullopt;
  }
  if (const std::string* name = id->string()) {
    return *name;
  }
  const std::int64_t* number = id->integer();
  return number == nullptr ? std::nullopt : std::optional(std::to_string(*number));
}

std::string user_of(const io::JsonRecord& record) {
  if (const auto user = id_of(record, "user")) {
    return *user;
  }
  record.fail("user", std::string("expected a string or an integer, found ") +
                          record.value().find("user")->kind());
}

// Nothing where the record does not say which row of the data set it is. Data sets without
// timestamps have no row twice among their samples.
std::optional<std::uint64_t> row_of(const io::JsonRecord& record, std::uint8_t label) {
  const auto user = id_of(record, "user");
  const auto item = id_of(record, "item");
  const auto time = id_of(record, "timestamp");
  if (!user || !item) {
    return std::nullopt;
  }
  const std::string text =
      *user + '\0' + *item + '\0' + time.value_or("") + '\0' + std::to_string(label);
  return io::xxh3_64(text.data(), text.size());
}

class SampleReader {
 public:
  void add(const io::JsonRecord& record) {
    samples_.labels.push_back(label_of(record));
    samples_.scores.push_back(probability_of(record, "score"));
    if (record.has("score_squashed")) {
      samples_.squashed.push_back(probability_of(record, "score_squashed"));
    }
    samples_.users.push_back(record.has("user") ? number_of(user_of(record))
                                                : ScoredSamples::kNoUser);
    if (const auto row = row_of(record, samples_.labels.back())) {
      samples_.rows.push_back(*row);
    }
  }

  ScoredSamples take() {
    if (samples_.squashed.size() != samples_.size()) {
      samples_.squashed.clear();
    }
    if (samples_.rows.size() != samples_.size()) {
      samples_.rows.clear();
    }
    return std::move(samples_);
  }

 private:
  std::uint32_t number_of(const std::string& name) {
    const auto next = static_cast<std::uint32_t>(samples_.user_names.size());
    const auto [entry, is_new] = numbers_.emplace(name, next);
    if (is_new) {
      samples_.user_names.push_back(name);
    }
    return entry->second;
  }

  ScoredSamples samples_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

io::Row row_at(const io::InputFile& file, const RowIndex& index, std::size_t i) {
  io::Row row;
  row.place = index.places[i];
  if (file.is_regular()) {
    row.text.resize(row.place.length);
    file.read_exactly(row.place.offset, row.text.data(), row.text.size());
  } else {
    row.text = index.texts[i];
  }
  return row;
}

ScoredSamples parse_rows(const io::InputFile& file, const RowIndex& index, const Range& mine) {
  SampleReader reader;
  io::JsonParser parser;
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    io::Row row = row_at(file, index, i);
    io::JsonValue value;
    io::JsonParser::Problem problem;
    if (!parser.parse(row.text, &value, &problem)) {
      throw_bad_data(io::where(file.path(), row, problem.at), problem.message);
    }
    reader.add(io::JsonRecord(file.path(), std::move(row), std::move(value)));
  }
  return reader.take();
}

void require_both_classes(const ScoredSamples& samples, const std::string& path) {
  const auto positives = std::count(samples.labels.begin(), samples.labels.end(), 1);
  if (positives == 0 || positives == static_cast<std::ptrdiff_t>(samples.size())) {
    throw_bad_data(path, "all " + std::to_string(samples.size()) + " labels are " +
                             (positives == 0 ? "0" : "1") + "; AUC needs samples of both classes");
  }
}

}  // namespace

ScoredSamples read_scored_samples(distributed::Communicator& communicator,
                                  const std::string& path) {
  ScoredSamples mine;
  distributed::run_jointly(communicator, [&] {
    const io::InputFile file(path);
    if (!file.is_regular() && communicator.size() > 1) {
      throw_usage(path + ": several ranks cannot read one pipe; give a file or use one rank");
    }
    const RowIndex index = index_rows(file);
    if (index.places.empty()) {
      throw_bad_data(path, "there are no scored samples in it");
    }
    mine = parse_rows(
        file, index,
        distributed::split_evenly(index.places.size(), communicator.size(), communicator.rank()));
  });
  ScoredSamples all = gather_samples(communicator, mine);
  require_both_classes(all, path);
  return all;
}

}  // namespace rallrec::metrics
