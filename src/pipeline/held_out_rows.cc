#include "pipeline/held_out_rows.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/did_you_mean.h"
#include "core/error.h"

namespace rallrec::pipeline {
namespace {

constexpr std::size_t kNames = 5;

void add_row(NamedRows& rows, const std::string& name) {
  ++rows.rows;
  auto& names = rows.names;
  if (names.size() <= kNames && std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

// "u7, u9, …": one name more than are shown is kept, to know whether there are more.
std::string first_names(const NamedRows& rows) {
  const bool more = rows.names.size() > kNames;
  const auto shown = static_cast<std::ptrdiff_t>(std::min(rows.names.size(), kNames));
  return config::joined({rows.names.begin(), rows.names.begin() + shown}) + (more ? ", …" : "");
}

std::string reasons(const HeldOutRows& held_out) {
  std::string text;
  const auto add = [&text](std::int64_t rows, const std::string& reason) {
    if (rows > 0) {
      text.append(text.empty() ? "" : ", ").append(std::to_string(rows)).append(reason);
    }
  };
  add(held_out.of_unknown_users.rows,
      " of users without a training edge (" + first_names(held_out.of_unknown_users) + ")");
  add(held_out.of_unknown_items.rows,
      " of items without one (" + first_names(held_out.of_unknown_items) + ")");
  add(held_out.rows_in_training, " that are training edges");
  add(held_out.rows_below_min_rating, " rated below light_gcn.min_rating");
  return text;
}

// Takes rows one by one; the graph is made of what is kept.
class RowSorter {
 public:
  RowSorter(const data::CsrGraph& train, const data::IdMap& users, const data::IdMap& items,
            HeldOutRows& result)
      : train_(train), users_(users), items_(items), result_(result) {}

  void add(std::int32_t user, std::int32_t item) {
    const bool knows_user = user < train_.users && train_.user_degree(user) > 0;
    const bool knows_item = item < train_.items && train_.item_degree(item) > 0;
    if (knows_user && knows_item && train_.has_edge(user, item)) {
      ++result_.rows_in_training;
      return;
    }
    if (!knows_user) {
      add_row(result_.of_unknown_users, users_.name(user));
      user += user < train_.users ? users_.size() : 0;
    }
    if (!knows_item) {
      add_row(result_.of_unknown_items, items_.name(item));
      item += item < train_.items ? items_.size() : 0;
    }
    can_be_found_ = can_be_found_ || (knows_user && knows_item);
    kept_.add(user, item);
  }

  bool can_be_found() const { return can_be_found_; }

  // Those of the training file without an edge are numbered once more, behind all others.
  void finish() {
    result_.graph =
        data::make_csr_graph(kept_, users_.size() + train_.users, items_.size() + train_.items);
    result_.repeated_rows = static_cast<std::int64_t>(kept_.size()) - result_.graph.edges();
  }

 private:
  const data::CsrGraph& train_;
  const data::IdMap& users_;
  const data::IdMap& items_;
  HeldOutRows& result_;
  data::EdgeList kept_;
  bool can_be_found_ = false;
};

}  // namespace

HeldOutRows held_out_rows(const std::string& file, const data::InteractionTable& table,
                          double min_rating, const data::CsrGraph& train, const data::IdMap& users,
                          const data::IdMap& items) {
  const data::EdgeList edges = data::edges_of(table, min_rating);
  HeldOutRows result;
  result.rows = static_cast<std::int64_t>(table.size());
  result.rows_below_min_rating = result.rows - static_cast<std::int64_t>(edges.size());
  RowSorter sorter(train, users, items, result);
  for (std::size_t row = 0; row < edges.size(); ++row) {
    sorter.add(edges.user[row], edges.item[row]);
  }
  if (!file.empty() && !sorter.can_be_found()) {
    throw_bad_data(file, "none of its " + std::to_string(result.rows) + " rows can be ranked: " +
                             reasons(result) + "; expected users and items of the training file");
  }
  sorter.finish();
  return result;
}

void log_held_out_rows(const std::string& file, const HeldOutRows& held_out) {
  const std::string why = reasons(held_out);
  if (!why.empty()) {
    spdlog::warn(
        "{}: of {} rows {}; unknown users and items count as not found, the others not at "
        "all",
        file, held_out.rows, why);
  }
}

io::JsonObjectWriter held_out_json(const HeldOutRows& held_out) {
  io::JsonObjectWriter json;
  const auto add = [&json](const std::string& what, const NamedRows& rows) {
    json.add("rows_of_" + what, rows.rows);
    const auto shown = static_cast<std::ptrdiff_t>(std::min(rows.names.size(), kNames));
    json.add(what, std::vector<std::string>(rows.names.begin(), rows.names.begin() + shown));
  };
  json.add("rows", held_out.rows).add("rows_below_min_rating", held_out.rows_below_min_rating);
  json.add("repeated_rows", held_out.repeated_rows);
  json.add("rows_in_training", held_out.rows_in_training);
  add("unknown_users", held_out.of_unknown_users);
  add("unknown_items", held_out.of_unknown_items);
  return json;
}

}  // namespace rallrec::pipeline
