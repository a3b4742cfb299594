#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "core/rng.h"
#include "data/ctr_data.h"

namespace rallrec::testing {

// Made-up samples whose label follows from the words of user and item together and, a little, from
// a number; users and items from `known` on are in no training sample. The same text whatever the
// size of its splits.
inline data::CtrData made_up_ctr_data(int users = 40, int items = 30, int known = 25) {
  data::CtrData data;
  data::FieldBuilder color("color", data::FieldKind::kToken);
  data::FieldBuilder age("age", data::FieldKind::kFloat);
  data::FieldBuilder tags("tags", data::FieldKind::kTokenSequence);
  for (int u = 0; u < users; ++u) {
    data.users.add("u" + std::to_string(u));
    color.add("c" + std::to_string(u % 3));
    color.end_row();
    age.add(static_cast<float>(20 + u));
    age.end_row();
  }
  for (int i = 0; i < items; ++i) {
    data.items.add("i" + std::to_string(i));
    tags.add("t" + std::to_string(i % 3));
    if (i % 2 == 0) tags.add("even");
    tags.end_row();
  }
  data.user_fields.fields.push_back(color.take());
  data.user_fields.fields.push_back(age.take());
  data.item_fields.fields.push_back(tags.take());
  Rng rng(11);
  const auto fill = [&](data::CtrSamples& samples, int count, int user_end, int item_end) {
    for (int s = 0; s < count; ++s) {
      const auto user =
          static_cast<std::int32_t>(rng.next_below(static_cast<std::uint64_t>(user_end)));
      const auto item =
          static_cast<std::int32_t>(rng.next_below(static_cast<std::uint64_t>(item_end)));
      const double yes = user % 3 == item % 3 ? 0.9 : 0.15;
      samples.user.push_back(user);
      samples.item.push_back(item);
      samples.label.push_back(rng.next_double() < yes ? 1 : 0);
    }
  };
  data.train.source = "train.inter";
  data.valid.source = "valid.inter";
  data.test.source = "test.inter";
  fill(data.train, 1500, known, known);
  fill(data.valid, 300, users, items);
  fill(data.test, 301, users, items);
  return data;
}

inline config::BaselineOptions small_baseline() {
  config::BaselineOptions options;
  options.epochs = 6;
  options.batch_size = 200;
  options.block_size = 32;
  options.embedding_size = 5;
  options.learning_rate = 0.01;
  options.mlp_sizes = "16-8";
  options.cin_sizes = "4-3";
  options.attention_size = 6;
  return options;
}

}  // namespace rallrec::testing
