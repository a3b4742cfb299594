#include "data/datasets/atomic_ctr.h"

#include "core/error.h"
#include "data/datasets/atomic_fields.h"
#include "data/datasets/atomic_header.h"
#include "data/datasets/atomic_time.h"
#include "io/files.h"

namespace rallrec::data {
namespace {

// -1 where there is no such column, or one of words.
int numeric_column(const AtomicHeader& header, const char* name) {
  const int column = header.find(name);
  return column >= 0 && header.columns()[column].kind == FieldKind::kFloat ? column : -1;
}

struct LabelColumns {
  explicit LabelColumns(const AtomicHeader& header)
      : user(header.require("user_id")),
        item(header.require("item_id")),
        label(header.require("label")),
        timestamp(numeric_column(header, "timestamp")) {}
  std::size_t user;
  std::size_t item;
  std::size_t label;
  int timestamp;
};

std::uint8_t label_of(const io::DelimitedRow& row, std::size_t i) {
  const double label = row.get_number(i, "label");
  if (label != 0.0 && label != 1.0) {
    row.fail(i, "label: expected 0 or 1, found '" + std::string(row[i]) + "'");
  }
  return label == 1.0 ? 1 : 0;
}

void append(const io::DelimitedRow& row, const LabelColumns& columns, CtrData& data,
            CtrSamples& samples) {
  const std::string_view user = row[columns.user];
  const std::string_view item = row[columns.item];
  if (user.empty()) row.fail(columns.user, "user_id is empty");
  if (item.empty()) row.fail(columns.item, "item_id is empty");
  const std::uint8_t label = label_of(row, columns.label);
  if (columns.timestamp >= 0) {
    samples.timestamp.push_back(atomic_time(row, columns.timestamp).whole);
  }
  samples.label.push_back(label);
  samples.user.push_back(data.users.add(user));
  samples.item.push_back(data.items.add(item));
}

void read_samples(const std::string& file, const ReadOptions& options, CtrData& data,
                  CtrSamples& samples) {
  io::require_plain_file(file);
  const AtomicHeader header(file);
  const LabelColumns columns(header);
  samples.source = file;
  const auto format = delimited_options(file, "\t", header.size(), options);
  io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    if (row.line() > 1) append(row, columns, data, samples);
  });
  if (samples.size() == 0) throw_bad_data(file, "holds no sample");
}

FieldTable read_side_file(const std::string& file, const char* id_column,
                          const ReadOptions& options, IdMap& ids) {
  if (file.empty()) return {};
  io::require_plain_file(file);
  std::int64_t rejected = 0;
  return read_atomic_fields(file, id_column, options, ids, rejected, FieldWords::kAsInFile);
}

}  // namespace

CtrData read_ctr_files(const CtrFiles& files, const ReadOptions& options) {
  CtrData data;
  data.user_fields = read_side_file(files.users, "user_id", options, data.users);
  data.item_fields = read_side_file(files.items, "item_id", options, data.items);
  read_samples(files.train, options, data, data.train);
  read_samples(files.valid, options, data, data.valid);
  read_samples(files.test, options, data, data.test);
  return data;
}

}  // namespace rallrec::data
