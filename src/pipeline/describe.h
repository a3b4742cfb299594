#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"
#include "distributed/communicator.h"
#include "pipeline/model_files.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The items that describe and embed look at: the whole catalogue, or all but its last item with
// refcompat.drop_last_item.
std::int32_t items_with_text(const data::Dataset& dataset, const config::Options& options);

// Eq. 1: the model describes every item from its metadata. Writes describe/descriptions.jsonl, a
// line {"item": original id, "prompt": the request, "description": …} per item that has any field;
// items without metadata get no line. Items of describe.file get its text, without a "prompt", and
// requests that describe.cache knows get the text of then; the model is not even loaded where these
// are all. Finished batches survive a kill and are taken up again.
void run_describe(StageContext& context);

// The descriptions by item of the catalogue, none where there is no line. Bad data where a line
// names an unknown item or one twice.
std::vector<std::optional<std::string>> read_descriptions(const std::string& path,
                                                          const data::Dataset& dataset);

// What stage describe wrote, "" for an item without metadata. Bad data that counts the items with
// metadata that have no line, of the first `count` (-1 = all), and names the first.
std::vector<std::string> load_descriptions(const std::string& path, const data::Dataset& dataset,
                                           std::int32_t count = -1);

// Input lines {"prompt": "…"} with an optional "system"; the output has the same lines and keys in
// order, plus "description". Collective; rank 0 writes.
void describe_file(const ModelFiles& files, const config::Options& options,
                   distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
