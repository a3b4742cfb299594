#pragma once

#include <string>

#include "data/dataset.h"
#include "data/field_table.h"

namespace rallrec::pipeline {

// `users` people who each rate `rows` films, one per second, all in turn. Film f is called "Film f
// (1990)", ratings go 1, 2, 3, 4, 5, 1, …; nobody rates a film twice while rows <= items.
inline data::Dataset made_up_dataset(int users, int rows, int items) {
  data::RawData raw;
  raw.source = "made-up";
  data::FieldBuilder title("title", data::FieldKind::kToken);
  for (int f = 0; f < items; ++f) {
    raw.items.add(std::to_string(f + 1));
    title.add("Film " + std::to_string(f + 1) + " (1990)");
    title.end_row();
  }
  raw.item_fields.fields.push_back(title.take());
  data::FieldBuilder gender("gender", data::FieldKind::kToken);
  for (int u = 0; u < users; ++u) {
    raw.users.add("u" + std::to_string(u + 1));
    gender.add(u % 2 == 0 ? "female" : "male");
    gender.end_row();
  }
  raw.user_fields.fields.push_back(gender.take());
  for (int row = 0; row < rows; ++row) {
    for (int u = 0; u < users; ++u) {
      raw.interactions.user.push_back(u);
      raw.interactions.item.push_back((row * 7 + u * 3) % items);
      raw.interactions.rating.push_back(static_cast<float>(1 + (row + u) % 5));
      raw.interactions.timestamp.push_back(1000 + row * users + u);
    }
  }
  return data::build_dataset(std::move(raw), {});
}

}  // namespace rallrec::pipeline
