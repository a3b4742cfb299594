#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/id_map.h"
#include "distributed/communicator.h"
#include "io/delimited.h"

namespace rallrec::data {

// How the files of a data set are read.
struct ReadOptions {
  // Malformed rows per file that are dropped before one is an error.
  std::int64_t max_bad_rows = 0;
  // Folder for <file name>.rejects, which holds dropped rows and reasons. Empty: they are only
  // counted.
  std::string rejects_folder;
  // Ranks that share the rows of large files; all call the reader with the same arguments but for
  // the rejects folder, which one of them names. nullptr: this rank reads alone.
  distributed::Communicator* communicator = nullptr;
};

// `path` itself where it is a file, `name` in it where it is a folder. Throws missing where that
// file does not exist; the message names what was expected.
std::string file_of(const std::string& path, const std::string& name);

// Options for a file whose rows end up in the caller's columns.
io::DelimitedOptions delimited_options(const std::string& file, const std::string& separator,
                                       std::size_t fields, const ReadOptions& options);

// The files right in `folder` whose names end in one of `extensions` (".csv"), sorted.
std::vector<std::string> files_of(const std::string& folder,
                                  const std::vector<std::string>& extensions);

// UTF-8 where the whole file is valid UTF-8, `otherwise` elsewhere: text in a one-byte encoding
// with accents is practically never valid UTF-8, and both kinds of copies are in use.
io::Encoding guess_encoding(const std::string& file,
                            io::Encoding otherwise = io::Encoding::kLatin1);

// The first line of a file, without its end; "" for an empty file. At most `max_bytes` of it.
std::string first_line(const std::string& file, std::size_t max_bytes = io::kDefaultRowLimit);
// The fields of the first line, without blanks around them. Throws bad data where it has open
// quotes.
std::vector<std::string> header_fields(const std::string& file, const std::string& separator,
                                       io::Quotes quotes);
std::vector<std::string> split(std::string_view text, std::string_view separator);
// Without blanks at the end, or at both.
std::string_view trim_end(std::string_view text);
std::string_view trim(std::string_view text);

// Field i as a whole number in [low, high]; bad data at its place otherwise.
std::int64_t get_whole(const io::DelimitedRow& row, std::size_t i, std::string_view name,
                       std::int64_t low, std::int64_t high);
// Field i as the positive number that MovieLens uses for an id, in plain decimal digits.
std::string get_numeric_id(const io::DelimitedRow& row, std::size_t i, std::string_view name);
// The dense id of such a field; bad data where `known` has no such id. `file` is where it should
// be.
std::int32_t get_known_id(const io::DelimitedRow& row, std::size_t i, std::string_view name,
                          const IdMap& known, const std::string& file);
// Bad data at field i where `id` is in `known` already.
void require_new(const io::DelimitedRow& row, std::size_t i, std::string_view name,
                 const IdMap& known, std::string_view id);

}  // namespace rallrec::data
