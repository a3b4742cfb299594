#include "config/mode.h"

namespace rallrec::config {
namespace {

// Which of the authors' three notebooks has a deviation: M MovieLens-1M, B Book-Crossing, A Amazon;
// O where it says nothing about the data set and holds for any other too.
struct Deviation {
  const char* key;
  Value value;
  const char* notebooks;
};

const std::vector<Deviation>& deviations() {
  static const std::vector<Deviation> list = {{"tune.select_on", std::string("test"), "MBAO"},
                                              {"refcompat.generated_state", true, "MBAO"},
                                              {"refcompat.description_only", true, "MBAO"},
                                              {"refcompat.pca_text", std::int64_t{128}, "MBAO"},
                                              {"refcompat.max_norm", true, "MBAO"},
                                              {"refcompat.cosine_ranking", true, "MAO"},
                                              {"refcompat.ml1m_index_shift", true, "M"},
                                              {"refcompat.text_adapter", true, "MBAO"},
                                              {"refcompat.amazon_hybrid_empty", true, "A"},
                                              {"refcompat.drop_last_item", true, "M"},
                                              {"refcompat.rerank_two_thirds", true, "MBAO"},
                                              {"refcompat.rerank_repeat_bug", true, "BA"},
                                              {"refcompat.first_2048_of_mixed", true, "MBAO"},
                                              {"refcompat.right_truncation", true, "MBAO"},
                                              {"refcompat.double_bos", true, "MBAO"},
                                              {"refcompat.labels_include_newline", true, "MBAO"},
                                              {"refcompat.no_end_of_turn", true, "MBAO"},
                                              {"refcompat.float_base_at_inference", true, "MBAO"},
                                              {"refcompat.squash_prob", true, "MBAO"},
                                              {"refcompat.eval_first_10000", true, "MA"},
                                              {"refcompat.empty_newlines", true, "MBAO"}};
  return list;
}

char notebook_of(const std::string& dataset) {
  if (dataset == "movielens-1m") return 'M';
  if (dataset == "book-crossing") return 'B';
  return dataset == "amazon" ? 'A' : 'O';
}

std::vector<Setting> refcompat_settings(const std::string& dataset) {
  std::vector<Setting> settings;
  for (const Deviation& deviation : deviations()) {
    if (std::string(deviation.notebooks).find(notebook_of(dataset)) != std::string::npos) {
      settings.push_back({find_field(deviation.key), deviation.value, "mode refcompat"});
    }
  }
  return settings;
}

}  // namespace

std::vector<Setting> mode_settings(const std::string& mode, const std::string& dataset) {
  const Field* const edges = find_field("light_gcn.edges");
  if (mode == "clean") {
    return {{find_field("data.deduplicate"), true, "mode clean"},
            {edges, std::string("up_to_last_train"), "mode clean"}};
  }
  std::vector<Setting> settings =
      mode == "refcompat" ? refcompat_settings(dataset) : std::vector<Setting>();
  if (dataset == "amazon") {
    settings.push_back({edges, std::string("leave_one_out_of_samples"), "mode " + mode});
  }
  return settings;
}

}  // namespace rallrec::config
