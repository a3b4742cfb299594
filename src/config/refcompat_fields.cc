// Keys of the section of deviations.
#include "config/field.h"

namespace rallrec::config {

void add_refcompat_fields(std::vector<Field>& list) {
  using Flags = RefcompatOptions;
  SectionFields<Flags>(list, "refcompat", &Options::refcompat)
      .add("generated_state", &Flags::generated_state, anything(),
           "embed: the state of the last token of a sampled continuation, not the mean")
      .add("description_only", &Flags::description_only, anything(),
           "align, retrieve: e_text is the description alone")
      .add("pca_text", &Flags::pca_text, between(0, 65536),
           "align, retrieve: principal components of e_text that are kept; 0 = all of it")
      .add("max_norm", &Flags::max_norm, anything(),
           "retrieve: a block is divided by its largest row norm")
      .add("cosine_ranking", &Flags::cosine_ranking, anything(),
           "retrieve: ranked by the cosine of the mixture")
      .add("ml1m_index_shift", &Flags::ml1m_index_shift, anything(),
           "retrieve: an item is taken for the one whose id is larger by one")
      .add("text_adapter", &Flags::text_adapter, anything(),
           "retrieve: training prompts show what the text alone finds")
      .add("amazon_hybrid_empty", &Flags::amazon_hybrid_empty, anything(),
           "retrieve: with retrieve.hybrid nothing is found")
      .add("drop_last_item", &Flags::drop_last_item, anything(),
           "describe, embed, retrieve: the last item has no text and is never found")
      .add("rerank_two_thirds", &Flags::rerank_two_thirds, anything(),
           "prompt: two thirds by similarity and one by time, not eq. 8")
      .add("rerank_repeat_bug", &Flags::rerank_repeat_bug, anything(),
           "prompt: where items repeat the newest are not seen")
      .add("first_2048_of_mixed", &Flags::first_2048_of_mixed, anything(),
           "prompt: trained on the first 2 * train_samples of high, sequential, simple in turn")
      .add("right_truncation", &Flags::right_truncation, anything(),
           "prompt, tune: a prompt over the cutoff loses its end")
      .add("double_bos", &Flags::double_bos, anything(),
           "tune: a training prompt begins with two begin tokens")
      .add("labels_include_newline", &Flags::labels_include_newline, anything(),
           "tune: the token before the answer is trained on too")
      .add("no_end_of_turn", &Flags::no_end_of_turn, anything(),
           "tune: the end of the turn is not trained on")
      .add("float_base_at_inference", &Flags::float_base_at_inference, anything(),
           "infer: fp32 weights, whatever model.quant says")
      .add("squash_prob", &Flags::squash_prob, anything(),
           "evaluate: score_squashed takes the place of score")
      .add("eval_first_10000", &Flags::eval_first_10000, anything(),
           "evaluate: the first 10,000 test prompts alone")
      .add("empty_newlines", &Flags::empty_newlines, anything(),
           "describe: line breaks and quotes are removed");
}

}  // namespace rallrec::config
