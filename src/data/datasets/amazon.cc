#include "data/datasets/amazon.h"

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "data/datasets/amazon_layout.h"
#include "data/datasets/calendar.h"
#include "data/datasets/html_text.h"
#include "data/datasets/shared_rows.h"
#include "data/filters.h"
#include "io/utf8.h"

namespace rallrec::data {
namespace {

std::string get_id(const io::JsonRecord& record, const std::string& key) {
  std::string id(trim(record.get_string(key)));
  if (id.empty()) record.fail(key, "is empty");
  return id;
}

// A number, or a text that is one: the values of CSV are texts.
double get_number(const io::JsonRecord& record, const std::string& key) {
  const io::JsonValue* const value = record.value().find(key);
  const std::string* const text = value == nullptr ? nullptr : value->string();
  if (text == nullptr) return record.get_number(key);
  double number = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    record.fail(key, "expected a number, found " + io::shown(*text));
  }
  return number;
}

float rating_of(const io::JsonRecord& record, const std::string& key) {
  const double rating = get_number(record, key);
  if (!(rating >= 1 && rating <= 5)) {
    record.fail(key, "expected a rating from 1 to 5, found " + std::to_string(rating));
  }
  return static_cast<float>(rating);
}

std::int64_t time_of(const io::JsonRecord& record, const std::string& key) {
  if (key == "reviewTime") {
    std::int64_t seconds = 0;
    const std::string& date = record.get_string(key);
    if (!seconds_of_date(date, &seconds)) {
      record.fail(key, "expected a date such as '04 4, 2004', found " + io::shown(date));
    }
    return seconds;
  }
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const double time = get_number(record, key);
  if (!(time >= 0 && time <= kExact) || time != std::floor(time)) {
    record.fail(key, "expected a whole number from 0");
  }
  return static_cast<std::int64_t>(time);
}

// The text itself, the last of a list of texts, or that of the first of several lists.
std::string last_text(const io::JsonValue& value) {
  if (value.string() != nullptr) return std::string(trim(*value.string()));
  const io::JsonValue::Array* const array = value.array();
  if (array == nullptr || array->empty()) return "";
  return last_text(array->front().array() != nullptr ? array->front() : array->back());
}

std::string category_of(const io::JsonRecord& record) {
  for (const char* key : {"category", "categories", "genre"}) {
    const io::JsonValue* const value = record.value().find(key);
    std::string category = value == nullptr ? "" : decode_entities(last_text(*value));
    if (!category.empty()) return category;
  }
  return kUnknown;
}

std::string title_of(const io::JsonRecord& record) {
  return record.has("title") ? decode_entities(trim(record.get_string("title"))) : "";
}

void read_metadata(const AmazonFiles& files, const ReadOptions& options, RawData& raw) {
  FieldBuilder titles("title", FieldKind::kToken);
  FieldBuilder categories("category", FieldKind::kToken);
  const auto visit = [&](const io::JsonRecord& record) {
    const std::string id = get_id(record, files.metadata_item);
    const std::string title = title_of(record);
    if (raw.items.find(id) >= 0) return;
    if (!title.empty()) titles.add(title);
    titles.end_row();
    categories.add(category_of(record));
    categories.end_row();
    raw.items.add(id);
  };
  raw.rejected_rows += for_each_record(files.metadata, false, options, visit).rejected;
  raw.item_fields.fields.push_back(titles.take());
  raw.item_fields.fields.push_back(categories.take());
}

void read_reviews(const AmazonFiles& files, const ReadOptions& options, RawData& raw) {
  const ReviewKeys& keys = files.keys;
  const std::int32_t known_items = raw.items.size();
  InteractionTable& table = raw.interactions;
  const auto visit = [&](const io::JsonRecord& record) {
    const std::string user = get_id(record, keys.user);
    const std::string item = get_id(record, keys.item);
    const float rating = rating_of(record, keys.rating);
    table.timestamp.push_back(time_of(record, keys.time));
    table.rating.push_back(rating);
    table.user.push_back(raw.users.add(user));
    table.item.push_back(raw.items.add(item));
  };
  raw.rejected_rows += for_each_record(files.reviews, true, options, visit).rejected;
  join_rows(options, 0, known_items, raw.users, raw.items, table);
}

}  // namespace

RawData read_amazon(const std::string& path, const ReadOptions& options) {
  const AmazonFiles files = find_amazon_files(path);
  RawData raw;
  raw.source = files.reviews.path;
  if (!files.metadata.keys.empty()) read_metadata(files, options, raw);
  read_reviews(files, options, raw);
  return raw;
}

}  // namespace rallrec::data
