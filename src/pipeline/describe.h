#pragma once

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
// line
// {"item": original id, "prompt": the request, "description": …} per item that has any field; items
// without metadata get no line. Finished batches survive a kill and are taken up again.
void run_describe(StageContext& context);

// The descriptions by item of the catalogue, "" where there is none. Bad data where a line names an
// unknown item or one twice.
std::vector<std::string> read_descriptions(const std::string& path, const data::Dataset& dataset);

// Input lines {"prompt": "…"} with an optional "system"; the output has the same lines and keys in
// order, plus "description". Collective; rank 0 writes.
void describe_file(const ModelFiles& files, const config::Options& options,
                   distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
