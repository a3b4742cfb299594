#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/options.h"

namespace rallrec::config {

using Strings = std::vector<std::string>;
using Value = std::variant<bool, std::int64_t, double, std::string, Strings>;

// Says what a value must be ("must be at least 1"), or "" where it is accepted. The value has the
// field's type.
using Check = std::function<std::string(const Value&)>;

// The one description of a config key: reading, writing, `config show` and hashing all go by it.
struct Field {
  std::string section;  // "" for a key at the top of the file
  std::string key;
  std::string help;
  Value fallback;  // the default; its alternative is the key's type
  Check check;
  std::function<Value(const Options&)> get;
  std::function<void(Options&, const Value&)> set;  // the value has the type of `fallback`

  // "section.key", or "key" at the top.
  std::string name() const { return section.empty() ? key : section + "." + key; }
};

// All keys, in the order of the resolved file: by section, in the order of struct Options.
const std::vector<Field>& fields();
// Null where there is no such key. `name` is "section.key" or "mode".
const Field* find_field(const std::string& name);
// Section names in order, without "".
const Strings& sections();

// "text", "an integer", …: the field's type in words, with an example.
std::string type_in_words(const Field& field);
// The value as TOML. Numbers are written so that reading gives the same bits.
std::string to_toml(const Value& value);

// Checks.
Check anything();
Check at_least(std::int64_t low);
Check between(std::int64_t low, std::int64_t high);
// low <= value <= high; exclusive at an end where the flag says so.
Check real_between(double low, double high, bool low_open = false, bool high_open = false);
Check real_positive();
Check one_of(const Strings& allowed);
// A non-empty list without repeats whose members are all in `allowed` (any text where empty).
Check some_of(const Strings& allowed);
// What some_of takes, of the stages of a run; a name that is none gets a guess at what was meant.
Check stage_names();
// auto, llm_int8, w8a16, w8a8, bf16 or fp32.
Check quant_mode();
// mpi, file:PATH or tcp:HOST:PORT with a port from 1 to 65535.
Check meeting_point();
// "n/d" with integers 0 <= n <= d, d > 0.
Check ratio();
// What read_sizes (sizes.h) takes.
Check sizes();

// Adds the fields of one section to a list, from pointers to members.
template <class Section>
class SectionFields {
 public:
  SectionFields(std::vector<Field>& list, std::string section, Section Options::*member)
      : list_(list), section_(std::move(section)), member_(member) {}

  template <class T>
  SectionFields& add(const char* key, T Section::*field, Check check, const char* help) {
    const auto member = member_;
    list_.push_back({section_, key, help, (Options().*member).*field, std::move(check),
                     [=](const Options& options) -> Value { return (options.*member).*field; },
                     [=](Options& options, const Value& value) {
                       (options.*member).*field = std::get<T>(value);
                     }});
    return *this;
  }

 private:
  std::vector<Field>& list_;
  std::string section_;
  Section Options::*member_;
};

// The parts of fields(), one per file.
void add_data_fields(std::vector<Field>& list);
void add_embedding_fields(std::vector<Field>& list);
void add_recommender_fields(std::vector<Field>& list);
void add_refcompat_fields(std::vector<Field>& list);

}  // namespace rallrec::config
