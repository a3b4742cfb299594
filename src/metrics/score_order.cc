#include "metrics/score_order.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/parallel_for.h"

namespace rallrec::metrics {
namespace {

// Below this many scores one sort is as fast.
constexpr std::size_t kSmall = std::size_t{1} << 15;
// Parts that the keys are dealt out to; a power of two, and few enough for one page each in the
// processor's table of pages. Of 10 million scores each has 160 kB.
constexpr std::size_t kParts = 1024;
// Samples per part: the largest part is then hardly ever twice the mean.
constexpr std::size_t kSamplesPerPart = 16;
// Pieces of the input that are dealt out on their own, whatever the threads.
constexpr std::size_t kPieces = 32;

bool comes_before(const KeyedScore& a, const KeyedScore& b) {
  return a.key != b.key ? a.key < b.key : a.tag < b.tag;
}

// kParts - 1 ascending keys that cut the scores into parts of about one size.
std::vector<std::uint64_t> choose_splitters(const KeyedScores& scores) {
  std::vector<std::uint64_t> samples(kParts * kSamplesPerPart);
  const std::size_t step = scores.size() / samples.size();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = scores[i * step].key;
  }
  std::sort(samples.begin(), samples.end());
  std::vector<std::uint64_t> splitters(kParts - 1);
  for (std::size_t part = 1; part < kParts; ++part) {
    splitters[part - 1] = samples[part * kSamplesPerPart];
  }
  return splitters;
}

// The number of splitters at or below the key, without a branch that a processor could miss.
std::uint16_t part_of(std::uint64_t key, const std::uint64_t* splitters) {
  std::size_t part = 0;
  for (std::size_t step = kParts / 2; step > 0; step /= 2) {
    part += splitters[part + step - 1] <= key ? step : 0;
  }
  return static_cast<std::uint16_t>(part);
}

// Two counting passes over the 22 leading bits of the keys' differences from the least; what still
// has equal digits is few, or sorted by comparing.
class LeadingBitsSort {
 public:
  void sort(KeyedScore* scores, std::size_t count) {
    if (count < kFew) {
      std::sort(scores, scores + count, comes_before);
      return;
    }
    find_range(scores, count);
    if (buffer_.size() < count) {
      buffer_.resize(count);
    }
    pass(scores, count, shift_, buffer_.data());
    pass(buffer_.data(), count, shift_ + kDigitBits, scores);
    sort_equal_digits(scores, count);
  }

 private:
  static constexpr std::size_t kFew = 64;
  static constexpr unsigned kDigitBits = 11;
  static constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;

  std::uint64_t digits_of(const KeyedScore& score) const { return (score.key - least_) >> shift_; }

  void find_range(const KeyedScore* scores, std::size_t count) {
    least_ = scores[0].key;
    std::uint64_t most = least_;
    for (std::size_t i = 1; i < count; ++i) {
      least_ = std::min(least_, scores[i].key);
      most = std::max(most, scores[i].key);
    }
    shift_ = 0;
    while ((most - least_) >> shift_ >= kDigits * kDigits) {
      ++shift_;
    }
  }

  void pass(const KeyedScore* from, std::size_t count, unsigned shift, KeyedScore* to) const {
    std::uint32_t places[kDigits] = {};
    const auto digit = [&](const KeyedScore& score) {
      return ((score.key - least_) >> shift) % kDigits;
    };
    for (std::size_t i = 0; i < count; ++i) {
      ++places[digit(from[i])];
    }
    std::uint32_t next = 0;
    for (std::uint32_t& place : places) {
      next += std::exchange(place, next);
    }
    for (std::size_t i = 0; i < count; ++i) {
      to[places[digit(from[i])]++] = from[i];
    }
  }

  void sort_equal_digits(KeyedScore* scores, std::size_t count) const {
    for (std::size_t begin = 0; begin < count;) {
      std::size_t end = begin + 1;
      while (end < count && digits_of(scores[end]) == digits_of(scores[begin])) {
        ++end;
      }
      if (end - begin > 1) {
        std::sort(scores + begin, scores + end, comes_before);
      }
      begin = end;
    }
  }

  std::uint64_t least_ = 0;
  unsigned shift_ = 0;
  std::vector<KeyedScore> buffer_;
};

class PartSort {
 public:
  explicit PartSort(KeyedScores& scores)
      : scores_(scores),
        splitters_(choose_splitters(scores)),
        parts_(scores.size()),
        places_(kPieces * kParts, 0) {}

  void run() {
    for_each_piece([this](std::size_t piece) { count_piece(piece); });
    std::vector<std::size_t> ends = find_places();
    KeyedScores dealt(scores_.size());
    for_each_piece([&](std::size_t piece) { deal_piece(piece, dealt); });
    std::swap(scores_, dealt);
    sort_parts(ends);
  }

 private:
  template <typename Body>
  void for_each_piece(const Body& body) {
    parallel_for(kPieces, 1, [&body](std::int64_t begin, std::int64_t end) {
      for (std::int64_t piece = begin; piece < end; ++piece) {
        body(static_cast<std::size_t>(piece));
      }
    });
  }

  std::size_t begin_of(std::size_t piece) const { return scores_.size() * piece / kPieces; }

  void count_piece(std::size_t piece) {
    std::size_t* const counts = places_.data() + piece * kParts;
    for (std::size_t i = begin_of(piece); i < begin_of(piece + 1); ++i) {
      parts_[i] = part_of(scores_[i].key, splitters_.data());
      ++counts[parts_[i]];
    }
  }

  // Turns counts into the place where a piece puts its next score of a part.
  std::vector<std::size_t> find_places() {
    std::vector<std::size_t> ends(kParts);
    std::size_t next = 0;
    for (std::size_t part = 0; part < kParts; ++part) {
      for (std::size_t piece = 0; piece < kPieces; ++piece) {
        std::size_t& place = places_[piece * kParts + part];
        const std::size_t count = place;
        place = next;
        next += count;
      }
      ends[part] = next;
    }
    return ends;
  }

  void deal_piece(std::size_t piece, KeyedScores& dealt) {
    std::size_t* const places = places_.data() + piece * kParts;
    for (std::size_t i = begin_of(piece); i < begin_of(piece + 1); ++i) {
      dealt[places[parts_[i]]++] = scores_[i];
    }
  }

  void sort_parts(const std::vector<std::size_t>& ends) {
    parallel_for(kParts, 1, [&](std::int64_t first, std::int64_t last) {
      LeadingBitsSort sorter;
      for (auto part = static_cast<std::size_t>(first); part < static_cast<std::size_t>(last);
           ++part) {
        const std::size_t begin = part == 0 ? 0 : ends[part - 1];
        sorter.sort(scores_.data() + begin, ends[part] - begin);
      }
    });
  }

  KeyedScores& scores_;
  std::vector<std::uint64_t> splitters_;
  std::vector<std::uint16_t> parts_;  // of each score
  std::vector<std::size_t> places_;   // [pieces, parts]: a count, later the next place
};

}  // namespace

std::uint64_t key_of_score(double score) {
  const double value = score == 0.0 ? 0.0 : score;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  // Negative numbers order backwards by their bits.
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

KeyedScores keyed_samples(const std::vector<double>& scores,
                          const std::vector<std::uint8_t>& labels) {
  RALLREC_CHECK(scores.size() == labels.size(), "auc: as many labels as scores are needed");
  constexpr std::int64_t kGrain = 1 << 16;
  KeyedScores keyed(scores.size());
  parallel_for(
      static_cast<std::int64_t>(scores.size()), kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          keyed[i] = {key_of_score(scores[i]), 2 * i + (labels[i] != 0 ? 1 : 0)};
        }
      });
  return keyed;
}

void sort_scores(KeyedScores& scores) {
  if (scores.size() < kSmall) {
    std::sort(scores.data(), scores.data() + scores.size(), comes_before);
    return;
  }
  PartSort(scores).run();
}

}  // namespace rallrec::metrics
