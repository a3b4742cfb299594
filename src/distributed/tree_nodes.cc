#include "distributed/tree_nodes.h"

#include <algorithm>

namespace rallrec::distributed {

bool are_siblings(const Range& left, const Range& right, std::size_t leaves) {
  const std::size_t width = left.size();
  const bool power_of_two = (width & (width - 1)) == 0;
  return left.end == right.begin && power_of_two && left.begin % (2 * width) == 0 &&
         right.end == std::min(left.begin + 2 * width, leaves);
}

JoinedNodes join_nodes(const std::vector<Range>& nodes, std::size_t leaves) {
  JoinedNodes joined;
  std::vector<Range>& open = joined.nodes;
  for (std::size_t place = 0; place < nodes.size(); ++place) {
    open.push_back(nodes[place]);
    joined.places.push_back(place);
    while (open.size() > 1 && are_siblings(open[open.size() - 2], open.back(), leaves)) {
      joined.additions.push_back({joined.places[open.size() - 2], joined.places.back()});
      open[open.size() - 2].end = open.back().end;
      open.pop_back();
      joined.places.pop_back();
    }
  }
  return joined;
}

JoinedNodes join_leaves(const Range& range, std::size_t leaves) {
  std::vector<Range> singles;
  for (std::size_t leaf = range.begin; leaf < range.end; ++leaf) {
    singles.push_back({leaf, leaf + 1});
  }
  return join_nodes(singles, leaves);
}

}  // namespace rallrec::distributed
